import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerReader, type ReadAnswer } from './answer-reader.ts';

const STREAM = [
  'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\nCONTENT-length:  5\r\n\r\nwrong',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno',
].join('');

const EXPECTED = [
  [202, '', false],
  [400, 'wrong', false],
  [200, 'abc0123456789', false],
  [200, '', false],
  [204, '', false],
  [503, 'no', true],
];

function shown(answers: readonly ReadAnswer[]): unknown[] {
  return answers.map(({ status, body, isLast }) => [status, body.toString(), isLast]);
}

test('answers are the same in whatever portions they arrive', () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const reader = new AnswerReader();
    const read: ReadAnswer[] = [];
    for (let from = 0; from < STREAM.length; from += size) {
      const answers = reader.push(Buffer.from(STREAM.slice(from, from + size)));
      assert.ok(answers.ok);
      read.push(...answers.value);
    }
    assert.deepEqual(shown(read), EXPECTED, `portions of ${size}`);
  }
});

test('an answer without a length ends with its connection', () => {
  const reader = new AnswerReader();
  const none = reader.push(Buffer.from('HTTP/1.0 200 OK\r\n\r\nsome'));
  assert.deepEqual(none, { ok: true, value: [] });
  reader.push(Buffer.from('thing'));
  assert.deepEqual(shown([reader.end()!]), [[200, 'something', true]]);
  assert.equal(new AnswerReader().end(), undefined);
});

test('what is no HTTP is refused with the reason', () => {
  const refused: Readonly<Record<string, RegExp>> = {
    'nonsense\r\n\r\n': /'nonsense' is not how an HTTP answer begins/,
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n': /'-1' is no Content-Length/,
    'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n': /body of an answer is longer/,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n': /transfer encoding 'gzip' is not known/,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n': /chunk of an answer has no length/,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n': /body of an answer is longer/,
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`]: /head of an answer is longer/,
  };
  for (const [text, reason] of Object.entries(refused)) {
    const answers = new AnswerReader().push(Buffer.from(text));
    assert.ok(!answers.ok, text.slice(0, 60));
    assert.match(answers.error, reason);
  }
});
