import { closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename, join } from 'node:path';

const two = (value: number): string => String(value).padStart(2, '0');

/**
 * A file of one severity and above, named and headed as glog does: `mesos-master.HOST.USER.log.INFO.20261123-025107.PID`
 * with a link `mesos-master.INFO` to the newest, which is what people tail and tools collect.
 */
export class LogFile {
  readonly path: string;
  private readonly descriptor: number;

  /** @throws when the folder cannot be made or written */
  constructor(folder: string, program: string, severity: string, now: Date) {
    mkdirSync(folder, { recursive: true });
    const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
    const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
    const host = hostname();
    this.path = join(folder, `${program}.${host}.${userName()}.log.${severity}.${day}-${time}.${process.pid}`);
    this.descriptor = openSync(this.path, 'a', 0o644);
    writeSync(
      this.descriptor,
      `Log file created at: ${day.slice(0, 4)}/${day.slice(4, 6)}/${day.slice(6)} ${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}\n` +
        `Running on machine: ${host}\n` +
        'Log line format: [IWEF]mmdd hh:mm:ss.uuuuuu pid file] msg\n',
    );
    point(join(folder, `${program}.${severity}`), basename(this.path));
  }

  write(lines: string): void {
    writeSync(this.descriptor, lines);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Makes `link` say `target`, in one step for whoever reads it. */
function point(link: string, target: string): void {
  const temporary = `${link}.${process.pid}`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, link);
}

/** A user id without an entry in the password file has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
