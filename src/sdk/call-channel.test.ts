import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AnswerReader } from './answer-reader.ts';
import { CallChannel, type ChannelOptions } from './call-channel.ts';

const ANSWERS =
  'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n' +
  'HTTP/1.1 100 Continue\r\n\r\n' +
  'HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\n\r\nabc' +
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n3\r\nfgh\r\n0\r\nTrailer: t\r\n\r\n' +
  'HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

test('answers are read one after the other, however they are cut', () => {
  for (const portion of [1, 2, 7, 64, 10_000]) {
    const reader = new AnswerReader();
    const read: unknown[] = [];
    for (let at = 0; at < ANSWERS.length; at += portion) {
      const answers = reader.push(Buffer.from(ANSWERS.slice(at, at + portion)));
      assert.ok(answers.ok, answers.ok ? '' : answers.error);
      for (const { status, body, isLast } of answers.value) read.push([status, body.toString(), isLast]);
    }
    assert.deepEqual(read, [
      [202, '', false],
      [400, 'abc', false],
      [200, 'defgh', false],
      [202, '', true],
    ]);
    assert.equal(reader.end(), undefined);
  }
});

test('what is no HTTP, or more than an answer has, is refused and never kept', () => {
  for (const [text, complaint] of [
    ['EHLO there\r\n\r\n', /'EHLO there' is not how an HTTP answer begins/],
    ['x'.repeat(70_000), /head of an answer is longer/],
    ['HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n', /./],
    ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', /./],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n', /./],
  ] as const) {
    const answers = new AnswerReader().push(Buffer.from(text));
    assert.match(answers.ok ? 'taken' : answers.error, complaint, text.slice(0, 60));
    assert.ok(!answers.ok, text.slice(0, 60));
  }
});

test('an answer without a length ends with its connection', () => {
  const reader = new AnswerReader();
  const answers = reader.push(Buffer.from('HTTP/1.0 503 Unavailable\r\n\r\nno leader'));
  assert.deepEqual(answers, { ok: true, value: [] });
  assert.deepEqual(reader.end(), { status: 503, body: Buffer.from('no leader'), isLast: true });
});

/** A server for one test: hears the bodies of requests, which are digits, and answers as it is told. */
async function serve(t: TestContext, hear: (socket: Socket, number: number) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      text += bytes.toString();
      for (;;) {
        const match = /^POST \/call HTTP\/1\.1\r\n[\s\S]*?Content-Length: (\d+)\r\n\r\n/.exec(text);
        const length = Number(match?.[1]);
        if (match === null || text.length < match[0].length + length) return;
        const body = text.slice(match[0].length, match[0].length + length);
        text = text.slice(match[0].length + length);
        hear(socket, Number(body));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = (more: Partial<ChannelOptions> = {}): CallChannel => {
    const channel = new CallChannel({ address: { host: '127.0.0.1', port }, path: '/call', headers: {}, ...more });
    t.after(() => channel.close());
    return channel;
  };
  return { open, connections: () => sockets.length };
}

const answer = (number: number, more = ''): string =>
  `HTTP/1.1 200 OK\r\n${more}Content-Length: ${String(number).length}\r\n\r\n${number}`;
const body = (number: number): Uint8Array => Buffer.from(String(number));

test('calls arrive in the order in which they were made, before any was answered, and each gets its own answer', async (t) => {
  const heard: number[] = [];
  const { open, connections } = await serve(t, (socket, number) => {
    heard.push(number);
    if (heard.length === 100) socket.write(heard.map((each) => answer(each)).join(''));
  });
  const channel = open();
  const numbers = Array.from({ length: 100 }, (_, at) => at);
  const answers = await Promise.all(numbers.map(async (number) => (await channel.send(body(number))).body.toString()));
  assert.deepEqual(answers, numbers.map(String));
  assert.deepEqual(heard, numbers);
  assert.equal(connections(), 1);
});

test('where connections end after some answers, the rest goes over further ones, in order and each once', async (t) => {
  const answered: number[] = [];
  const served = new Map<Socket, number>();
  const { open, connections } = await serve(t, (socket, number) => {
    const count = (served.get(socket) ?? 0) + 1;
    served.set(socket, count);
    // As servers do that take a bounded number of requests: what comes after the last is not looked at.
    if (count > 3) return;
    answered.push(number);
    socket.write(answer(number, count === 3 ? 'Connection: close\r\n' : ''));
    if (count === 3) socket.end();
  });
  const channel = open();
  const numbers = Array.from({ length: 20 }, (_, at) => at);
  const answers = await Promise.all(numbers.map(async (number) => (await channel.send(body(number))).body.toString()));
  assert.deepEqual(answers, numbers.map(String));
  assert.deepEqual(answered, numbers);
  assert.equal(connections(), 7);
});

test('a connection that breaks fails every call that has no answer, and the next call opens another', async (t) => {
  const { open, connections } = await serve(t, (socket, number) => {
    if (number === 2) socket.resetAndDestroy();
    else if (number !== 1) socket.write(answer(number));
  });
  const channel = open();
  const outcomes = await Promise.allSettled([0, 1, 2, 3].map((number) => channel.send(body(number))));
  assert.deepEqual(outcomes.map(({ status }) => status).slice(1), ['rejected', 'rejected', 'rejected']);
  assert.equal((await channel.send(body(4))).body.toString(), '4');
  assert.equal(connections(), 2);
});

test('a server that does not answer, or answers nonsense, is given up with the reason', async (t) => {
  const { open } = await serve(t, (socket, number) => {
    if (number === 1) socket.write('220 mail\r\n\r\n');
  });
  await assert.rejects(open({ answerWithin: 20 }).send(body(0)), /no answer from 127\.0\.0\.1:\d+ within 20 ms/);
  await assert.rejects(open().send(body(1)), /'220 mail' is not how an HTTP answer begins/);
  const closed = open();
  const sent = closed.send(body(0));
  closed.close();
  await assert.rejects(sent, /the connection was closed/);
  const nobody = new CallChannel({ address: { host: '127.0.0.1', port: 1 }, path: '/call', headers: {} });
  await assert.rejects(nobody.send(body(0)), /ECONNREFUSED/);
});
