import type { Result } from '../base/result.ts';

/** Reads a whole file as text, or says why it could not. Handed in, so that parsing can be tested without a disk. */
export type ReadFile = (path: string) => Result<string>;

/** How the values of a flag are read and written. */
export interface Kind<T> {
  /** For the usage text: `duration`, `bytes`, `true|false`. */
  readonly name: string;
  /** @returns the value, or a sentence naming the text seen and what would be right */
  parse(text: string, readFile: ReadFile): Result<T>;
  /** As upstream prints it in `/flags`. */
  format(value: T): string;
  /** A boolean may be given as `--name` and `--no-name`. */
  readonly boolean?: true;
  /** The value is a path itself: `file://` in front of it is not an order to read the file. */
  readonly path?: true;
}

/** What to do when a flag is set away from its default, but what it asks for is not in this build. */
export interface Missing {
  /** `refuse` where going on would leave something unprotected, `warn` where something is merely not done. */
  readonly act: 'warn' | 'refuse';
  readonly sentence: string;
}

/** Everything about one flag, said once: parsing, usage, environment, `/flags` and the reference are folds over it. */
export interface Flag<T, Present extends boolean = boolean> {
  readonly kind: Kind<T>;
  /** In the form in which it is written on a command line; absent when the flag has no value unless given. */
  readonly fallback?: string;
  readonly required?: boolean;
  readonly help: string;
  /** Deprecated names that mean the same. */
  readonly aliases?: readonly string[];
  /** @returns what is wrong with a value that parsed */
  validate?(value: T): string | undefined;
  readonly missing?: Missing;
  /** Upstream has it only in builds with this option. */
  readonly build?: string;
  /** Only for the type checker: whether there is always a value. */
  readonly present?: Present;
}

export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** The values of a table, by flag name; `undefined` for a flag without default that was not given. */
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer T, infer Present>
    ? [Present] extends [true]
      ? T
      : T | undefined
    : never;
};

type More<T> = Pick<Flag<T>, 'aliases' | 'validate' | 'missing' | 'build'>;

/** A flag with a default. @param fallback as it would be written on a command line */
export function flag<T>(kind: Kind<T>, fallback: string, help: string, more: More<T> = {}): Flag<T, true> {
  return { kind, fallback, help, ...more };
}

/** A flag that has no value unless given. */
export function optional<T>(kind: Kind<T>, help: string, more: More<T> = {}): Flag<T, false> {
  return { kind, help, ...more };
}

/** A flag that must be given. */
export function required<T>(kind: Kind<T>, help: string, more: More<T> = {}): Flag<T, true> {
  return { kind, help, required: true, ...more };
}
