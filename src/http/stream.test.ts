import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { RecordStream, StreamEnd } from './stream.ts';
import { echo, serve } from './testing.fixture.ts';

/** Serves one endpoint that hands out its streams. */
async function streaming(t: Parameters<typeof serve>[0], maxQueuedBytes?: number) {
  let hand: (stream: RecordStream) => void = () => {};
  const opened = () => new Promise<RecordStream>((resolve) => (hand = resolve));
  const endpoint = echo('/api/v1', {
    handle: (_request, exchange) => {
      const headers = { 'mesos-stream-id': 'id-1' };
      hand(
        exchange.openStream({
          contentType: 'application/json',
          headers,
          ...(maxQueuedBytes ? { maxQueuedBytes } : {}),
        }),
      );
      return undefined;
    },
  });
  const server = await serve(t, [endpoint]);
  return { ...server, opened };
}

const endOf = (stream: RecordStream) => new Promise<StreamEnd>((resolve) => stream.onClose(resolve));

test('a stream sends its head before any record, chunked, with the headers it was given', async (t) => {
  const { address, opened } = await streaming(t);
  const open = opened();
  const [response] = (await once(get({ port: address.port, path: '/api/v1' }), 'response')) as [IncomingMessage];
  assert.equal(response.headers['content-type'], 'application/json');
  assert.equal(response.headers['mesos-stream-id'], 'id-1');
  assert.equal(response.headers['transfer-encoding'], 'chunked');
  const stream = await open;
  const shared = Buffer.from('2\n{}');
  for (let i = 0; i < 1000; i++) stream.write(shared);
  stream.close();
  stream.write(shared);
  let text = '';
  for await (const chunk of response) text += chunk;
  assert.equal(text, '2\n{}'.repeat(1000));
  assert.equal(await endOf(stream), 'closed by us');
});

test('a client that goes away ends its stream', async (t) => {
  const { address, opened } = await streaming(t);
  const open = opened();
  const request = get({ port: address.port, path: '/api/v1' }).on('error', () => {});
  await once(request, 'response');
  const stream = await open;
  request.destroy();
  assert.equal(await endOf(stream), 'closed by the client');
  assert.equal(stream.closed, true);
  stream.write(Buffer.from('x'));
});

test('a reader that never reads is disconnected when its queue is full, and others are not', async (t) => {
  const { address, opened } = await streaming(t, 1_000_000);
  const [first] = [opened()];
  const deaf = connect(address.port, '127.0.0.1').on('error', () => {});
  deaf.pause();
  deaf.write('GET /api/v1 HTTP/1.1\r\n\r\n');
  const slow = await first;
  const second = opened();
  const [response] = (await once(get({ port: address.port, path: '/api/v1' }), 'response')) as [IncomingMessage];
  const good = await second;
  let received = 0;
  response.on('data', (chunk: Buffer) => (received += chunk.length));
  const record = Buffer.alloc(50_000, 'x');
  let written = 0;
  let end: StreamEnd | undefined;
  slow.onClose((reason) => {
    end = reason;
  });
  while (end === undefined && written < 200_000_000) {
    slow.write(record);
    good.write(record);
    written += record.length;
    await new Promise(setImmediate);
  }
  assert.equal(end, 'reader too slow');
  assert.equal(good.closed, false);
  good.close();
  await once(response, 'end');
  assert.equal(received, written);
  deaf.destroy();
});

test('a stream that is opened after its client went is closed from the start', async (t) => {
  let told: (stream: RecordStream) => void = () => {};
  const stream = new Promise<RecordStream>((resolve) => {
    told = resolve;
  });
  const endpoint = echo('/late', {
    handle: (_request, exchange) => {
      exchange.onClose(() => told(exchange.openStream({ contentType: 'application/json' })));
      request.destroy();
      return undefined;
    },
  });
  const { address } = await serve(t, [endpoint]);
  const request = get({ port: address.port, path: '/late' }).on('error', () => {});
  const late = await stream;
  assert.equal(late.closed, true);
  late.write(Buffer.from('x'));
  late.close();
  assert.equal(await endOf(late), 'closed by the client');
});

test('whoever asks is told when the reader has taken what there was, and when there is no reader any more', async (t) => {
  const { address, opened } = await streaming(t, 100_000_000);
  const late = opened();
  const deaf = connect(address.port, '127.0.0.1').on('error', () => {});
  deaf.pause();
  deaf.write('GET /api/v1 HTTP/1.1\r\n\r\n');
  const stream = await late;
  const calls: string[] = [];
  await new Promise<void>((resolve) => stream.whenRead(resolve));
  stream.write(Buffer.alloc(50_000_000, 'x'));
  const taken = new Promise<void>((resolve) => stream.whenRead(resolve)).then(() => calls.push('taken'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(calls, [], 'this is more than the kernel takes');
  deaf.resume();
  await taken;
  assert.equal(stream.queuedBytes, 0);
  deaf.pause();
  stream.write(Buffer.alloc(50_000_000, 'x'));
  const gone = new Promise<void>((resolve) => stream.whenRead(resolve));
  deaf.destroy();
  await gone;
  assert.equal(stream.closed, true);
  await new Promise<void>((resolve) => stream.whenRead(resolve));
});
