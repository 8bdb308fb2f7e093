/** What an agent finds of the one before it when it starts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import type { Logger } from '../runtime/logger.ts';
import type { AgentInfo } from '../wire/v1.ts';
import { type Checkpoints, readCheckpoints } from './checkpoint/reader.ts';
import { writeCheckpoints } from './checkpoint/writer.ts';
import { type ReconfigurationPolicy, reconfigure } from './core/reconfiguration.ts';

export interface RecoverOptions {
  readonly workDir: string;
  readonly strict: boolean;
  readonly policy: ReconfigurationPolicy;
  /** What the flags make of this agent. */
  readonly info: AgentInfo;
  readonly logger: Logger;
}

/** Of this start of the machine; undefined where there is no such thing. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** @returns undefined if this agent is new; an error that says how to go on */
export async function recoverCheckpoints(options: RecoverOptions): Promise<Result<Checkpoints | undefined>> {
  const { workDir, strict, policy, info, logger } = options;
  const checkpoints = readCheckpoints({ workDir, strict, warn: (text) => logger.warning(text) });
  if (!checkpoints.ok) return checkpoints;
  const rebooted = await noteBoot(workDir).catch((error: Error) => error.message);
  if (typeof rebooted === 'string') return err(rebooted);
  const { value } = checkpoints;
  if (value === undefined) return ok(undefined);
  const fits = reconfigure(value.info, info, policy);
  if (fits.ok) return ok(value);
  if (rebooted) {
    // Nothing of it can run any more, so that nobody loses anything by its being a new agent.
    logger.warning(`The machine was restarted and ${fits.error}: beginning as a new agent`);
    return ok(undefined);
  }
  const latest = join(workDir, 'meta/slaves/latest');
  return err(
    `${fits.error}, which --reconfiguration_policy=${policy} does not allow. Start it with the flags of before, or give up ` +
      `its tasks and begin as a new agent: remove ${latest}`,
  );
}

/** @returns whether the machine has been restarted since an agent was here */
async function noteBoot(workDir: string): Promise<boolean> {
  const path = join(workDir, 'meta/boot_id');
  const now = read(BOOT_ID);
  const before = read(path);
  if (now === undefined || now === before) return false;
  await writeCheckpoints([{ how: 'replace', path, bytes: Buffer.from(now) }]);
  return before !== undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
