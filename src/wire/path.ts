import { WireFault } from './fault.ts';
import { type Field, isMessage } from './field.ts';
import { describe, readScalar } from './json-scalar.ts';
import type { MessageType } from './message.ts';
import { Reader } from './reader.ts';

/**
 * Where in a binary message a decoder stopped: walks from the outermost message into whichever field holds the position, so that
 * decoding keeps no track of names. @param depth how many messages deep it stopped
 */
export function pathInBytes(type: MessageType<object>, bytes: Uint8Array, pos: number, depth: number): string {
  const path: string[] = [];
  const reader = new Reader(bytes);
  let current: MessageType<object> | undefined = type;
  try {
    for (let level = 0; level < depth && current; level++) current = enter(current, reader, pos, path);
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault;
  }
  return path.join('.');
}

/** Moves the reader into the nested message that holds `pos`. @returns its type, if it is a message that has fields to follow */
function enter(type: MessageType<object>, reader: Reader, pos: number, path: string[]): MessageType<object> | undefined {
  while (reader.pos < reader.end) {
    const start = reader.pos;
    const tag = reader.tag();
    const field = type.fields.find(([, number]) => number === tag >>> 3);
    if (field && (tag & 7) === 2) {
      const at = reader.pos;
      reader.open();
      if (reader.pos <= pos && pos <= reader.end) {
        path.push(field[0]);
        return within(field, reader, path);
      }
      reader.pos = at;
      reader.end = reader.bytes.length;
      reader.depth = 0;
    }
    reader.skip(tag, undefined, start);
  }
  return undefined;
}

function within(field: Field, reader: Reader, path: string[]): MessageType<object> | undefined {
  const [, , label, type] = field;
  if (label === 'map') path.push('*');
  void reader;
  return typeof type !== 'string' && isMessage(type) ? type : undefined;
}

/** What keeps a message in memory from being encoded, with the path of the field. */
export function pathInValue(type: MessageType<object>, value: object): string | undefined {
  const from = value as { readonly [key: string]: unknown };
  for (const [name, , label, fieldType] of type.fields) {
    const held = from[name];
    if (held === undefined) {
      if (label === 'required') return `${name}: is required, but missing`;
      continue;
    }
    const problem =
      label === 'repeated' || label === 'map'
        ? Object.entries(held as object).flatMap(([key, element]) => prefix(`[${key}]`, problemOf(fieldType, element)))[0]
        : problemOf(fieldType, held);
    if (problem !== undefined) return `${name}${/^[[:]/.test(problem) ? '' : '.'}${problem}`;
  }
  return undefined;
}

function prefix(key: string, problem: string | undefined): string[] {
  return problem === undefined ? [] : [`${key}${/^[[:]/.test(problem) ? '' : '.'}${problem}`];
}

function problemOf(type: Field[3], value: unknown): string | undefined {
  if (value === null || value === undefined) return `: ${value} is not a value`;
  if (typeof type !== 'string') {
    if (isMessage(type)) return typeof value === 'object' ? pathInValue(type, value) : `: ${describe(value)} is not a message`;
    return type.has(String(value)) ? undefined : `: '${value}' is not one of ${type.name}: ${type.values.join(', ')}`;
  }
  if (type === 'bytes') return value instanceof Uint8Array ? undefined : ': bytes must be a Uint8Array';
  if (type === 'double') return typeof value === 'number' ? undefined : `: ${describe(value)} is not a number`;
  try {
    return readScalar(type, value) === value ? undefined : `: ${describe(value)} is not of type ${type}`;
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault;
    return `: ${fault.what}`;
  }
}
