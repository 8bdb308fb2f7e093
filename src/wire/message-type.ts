import type { Result } from '../base/result.ts';
import type { EnumType } from './enum.ts';
import type { Pool } from './pool.ts';

export type Scalar = 'bool' | 'bytes' | 'double' | 'int32' | 'int64' | 'string' | 'uint32' | 'uint64';
export type FieldType = Scalar | EnumType<string> | MessageType<object>;
export type Label = 'required' | 'optional' | 'repeated' | 'map';

/** What few fields have. */
export interface FieldOptions {
  /** The default that the .proto file states; readers apply it, JSON prints it where the field is absent. */
  readonly default?: string | number | boolean;
  readonly deprecated?: boolean;
  /** Version 0 calls the field so. */
  readonly v0?: string;
  /** Version 0 states this default, v1 none (or has no such field). */
  readonly v0Default?: string | number | boolean;
  /** A list that JSON shows even if it is empty: upstream prints the answers to its larger read calls so. */
  readonly always?: boolean;
  /** Fields with the same group exclude each other: the last one read stays. */
  readonly oneof?: string;
}

/** One field of a message: name in memory, number, label, type (for a map that of the values; all keys are strings), options. */
export type Field = readonly [name: string, number: number, label: Label, type: FieldType, options?: FieldOptions];

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** JSON of one message in one dialect: v1, or version 0 with its own names (`slave_id`). */
export interface JsonCodec<T> {
  /** Plain objects, ready for JSON.stringify: set fields, and the stated defaults of unset ones, as upstream prints them. */
  toJson(message: T): JsonObject;
  stringify(message: T): string;
  /** Reads what JSON.parse gave. Errors name the field by its path. */
  fromJson(value: unknown): Result<T>;
  /** JSON text to message. */
  parse(text: string): Result<T>;
}

/** What the wire knows of one protobuf message. In memory a message is a plain object with the v1 spelling of its fields. */
export interface MessageType<T> extends JsonCodec<T> {
  /** Full protobuf name, as in `mesos.v1.Offer`. */
  readonly name: string;
  readonly fields: readonly Field[];
  /** Binary protobuf. A message without a required field, or with a number out of range, is a bug here: InvariantError. */
  encode(message: T): Uint8Array;
  /** As encode, for messages that somebody else made: what is wrong with one comes back as an error that names the field. */
  tryEncode(message: T): Result<Uint8Array>;
  /**
   * Reads binary protobuf; fields that are not known are kept in `$unknown`.
   * @param pool parts of the message may then be held by other messages too
   */
  decode(bytes: Uint8Array, pool?: Pool): Result<T>;
  /** The JSON of version 0. A message that exists in one version alone has the same JSON in both. */
  readonly v0: JsonCodec<T>;
}

export function isMessage(type: FieldType): type is MessageType<object> {
  return typeof type === 'object' && 'fields' in type;
}
