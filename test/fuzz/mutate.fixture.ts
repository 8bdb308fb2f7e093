/** Ways to spoil a call: its JSON, its protobuf bytes, its headers. All chance comes from the generator that is handed in. */
import type { Json } from './calls.fixture.ts';

export type Random = () => number;

export function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)]!;
}

function pickByWeight(weights: readonly number[], random: Random): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return Math.max(
    0,
    weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    }),
  );
}

const DEEP: Json = JSON.parse(`${'{"a":['.repeat(300)}1${']}'.repeat(300)}`) as Json;

/** None of them may do harm as a command, a path or a name. */
const ODDITIES: readonly Json[] = [
  ...[null, true, false, {}, [], [[]], [null], { value: null }, { value: [] }, DEEP],
  ...[0, -0, -1, 1, 0.0005, 1e-9, 1.5, 255, 256, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53, 2 ** 63, 1e20, -1e20],
  ...[1e300, 1e308, -1e308, 5e-324, 'NaN', 'Infinity', '-Infinity', '1e400', '-5', '0x10', '1'],
  ...[
    '',
    ' ',
    '.',
    '..',
    '/',
    'a/b',
    'a//b',
    '/a',
    'a/',
    '*',
    '-a',
    'a\\b',
    'a b',
    '\t',
    '\u0000',
    'a\u0000b',
    '\ud800',
  ],
  ...[
    'ünï',
    '日本語',
    '\u202e',
    '\u{1f600}',
    '__proto__',
    'constructor',
    'toString',
    'x'.repeat(256),
    'y'.repeat(70_000),
  ],
  ...['UNKNOWN', 'SCALAR', 'RANGES', 'SET', 'TEXT', 'DYNAMIC', 'STATIC', 'DOCKER', 'LAUNCH', 'SUBSCRIBE', 'AA=', '!!!'],
  ...['(', '(a*)*$', 'a{1000}{1000}', '[', '\\1'],
];

/** Spoils one to three places. */
export function mutateJson(call: Json, random: Random): Json {
  let result = call;
  for (let left = pick([1, 1, 1, 2, 3], random); left > 0; left--) result = mutateOnce(result, random);
  return result;
}

function mutateOnce(node: Json, random: Random): Json {
  if (Array.isArray(node)) return mutateList(node, random);
  if (typeof node !== 'object' || node === null) return mutateLeaf(node, random);
  const entries = Object.entries(node as { readonly [key: string]: Json });
  if (entries.length === 0) return pick(ODDITIES, random);
  // Most of a call is far down: whoever holds more of it is spoiled more often, and rather within than as a whole.
  const index = pickByWeight(
    entries.map(([, value]) => sizeOf(value)),
    random,
  );
  const [key, value] = entries[index]!;
  if (random() < 0.8) return Object.fromEntries(entries.with(index, [key, mutateOnce(value, random)]));
  switch (Math.floor(random() * 5)) {
    case 0:
      return Object.fromEntries(entries.toSpliced(index, 1));
    case 1:
      return Object.fromEntries(entries.with(index, [mutateName(key, random), value]));
    case 2:
      return Object.fromEntries(entries.with(index, [key, [value, value]]));
    case 3:
      return Object.fromEntries([...entries, [pick(entries, random)[0], pick(ODDITIES, random)]]);
    default:
      return Object.fromEntries(entries.with(index, [key, pick(ODDITIES, random)]));
  }
}

/** How many values it holds, more or less. */
function sizeOf(value: Json): number {
  return 1 + (JSON.stringify(value).match(/[:,[]/g)?.length ?? 0);
}

function mutateList(list: readonly Json[], random: Random): Json {
  if (list.length === 0) return [pick(ODDITIES, random)];
  const index = Math.floor(random() * list.length);
  const item = list[index]!;
  if (random() < 0.7) return list.with(index, mutateOnce(item, random));
  switch (Math.floor(random() * 4)) {
    case 0:
      return list.toSpliced(index, 1);
    case 1:
      return [...list, item];
    case 2:
      return Array.from({ length: JSON.stringify(item).length < 1000 ? 300 : 2 }, () => item);
    default:
      return item;
  }
}

function mutateLeaf(leaf: boolean | number | string | null, random: Random): Json {
  // Of the same type, so that it gets past the reading of the body to those who judge what it says.
  const odd = pick(ODDITIES, random);
  if (typeof odd === typeof leaf) return odd;
  if (typeof leaf === 'number' && random() < 0.8)
    return pick([-leaf, leaf * 1e9, leaf / 1e9, leaf * 2, leaf + 1, 0, -1, String(leaf)], random);
  if (typeof leaf === 'string' && random() < 0.8) return pick([`${leaf}x`, leaf.slice(1), leaf.toLowerCase()], random);
  return odd;
}

function mutateName(name: string, random: Random): string {
  return pick([`${name}s`, name.slice(1), name.toUpperCase(), '__proto__', name.replace('_', ''), 'value', ''], random);
}

/** Spoils the text itself rather than what it says. */
export function mutateText(text: string, random: Random): string {
  const at = Math.floor(random() * text.length);
  return pick(
    [
      text.slice(0, at),
      `${text.slice(0, at)}${text.slice(at + 1)}`,
      `${text}}`,
      text.replaceAll('"', "'"),
      `[${text}]`,
    ],
    random,
  );
}

/** Spoils protobuf: either its fields, which leaves it readable, or any of its bytes. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  for (let left = pick([1, 1, 2, 3], random); left > 0; left--) {
    result = random() < 0.85 ? mutateFields(result, random, 0) : mutateAnyByte(result, random);
  }
  return result;
}

function mutateAnyByte(bytes: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * bytes.length);
  switch (Math.floor(random() * 4)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << Math.floor(random() * 8)) : byte));
    case 2:
      return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at, at + 40), ...bytes.slice(at)]);
    default:
      return bytes.map((byte, index) => (index === at ? pick([0, 1, 0x7f, 0x80, 0xff], random) : byte));
  }
}

interface WireField {
  readonly number: number;
  readonly type: number;
  /** Without the tag; of a length-delimited field without the length too. */
  readonly body: Uint8Array;
}

const LENGTH_DELIMITED = 2;

function mutateFields(bytes: Uint8Array, random: Random, depth: number): Uint8Array {
  const fields = splitFields(bytes);
  if (fields === undefined || fields.length === 0 || depth > 20) return mutateAnyByte(bytes, random);
  const index = pickByWeight(
    fields.map(({ body }) => body.length),
    random,
  );
  const field = fields[index]!;
  if (field.type === LENGTH_DELIMITED && field.body.length > 1 && random() < 0.75) {
    return joinFields(fields.with(index, { ...field, body: mutateFields(field.body, random, depth + 1) }));
  }
  switch (Math.floor(random() * 5)) {
    case 0:
      return joinFields(fields.toSpliced(index, 1));
    case 1:
      return joinFields([...fields, field]);
    case 2:
      return joinFields(fields.with(index, { ...field, number: pick([1, 2, 3, 17, 1000, field.number + 1], random) }));
    case 3:
      return joinFields(fields.with(index, { ...field, type: 0, body: pick(VARINTS, random) }));
    default:
      return joinFields(fields.with(index, { ...field, type: 1, body: doubleBytes(pick(DOUBLES, random)) }));
  }
}

const VARINTS: readonly Uint8Array[] = [
  [0],
  [1],
  [99],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
].map((bytes) => Uint8Array.from(bytes));
const DOUBLES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0, 1e300, 5e-324, 1e-9];

function doubleBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, number, true);
  return bytes;
}

/** @returns undefined if these bytes are no fields, but text or rubbish */
function splitFields(bytes: Uint8Array): WireField[] | undefined {
  const fields: WireField[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = varintAt(bytes, at);
    if (tag === undefined || tag.value >> 3 === 0) return undefined;
    const [number, type] = [tag.value >> 3, tag.value & 7];
    const rest = varintAt(bytes, tag.end) ?? { value: Number.NaN, end: Number.NaN };
    const [start, end] = extentOf(type, tag.end, rest);
    if (!(start >= 0 && end <= bytes.length)) return undefined;
    fields.push({ number, type, body: bytes.slice(start, end) });
    at = end;
  }
  return fields;
}

/** Where the body of a field begins and ends; NaN if that cannot be said. @param rest the number that follows the tag */
function extentOf(type: number, at: number, rest: { value: number; end: number }): readonly [number, number] {
  switch (type) {
    case 0:
      return [at, rest.end];
    case 1:
      return [at, at + 8];
    case LENGTH_DELIMITED:
      return [rest.end, rest.end + rest.value];
    case 5:
      return [at, at + 4];
    default:
      return [Number.NaN, Number.NaN];
  }
}

function varintAt(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return undefined;
}

function joinFields(fields: readonly WireField[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(({ number, type, body }) => [
      Uint8Array.from(varint(number * 8 + type)),
      Uint8Array.from(type === LENGTH_DELIMITED ? varint(body.length) : []),
      body,
    ]),
  );
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

/** Spoils one header, or adds one that does not belong. */
export function mutateHeaders(headers: Readonly<Record<string, string>>, random: Random): Record<string, string> {
  const name = pick(['content-type', 'accept', 'mesos-stream-id', 'accept-encoding', 'x-unknown'], random);
  const value = pick(
    ['', 'x', 'application/json', 'application/x-protobuf', 'application/recordio', 'text/plain', '*/*', 'gzip;q=NaN'],
    random,
  );
  const { [name]: _, ...rest } = headers;
  return random() < 0.3 ? rest : { ...rest, [name]: value };
}
