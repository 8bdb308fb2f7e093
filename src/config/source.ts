import { withoutPassword } from '../base/password.ts';

/** One flag as somebody wrote it. */
export interface Setting {
  /** Lower case, without dashes and `no-`. */
  readonly name: string;
  /** Absent for a bare `--name`. */
  readonly text?: string;
  /** `--no-name`. */
  readonly negated?: boolean;
  /** As it was written, without a password, for errors: `--port=x`, `MESOS_PORT=x`, `/etc/mesos-master/port`. */
  readonly written: string;
}

/** A place that settings come from: the command line, the environment, a folder of files. */
export interface Source {
  readonly settings: readonly Setting[];
  /** Whether a name that no flag has is an error here. */
  readonly unknown: 'error' | 'ignore';
}

/** `--name=value`, `--name`, `--no-name`; `--` ends the flags, and what is not a flag is passed over, as upstream does it. */
export function argvSource(argv: readonly string[]): Source {
  const settings: Setting[] = [];
  for (const argument of argv) {
    if (argument === '--') break;
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
    const written = withoutPassword(argument);
    if (!match) continue;
    const name = match[1]!.toLowerCase();
    const text = match[2];
    if (name.startsWith('no-') && text === undefined) settings.push({ name: name.slice(3), negated: true, written });
    else settings.push({ name, text, written });
  }
  return { settings, unknown: 'error' };
}

/**
 * `MESOS_<FLAG>` in any case; other variables with that prefix belong to executors and are no mistake. An empty value
 * is an empty text, and true for a boolean.
 */
export function environmentSource(env: Readonly<Record<string, string | undefined>>): Source {
  const settings = new Map<string, Setting>();
  for (const [key, text] of Object.entries(env)) {
    if (!key.startsWith('MESOS_') || text === undefined) continue;
    const name = key.slice('MESOS_'.length).toLowerCase();
    if (name.startsWith('no-')) settings.set(name, { name: name.slice(3), negated: true, written: key });
    else settings.set(name, { name, text, written: withoutPassword(`${key}=${text}`) });
  }
  return { settings: [...settings.values()], unknown: 'ignore' };
}
