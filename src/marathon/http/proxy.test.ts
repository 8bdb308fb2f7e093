/** What a Marathon that does not lead does with requests. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KEYSTORE, PASSWORD } from './keystore.fixture.ts';
import { type KeyStore, readKeyStore } from './keystore.ts';
import { serve } from './serving.fixture.ts';

test('a standby passes everything on to the leader, and its answers back', async (t) => {
  const leader = await serve(t, { flags: ['--access_control_allow_origin=*'] });
  const standby = await serve(t, { follows: `127.0.0.1:${leader.port}` });
  const made = await standby.ask('POST', '/v2/apps?force=true', { id: '/web', cmd: 'sleep 1' });
  assert.equal(made.status, 201);
  assert.equal(made.headers['x-marathon-leader'], `http://127.0.0.1:${leader.port}`);
  assert.equal(made.headers['x-marathon-via'], `1.1 127.0.0.1:${standby.port}`);
  assert.equal(made.headers['access-control-allow-origin'], '*');
  assert.ok(made.headers['marathon-deployment-id']);
  assert.equal((await standby.ask('GET', '/v2/apps/web')).json.app.id, '/web');
  assert.deepEqual((await standby.ask('GET', '/v2/leader')).json, { leader: `127.0.0.1:${leader.port}` });
  assert.equal((await standby.ask('GET', '/ping')).body, 'pong');
  const refused = await standby.ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1' });
  assert.deepEqual([refused.status, refused.json.message], [409, 'An app with id [/web] already exists.']);
});

test('who passed a request on is told to the leader', async (t) => {
  const seen: (string | string[] | undefined)[] = [];
  const leader = createServer((request, response) => {
    seen.push(request.headers['x-marathon-via'], request.headers['x-forwarded-for'], request.headers.host);
    response.end();
  });
  await new Promise<void>((resolve) => leader.listen(0, '127.0.0.1', resolve));
  t.after(() => leader.close());
  const { port } = leader.address() as AddressInfo;
  const standby = await serve(t, { follows: `127.0.0.1:${port}` });
  await standby.ask('GET', '/', undefined, { 'x-marathon-via': '1.1 other:8080', 'x-forwarded-for': '10.0.0.1' });
  assert.deepEqual(seen, [`1.1 other:8080, 1.1 127.0.0.1:${standby.port}`, '10.0.0.1, 127.0.0.1', `127.0.0.1:${port}`]);
});

test('the event stream is read from the leader itself', async (t) => {
  const standby = await serve(t, { follows: '127.0.0.1:9' });
  const { status, headers } = await standby.ask('GET', '/v2/events?event_type=x', undefined, {
    accept: 'text/event-stream',
  });
  assert.deepEqual([status, headers.location], [302, 'http://127.0.0.1:9/v2/events?event_type=x']);
});

test('two standbys that take each other for the leader do not go on for ever', async (t) => {
  const one = await serve(t, { follows: 'nobody' });
  const two = await serve(t, { follows: `127.0.0.1:${one.port}` });
  one.http.follow(`127.0.0.1:${two.port}`);
  const { status, json } = await one.ask('GET', '/ping');
  assert.deepEqual([status, json], [502, { message: 'Detected proxying loop.' }]);
  const similar = await serve(t);
  one.http.follow(`127.0.0.1:${similar.port}`);
  const via = { 'x-marathon-via': `1.1 x127.0.0.1:${one.port}, 1.1 127.0.0.1:${one.port}0` };
  assert.equal(
    (await one.ask('GET', '/ping', undefined, via)).status,
    200,
    'others whose names contain its own are others',
  );
});

test('a leader that is not known is waited for, and not for ever', async (t) => {
  const leader = await serve(t);
  const standby = await serve(t, { follows: 'nobody' });
  const { status, json } = await standby.ask('GET', '/v2/apps');
  assert.deepEqual([status, json], [502, { message: 'Could not determine the current leader' }]);
  standby.http.follow(`127.0.0.1:${standby.port}`);
  assert.equal((await standby.ask('GET', '/v2/apps')).status, 502, 'elected, but not ready yet');
  standby.http.follow(`127.0.0.1:${leader.port}`);
  assert.equal((await standby.ask('GET', '/v2/apps')).status, 200);
});

test('a leader that is gone, or does not answer, is told', async (t) => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const standby = await serve(t, { follows: `127.0.0.1:${port}`, flags: ['--leader_proxy_read_timeout=50'] });
  const waited = await standby.ask('GET', '/ping');
  assert.deepEqual(
    [waited.status, waited.json.message],
    [502, `The leader 127.0.0.1:${port} does not answer: no answer within --leader_proxy_read_timeout=50`],
  );
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
  const { status, json } = await standby.ask('GET', '/ping');
  assert.deepEqual([status, json], [502, { message: 'Connection to leader refused.' }]);
});

function keystore(t: TestContext): KeyStore {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'keys.p12'), KEYSTORE);
  const read = readKeyStore(join(folder, 'keys.p12'), PASSWORD);
  assert.ok(read.ok);
  return read.value;
}

test('a leader whose address makes no sense ends nothing but the request', async (t) => {
  for (const follows of ['nonsense', 'host:99999', 'ho st:80', ':']) {
    const standby = await serve(t, { follows, flags: ['--leader_proxy_connection_timeout=200'] });
    const { status, json } = await standby.ask('GET', '/ping');
    assert.equal(status, 502, follows);
    assert.match(json.message, /^The leader .* (cannot be asked|does not answer): |^Connection to leader refused/);
  }
});

test('without HTTP the leader is asked by HTTPS, and has to be who it says it is', async (t) => {
  const keys = keystore(t);
  const flags = ['--disable_http', '--ssl_keystore_path=x', '--ssl_keystore_password=x'];
  const leader = await serve(t, { flags, keystore: keys });
  const standby = await serve(t, { flags, keystore: keys, follows: `127.0.0.1:${leader.port}` });
  const made = await standby.ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1' });
  assert.equal(made.status, 201);
  assert.equal(made.headers['x-marathon-leader'], `https://127.0.0.1:${leader.port}`);
  assert.equal(made.headers.location, `https://127.0.0.1:${leader.port}/web`);
  const events = await standby.ask('GET', '/v2/events', undefined, { accept: 'text/event-stream' });
  assert.equal(events.headers.location, `https://127.0.0.1:${leader.port}/v2/events`);
});

test('a leader by HTTPS has to be the one that its certificate names, and one that is trusted', async (t) => {
  const keys = keystore(t);
  const flags = ['--disable_http', '--ssl_keystore_path=x', '--ssl_keystore_password=x'];
  const leader = await serve(t, { flags, keystore: keys });
  // Leads to the same address, and is not in the certificate.
  const follows = `127.1:${leader.port}`;
  const strict = await (await serve(t, { flags, keystore: keys, follows })).ask('GET', '/ping');
  assert.equal(strict.status, 502);
  assert.match(strict.json.message, /does not match certificate's altnames/);
  const lax = await serve(t, { flags: [...flags, '--leader_proxy_ssl_ignore_hostname'], keystore: keys, follows });
  assert.equal((await lax.ask('GET', '/ping')).status, 200);
  const stranger = { flags, keystore: keys, trusted: [], follows: `127.0.0.1:${leader.port}` };
  const distrusted = await (await serve(t, stranger)).ask('GET', '/ping');
  assert.equal(distrusted.status, 502);
  assert.match(distrusted.json.message, /certificate/);
});

test('an answer that the leader breaks off is broken off, and not left open', async (t) => {
  const leader = createServer((request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half');
    setImmediate(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => leader.listen(0, '127.0.0.1', resolve));
  t.after(() => leader.close());
  const standby = await serve(t, { follows: `127.0.0.1:${(leader.address() as AddressInfo).port}` });
  await assert.rejects(standby.ask('GET', '/ping'), { code: 'ECONNRESET' });
});
