import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRouter, parseTarget } from './router.ts';
import { echo } from './testing.fixture.ts';

const router = createRouter(
  [
    echo('/state', { aliases: ['/state.json'] }),
    echo('/api/v1'),
    echo('/api/v1/scheduler'),
    echo('/quota'),
    echo('/redirect', { match: 'exact' }),
    echo('/'),
    echo('/', { process: 'version' }),
    echo('/', { process: 'help', match: 'prefix' }),
    echo('/read', { process: 'files', aliases: ['/read.json'] }),
  ],
  'master',
);

function route(text: string): string | undefined {
  const target = parseTarget(text);
  assert.ok(target.ok, text);
  const match = router.match(target.value);
  return match && `${match.endpoint.process} ${match.endpoint.path} ${match.rest}`.trim();
}

test('requests reach the endpoint that upstream gives them to', () => {
  const cases: [string, string | undefined][] = [
    ['/state', 'master /state'],
    ['/state/', 'master /state'],
    ['//state', 'master /state'],
    ['/state/nothing', 'master /state /nothing'],
    ['/master/state', 'master /state'],
    ['/master//state', 'master /state'],
    ['/state.json', 'master /state'],
    ['/master/state.json', 'master /state'],
    ['/api/v1/anything', 'master /api/v1 /anything'],
    ['/api/v1/executor', 'master /api/v1 /executor'],
    ['/api/v1/scheduler', 'master /api/v1/scheduler'],
    ['/master/api/v1/scheduler?x=y', 'master /api/v1/scheduler'],
    ['/quota/a%2Fb', 'master /quota /a/b'],
    ['/api/v2', undefined],
    ['/slave/api/v1', undefined],
    ['/nothing', undefined],
    ['/slaves.json', undefined],
    ['/', 'master /'],
    ['/master', 'master /'],
    ['/redirect', 'master /redirect'],
    ['/redirect?a=b', 'master /redirect'],
    ['/redirect/', undefined],
    ['/redirect/x', undefined],
    ['/master/redirect/a/b/c', undefined],
    ['/version', 'version /'],
    ['/version/x', undefined],
    ['/help/master/state', 'help / /master/state'],
    ['/files/read.json?path=/x', 'files /read'],
    ['/files/nothing', undefined],
    ['http://host:5050/state', 'master /state'],
  ];
  for (const [target, expected] of cases) assert.equal(route(target), expected, target);
});

test('a process is named percent-encoded too', () => {
  const agent = createRouter([echo('/state', { process: 'slave(1)' })], 'slave(1)');
  for (const text of ['/slave(1)/state', '/slave%281%29/state', '/state']) {
    const target = parseTarget(text);
    assert.ok(target.ok);
    assert.equal(agent.match(target.value)?.path, '/slave(1)/state', text);
  }
});

test('of a repeated parameter the last counts, and plus is a space', () => {
  const target = parseTarget('/version?jsonp=a&jsonp=b&x=1+2%2B3#end');
  assert.ok(target.ok);
  assert.deepEqual(
    [...target.value.query],
    [
      ['jsonp', 'b'],
      ['x', '1 2+3'],
    ],
  );
  assert.equal(target.value.search, '?jsonp=a&jsonp=b&x=1+2%2B3');
});

test('any target is routed or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.string(), fc.webPath(), (text, path) => {
      for (const target of [parseTarget(text), parseTarget(path), parseTarget(`/%${text}`)])
        if (target.ok) router.match(target.value);
    }),
  );
});

test('two records may not claim one path', () => {
  assert.throws(() => createRouter([echo('/state'), echo('/x', { aliases: ['/state/'] })], 'master'), /two endpoints/);
});
