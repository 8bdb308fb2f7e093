/** Long answers as they are written: piece by piece, so that whoever sends them can do other things in between. */
import { invariant } from '../../base/invariant.ts';
import type { MessageType } from '../../wire/message-type.ts';
import { type Form, type Kept, type Listed, stretchesOf } from './kept.ts';

/** A message within a message: its length goes before it, so its parts are all written first. */
export interface Nested {
  /** The field's key and type, as protobuf has it. */
  readonly tag: number;
  readonly parts: Parts;
}

/** Text, bytes, a message of further parts, or undefined: a place to pause at. */
export type Part = string | Uint8Array | Nested | undefined;
/** Made while they are read, from values that do not change. */
export type Parts = Iterable<Part>;

/** A field that holds a message. @param name of the field in memory */
export function nested<T>(type: MessageType<T>, name: keyof T & string, parts: Parts): Nested {
  return { tag: tagOf(type, name), parts };
}

/** What protobuf writes before the length of such a field. */
export function tagOf<T>(type: MessageType<T>, name: keyof T & string): number {
  const field = type.fields.find(([own]) => own === name);
  invariant(field !== undefined, `${type.name} has no field ${name}`);
  return (field[1] << 3) | 2;
}

/** A field's tag and length, as they stand before its bytes. */
export function header(tag: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(tag), ...varint(length)]);
}

/** A form that writes JSON: each item with a comma before it, so that stretches can stand in any order. */
export function jsonForm<T>(name: string, stringify: (item: T) => string): Form<T> {
  return {
    name,
    make(items) {
      let text = '';
      for (const item of items) text += `,${stringify(item)}`;
      return text;
    },
  };
}

/** A form that writes the entries of a repeated field. */
export function protobufForm<T, Outer>(type: MessageType<Outer>, around: (items: readonly T[]) => Outer): Form<T> {
  return { name: type.name, make: (items) => type.encode(around(items)) };
}

/** The items of some lists as one JSON list, without its brackets. */
export function* jsonItems<T>(kept: Kept, lists: Iterable<Listed<T>>, form: Form<T>): Parts {
  let first = true;
  for (const list of lists) {
    for (const piece of kept.pieces(list, form)) {
      yield first && piece !== undefined ? piece.subarray(1) : piece;
      if (piece !== undefined) first = false;
    }
  }
}

/** Items that are not kept, as one JSON list, without its brackets. */
export function* jsonOnce<T>(items: readonly T[], stringify: (item: T) => string): Parts {
  let comma = '';
  for (const some of stretchesOf(items)) {
    yield comma + some.map(stringify).join(',');
    comma = ',';
  }
}

/** The items of some lists as entries of one repeated field. */
export function* protobufItems<T>(kept: Kept, lists: Iterable<Listed<T>>, form: Form<T>): Parts {
  for (const list of lists) yield* kept.pieces(list, form);
}

/** Bytes in order. */
export interface Written {
  readonly pieces: Uint8Array[];
  readonly size: number;
}

/** Writes parts out. It stops at every place to pause, and after every piece; whoever runs it decides how long to go on. */
export function* write(parts: Parts, encode: (text: string) => Uint8Array): Generator<undefined, Written> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const add = (bytes: Uint8Array): void => {
    if (bytes.length > 0) pieces.push(bytes);
    size += bytes.length;
  };
  for (const part of parts) {
    if (typeof part === 'string') {
      add(encode(part));
    } else if (part instanceof Uint8Array) {
      add(part);
    } else if (part !== undefined) {
      const inner = yield* write(part.parts, encode);
      add(header(part.tag, inner.size));
      for (const piece of inner.pieces) add(piece);
    }
    yield;
  }
  return { pieces, size };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}
