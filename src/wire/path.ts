import { MAX_DEPTH, WireFault } from './fault.ts';
import { describe, readScalar } from './json-scalar.ts';
import { type Field, isMessage, type MessageType } from './message-type.ts';
import { Reader } from './reader.ts';

/**
 * Where in a binary message a decoder stopped: walks from the outermost message into whichever field holds the position, so that
 * decoding need not keep track of names. @param depth how many messages deep it stopped
 */
export function pathInBytes(type: MessageType<object>, bytes: Uint8Array, pos: number, depth: number): string {
  const path: string[] = [];
  const reader = new Reader(bytes);
  let current: MessageType<object> | undefined = type;
  try {
    while (reader.depth < depth && current) current = enter(current, reader, pos, path);
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault;
  }
  return path.join('.');
}

/** Moves the reader into the field that holds `pos`. @returns its type, if that is a message */
function enter(
  type: MessageType<object>,
  reader: Reader,
  pos: number,
  path: string[],
): MessageType<object> | undefined {
  while (reader.pos < reader.end) {
    const start = reader.pos;
    const tag = reader.tag();
    const field = type.fields.find(([, number]) => number === tag >>> 3);
    if (field === undefined || (tag & 7) !== 2) {
      reader.skip(tag, undefined, start);
      continue;
    }
    const outer = reader.open();
    if (pos <= reader.end) {
      path.push(field[0]);
      return field[2] === 'map' ? enterValue(field, reader, pos) : messageOf(field);
    }
    reader.pos = reader.end;
    reader.close(outer);
  }
  return undefined;
}

/** From a map's entry into its value, field 2. */
function enterValue(field: Field, reader: Reader, pos: number): MessageType<object> | undefined {
  while (reader.pos < reader.end) {
    const start = reader.pos;
    const tag = reader.tag();
    const value = messageOf(field);
    if (tag !== 18 || value === undefined) {
      reader.skip(tag, undefined, start);
      continue;
    }
    const outer = reader.open();
    if (pos <= reader.end) return value;
    reader.pos = reader.end;
    reader.close(outer);
  }
  return undefined;
}

function messageOf([, , , type]: Field): MessageType<object> | undefined {
  return typeof type !== 'string' && isMessage(type) ? type : undefined;
}

/** What keeps a message in memory from being encoded: the path of the field, and why. */
export function pathInValue(type: MessageType<object>, value: object): string | undefined {
  const problem = problemOfMessage(type, value, 0);
  return problem && `${problem.path.join('').replace(/^\./, '')}: ${problem.what}`;
}

interface Problem {
  readonly path: readonly string[];
  readonly what: string;
}

function problemOfMessage(type: MessageType<object>, value: object, depth: number): Problem | undefined {
  if (depth > MAX_DEPTH) return { path: [], what: `messages are nested more than ${MAX_DEPTH} deep` };
  const from = value as { readonly [key: string]: unknown };
  for (const [name, , label, fieldType] of type.fields) {
    const held = from[name];
    const problem = held === undefined ? missing(label) : problemOfField(label, fieldType, held, depth + 1);
    if (problem) return { path: [`.${name}`, ...problem.path], what: problem.what };
  }
  return undefined;
}

function missing(label: Field[2]): Problem | undefined {
  return label === 'required' ? { path: [], what: 'is required, but missing' } : undefined;
}

function problemOfField(label: Field[2], type: Field[3], value: unknown, depth: number): Problem | undefined {
  if (label !== 'repeated' && label !== 'map') return problemOf(type, value, depth);
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== (label === 'repeated')) {
    return { path: [], what: `${label === 'map' ? 'an object' : 'a list'} belongs here, not ${describe(value)}` };
  }
  for (const [key, element] of Object.entries(value)) {
    const problem = problemOf(type, element, depth);
    if (problem) return { path: [label === 'map' ? `["${key}"]` : `[${key}]`, ...problem.path], what: problem.what };
  }
  return undefined;
}

function problemOf(type: Field[3], value: unknown, depth: number): Problem | undefined {
  if (typeof type !== 'string' && isMessage(type)) {
    if (typeof value === 'object' && value !== null) return problemOfMessage(type, value, depth);
    return { path: [], what: `${type.name} belongs here, not ${describe(value)}` };
  }
  if (typeof type !== 'string') {
    if (typeof value === 'string' && type.has(value)) return undefined;
    return { path: [], what: `${describe(value)} is not one of ${type.name}: ${type.values.join(', ')}` };
  }
  return isScalar(type, value) ? undefined : { path: [], what: `${describe(value)} is not of type ${type}` };
}

/** What the JSON reader gives back unchanged is a value of the type; bytes and doubles have other forms in memory than in JSON. */
function isScalar(type: Exclude<Field[3], object>, value: unknown): boolean {
  if (type === 'bytes') return value instanceof Uint8Array;
  if (type === 'double') return typeof value === 'number';
  try {
    return readScalar(type, value) === value;
  } catch (fault) {
    if (fault instanceof WireFault) return false;
    throw fault;
  }
}
