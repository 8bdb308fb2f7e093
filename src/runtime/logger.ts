import { join } from 'node:path';
import type { Millis } from '../base/machine.ts';
import { wallTime } from './clock.ts';
import { LogFile } from './log-file.ts';

const SEVERITIES = ['INFO', 'WARNING', 'ERROR', 'FATAL'] as const;
type Severity = (typeof SEVERITIES)[number];
const OF_LEVEL = { info: 'INFO', warning: 'WARNING', error: 'ERROR' } as const satisfies Record<string, Severity>;

export interface LogOptions {
  /** The program's name, for files: `mesos-master.INFO`. */
  readonly program: string;
  /** Which part speaks, as the lines name it, unless a named logger says otherwise. */
  readonly file: string;
  /** The least severity that is written. */
  readonly level?: string;
  /** Nothing on stderr. */
  readonly quiet?: boolean;
  /** Where log files go; none are written without it. */
  readonly folder?: string | undefined;
  /** In place of stderr. For tests. */
  readonly write?: (lines: string) => void;
}

/** What a part of the program writes with. A cause is appended, with its stack where it ends the process. */
export interface Logger {
  info(text: string, cause?: unknown): void;
  warning(text: string, cause?: unknown): void;
  error(text: string, cause?: unknown): void;
  /** The last words before the process ends. */
  fatal(text: string, cause?: unknown): void;
  log(level: 'info' | 'warning' | 'error', text: string): void;
  /** Written only while the verbosity is at least this. */
  verbose(verbosity: number, text: string): void;
  /** The same log, under another name. */
  named(file: string): Logger;
}

/** The longest that a timer of Node's can wait; it would not wait at all for anything longer. */
const MAX_DELAY: Millis = 2 ** 31 - 1;

/** glog's verbosity, which `/logging/toggle` and SET_LOGGING_LEVEL raise for a while. */
class Verbosity {
  readonly original = 0;
  #level = 0;
  #restore: NodeJS.Timeout | undefined;

  get(): number {
    return this.#level;
  }

  /** @param duration ms after which the original level is back */
  set(level: number, duration: Millis): void {
    clearTimeout(this.#restore);
    this.#level = level;
    this.#restore = setTimeout(
      () => {
        this.#level = this.original;
      },
      Math.min(duration, MAX_DELAY),
    );
    this.#restore.unref?.();
  }
}

/**
 * A log in the line format that upstream's tools read (glog's): `I1123 02:51:07.123456 4433 master] A sentence`.
 * Lines of one turn of the event loop are written to stderr together.
 */
export class Log {
  readonly logger: Logger;
  readonly verbosity = new Verbosity();
  /** The file with every line, if there is one: what `/master/log` shows. */
  readonly path: string | undefined;
  readonly #least: number;
  readonly #write: (lines: string) => void;
  readonly #files: { readonly rank: number; readonly file: LogFile }[] = [];
  #waiting = '';

  /** @throws when the folder cannot be made or written */
  constructor(options: LogOptions) {
    this.#least = Math.max(0, SEVERITIES.indexOf((options.level ?? 'INFO') as Severity));
    this.#write = options.quiet ? () => undefined : (options.write ?? writeToStderr);
    if (options.folder) {
      const now = new Date();
      for (const [rank, severity] of SEVERITIES.slice(0, 3).entries()) {
        this.#files.push({ rank, file: new LogFile(options.folder, options.program, severity, now) });
      }
    }
    const everything = this.#files[0]?.file.path;
    this.path = everything === undefined ? undefined : join(everything);
    this.logger = this.#named(options.file);
    process.once('exit', this.flush);
  }

  /** Writes what waits for the end of the turn. */
  readonly flush = (): void => {
    if (this.#waiting === '') return;
    const lines = this.#waiting;
    this.#waiting = '';
    this.#write(lines);
  };

  close(): void {
    this.flush();
    process.off('exit', this.flush);
    for (const { file } of this.#files.splice(0)) file.close();
  }

  #named(file: string): Logger {
    const at = (severity: Severity) => (text: string, cause?: unknown) => this.#add(severity, file, text, cause);
    return {
      info: at('INFO'),
      warning: at('WARNING'),
      error: at('ERROR'),
      fatal: at('FATAL'),
      log: (level, text) => this.#add(OF_LEVEL[level], file, text),
      verbose: (verbosity, text) => {
        if (this.verbosity.get() >= verbosity) this.#add('INFO', file, text);
      },
      named: (other) => this.#named(other),
    };
  }

  #add(severity: Severity, file: string, text: string, cause?: unknown): void {
    const rank = SEVERITIES.indexOf(severity);
    if (rank < this.#least) return;
    const head = `${severity[0]}${stamp()} ${process.pid} ${file}] `;
    const line = `${[oneLine(text) + causeOf(cause), ...stackOf(cause, severity)].map((l) => head + l).join('\n')}\n`;
    for (const { rank: least, file: sink } of this.#files) if (rank >= least) this.#toFile(sink, line);
    if (this.#waiting === '') setImmediate(() => this.flush());
    this.#waiting += line;
    // What precedes an end must be out before it.
    if (severity === 'FATAL' || severity === 'ERROR') this.flush();
  }

  /** A full disk must not end the daemon: the lines are on stderr all the same. */
  #toFile(file: LogFile, line: string): void {
    try {
      file.write(line);
    } catch {
      this.#files.splice(0);
      this.#add('ERROR', 'log', `${file.path} cannot be written any more; going on without log files`);
    }
  }
}

let stderrGuarded = false;

function writeToStderr(lines: string): void {
  if (!stderrGuarded) {
    stderrGuarded = true;
    // Whoever read our stderr is gone: no reason to end, and nobody to tell.
    process.stderr.on('error', () => undefined);
  }
  process.stderr.write(lines);
}

function stamp(): string {
  const wall = wallTime();
  const time = new Date(wall);
  const two = (value: number): string => String(value).padStart(2, '0');
  const micros = Math.floor((wall - Math.floor(wall / 1000) * 1000) * 1000);
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${two(time.getMonth() + 1)}${two(time.getDate())} ${clock}.${String(micros).padStart(6, '0')}`;
}

/** One entry is one line, of printable characters: names that strangers chose must not forge entries or move cursors. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f]/g, (char) =>
    char === '\n' ? '\\n' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function causeOf(cause: unknown): string {
  if (cause === undefined) return '';
  return `: ${oneLine(cause instanceof Error ? cause.message : String(cause))}`;
}

/** Where an error that ends the process came from. */
function stackOf(cause: unknown, severity: Severity): readonly string[] {
  if (severity !== 'FATAL' || !(cause instanceof Error)) return [];
  return (cause.stack ?? '').split('\n').slice(1).map(oneLine);
}
