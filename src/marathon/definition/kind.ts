/**
 * Kinds of values in documents. A kind reads (never throwing, whatever it is given), writes, and says what it takes as JSON
 * Schema. Refusals are upstream's codes, which clients look for, each followed by a sentence for people.
 */
import { readInstant, writeInstant } from './instant.ts';
import type { Problem } from './types.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Kind<T> {
  /** @returns nothing if it was refused: then there are more `problems` than before */
  read(value: unknown, path: string, problems: Problem[]): T | undefined;
  write(value: T): unknown;
  readonly schema: JsonSchema;
  /** A list whose order says nothing. */
  readonly isSet?: boolean;
}

/** Tells a refusal: the code first, then why. */
export function refuse(problems: Problem[], path: string, code: string, why: string): undefined {
  const at = path === '' ? '/' : path;
  problems.push({ path: at, error: code }, { path: at, error: why });
  return undefined;
}

/** A value as it is shown in a refusal: shortened, and on one line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function same<T>(value: T): T {
  return value;
}

interface TextLimits {
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Has to match all of it. `shape` is what people call that. */
  readonly pattern?: RegExp;
  readonly shape?: string;
}

export function text({ minLength = 0, maxLength, pattern, shape }: TextLimits = {}): Kind<string> {
  return {
    read(value, path, problems) {
      if (typeof value !== 'string') {
        return refuse(problems, path, 'error.expected.jsstring', `must be a string, not ${shown(value)}`);
      }
      if (value.length < minLength) {
        return refuse(problems, path, 'error.minLength', `must have at least ${minLength} characters`);
      }
      if (maxLength !== undefined && value.length > maxLength) {
        const why = `must have at most ${maxLength} characters, not ${value.length}`;
        return refuse(problems, path, 'error.maxLength', why);
      }
      if (pattern !== undefined && !pattern.test(value)) {
        return refuse(
          problems,
          path,
          'error.pattern',
          `must be ${shape ?? pattern.source}, which ${shown(value)} is not`,
        );
      }
      return value;
    },
    write: same,
    schema: {
      type: 'string',
      ...(minLength > 0 && { minLength }),
      ...(maxLength !== undefined && { maxLength }),
      ...(pattern !== undefined && { pattern: pattern.source }),
    },
  };
}

interface NumberLimits {
  readonly minimum?: number;
  readonly maximum?: number;
}

function within(
  value: number,
  { minimum, maximum }: NumberLimits,
  path: string,
  problems: Problem[],
): number | undefined {
  if (minimum !== undefined && value < minimum) {
    return refuse(problems, path, 'error.min', `must be at least ${minimum}, not ${value}`);
  }
  if (maximum !== undefined && value > maximum) {
    return refuse(problems, path, 'error.max', `must be at most ${maximum}, not ${value}`);
  }
  return value;
}

export function decimal(limits: NumberLimits = {}): Kind<number> {
  return {
    read(value, path, problems) {
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        return refuse(problems, path, 'error.expected.jsnumber', `must be a number, not ${shown(value)}`);
      }
      return within(value, limits, path, problems);
    },
    write: same,
    schema: { type: 'number', ...limits },
  };
}

const WIDTHS = {
  int: { from: -(2 ** 31), to: 2 ** 31 - 1 },
  long: { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER },
} as const;

function whole(width: keyof typeof WIDTHS, limits: NumberLimits): Kind<number> {
  return {
    read(value, path, problems) {
      if (typeof value !== 'number') {
        return refuse(problems, path, 'error.expected.jsnumber', `must be a whole number, not ${shown(value)}`);
      }
      const { from, to } = WIDTHS[width];
      if (!Number.isInteger(value) || value < from || value > to) {
        const why = `must be a whole number from ${limits.minimum ?? from} to ${limits.maximum ?? to}, not ${value}`;
        return refuse(problems, path, `error.expected.${width}`, why);
      }
      return within(value === 0 ? 0 : value, limits, path, problems);
    },
    write: same,
    schema: { type: 'integer', ...limits },
  };
}

/** 32 bits. */
export function integer(limits: NumberLimits = {}): Kind<number> {
  return whole('int', limits);
}

/** 64 bits, as far as a double holds them exactly. */
export function long(limits: NumberLimits = {}): Kind<number> {
  return whole('long', limits);
}

export const flag: Kind<boolean> = {
  read(value, path, problems) {
    if (typeof value === 'boolean') return value;
    return refuse(problems, path, 'error.expected.jsboolean', `must be true or false, not ${shown(value)}`);
  },
  write: same,
  schema: { type: 'boolean' },
};

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  const known = new Map<string, T>(choices.map((choice) => [choice, choice]));
  return {
    read(value, path, problems) {
      const found = typeof value === 'string' ? known.get(value) : undefined;
      if (found !== undefined) return found;
      const why = `must be one of ${choices.join(', ')}, not ${shown(value)}`;
      return refuse(problems, path, 'error.unknown.enum.literal', why);
    },
    write: same,
    schema: { enum: choices },
  };
}

export const instant: Kind<number> = {
  read(value, path, problems) {
    const found = typeof value === 'string' ? readInstant(value) : undefined;
    if (found !== undefined) return found;
    const why = `must be an instant like 2015-09-25T15:13:48.343Z, not ${shown(value)}`;
    return refuse(problems, path, 'error.expected.date.isoformat', why);
  },
  write: writeInstant,
  schema: { type: 'string', format: 'date-time' },
};

interface ListLimits {
  readonly minItems?: number;
  readonly maxItems?: number;
  /** A set: what comes twice counts once. */
  readonly unique?: boolean;
}

export function list<T>(
  item: Kind<T>,
  { minItems = 0, maxItems, unique = false }: ListLimits = {},
): Kind<readonly T[]> {
  return {
    read(value, path, problems) {
      if (!Array.isArray(value)) {
        return refuse(problems, path, 'error.expected.jsarray', `must be a list, not ${shown(value)}`);
      }
      const before = problems.length;
      // Unlike `map`, this reads holes too.
      const items = Array.from(value, (each: unknown, at) => item.read(each, `${path}(${at})`, problems));
      if (problems.length > before) return undefined;
      if (items.length < minItems) {
        return refuse(
          problems,
          path,
          'error.minLength',
          `must have at least ${minItems} elements, not ${items.length}`,
        );
      }
      if (maxItems !== undefined && items.length > maxItems) {
        return refuse(problems, path, 'error.maxLength', `must have at most ${maxItems} elements, not ${items.length}`);
      }
      return unique ? distinct(items as T[]) : (items as T[]);
    },
    write: (value) => value.map((each) => item.write(each)),
    isSet: unique,
    schema: {
      type: 'array',
      items: item.schema,
      ...(minItems > 0 && { minItems }),
      ...(maxItems !== undefined && { maxItems }),
      ...(unique && { uniqueItems: true }),
    },
  };
}

function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

/** Any keys: labels, environment. */
export function map<T>(item: Kind<T>): Kind<Readonly<Record<string, T>>> {
  return {
    read(value, path, problems) {
      if (!isObject(value)) {
        return refuse(problems, path, 'error.expected.jsobject', `must be an object, not ${shown(value)}`);
      }
      const before = problems.length;
      const entries = Object.entries(value).map(([key, each]) => [key, item.read(each, `${path}/${key}`, problems)]);
      return problems.length > before ? undefined : (Object.fromEntries(entries) as Record<string, T>);
    },
    write: (value) => Object.fromEntries(Object.entries(value).map(([key, each]) => [key, item.write(each)])),
    schema: { type: 'object', additionalProperties: item.schema },
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One of several kinds, told apart by a look at the value. */
export function choice<T>(
  choose: (value: unknown) => Kind<T>,
  write: (value: T) => unknown,
  schemas: readonly JsonSchema[],
): Kind<T> {
  return {
    read: (value, path, problems) => choose(value).read(value, path, problems),
    write,
    schema: { anyOf: schemas },
  };
}
