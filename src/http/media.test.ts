import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, ok } from '../base/result.ts';
import { acceptsGzip } from './accept.ts';
import { acceptOf, contentTypeOf, readCall, streamMediaOf } from './media.ts';
import { requestWith } from './testing.fixture.ts';

/** Stands for a message type: `{"type": …}`, or one byte. */
const callType = {
  fromJson: (value: unknown) => {
    const { type } = value as { type?: string };
    return typeof type === 'string' ? ok({ type }) : err('type: it is missing');
  },
  decode: (bytes: Uint8Array) => (bytes.length === 1 ? ok({ type: 'BYTE' }) : err('it is cut short')),
};

test('the content type is matched literally', () => {
  const cases: [string | undefined, number | string][] = [
    ['application/json', 'application/json'],
    ['application/x-protobuf', 'application/x-protobuf'],
    [undefined, 400],
    ['', 415],
    ['application/json; charset=utf-8', 415],
    ['APPLICATION/JSON', 415],
    ['application/recordio', 415],
    ['application/json, text/plain', 415],
  ];
  for (const [type, expected] of cases) {
    const media = contentTypeOf(requestWith(type === undefined ? {} : { 'content-type': type }));
    assert.equal(media.ok ? media.value : media.error.status, expected, type);
  }
});

test('JSON is answered wherever it is allowed, whatever the weights', () => {
  const cases: [string | undefined, number | string][] = [
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/x-protobuf, application/json', 'application/json'],
    ['application/json;q=0.1, application/x-protobuf', 'application/json'],
    ['application/xml, */*;q=0.1', 'application/json'],
    ['application/x-protobuf;q=0, */*', 'application/json'],
    ['application/x-protobuf', 'application/x-protobuf'],
    ['application/json;q=0, */*', 'application/x-protobuf'],
    ['application/json;q=0', 406],
    ['text/html', 406],
    ['garbage', 406],
    ['application/recordio', 406],
    ['', 406],
  ];
  for (const [accept, expected] of cases) {
    const media = acceptOf(requestWith(accept === undefined ? {} : { accept }));
    assert.equal(media.ok ? media.value : media.error.status, expected, accept);
  }
});

test('gzip is used as upstream reads Accept-Encoding', () => {
  for (const yes of ['gzip', 'deflate, gzip', 'gzip;q=0.5', '*', 'GZIP', 'gzip, *;q=0', 'br;q=1, *;q=0.1'])
    assert.equal(acceptsGzip(yes), true, yes);
  for (const no of [undefined, '', 'identity', 'x-gzip', 'gzip;q=0', 'gzip;q=0.0', 'gzip;q=0, *'])
    assert.equal(acceptsGzip(no), false, no);
});

test('a call is read from JSON or protobuf, and a broken one is 400 with its reason', () => {
  const read = (type: string, body: string | Uint8Array) => {
    const call = readCall(requestWith({ 'content-type': type }, body), callType);
    return call.ok ? call.value.type : `${call.error.status} ${call.error.body}`;
  };
  assert.equal(read('application/json', '{"type":"GET_HEALTH","type":"GET_VERSION"}'), 'GET_VERSION');
  assert.equal(read('application/x-protobuf', Buffer.of(1)), 'BYTE');
  assert.match(read('application/json', '{'), /^400 Failed to parse body into JSON: /);
  assert.match(read('application/json', '{"type":"GET_HEALTH"} trailing'), /^400 Failed to parse body into JSON: /);
  for (const text of ['null', '[]', '1', 'true'])
    assert.equal(
      read('application/json', text),
      '400 Failed to convert JSON into Call protobuf: Expecting a JSON object',
    );
  assert.match(read('application/json', '{}'), /^400 .*type: it is missing/);
  assert.match(read('application/x-protobuf', ''), /^400 .*it is cut short/);
});

test('nesting of 10,000 and bytes that are not UTF-8 are read or refused like anything else', () => {
  for (const body of ['['.repeat(10_000), '{"type":'.repeat(10_000), Buffer.of(0xff, 0xfe, 0x00)]) {
    const call = readCall(requestWith({ 'content-type': 'application/json' }, body), callType);
    assert.equal(call.ok ? 0 : call.error.status, 400);
  }
});

test('the agent negotiates RecordIO with its inner types', () => {
  const cases: [Record<string, string>, string | number][] = [
    [{ 'content-type': 'application/json' }, 'application/json - application/json -'],
    [
      { 'content-type': 'application/json', accept: 'application/recordio' },
      'application/json - application/recordio application/json',
    ],
    [
      {
        'content-type': 'application/json',
        accept: 'application/recordio',
        'message-accept': 'application/x-protobuf',
      },
      'application/json - application/recordio application/x-protobuf',
    ],
    [
      { 'content-type': 'application/recordio', 'message-content-type': 'application/json' },
      'application/recordio application/json application/json -',
    ],
    [{}, 400],
    [{ 'content-type': 'application/recordio' }, 400],
    [{ 'content-type': 'application/recordio', 'message-content-type': 'text/html' }, 415],
    [{ 'content-type': 'application/json', 'message-content-type': 'application/json' }, 415],
    [{ 'content-type': 'application/json; charset=utf-8' }, 415],
    [{ 'content-type': 'application/json', accept: 'text/html' }, 406],
    [{ 'content-type': 'application/json', 'message-accept': 'application/json' }, 406],
    [{ 'content-type': 'application/json', accept: 'application/recordio', 'message-accept': 'text/html' }, 406],
  ];
  for (const [headers, expected] of cases) {
    const media = streamMediaOf(requestWith(headers));
    const told = media.ok
      ? [media.value.content, media.value.messageContent, media.value.accept, media.value.messageAccept]
          .map((type) => type ?? '-')
          .join(' ')
      : media.error.status;
    assert.equal(told, expected, JSON.stringify(headers));
  }
});
