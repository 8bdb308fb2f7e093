import type { Result } from '../base/result.ts';
import type { MessageType } from '../wire/message-type.ts';

/** The two encodings of the v1 API. Both carry the same messages; protobuf is smaller and faster. */
export type Encoding = 'json' | 'protobuf';

export const MEDIA_TYPE: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

export function encodeMessage<T>(type: MessageType<T>, message: T, encoding: Encoding): Uint8Array | string {
  return encoding === 'protobuf' ? type.encode(message) : type.stringify(message);
}

/** @returns the message, or an error that says what was wrong with the bytes */
export function decodeMessage<T>(type: MessageType<T>, bytes: Uint8Array, encoding: Encoding): Result<T> {
  if (encoding === 'protobuf') return type.decode(bytes);
  try {
    return type.fromJson(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')));
  } catch (error) {
    return { ok: false, error: `not JSON: ${(error as Error).message}` };
  }
}
