import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { Probe } from '../core/effects.ts';
import type { ProbeOutcome } from '../core/events.ts';
import { createProber } from './prober.ts';

function look(t: TestContext, probe: Probe, timeout?: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const prober = createProber(
      (event) => resolve(event.outcome),
      () => undefined,
    );
    t.after(() => prober.stop());
    prober.probe({ kind: 'probe', containerId: 'c', check: 'health', probe, timeout });
  });
}

function command(line: string, more: Partial<Extract<Probe, { type: 'command' }>> = {}): Probe {
  return {
    type: 'command',
    file: 'sh',
    argv: ['sh', '-c', line],
    environment: { A: 'b' },
    user: undefined,
    directory: tmpdir(),
    ...more,
  };
}

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('a command tells its exit code and sees its variables', async (t) => {
  assert.deepEqual(await look(t, command('test "$A" = b && exit 7')), { type: 'command', exitCode: 7 });
});

test('a look may be given more time than Node can sleep', async (t) => {
  const patient = await look(t, command('sleep 0.1'), 35 * 86_400_000);
  assert.deepEqual(patient, { type: 'command', exitCode: 0 });
});

test('a command that cannot run, or is killed, or takes too long, has failed', async (t) => {
  for (const [probe, timeout] of [
    [command('', { file: '/no/such/program', argv: ['x'] }), undefined],
    [command('kill -9 $$'), undefined],
    [command('sleep 60'), 50],
    [command('true', { user: 'nobody-of-that-name' }), undefined],
  ] as const) {
    assert.equal((await look(t, probe, timeout)).type, 'failed');
  }
});

test('a command that no process can be given has failed, and nothing else', async (t) => {
  const hostile = [
    command('a\0b'),
    command('true', { environment: { 'A\0': 'b' } }),
    command('true', { directory: '/\0' }),
    command('true', { file: 'x\0' }),
    command(`: ${'x'.repeat(3_000_000)}`),
  ];
  for (const probe of hostile) assert.equal((await look(t, probe)).type, 'failed');
});

test('an HTTP look is led nowhere by redirects that make no sense, and ends when a connection does', async (t) => {
  const locations = [
    'http://%zz:%zz@127.0.0.1:1/',
    'http://a b/',
    'ftp://x/',
    '//',
    'http://127.0.0.1:99999/',
    '\\\\',
    'http://[::1',
  ];
  for (const location of locations) {
    const server = createServer((_, response) => response.writeHead(302, { location }).end());
    const outcome = await look(t, { type: 'http', url: `http://127.0.0.1:${await listening(t, server)}/` });
    assert.ok(outcome.type === 'failed' || outcome.type === 'http', location);
  }
  const upgrading = createServer().on('connection', (socket) =>
    socket.on('error', () => {}).write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
  );
  const url = `http://127.0.0.1:${await listening(t, upgrading)}/`;
  assert.equal((await look(t, { type: 'http', url })).type, 'failed');
});

test('an HTTP look follows redirects and tells the status', async (t) => {
  const port = await listening(
    t,
    createServer((request, response) => {
      if (request.url === '/old') response.writeHead(302, { location: '/new' });
      else response.writeHead(request.url === '/new' ? 204 : 503);
      response.end();
    }),
  );
  assert.deepEqual(await look(t, { type: 'http', url: `http://127.0.0.1:${port}/old` }), { type: 'http', status: 204 });
  assert.deepEqual(await look(t, { type: 'http', url: `http://127.0.0.1:${port}/x` }), { type: 'http', status: 503 });
  assert.equal((await look(t, { type: 'http', url: 'ftp://127.0.0.1/' })).type, 'failed');
});

test('an HTTP look at a server that never answers fails after the timeout', async (t) => {
  const server = createServer(() => {});
  const port = await listening(t, server);
  t.after(() => server.closeAllConnections());
  assert.equal((await look(t, { type: 'http', url: `http://127.0.0.1:${port}/` }, 50)).type, 'failed');
});

test('a TCP look tells whether somebody listens', async (t) => {
  const server = createServer();
  const port = await listening(t, server);
  assert.deepEqual(await look(t, { type: 'tcp', ip: '127.0.0.1', port }), { type: 'tcp', connected: true });
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(await look(t, { type: 'tcp', ip: '127.0.0.1', port }), { type: 'tcp', connected: false });
});
