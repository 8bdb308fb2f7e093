/** Knocking at tasks, which may answer whatever they like. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ProbeTarget } from './core/effects.ts';
import type { ProbeResult } from './core/events.ts';
import { Prober } from './probe.ts';

const HTTP = { protocol: 'HTTP', host: '127.0.0.1', path: '/' } as const;

/** A task that does this with each connection. @returns its port */
async function task(t: TestContext, answer: (socket: Socket, asked: string) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}).once('data', (data) => answer(socket, data.toString('latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as { readonly port: number }).port;
}

function probe(target: ProbeTarget, timeout = 20_000): Promise<ProbeResult> {
  return new Promise((resolve) => new Prober(1).probe(target, timeout, resolve));
}

test('a path that cannot stand in a request is sent percent-encoded, others as they are', async (t) => {
  const lines: string[] = [];
  const port = await task(t, (socket, asked) => {
    lines.push(asked.split('\r\n')[0]!);
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const paths = ['/a b\r\nX: y', '/\u0000é\ud800', 'x?q=%20&r=[1]#', '/a%2Fb'];
  for (const path of paths) assert.deepEqual(await probe({ ...HTTP, port, path }), { verdict: 'good' });
  const asked = ['/a%20b%0D%0AX:%20y', '/%00%C3%A9%EF%BF%BD', '/x?q=%20&r=[1]#', '/a%2Fb'];
  assert.deepEqual(
    lines,
    asked.map((path) => `GET ${path} HTTP/1.1`),
  );
});

test('what cannot even be tried is bad, and the next one has its turn', async () => {
  const prober = new Prober(1);
  const targets: ProbeTarget[] = [
    { ...HTTP, port: 70_000 },
    { ...HTTP, host: 'a b\u0000', port: 80 },
    { protocol: 'TCP', host: '127.0.0.1', port: -1 },
    { protocol: 'TCP', host: '127.0.0.1', port: 0 },
  ];
  const results = await Promise.all(
    targets.map((target) => new Promise<ProbeResult>((resolve) => prober.probe(target, 20_000, resolve))),
  );
  assert.deepEqual(
    results.map(({ verdict }) => verdict),
    ['bad', 'bad', 'bad', 'bad'],
  );
});

test('a task that never ends its answer is judged by its status, and one that never begins is bad', async (t) => {
  const endless = await task(t, (socket) => {
    socket.write('HTTP/1.1 503 Busy\r\n\r\n');
    const more = setInterval(() => socket.write('more'), 20);
    socket.on('close', () => clearInterval(more));
  });
  assert.deepEqual(await probe({ ...HTTP, port: endless }, 300), { verdict: 'bad', cause: 'HTTP status 503' });
  const dripping = await task(t, (socket) => {
    const more = setInterval(() => socket.write('H'), 20);
    socket.on('close', () => clearInterval(more));
  });
  assert.equal((await probe({ ...HTTP, port: dripping }, 300)).verdict, 'bad');
  const silent = await task(t, () => {});
  assert.deepEqual(await probe({ ...HTTP, port: silent }, 50), { verdict: 'bad', cause: 'no answer within 50 ms' });
});

test('an answer without end is not read for ever, and of one that is wanted the beginning is kept', async (t) => {
  const port = await task(t, (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024, 'x')));
      socket.once('drain', pour);
    };
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n');
    pour();
  });
  const { verdict, response } = await probe({ ...HTTP, port, wantsResponse: true });
  assert.deepEqual([verdict, response?.body.length], ['good', 16 * 1024]);
});

test('a connection that ends without an answer is bad, also after 101', async (t) => {
  const rude = await task(t, (socket) => socket.end());
  assert.equal((await probe({ ...HTTP, port: rude })).verdict, 'bad');
  const upgrading = await task(t, (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
  );
  assert.equal((await probe({ ...HTTP, port: upgrading })).verdict, 'bad');
  const garbled = await task(t, (socket) => socket.end('what?\r\n\r\n'));
  assert.match((await probe({ ...HTTP, port: garbled })).cause ?? '', /Parse Error/);
});
