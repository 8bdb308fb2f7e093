import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseZooUrl } from './url.ts';

test('a URL names servers, credentials and a path', () => {
  assert.deepEqual(parseZooUrl(' zk://marathon:s3cr@t@zk1:2181,10.0.0.2:2182,[::1]:2183/mesos/prod/ '), {
    ok: true,
    value: {
      servers: [
        { host: 'zk1', port: 2181 },
        { host: '10.0.0.2', port: 2182 },
        { host: '::1', port: 2183 },
      ],
      credentials: 'marathon:s3cr@t',
      path: '/mesos/prod',
    },
  });
  const bare = parseZooUrl('zk://localhost:2181/m');
  assert.deepEqual(bare.ok && [bare.value.path, bare.value.credentials], ['/m', undefined]);
});

for (const [text, complaint] of [
  ['http://localhost:2181/mesos', /'http:\/\/localhost:2181\/mesos' .* does not begin with zk:\/\//],
  ['zk://', /'' is not a server/],
  ['zk://localhost/mesos', /'localhost' is not a server/],
  ['zk://localhost:0/mesos', /the port of 'localhost:0' is not from 1 to 65535/],
  ['zk://a:2181,,b:2181/mesos', /'' is not a server/],
  ['zk://a:99999/mesos', /the port of 'a:99999' is not/],
  ['zk://a:2181', /has no path .*zk:\/\/host1:port1/],
  ['zk://a:2181/', /has no path/],
  ['zk://user:secret@a:2181', /'zk:\/\/\*\*\*@a:2181' .* has no path/],
  ['zk://user:se/cret@a:2181/mesos', /a slash stands before '@'/],
  ['zk://user:secret@thing@a/mesos', /'a' is not a server/],
  ['zookeeper://user:secret@a:2181/mesos', /does not begin with zk:\/\//],
  ['ZK://a:2181/mesos', /does not begin with zk:\/\//],
  ['', /does not begin with zk:\/\//],
  [':2181/mesos', /does not begin/],
  ['zk://:2181/mesos', /':2181' is not a server/],
  ['zk://a:b/mesos', /'a:b' is not a server/],
  ['zk://a:2181 b:2181/mesos', /'a:2181 b:2181' is not a server/],
  ['zk://secret@a:2181/mesos', /must be user:password/],
  ['zk://user:@a:2181/mesos', /must be user:password/],
  ['zk://:secret@a:2181/mesos', /must be user:password/],
  ['zk://a:2181/mesos//x', /has an empty part/],
  ['zk://a:2181/mesos/../x', /has a part '\.\.'/],
  ['zk://a:2181/me\u0001sos', /a character that ZooKeeper refuses/],
] as const) {
  test(`${JSON.stringify(text)} is refused, and the sentence says what is wrong`, () => {
    const parsed = parseZooUrl(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.error, complaint);
    assert.doesNotMatch(parsed.error, /secret|cret@|thing/);
  });
}
