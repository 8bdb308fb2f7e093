import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

const SEVERITIES = ['INFO', 'WARNING', 'ERROR'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface LoggerOptions {
  /** The program's name, for files: `mesos-master.INFO`. */
  readonly program: string;
  /** Nothing on stderr. */
  readonly quiet?: boolean;
  /** The least severity that is written. */
  readonly level?: Severity;
  /** A folder for log files; one for each severity, each with what is at least that severe, as upstream keeps them. */
  readonly directory?: string;
  /** Where lines go instead of stderr, for tests. */
  readonly write?: (line: string) => void;
  /** The wall clock in ms, for tests. */
  readonly now?: () => number;
}

/**
 * A log in the line format that upstream's tools read (glog's):
 * `I20261123 02:51:07.123000  4433 master] A sentence`.
 */
export class Logger {
  /** Path of the file with everything, if there is one: what `/master/log` shows. */
  readonly file: string | undefined;
  /** glog's verbosity, which `/logging/toggle` sets for a while; at 1 and above `debug` is written too. */
  verbosity = 0;
  private readonly options: LoggerOptions;
  private readonly least: number;
  private readonly files: ReadonlyMap<Severity, WriteStream>;

  constructor(options: LoggerOptions) {
    this.options = options;
    this.least = SEVERITIES.indexOf(options.level ?? 'INFO');
    this.files = options.directory === undefined ? new Map() : openFiles(options.directory, options.program, this);
    this.file = options.directory === undefined ? undefined : join(options.directory, `${options.program}.INFO`);
  }

  /** @param source which part of the program speaks, for example `master` or `http` */
  info(source: string, text: string): void {
    this.log('INFO', source, text);
  }

  warning(source: string, text: string): void {
    this.log('WARNING', source, text);
  }

  error(source: string, text: string): void {
    this.log('ERROR', source, text);
  }

  /** Written only while the verbosity is raised. */
  debug(source: string, text: string): void {
    if (this.verbosity > 0) this.log('INFO', source, text);
  }

  log(severity: Severity, source: string, text: string): void {
    const rank = SEVERITIES.indexOf(severity);
    if (rank < this.least) return;
    const line = formatLine(severity, this.options.now?.() ?? Date.now(), source, text);
    if (!this.options.quiet) (this.options.write ?? writeToStderr)(line);
    for (const [least, file] of this.files) if (rank >= SEVERITIES.indexOf(least)) file.write(line);
  }

  /** Resolves when everything is in the files. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.files.values()].map((file) => new Promise<void>((resolve) => file.end(() => resolve()))),
    );
  }
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}

function formatLine(severity: Severity, now: number, source: string, text: string): string {
  const time = new Date(now);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const micros = String(time.getMilliseconds()).padStart(3, '0').padEnd(6, '0');
  // One entry is one line: what came from outside must not be able to forge another.
  const oneLine = text.replace(/[\r\n]+/g, ' | ');
  return `${severity[0]}${day} ${clock}.${micros} ${String(process.pid).padStart(5)} ${source}] ${oneLine}\n`;
}

function openFiles(directory: string, program: string, logger: Logger): ReadonlyMap<Severity, WriteStream> {
  mkdirSync(directory, { recursive: true });
  const files = new Map<Severity, WriteStream>();
  for (const severity of SEVERITIES) {
    const path = join(directory, `${program}.${severity}`);
    const stream = createWriteStream(path, { flags: 'a' });
    // A full disk must not end the daemon: it goes on without the file, and says so once.
    stream.once('error', (error) => {
      files.delete(severity);
      logger.error('log', `no longer writing ${path}: ${error.message}`);
    });
    files.set(severity, stream);
  }
  return files;
}
