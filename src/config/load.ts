import { withoutPassword } from '../base/password.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Flag, FlagTable, FlagValues, ReadFile } from './flag.ts';
import type { Setting, Source } from './source.ts';
import { usage } from './usage.ts';

/** A program's flags as given, read and checked. */
export interface Loaded<Table extends FlagTable> {
  readonly values: FlagValues<Table>;
  /** Flags that have a value, in upstream's spelling, sorted by name: what `/flags` shows, without passwords. */
  readonly texts: Readonly<Record<string, string>>;
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** Sentences to be logged once the log is up. */
  readonly warnings: readonly string[];
}

/** The program is to run with these flags, or to end at once. */
export type Outcome<Table extends FlagTable> =
  | { readonly kind: 'run'; readonly flags: Loaded<Table> }
  | { readonly kind: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string };

export interface Program<Table extends FlagTable> {
  /** `mesos-master`. */
  readonly name: string;
  /** What `--version` prints after `mesos `. */
  readonly version: string;
  readonly flags: Table;
  /** Rules that concern more than one flag. @returns a sentence naming the flags */
  check?(values: FlagValues<Table>, readFile: ReadFile): string | undefined;
}

/**
 * Reads the flags of a program.
 * @param sources where settings come from, the most important first
 */
export function loadFlags<Table extends FlagTable>(
  program: Program<Table>,
  sources: readonly Source[],
  readFile: ReadFile,
): Outcome<Table> {
  const asked = (name: string): boolean =>
    sources.some((source) => source.settings.some((s) => s.name === name && s.text !== 'false' && !s.negated));
  if (asked('help')) return { kind: 'exit', code: 0, stdout: usage(program.name, program.flags), stderr: '' };
  if (asked('version')) return { kind: 'exit', code: 0, stdout: `mesos ${program.version}\n`, stderr: '' };

  const warnings: string[] = [];
  const loaded = read(program, sources, readFile, warnings);
  if (loaded.ok) return { kind: 'run', flags: loaded.value };
  const advice = `See \`${program.name} --help\` for a list of supported flags.`;
  return { kind: 'exit', code: 1, stdout: '', stderr: `${loaded.error}\n${advice}\n` };
}

function read<Table extends FlagTable>(
  program: Program<Table>,
  sources: readonly Source[],
  readFile: ReadFile,
  warnings: string[],
): Result<Loaded<Table>> {
  const settings = gather(program.flags, sources, warnings);
  if (!settings.ok) return settings;
  const values: Record<string, unknown> = {};
  const texts: Record<string, string> = {};
  for (const name of Object.keys(program.flags).sort()) {
    const flag = program.flags[name]!;
    const value = resolve(name, flag, settings.value.get(name), readFile);
    if (!value.ok) return value;
    values[name] = value.value;
    if (value.value === undefined) continue;
    texts[name] = withoutPassword(flag.kind.format(value.value));
    if (flag.missing === undefined || !settings.value.has(name) || texts[name] === fallbackText(flag, readFile))
      continue;
    const sentence = `--${name}=${texts[name]}: ${flag.missing.sentence}`;
    if (flag.missing.act === 'refuse') return err(sentence);
    warnings.push(sentence);
  }
  const wrong = program.check?.(values as FlagValues<Table>, readFile);
  if (wrong !== undefined) return err(wrong);
  return ok({ values: values as FlagValues<Table>, texts, given: new Set(settings.value.keys()), warnings });
}

/** Resolves aliases and negations, refuses repetitions within a source; of several sources the first one wins. */
function gather(table: FlagTable, sources: readonly Source[], warnings: string[]): Result<Map<string, Setting>> {
  const names = new Map<string, string>();
  for (const [name, flag] of Object.entries(table))
    for (const known of [name, ...(flag.aliases ?? [])]) names.set(known, name);
  const settings = new Map<string, Setting>();
  for (const source of sources) {
    const here = new Map<string, Setting>();
    for (const setting of source.settings) {
      const name = names.get(setting.name);
      if (name === undefined) {
        if (source.unknown === 'ignore') continue;
        return err(`Unknown flag '${setting.written}'${suggestion(setting.name, names)}`);
      }
      const earlier = here.get(name);
      if (earlier) {
        return err(`Flag '${name}' is given twice: '${earlier.written}' and '${setting.written}'; give it once`);
      }
      if (setting.negated && !table[name]!.kind.boolean)
        return err(`Flag '${name}' is not a boolean, so '${setting.written}' means nothing: write --${name}=VALUE`);
      here.set(name, setting);
      if (setting.name !== name && !settings.has(name))
        warnings.push(`'${setting.written}' is a deprecated name, use --${name}`);
    }
    for (const [name, setting] of here) if (!settings.has(name)) settings.set(name, setting);
  }
  return ok(settings);
}

function resolve(name: string, flag: Flag<unknown>, setting: Setting | undefined, readFile: ReadFile): Result<unknown> {
  if (setting === undefined) {
    if (flag.required) return err(`Flag '${name}' is required, but it was not provided: add --${name}=VALUE`);
    return flag.fallback === undefined ? ok(undefined) : flag.kind.parse(flag.fallback, readFile);
  }
  const text = textOf(name, flag, setting, readFile);
  if (!text.ok) return text;
  const value = flag.kind.parse(text.value, readFile);
  if (!value.ok) return err(`Bad value of flag '${name}' (${setting.written}): ${value.error}`);
  const wrong = flag.validate?.(value.value);
  return wrong === undefined ? value : err(`Bad value of flag '${name}' (${setting.written}): ${wrong}`);
}

function textOf(name: string, flag: Flag<unknown>, setting: Setting, readFile: ReadFile): Result<string> {
  if (setting.negated) return ok('false');
  if (setting.text === undefined) {
    if (flag.kind.boolean) return ok('true');
    return err(`Flag '${name}' needs a value: write --${name}=VALUE (${flag.kind.name})`);
  }
  if (!setting.text.startsWith('file://') || flag.kind.path) return ok(setting.text);
  const content = readFile(setting.text.slice('file://'.length));
  return content.ok
    ? ok(content.value.trim())
    : err(`Bad value of flag '${name}' (${setting.written}): ${content.error}`);
}

function fallbackText(flag: Flag<unknown>, readFile: ReadFile): string | undefined {
  if (flag.fallback === undefined) return undefined;
  const value = flag.kind.parse(flag.fallback, readFile);
  return value.ok ? flag.kind.format(value.value) : undefined;
}

/** Names the known flag that shares the longest beginning or is written with other separators. */
function suggestion(wrong: string, names: ReadonlyMap<string, string>): string {
  const plain = (name: string): string => name.replaceAll(/[-_]/g, '');
  const match = [...names.keys()].find((name) => plain(name) === plain(wrong)) ?? closest(wrong, names);
  return match === undefined ? '' : `; did you mean --${match}?`;
}

function closest(wrong: string, names: ReadonlyMap<string, string>): string | undefined {
  const shared = (name: string): number => {
    let length = 0;
    while (length < name.length && name[length] === wrong[length]) length++;
    return length;
  };
  const best = [...names.keys()].sort((a, b) => shared(b) - shared(a) || a.length - b.length)[0];
  return best !== undefined && shared(best) >= 4 ? best : undefined;
}
