import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { inPieces } from './answer.ts';
import { deliver } from './deliver.ts';
import type { Endpoint } from './endpoint.ts';
import { Pieces } from './pieces.ts';
import { startServer } from './server.ts';
import type { RecordStream } from './stream.ts';
import { serve } from './testing.fixture.ts';

/** Pieces of all sizes, with bytes that tell where they come from. */
function parts(...sizes: number[]): Buffer[] {
  return sizes.map((size, at) => Buffer.from(Array.from({ length: size }, (_, i) => (at * 31 + i * 7) % 251)));
}

const LONG = parts(3, 70_000, 0, 100, 200, 20_000, 1, 40_000);
const MEGABYTE = Buffer.alloc(1 << 20, 'x');

function endpoint(handle: Endpoint['handle']): Endpoint {
  return { process: 'master', path: '/long', summary: 'Answers at length.', jsonp: true, handle };
}

test('pieces say the same as the whole, plain and compressed', async () => {
  for (const list of [[], parts(0), parts(10), LONG, [...LONG, ...LONG]]) {
    const pieces = new Pieces(list);
    const whole = Buffer.concat(list);
    assert.equal(pieces.size, whole.length);
    assert.deepEqual(Buffer.concat(pieces.list), whole);
    const packed = await pieces.gzip();
    assert.deepEqual(gunzipSync(Buffer.concat(packed.list)), whole);
  }
});

test('small pieces are put together, large ones are not copied', () => {
  const pieces = new Pieces(LONG);
  assert.equal(pieces.list.length, 6);
  assert.equal(pieces.list[1], LONG[1]);
});

test('an answer in pieces has its length, and is compressed and wrapped like any other', async (t) => {
  const pieces = new Pieces(LONG);
  const server = await serve(t, [endpoint(() => inPieces('application/json', pieces))]);
  const whole = Buffer.concat(LONG);
  const plain = await server.ask('GET', '/long');
  assert.deepEqual(plain.bytes, whole);
  assert.equal(plain.headers['content-length'], String(whole.length));
  const packed = await server.ask('GET', '/long', { 'accept-encoding': 'gzip' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(packed.headers['content-length'], String(packed.bytes.length));
  assert.deepEqual(gunzipSync(packed.bytes), whole);
  const wrapped = await server.ask('GET', '/long?jsonp=take');
  assert.equal(wrapped.headers['content-type'], 'text/javascript');
  assert.deepEqual(wrapped.bytes, Buffer.concat([Buffer.from('take('), whole, Buffer.from(')')]));
  const head = await server.ask('HEAD', '/long');
  assert.equal(head.headers['content-length'], String(whole.length));
  assert.equal(head.bytes.length, 0);
});

test('many readers at a time get everything', async (t) => {
  const pieces = new Pieces([...LONG, MEGABYTE, MEGABYTE, MEGABYTE, MEGABYTE, MEGABYTE, MEGABYTE]);
  const server = await serve(t, [endpoint(() => inPieces('application/json', pieces))]);
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.ask('GET', '/long')));
  for (const { bytes } of answers) assert.equal(bytes.length, pieces.size);
});

/** Asks and then does not read. @returns how to end */
function silentReader(port: number): { end(): void } {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  socket.pause();
  socket.write('GET /long HTTP/1.1\r\nHost: x\r\n\r\n');
  return { end: () => void socket.destroy() };
}

const HUGE = Array.from({ length: 64 }, () => MEGABYTE);

test('who does not read is disconnected, and keeps nobody else waiting', async (t) => {
  const slow = endpoint((_request, exchange) => {
    exchange.openStream({ contentType: 'application/json' }).reserve()(HUGE);
    return undefined;
  });
  const server = await serve(t, [
    slow,
    { ...slow, path: '/other', handle: () => inPieces('application/json', new Pieces(LONG)) },
  ]);
  const reader = silentReader(server.address.port);
  t.after(reader.end);
  const { bytes } = await server.ask('GET', '/other');
  assert.equal(bytes.length, Buffer.concat(LONG).length);
  const impatient = await startServer({ ip: '127.0.0.1', port: 0 });
  assert.ok(impatient.ok);
  t.after(() => impatient.value.close(0));
  const dropped = new Promise<boolean>((resolve) => {
    impatient.value.use((_request, response) => {
      response.writeHead(200);
      deliver(response, HUGE, resolve, { stall: 20, longest: 10_000 });
      return true;
    });
  });
  const silent = silentReader(impatient.value.address.port);
  t.after(silent.end);
  assert.equal(await dropped, false);
});

test('what is written while a place is reserved follows behind it, and is bounded', async (t) => {
  let stream: RecordStream | undefined;
  const opened = endpoint((_request, exchange) => {
    stream = exchange.openStream({ contentType: 'application/json', maxQueuedBytes: 100 });
    const fill = stream.reserve();
    stream.write(Buffer.from('second'));
    setImmediate(() => {
      stream?.write(Buffer.from(', third'));
      fill([Buffer.from('first, '), Buffer.from('')]);
      setTimeout(() => stream?.close(), 20);
    });
    return undefined;
  });
  const flooded = {
    ...opened,
    path: '/flooded',
    handle: ((_request, exchange) => {
      const own = exchange.openStream({ contentType: 'application/json', maxQueuedBytes: 100 });
      own.reserve();
      own.onClose((why) => whys.push(why));
      own.write(Buffer.alloc(60));
      own.write(Buffer.alloc(60));
      return undefined;
    }) satisfies Endpoint['handle'],
  };
  const whys: string[] = [];
  const server = await serve(t, [opened, flooded]);
  const { body } = await server.ask('GET', '/long');
  assert.equal(body, 'first, second, third');
  assert.equal(stream?.closed, true);
  await assert.rejects(server.ask('GET', '/flooded'));
  assert.deepEqual(whys, ['reader too slow']);
});
