import { InvariantError } from '../base/invariant.ts';
import { err, ok, type Result } from '../base/result.ts';
import { WireFault } from './fault.ts';
import { type Dialect, fromJson, toJson } from './json.ts';
import type { Field, JsonCodec, JsonObject, MessageType } from './message-type.ts';
import { pathInBytes, pathInValue } from './path.ts';
import type { Pool } from './pool.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export type { MessageType };

export type Encoder<T> = (message: T, writer: Writer) => void;
export type Decoder<T> = (reader: Reader, into?: T) => T;

/** A message that a decoder has not completed yet: fields may be missing, and may be set. */
export type Draft<T> = { -readonly [Key in keyof T]?: T[Key] extends readonly (infer E)[] | undefined ? E[] : T[Key] };

function jsonCodec<T extends object>(type: MessageType<T>, dialect: Dialect): JsonCodec<T> {
  return {
    toJson: (message) => toJson(type, message, dialect),
    stringify: (message) => JSON.stringify(toJson(type, message, dialect)),
    fromJson: (value) => fromJson(type, value, dialect) as Result<T>,
    parse: (text) => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch (error) {
        return err(`${type.name}: this is not JSON: ${(error as Error).message}`);
      }
      return fromJson(type, value, dialect) as Result<T>;
    },
  };
}

class Message<T extends object> implements MessageType<T> {
  readonly name: string;
  readonly #encode: Encoder<T>;
  readonly #decode: Decoder<T>;
  readonly #declare: () => readonly Field[];
  readonly #dialect: Dialect;
  #fields: readonly Field[] | undefined;
  #own: JsonCodec<T> | undefined;
  #v0: JsonCodec<T> | undefined;

  constructor(name: string, encode: Encoder<T>, decode: Decoder<T>, declare: () => readonly Field[], dialect: Dialect) {
    this.name = name;
    this.#encode = encode;
    this.#decode = decode;
    this.#declare = declare;
    this.#dialect = dialect;
  }

  /** Made on first use: most programs speak JSON of few messages, and a start should not pay for the rest. */
  get fields(): readonly Field[] {
    this.#fields ??= this.#declare();
    return this.#fields;
  }

  get v0(): JsonCodec<T> {
    this.#v0 ??= jsonCodec(this, 'v0');
    return this.#v0;
  }

  get #json(): JsonCodec<T> {
    this.#own ??= jsonCodec(this, this.#dialect);
    return this.#own;
  }

  encode(message: T): Uint8Array {
    const result = this.tryEncode(message);
    if (!result.ok) throw new InvariantError(`invariant broken: ${result.error}`);
    return result.value;
  }

  tryEncode(message: T): Result<Uint8Array> {
    const writer = new Writer();
    try {
      this.#encode(message, writer);
      return ok(writer.finish());
    } catch (fault) {
      writer.release();
      return err(`${this.name}: ${pathInValue(this, message) ?? explain(fault, '')}`);
    }
  }

  decode(bytes: Uint8Array, pool?: Pool): Result<T> {
    const reader = new Reader(bytes, pool);
    try {
      return ok(this.#decode(reader));
    } catch (fault) {
      return err(`${this.name}: ${explain(fault, pathInBytes(this, bytes, reader.pos, reader.depth))}`);
    }
  }

  toJson(message: T): JsonObject {
    return this.#json.toJson(message);
  }

  stringify(message: T): string {
    return this.#json.stringify(message);
  }

  fromJson(value: unknown): Result<T> {
    return this.#json.fromJson(value);
  }

  parse(text: string): Result<T> {
    return this.#json.parse(text);
  }
}

function explain(fault: unknown, path: string): string {
  if (!(fault instanceof WireFault)) throw fault;
  const whole = [path, fault.field].filter((part) => part).join('.');
  return whole === '' ? fault.what : `${whole}: ${fault.what}`;
}

/** Used by the generated modules. @param declare the fields in the order of the .proto file @param dialect of the type's own JSON */
export function message<T extends object>(
  name: string,
  encode: Encoder<T>,
  decode: Decoder<T>,
  declare: () => readonly Field[],
  dialect: Dialect = 'v1',
): MessageType<T> {
  return new Message(name, encode, decode, declare, dialect);
}

/** The same message under its version 0 name, speaking version 0 JSON. */
export function underV0Name<T>(type: MessageType<T>, name: string): MessageType<T> {
  return {
    name,
    get fields() {
      return type.fields;
    },
    encode: (value) => type.encode(value),
    tryEncode: (value) => type.tryEncode(value),
    decode: (bytes) => type.decode(bytes),
    ...type.v0,
    v0: type.v0,
  };
}
