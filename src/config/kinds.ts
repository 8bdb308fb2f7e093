import { formatBytes, parseBytes } from '../base/bytes.ts';
import { formatDuration, parseDuration } from '../base/duration.ts';
import type { Millis } from '../base/machine.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Kind } from './flag.ts';

export const string: Kind<string> = { name: 'text', parse: ok, format: (value) => value };

/** A path: `file://` in front is taken off, and the file is not read in its stead. */
export const path: Kind<string> = {
  name: 'path',
  path: true,
  parse: (text) => ok(text.startsWith('file://') ? text.slice('file://'.length) : text),
  format: (value) => value,
};

export const bool: Kind<boolean> = {
  name: 'true|false',
  boolean: true,
  parse(text) {
    if (text === 'true' || text === '1' || text === '') return ok(true);
    if (text === 'false' || text === '0') return ok(false);
    return err(`'${text}' is neither true nor false`);
  },
  format: String,
};

/** A whole number within bounds. */
export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  const bounds =
    min === Number.MIN_SAFE_INTEGER
      ? ''
      : max === Number.MAX_SAFE_INTEGER
        ? ` from ${min} up`
        : ` from ${min} to ${max}`;
  return {
    name: 'number',
    parse(text) {
      const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
      if (Number.isNaN(value) || value < min || value > max) return err(`'${text}' is not a whole number${bounds}`);
      return ok(value);
    },
    format: String,
  };
}

/** `size_t` in upstream's flags. */
export const count = integer(0);
/** 0 lets the system choose. */
export const port = integer(0, 65535);

export const double: Kind<number> = {
  name: 'number',
  parse(text) {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
    return Number.isFinite(value) ? ok(value) : err(`'${text}' is not a number`);
  },
  format: String,
};

/** In milliseconds. */
export const duration: Kind<Millis> = { name: 'duration', parse: parseDuration, format: formatDuration };

/** In bytes. */
export const bytes: Kind<number> = { name: 'bytes', parse: parseBytes, format: formatBytes };

/** One word of a list. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  return {
    name: words.join('|'),
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? err(`'${text}' is not one of ${words.join(', ')}`) : ok(word);
    },
    format: (value) => value,
  };
}

/**
 * JSON, given as text, as `file:///path` or (upstream's older way) as an absolute path.
 * @param read makes the value of the parsed JSON, or says what is wrong with it
 */
export function json<T>(what: string, read: (value: unknown) => Result<T>): Kind<T> {
  return {
    name: 'JSON or path',
    parse(text, readFile) {
      const content = text.startsWith('/') ? readFile(text) : ok(text);
      if (!content.ok) return content;
      const parsed = parseJson(content.value);
      if (!parsed.ok) return err(`'${text}' is not ${what}: ${parsed.error}`);
      const value = read(parsed.value);
      return value.ok ? value : err(`'${text}' is not ${what}: ${value.error}`);
    },
    format: (value) => JSON.stringify(value),
  };
}

/** A JSON object of any content. */
export function jsonObject(what: string): Kind<Readonly<Record<string, unknown>>> {
  return json(what, (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? ok(value as Record<string, unknown>)
      : err('it must be a JSON object'),
  );
}

function parseJson(text: string): Result<unknown> {
  try {
    return ok(JSON.parse(text) as unknown);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
