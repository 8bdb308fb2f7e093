import { err, ok, type Result } from '../base/result.ts';
import { acceptsMediaType } from './accept.ts';
import { type Answer, badRequest, failure, json, protobuf } from './answer.ts';
import type { Request } from './endpoint.ts';

export const JSON_TYPE = 'application/json';
export const PROTOBUF_TYPE = 'application/x-protobuf';
export const RECORDIO_TYPE = 'application/recordio';

/** How one message is written. */
export type MessageMedia = typeof JSON_TYPE | typeof PROTOBUF_TYPE;

/** What this module needs of a message type of `src/wire`. */
export interface ReadableType<T> {
  fromJson(value: unknown): Result<T>;
  decode(bytes: Uint8Array): Result<T>;
}

/** What this module needs of a message type of `src/wire`. */
export interface WritableType<T> {
  stringify(message: T): string;
  encode(message: T): Uint8Array;
}

/**
 * How the body is written, by its Content-Type: matched literally, as upstream does (`; charset=utf-8` is 415).
 * @returns 400 without the header, 415 for another type
 */
export function contentTypeOf(request: Request): Result<MessageMedia, Answer> {
  const type = request.headers['content-type'];
  if (type === undefined) return err(badRequest("Expecting 'Content-Type' to be present"));
  if (type === JSON_TYPE || type === PROTOBUF_TYPE) return ok(type);
  return err(failure(415, `Expecting 'Content-Type' of ${JSON_TYPE} or ${PROTOBUF_TYPE}`));
}

/** How the answer is to be written: JSON wherever it is allowed, else protobuf, else 406. */
export function acceptOf(request: Request): Result<MessageMedia, Answer> {
  const { accept } = request.headers;
  if (acceptsMediaType(accept, JSON_TYPE)) return ok(JSON_TYPE);
  if (acceptsMediaType(accept, PROTOBUF_TYPE)) return ok(PROTOBUF_TYPE);
  return err(failure(406, `Expecting 'Accept' to allow '${PROTOBUF_TYPE}' or '${JSON_TYPE}'`));
}

/** Reads one message out of bytes. @returns a sentence in upstream's words */
export function parseMessage<T>(type: ReadableType<T>, media: MessageMedia, bytes: Uint8Array): Result<T> {
  if (media === PROTOBUF_TYPE) {
    const message = type.decode(bytes);
    return message.ok ? message : err(`Failed to parse body into Call protobuf: ${message.error}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    return err(`Failed to parse body into JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return err('Failed to convert JSON into Call protobuf: Expecting a JSON object');
  const message = type.fromJson(value);
  return message.ok ? message : err(`Failed to convert JSON into Call protobuf: ${message.error}`);
}

/** Reads the call that the body carries: 400 without Content-Type, 415 for another one, 400 for what cannot be read. */
export function readCall<T>(request: Request, type: ReadableType<T>): Result<T, Answer> {
  const media = contentTypeOf(request);
  if (!media.ok) return media;
  const message = parseMessage(type, media.value, request.body);
  return message.ok ? message : err(badRequest(message.error));
}

/** 200 with one message. */
export function messageAnswer<T>(type: WritableType<T>, message: T, media: MessageMedia): Answer {
  return media === JSON_TYPE ? json(type.stringify(message)) : protobuf(type.encode(message));
}

/** The bytes of one message, for a record of a stream. */
export function messageBytes<T>(type: WritableType<T>, message: T, media: MessageMedia): Uint8Array {
  return media === JSON_TYPE ? Buffer.from(type.stringify(message), 'utf8') : type.encode(message);
}

/** The four media types of a call to the agent. The `message…` ones stand where the outer one is RecordIO. */
export interface StreamMedia {
  readonly content: MessageMedia | typeof RECORDIO_TYPE;
  readonly messageContent?: MessageMedia;
  readonly accept: MessageMedia | typeof RECORDIO_TYPE;
  readonly messageAccept?: MessageMedia;
}

/** Negotiates for the agent, whose operator API takes and gives RecordIO too; checks in upstream's order. */
export function streamMediaOf(request: Request): Result<StreamMedia, Answer> {
  const content = streamContentOf(request);
  if (!content.ok) return content;
  const accept = streamAcceptOf(request);
  return accept.ok ? ok({ ...content.value, ...accept.value }) : accept;
}

function streamContentOf(request: Request): Result<Pick<StreamMedia, 'content' | 'messageContent'>, Answer> {
  const type = request.headers['content-type'];
  const inner = request.headers['message-content-type'];
  if (type === undefined) return err(badRequest("Expecting 'Content-Type' to be present"));
  if (type !== JSON_TYPE && type !== PROTOBUF_TYPE && type !== RECORDIO_TYPE) {
    return err(failure(415, `Expecting 'Content-Type' of ${JSON_TYPE} or ${PROTOBUF_TYPE} or ${RECORDIO_TYPE}`));
  }
  if (type !== RECORDIO_TYPE) {
    if (inner === undefined) return ok({ content: type });
    return err(failure(415, `Expecting 'Message-Content-Type' to be not set for non-streaming requests`));
  }
  if (inner === undefined) return err(badRequest("Expecting 'Message-Content-Type' to be set for streaming requests"));
  if (inner === JSON_TYPE || inner === PROTOBUF_TYPE) return ok({ content: type, messageContent: inner });
  return err(failure(415, `Expecting 'Message-Content-Type' of ${JSON_TYPE} or ${PROTOBUF_TYPE}`));
}

function streamAcceptOf(request: Request): Result<Pick<StreamMedia, 'accept' | 'messageAccept'>, Answer> {
  const { accept } = request.headers;
  const inner = request.headers['message-accept'];
  const innerText = Array.isArray(inner) ? inner.join(',') : inner;
  const outer = [JSON_TYPE, PROTOBUF_TYPE, RECORDIO_TYPE].find((type) => acceptsMediaType(accept, type));
  if (outer === undefined) {
    const all = `${JSON_TYPE} or ${PROTOBUF_TYPE} or ${RECORDIO_TYPE}`;
    return err(failure(406, `Expecting 'Accept' to allow ${all}`));
  }
  if (outer !== RECORDIO_TYPE) {
    if (inner === undefined) return ok({ accept: outer as MessageMedia });
    return err(failure(406, `Expecting 'Message-Accept' to be not set for non-streaming responses`));
  }
  if (acceptsMediaType(innerText, JSON_TYPE)) return ok({ accept: RECORDIO_TYPE, messageAccept: JSON_TYPE });
  if (acceptsMediaType(innerText, PROTOBUF_TYPE)) return ok({ accept: RECORDIO_TYPE, messageAccept: PROTOBUF_TYPE });
  return err(failure(406, `Expecting 'Message-Accept' to allow ${JSON_TYPE} or ${PROTOBUF_TYPE}`));
}
