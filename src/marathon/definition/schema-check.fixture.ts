/** As much of JSON Schema as the schemas of definitions use; a keyword that is not known here fails the test. */
import assert from 'node:assert/strict';
import { isObject, type JsonSchema } from './kind.ts';
import { sameValue } from './record.ts';

type Check = (value: unknown, wanted: never, at: Place) => readonly string[];

interface Place {
  readonly path: string;
  readonly root: JsonSchema;
  readonly schema: JsonSchema;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: isObject,
};

const lengthOf = (value: unknown): number => (typeof value === 'string' ? [...value].length : Number.NaN);
const sizeOf = (value: unknown): number => (Array.isArray(value) ? value.length : Number.NaN);
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

function unless(isFine: boolean, { path }: Place, why: string): readonly string[] {
  return isFine ? [] : [`${path || '/'} ${why}`];
}

function inside(schema: JsonSchema, value: unknown, name: string | number, { path, root }: Place): readonly string[] {
  return problems(schema, value, { path: `${path}/${name}`, root, schema });
}

const CHECKS: Readonly<Record<string, Check>> = {
  type: (value, type: string, at) => unless(TYPES[type]!(value), at, `is no ${type}`),
  const: (value, wanted: unknown, at) => unless(sameValue(value, wanted), at, 'is another value'),
  enum: (value, choices: readonly unknown[], at) => unless(choices.includes(value), at, 'is none of the choices'),
  minimum: (value, least: number, at) => unless(!(numberOf(value) < least), at, 'is too little'),
  maximum: (value, most: number, at) => unless(!(numberOf(value) > most), at, 'is too much'),
  minLength: (value, least: number, at) => unless(!(lengthOf(value) < least), at, 'is too short'),
  maxLength: (value, most: number, at) => unless(!(lengthOf(value) > most), at, 'is too long'),
  pattern: (value, pattern: string, at) =>
    unless(typeof value !== 'string' || new RegExp(pattern, 'u').test(value), at, 'does not match'),
  format: (value, format: string, at) =>
    unless(format === 'date-time' && !Number.isNaN(Date.parse(String(value))), at, 'is no instant'),
  minItems: (value, least: number, at) => unless(!(sizeOf(value) < least), at, 'has too few items'),
  maxItems: (value, most: number, at) => unless(!(sizeOf(value) > most), at, 'has too many items'),
  uniqueItems: (value, _: boolean, at) =>
    unless(
      !Array.isArray(value) || new Set(value.map((each) => JSON.stringify(each))).size === value.length,
      at,
      'repeats',
    ),
  items: (value, schema: JsonSchema, at) =>
    Array.isArray(value) ? value.flatMap((each, index) => inside(schema, each, index, at)) : [],
  properties: (value, schemas: Readonly<Record<string, JsonSchema>>, at) =>
    isObject(value)
      ? Object.entries(schemas).flatMap(([name, schema]) =>
          Object.hasOwn(value, name) ? inside(schema, value[name], name, at) : [],
        )
      : [],
  additionalProperties: (value, schema: JsonSchema, at) =>
    isObject(value) ? Object.entries(value).flatMap(([name, each]) => inside(schema, each, name, at)) : [],
  required: (value, names: readonly string[], at) =>
    isObject(value) ? names.flatMap((name) => unless(Object.hasOwn(value, name), at, `has no ${name}`)) : [],
  anyOf: (value, schemas: readonly JsonSchema[], at) =>
    unless(matching(schemas, value, at) > 0, at, 'is nothing of that'),
  oneOf: (value, schemas: readonly JsonSchema[], at) =>
    unless(matching(schemas, value, at) === 1, at, 'is not one of that'),
  $ref: (value, ref: string, at) => {
    assert.equal(ref, '#');
    return problems(at.root, value, { ...at, schema: at.root });
  },
};

/** They say nothing about what is right. */
const NOTES: ReadonlySet<string> = new Set(['$schema', 'title', 'description', 'default', 'deprecated']);

function matching(schemas: readonly JsonSchema[], value: unknown, at: Place): number {
  return schemas.filter((schema) => problems(schema, value, { ...at, schema }).length === 0).length;
}

function problems(schema: JsonSchema, value: unknown, at: Place): readonly string[] {
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    if (NOTES.has(keyword)) return [];
    const check = CHECKS[keyword];
    assert.ok(check, `the schema says '${keyword}'`);
    return check(value, wanted as never, at);
  });
}

/** What an editor that knows the schema complains about. */
export function schemaProblems(schema: JsonSchema, document: unknown): readonly string[] {
  return problems(schema, JSON.parse(JSON.stringify(document)), { path: '', root: schema, schema });
}
