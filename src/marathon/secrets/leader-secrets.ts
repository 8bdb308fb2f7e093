/** The secrets of a Marathon that leads: looked up when something is launched, and looked after in between. */
import { join } from 'node:path';
import { ok, type Result } from '../../base/result.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { MarathonFlags } from '../flags.ts';
import { SecretFile } from './file-store.ts';

const LOOK_EVERY = 1_000;

/** @returns the secrets, undefined without a key, or what is wrong with the key or the file */
export function openSecrets(
  flags: Pick<MarathonFlags, 'secrets_key_file' | 'secrets_file' | 'work_dir'>,
): Result<LeaderSecrets | undefined> {
  if (flags.secrets_key_file === undefined) return ok(undefined);
  const file = SecretFile.open(flags.secrets_file ?? join(flags.work_dir, 'secrets'), flags.secrets_key_file);
  if (!file.ok) return file;
  const read = file.value.read();
  return read.ok ? ok(new LeaderSecrets(file.value)) : read;
}

export class LeaderSecrets {
  readonly #file: SecretFile;
  #timer: NodeJS.Timeout | undefined;
  #told: string | undefined;
  #complaint: string | undefined;

  constructor(file: SecretFile) {
    this.#file = file;
  }

  /** The value as it is at this moment. */
  lookUp(name: string): Uint8Array | undefined {
    const read = this.#file.read();
    return read.ok ? read.value.get(name) : undefined;
  }

  /** Tells which secrets there are, now and whenever they are others. A file that cannot be read has none. */
  watch(logger: Pick<Logger, 'error'>, tell: (names: ReadonlySet<string>) => void): void {
    const look = (): void => {
      const read = this.#file.read();
      const complaint = read.ok ? undefined : read.error;
      if (complaint !== undefined && complaint !== this.#complaint) logger.error(`Secrets: ${complaint}`);
      this.#complaint = complaint;
      const names = new Set(read.ok ? read.value.keys() : []);
      const text = JSON.stringify([...names].sort());
      if (text === this.#told) return;
      this.#told = text;
      tell(names);
    };
    look();
    this.#timer = setInterval(look, LOOK_EVERY);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
