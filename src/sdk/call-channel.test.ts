import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { CallChannel } from './call-channel.ts';

async function channelTo(t: TestContext, server: Server, answerWithin?: number): Promise<CallChannel> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const channel = new CallChannel({
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    path: '/calls',
    headers: { 'X-Of': 'all' },
    credential: { principal: 'p', secret: 's' },
    ...(answerWithin !== undefined && { answerWithin }),
  });
  t.after(() => {
    channel.close();
    server.close();
  });
  return channel;
}

/** A server that is handed each whole request. */
function http(take: (text: string, response: ServerResponse, request: IncomingMessage) => void): Server {
  return createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => take(text, response, request));
  });
}

test('calls are sent without waiting for answers, in their order, on one connection, with what all have in common', async (t) => {
  const heard: string[] = [];
  const open: ServerResponse[] = [];
  const sockets = new Set<Socket>();
  const server = http((text, response, { socket, url, headers }) => {
    heard.push(text);
    sockets.add(socket);
    assert.equal(`${url} ${headers['x-of']} ${headers.authorization}`, '/calls all Basic cDpz');
    open.push(response);
    // Nothing is answered before all are there.
    if (open.length === 300) for (const each of open) each.writeHead(202).end();
  });
  const channel = await channelTo(t, server);
  const calls = Array.from({ length: 300 }, (_, at) => `call ${at}${'x'.repeat(at % 7 === 0 ? 5_000 : 0)}`);
  const answers = await Promise.all(calls.map((text) => channel.send(Buffer.from(text))));
  assert.deepEqual(heard, calls);
  assert.equal(sockets.size, 1);
  assert.ok(answers.every(({ status }) => status === 202));
});

test('each call gets its own answer', async (t) => {
  const channel = await channelTo(
    t,
    http((text, response) => response.writeHead(text === 'bad' ? 400 : 202).end(`to ${text}`)),
  );
  const answers = await Promise.all(['a', 'bad', 'c'].map((text) => channel.send(Buffer.from(text))));
  assert.deepEqual(
    answers.map(({ status, body }) => `${status} ${body}`),
    ['202 to a', '400 to bad', '202 to c'],
  );
});

test('calls behind the last answer of a connection go another way, once each and still in order', async (t) => {
  const heard: string[] = [];
  const server = createTcpServer((socket) => {
    let rest = '';
    let served = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      rest += chunk.toString();
      for (;;) {
        const request = /^.*?Content-Length: 3\r\n\r\n(.{3})/s.exec(rest);
        if (request === null || served === 3) return;
        rest = rest.slice(request[0].length);
        heard.push(request[1]!);
        served++;
        const last = served === 3 ? 'Connection: close\r\n' : '';
        socket.write(`HTTP/1.1 202 Accepted\r\n${last}Content-Length: 0\r\n\r\n`);
        if (served === 3) socket.end();
      }
    });
  });
  const channel = await channelTo(t, server);
  const calls = Array.from({ length: 20 }, (_, at) => `c${String(at).padStart(2, '0')}`);
  const answers = await Promise.all(calls.map((text) => channel.send(Buffer.from(text))));
  assert.deepEqual(heard, calls);
  assert.equal(answers.length, 20);
});

test('calls without an answer fail when the connection breaks, and later ones take a new connection', async (t) => {
  let count = 0;
  const server = http((_, response, { socket }) => {
    count++;
    if (count === 2) socket.destroy();
    else response.writeHead(202).end();
  });
  const channel = await channelTo(t, server);
  assert.equal((await channel.send(Buffer.from('1'))).status, 202);
  const lost = await Promise.allSettled(['2', '3'].map((text) => channel.send(Buffer.from(text))));
  for (const outcome of lost) assert.equal(outcome.status, 'rejected');
  assert.equal((await channel.send(Buffer.from('4'))).status, 202);
});

test('a master that does not answer is given up with a word, and so is one that speaks something else', async (t) => {
  const silent = await channelTo(
    t,
    createTcpServer((socket) => socket.on('error', () => {}).resume()),
    20,
  );
  await assert.rejects(silent.send(Buffer.from('x')), /no answer from 127\.0\.0\.1:\d+ within 20 ms/);
  const strange = await channelTo(
    t,
    createTcpServer((socket) => socket.on('error', () => {}).write('220 mail\r\n\r\n')),
  );
  await assert.rejects(strange.send(Buffer.from('x')), /'220 mail' is not how an HTTP answer begins/);
});

test('nobody there is an error, and closing fails whatever has no answer', async (t) => {
  const server = createTcpServer();
  const channel = await channelTo(t, server);
  server.close();
  await assert.rejects(channel.send(Buffer.from('x')), /ECONNREFUSED/);
  const open = await channelTo(
    t,
    createTcpServer((socket) => socket.on('error', () => {}).resume()),
  );
  const call = open.send(Buffer.from('x'));
  open.close();
  await assert.rejects(call, /the connection was closed/);
});
