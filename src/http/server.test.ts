import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type HttpServer, type RequestHandler, startServer } from './server.ts';

/** What the server writes to a client that sends these bytes, until it ends the connection. */
async function exchange(handler: RequestHandler, bytes: string): Promise<string> {
  const started = await startServer({ ip: '127.0.0.1', port: 0 });
  assert.ok(started.ok);
  const server: HttpServer = started.value;
  server.use(handler);
  const socket = connect({ host: '127.0.0.1', port: server.address.port });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  await server.close(0);
  return text;
}

const CHUNKED = 'POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';
const TORN = `${CHUNKED}ZZ\r\n{}\r\n`;
const waits: RequestHandler = (request) => {
  request.resume();
  return true;
};

test('what is not HTTP is refused with 400', async () => {
  assert.match(
    await exchange(waits, 'EHLO there\r\n\r\n'),
    /^HTTP\/1\.1 400 Bad Request\r\n.*The request is not HTTP/s,
  );
});

test('a body whose chunks are garbled is refused with 400 before it is answered', async () => {
  assert.match(await exchange(waits, TORN), /^HTTP\/1\.1 400 Bad Request\r\n.*The request is not HTTP/s);
});

test('a refusal never lands inside of an answer that has begun', async () => {
  const begins: RequestHandler = (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('begun');
    return true;
  };
  const answer = await exchange(begins, TORN);
  assert.doesNotMatch(answer, /400/);
});

test('a refusal never takes the place of the answer to an earlier request', async () => {
  assert.equal(await exchange(waits, `GET /slow HTTP/1.1\r\n\r\n${TORN}`), '');
});

test('what no handler takes is 503, and a taken port is explained with its flag', async () => {
  const answer = await exchange(() => false, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 503/);
  const first = await startServer({ ip: '127.0.0.1', port: 0 });
  assert.ok(first.ok);
  const second = await startServer({ ip: '127.0.0.1', port: first.value.address.port });
  assert.match(second.ok ? '' : second.error, /in use by another program.*--port/);
  await first.value.close(0);
});
