/** Objects with named fields: each field is said once, and reading, writing, JSON Schema and comparing are folds over them. */
import { isObject, type JsonSchema, type Kind, refuse, shown } from './kind.ts';
import type { Problem } from './types.ts';

/** What a changed field asks for: new tasks, more or fewer, or nothing. */
export type OnChange = 'restart' | 'scale' | 'none';

interface FieldFacts<T> {
  readonly kind: Kind<T>;
  readonly about: string;
  readonly onChange: OnChange;
  /** Not written while empty. */
  readonly omitEmpty: boolean;
  /** An old spelling: read, and never written. */
  readonly deprecated: boolean;
}

export interface RequiredField<T> extends FieldFacts<T> {
  readonly presence: 'required';
}
export interface OptionalField<T> extends FieldFacts<T> {
  readonly presence: 'optional';
}
export interface DefaultedField<T> extends FieldFacts<T> {
  readonly presence: 'defaulted';
  readonly fallback: T;
}
type Field<T> = RequiredField<T> | OptionalField<T> | DefaultedField<T>;
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What reading an object with these fields gives. */
export type Reading<F extends Fields> = {
  readonly [K in keyof F as F[K] extends { presence: 'optional' } ? never : K]: F[K] extends FieldFacts<infer T>
    ? T
    : never;
} & {
  readonly [K in keyof F as F[K] extends { presence: 'optional' } ? K : never]?: F[K] extends FieldFacts<infer T>
    ? T
    : never;
};

/** What reading a change of such an object gives: only what was said. */
export type Given<F extends Fields> = { readonly [K in keyof F]?: F[K] extends FieldFacts<infer T> ? T : never };

interface Extras {
  readonly onChange?: OnChange;
  readonly omitEmpty?: boolean;
  readonly deprecated?: boolean;
}

function facts<T>(
  kind: Kind<T>,
  about: string,
  { onChange = 'restart', omitEmpty = false, deprecated = false }: Extras,
): FieldFacts<T> {
  return { kind, about, onChange, omitEmpty, deprecated };
}

export function required<T>(kind: Kind<T>, about: string, extras: Extras = {}): RequiredField<T> {
  return { ...facts(kind, about, extras), presence: 'required' };
}

export function optional<T>(kind: Kind<T>, about: string, extras: Extras = {}): OptionalField<T> {
  return { ...facts(kind, about, extras), presence: 'optional' };
}

export function defaulted<T>(
  kind: Kind<T>,
  fallback: NoInfer<T>,
  about: string,
  extras: Extras = {},
): DefaultedField<T> {
  return { ...facts(kind, about, extras), presence: 'defaulted', fallback };
}

/** An object with these fields; what else it has is ignored. `null` is the same as not there. */
export function record<F extends Fields>(fields: F): Kind<Reading<F>> {
  return {
    read: (value, path, problems) => readFields(fields, value, path, problems, true) as Reading<F> | undefined,
    write: (value) => writeFields(fields, value),
    schema: schemaOf(fields),
  };
}

/** A change to such an object: nothing has to be there, and nothing is filled in. */
export function changeOf<F extends Fields>(fields: F): Kind<Given<F>> {
  return {
    read: (value, path, problems) => readFields(fields, value, path, problems, false) as Given<F> | undefined,
    write: (value) => writeFields(fields, value),
    schema: { ...schemaOf(fields), required: [] },
  };
}

function readFields(fields: Fields, value: unknown, path: string, problems: Problem[], whole: boolean): unknown {
  if (!isObject(value)) {
    return refuse(problems, path, 'error.expected.jsobject', `must be an object, not ${shown(value)}`);
  }
  const before = problems.length;
  const found: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined && given !== null) found[name] = field.kind.read(given, `${path}/${name}`, problems);
    else if (whole && field.presence === 'defaulted') found[name] = field.fallback;
    else if (whole && field.presence === 'required') {
      refuse(problems, `${path}/${name}`, 'error.path.missing', `is missing: ${field.about}`);
    }
  }
  return problems.length > before ? undefined : found;
}

function writeFields(fields: Fields, value: object): Readonly<Record<string, unknown>> {
  const written: Record<string, unknown> = {};
  const values = value as Readonly<Record<string, unknown>>;
  for (const [name, field] of Object.entries(fields)) {
    const given = values[name];
    if (given === undefined || field.deprecated || (field.omitEmpty && isEmpty(given))) continue;
    written[name] = field.kind.write(given);
  }
  return written;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

function schemaOf(fields: Fields): JsonSchema {
  const properties = Object.entries(fields).map(([name, field]) => [
    name,
    {
      ...field.kind.schema,
      description: field.about,
      ...(field.presence === 'defaulted' && { default: field.kind.write(field.fallback) }),
      ...(field.deprecated && { deprecated: true }),
    },
  ]);
  const needed = Object.entries(fields).flatMap(([name, { presence }]) => (presence === 'required' ? [name] : []));
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as unknown,
    ...(needed.length > 0 && { required: needed }),
  };
}

/** Whether two values are the same as documents: absent and undefined are one. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, at) => sameValue(each, b[at]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameValue(own(a, key), own(b, key)));
}

function own(value: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
