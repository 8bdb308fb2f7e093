import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRecord, RecordReader } from './recordio.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

function readAll(reader: RecordReader, chunks: readonly Uint8Array[]): Uint8Array[] {
  return chunks.flatMap((chunk) => {
    const result = reader.push(chunk);
    assert.ok(result.ok, result.ok ? '' : result.error);
    return result.value;
  });
}

function cut(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [0, ...cuts.map((point) => point % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return points.slice(1).map((point, i) => stream.subarray(points[i], point));
}

test('a record is its length in digits, a newline and the bytes', () => {
  assert.deepEqual(encodeRecord(bytes('{"type":"HEARTBEAT"}')), bytes('20\n{"type":"HEARTBEAT"}'));
  assert.deepEqual(encodeRecord(new Uint8Array(0)), bytes('0\n'));
});

test('records come back whole wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.array(fc.nat()), (records, cuts) => {
      const stream = new Uint8Array(Buffer.concat(records.map(encodeRecord)));
      const reader = new RecordReader();
      const read = readAll(reader, cut(stream, cuts));
      assert.deepEqual(
        read.map((r) => [...r]),
        records.map((r) => [...r]),
      );
      assert.ok(reader.atBoundary);
    }),
  );
});

test('a stream may end between records and nowhere else', () => {
  const reader = new RecordReader();
  readAll(reader, [bytes('3\nab')]);
  assert.equal(reader.atBoundary, false);
  readAll(reader, [bytes('c')]);
  assert.equal(reader.atBoundary, true);
  readAll(reader, [bytes('1')]);
  assert.equal(reader.atBoundary, false);
});

test('a record does not change when the chunk that brought it is used again', () => {
  const chunk = bytes('3\nabc');
  const [record] = readAll(new RecordReader(), [chunk]);
  chunk.fill(0);
  assert.deepEqual(record, bytes('abc'));
});

test('a length of a trillion bytes is refused before anything is kept for it', () => {
  const reader = new RecordReader();
  const result = reader.push(bytes('1000000000000\nabc'));
  assert.match(result.ok ? '' : result.error, /the most that is read is 67108864/);
  assert.deepEqual(reader.push(bytes('1\na')), result);
});

test('endless digits, no digits, signs and other bytes are errors', () => {
  for (const stream of [
    '9'.repeat(10_000),
    '\nabc',
    '-1\n',
    '+1\n',
    ' 1\n',
    '0x10\n',
    '1.5\n',
    'POST / HTTP/1.1\r\n',
    '3\r\nabc',
  ]) {
    assert.equal(new RecordReader().push(bytes(stream)).ok, false, JSON.stringify(stream.slice(0, 20)));
  }
});

test('a record of the maximum size passes and one byte more does not', () => {
  assert.equal(new RecordReader(5).push(bytes('5\nabcde')).ok, true);
  assert.equal(new RecordReader(5).push(bytes('6\nabcdef')).ok, false);
});

test('random bytes never throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
      const reader = new RecordReader(1000);
      for (const chunk of chunks) reader.push(chunk);
    }),
  );
});
