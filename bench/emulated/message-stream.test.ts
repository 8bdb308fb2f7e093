import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeMessage } from '../../src/libprocess/encoding.ts';
import { MessageStream, type Received } from './message-stream.ts';

const to = { id: 'slave(7)', host: '127.0.0.1', port: 28_001 };

test('messages are the same however the bytes are cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 });
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 30 });
  fc.assert(
    fc.property(messages, cuts, (bodies, sizes) => {
      const bytes = Buffer.concat(bodies.map((body) => encodeMessage('master@127.0.0.1:5050', to, 'a.Message', body)));
      const stream = new MessageStream();
      const found: Received[] = [];
      let at = 0;
      for (const size of [...sizes, bytes.length]) {
        found.push(...stream.push(bytes.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        found.map(({ body }) => Buffer.from(body).toString('hex')),
        bodies.map((body) => Buffer.from(body).toString('hex')),
      );
      assert.ok(
        found.every((m) => m.from === 'master@127.0.0.1:5050' && m.to === 'slave(7)' && m.name === 'a.Message'),
      );
    }),
  );
});

test('a body of a stated length is read too', () => {
  const text =
    'POST /slave%281%29/a.B HTTP/1.1\r\nUser-Agent: libprocess/m@127.0.0.1:1\r\nContent-Length: 3\r\n\r\nabcPOST';
  const [message] = new MessageStream().push(Buffer.from(text));
  assert.deepEqual([message?.to, Buffer.from(message?.body ?? []).toString()], ['slave(1)', 'abc']);
});

test('what is not a message is refused', () => {
  assert.throws(() => new MessageStream().push(Buffer.from('GET / HTTP/1.1\r\n\r\n')), /does not begin a message/);
});
