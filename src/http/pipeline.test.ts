import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { err, ok } from '../base/result.ts';
import { accepted, failure, json, unavailable } from './answer.ts';
import { startServer } from './server.ts';
import { echo, serve } from './testing.fixture.ts';

const PLAIN = 'text/plain; charset=utf-8';

test('an unknown path, a path with dots and a bad escape are refused in plain text', async (t) => {
  const { ask } = await serve(t, [echo('/state')]);
  const nothing = await ask('GET', '/nothing');
  assert.deepEqual([nothing.status, nothing.headers['content-type'], nothing.body], [404, PLAIN, '404 Not Found.']);
  assert.equal((await ask('GET', '/state/../x')).status, 404);
  assert.equal((await ask('GET', '/state/%2e%2e/x')).status, 404);
  assert.equal((await ask('GET', '/%zz')).status, 400);
});

test('every answer has its length and a date, and HEAD has no body', async (t) => {
  const { ask } = await serve(t, [echo('/state')]);
  const get = await ask('GET', '/state');
  assert.equal(get.headers['content-length'], String(get.bytes.length));
  assert.ok(get.headers.date);
  const head = await ask('HEAD', '/state');
  assert.deepEqual(
    [head.status, head.headers['content-type'], head.headers['content-length'], head.body],
    [200, 'application/json', get.headers['content-length'], ''],
  );
  assert.equal((await ask('HEAD', '/nothing')).status, 404);
});

test('all methods are answered alike unless the record names some', async (t) => {
  const { ask } = await serve(t, [echo('/state'), echo('/api/v1', { methods: ['POST'] })]);
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    assert.equal((await ask(method, '/state')).status, 200, method);
  const refused = await ask('PUT', '/api/v1');
  assert.deepEqual(
    [refused.status, refused.headers.allow, refused.headers['content-type'], refused.body],
    [405, 'POST', PLAIN, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'PUT'."],
  );
});

test('JSON is wrapped for jsonp, in bare parentheses for an empty name, and not for anything but a name', async (t) => {
  const endpoint = echo('/roles', { jsonp: true, handle: () => json('{"roles":[]}') });
  const { ask } = await serve(t, [endpoint, echo('/plain')]);
  const cases: [string, string][] = [
    ['cb', 'cb({"roles":[]})'],
    ['angular.callbacks._0', 'angular.callbacks._0({"roles":[]})'],
    ['a[0].b', 'a[0].b({"roles":[]})'],
    ['', '({"roles":[]})'],
  ];
  for (const [name, expected] of cases) {
    const told = await ask('GET', `/roles?jsonp=${name}`);
    assert.deepEqual([told.status, told.headers['content-type'], told.body], [200, 'text/javascript', expected]);
  }
  for (const name of ['<script>', 'alert(1)', 'a b', 'a.', '1a', 'a;b'])
    assert.equal((await ask('GET', `/roles?jsonp=${encodeURIComponent(name)}`)).status, 400, name);
  assert.equal((await ask('GET', '/plain?jsonp=cb')).headers['content-type'], 'application/json');
});

test('a body of 1024 bytes or more is compressed for those who take gzip', async (t) => {
  const of = (size: number) => ({ handle: () => json(JSON.stringify('x'.repeat(size - 2))) });
  const { ask } = await serve(t, [echo('/large', of(1024)), echo('/small', of(1023))]);
  const large = await ask('GET', '/large', { 'accept-encoding': 'gzip' });
  assert.equal(large.headers['content-encoding'], 'gzip');
  assert.equal(large.headers['content-length'], String(large.bytes.length));
  assert.equal(gunzipSync(large.bytes).length, 1024);
  assert.equal((await ask('GET', '/small', { 'accept-encoding': 'gzip' })).headers['content-encoding'], undefined);
  assert.equal((await ask('GET', '/large', { 'accept-encoding': 'identity' })).bytes.length, 1024);
  assert.equal((await ask('GET', '/large')).bytes.length, 1024);
});

test('a body is read chunked or by length up to its bound, and beyond it is 413', async (t) => {
  const { ask } = await serve(t, [echo('/state')], { maxBodyBytes: 1000 });
  assert.equal(JSON.parse((await ask('POST', '/state', {}, 'x'.repeat(1000))).body).size, 1000);
  const chunked = { 'transfer-encoding': 'chunked' };
  assert.equal(JSON.parse((await ask('POST', '/state', chunked, 'x'.repeat(1000))).body).size, 1000);
  for (const headers of [{}, chunked]) {
    const told = await ask('POST', '/state', headers, 'x'.repeat(1001));
    assert.equal(told.status, 413);
    assert.match(told.body, /at most 1000 bytes/);
  }
});

test('who sends all of a body that is too large before it reads gets the refusal', async (t) => {
  const { address } = await serve(t, [echo('/state')], { maxBodyBytes: 1000 });
  const socket = connect(address.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const megabyte = Buffer.alloc(1 << 20, 'x');
  const write = (bytes: Uint8Array | string) =>
    new Promise<void>((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));
  await write(`POST /state HTTP/1.1\r\nContent-Length: ${20 << 20}\r\n\r\n`);
  for (let sent = 0; sent < 20; sent++) await write(megabyte);
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 413 /);
  await once(socket.resume(), 'end');
});

test('a body that stands still is 408, and other connections are served meanwhile', async (t) => {
  const { ask, address } = await serve(t, [echo('/state')], { bodyIdleMs: 50 });
  const slow = connect(address.port, '127.0.0.1');
  t.after(() => slow.destroy());
  slow.write('POST /state HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc');
  assert.equal((await ask('GET', '/state')).status, 200);
  const [answer] = await once(slow, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 408 /);
});

test('authentication comes first, then who leads, then the method, then the body', async (t) => {
  const { ask } = await serve(
    t,
    [echo('/api/v1', { methods: ['POST'], realm: 'readwrite', leader: 'leading' }), echo('/health')],
    {
      authenticate: async (realm, request) =>
        request.headers.authorization === 'yes'
          ? ok({ value: 'ann', claims: {} })
          : err(failure(401, undefined, { 'www-authenticate': `Basic realm="mesos-master-${realm}"` })),
      guard: (endpoint, request) =>
        endpoint.leader && request.query.has('away') ? unavailable('No leader') : undefined,
      maxBodyBytes: 1,
    },
  );
  const status = async (method: string, path: string, authorization: string, body = '') =>
    (await ask(method, path, { authorization }, body)).status;
  const unknown = await ask('GET', '/api/v1?away', {}, '');
  assert.deepEqual(
    [unknown.status, unknown.headers['www-authenticate'], unknown.body],
    [401, 'Basic realm="mesos-master-readwrite"', '401 Unauthorized.'],
  );
  assert.equal(await status('PUT', '/api/v1?away', 'yes', 'xx'), 503);
  assert.equal(await status('PUT', '/api/v1', 'yes', 'xx'), 405);
  assert.equal(await status('POST', '/api/v1', 'yes', 'xx'), 413);
  assert.equal(await status('POST', '/api/v1', 'yes', 'x'), 200);
  assert.equal(await status('GET', '/health', 'no'), 200);
});

test('a disabled path is 403 with and without its process in front', async (t) => {
  const { ask } = await serve(t, [echo('/state'), echo('/health')], { disabledPaths: new Set(['/master/state']) });
  for (const path of ['/state', '/master/state']) assert.equal((await ask('GET', path)).status, 403);
  assert.equal((await ask('GET', '/health')).status, 200);
});

test('a disabled endpoint cannot be reached by another of its names', async (t) => {
  const endpoints = [echo('/state', { aliases: ['/state.json'] }), echo('/api/v1'), echo('/api/v1/scheduler')];
  const { ask } = await serve(t, endpoints, { disabledPaths: new Set(['/state', '/api/v1', 'no path']) });
  for (const path of ['/state', '/state/', '//master//state', '/state/x', '/state.json', '/st%61te', '/api/v1'])
    assert.equal((await ask('GET', path)).status, 403, path);
  assert.equal((await ask('GET', '/api/v1/scheduler')).status, 200);
  const below = await serve(t, endpoints, { disabledPaths: new Set(['/state/x', '/nothing']) });
  assert.deepEqual(
    await Promise.all(['/state/x', '/state/y', '/nothing'].map(async (path) => (await below.ask('GET', path)).status)),
    [403, 200, 403],
  );
});

test('an endpoint may answer later, and what it says twice is said once', async (t) => {
  const { ask } = await serve(t, [
    echo('/later', {
      handle: (_request, exchange) => {
        setImmediate(() => {
          exchange.reply(accepted);
          exchange.reply(failure(500));
        });
        return undefined;
      },
    }),
  ]);
  assert.equal((await ask('POST', '/later')).status, 202);
});

test('a handler that fails is 500 for its client, and is reported', async (t) => {
  const errors: unknown[] = [];
  const throws = { handle: () => Promise.reject(new Error('the disk is gone')) };
  const { ask } = await serve(t, [echo('/state'), echo('/broken', throws)], { onError: (error) => errors.push(error) });
  assert.equal((await ask('GET', '/broken')).status, 500);
  assert.match(String(errors[0]), /the disk is gone/);
  assert.equal((await ask('GET', '/state')).status, 200);
});

test('a readable body is sent as it comes', async (t) => {
  const handle = () => ({ status: 200, body: Readable.from(['one', 'two']) });
  const { ask } = await serve(t, [echo('/file', { handle })]);
  assert.equal((await ask('GET', '/file')).body, 'onetwo');
  assert.equal((await ask('HEAD', '/file')).body, '');
});

test('what is not HTTP gets 400 on its own connection, and the server lives', async (t) => {
  const { ask, address } = await serve(t, [echo('/state')]);
  for (const bytes of ['\0\x01\x02 nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nbad header\r\n\r\n']) {
    const socket = connect(address.port, '127.0.0.1').on('error', () => {});
    socket.write(bytes);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 400 /);
    socket.destroy();
  }
  const socket = connect(address.port, '127.0.0.1').on('error', () => {});
  socket.write(`GET /state HTTP/1.1\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 431 /);
  socket.destroy();
  assert.equal((await ask('GET', '/state')).status, 200);
});

test('a head that trickles is cut off, while a connection that says nothing yet is kept', async (t) => {
  const { address } = await serve(t, [echo('/state')], { headMs: 100 });
  const silent = connect(address.port, '127.0.0.1');
  t.after(() => silent.destroy());
  await once(silent, 'connect');
  const slow = connect(address.port, '127.0.0.1');
  slow.write('GET /state HTTP/1.1\r\n');
  const [answer] = await once(slow, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 408 /);
  slow.destroy();
  silent.write('GET /state HTTP/1.1\r\n\r\n');
  assert.match(String((await once(silent, 'data'))[0]), /^HTTP\/1\.1 200 /);
});

test('a port that is taken is refused with the port and the flag to change it', async (t) => {
  const { address } = await serve(t, []);
  const second = await startServer({ ip: '127.0.0.1', port: address.port });
  assert.ok(!second.ok);
  assert.match(second.error, new RegExp(`port ${address.port} is in use.*--port`));
});

test('an address that this machine does not have is refused with the flag to change it', async () => {
  const server = await startServer({ ip: '192.0.2.1', port: 0 });
  assert.ok(!server.ok);
  assert.match(server.error, /192\.0\.2\.1.*--ip/);
});

test('closing ends idle connections at once and the others after the grace', async (t) => {
  const server = await serve(t, [echo('/never', { handle: () => undefined })]);
  const idle = connect(server.address.port, '127.0.0.1').on('error', () => {});
  const waiting = connect(server.address.port, '127.0.0.1').on('error', () => {});
  waiting.write('GET /never HTTP/1.1\r\n\r\n');
  await Promise.all([once(idle, 'connect'), once(waiting, 'connect')]);
  const ended = Promise.all(
    [idle, waiting].map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))),
  );
  await server.close(10);
  await ended;
});
