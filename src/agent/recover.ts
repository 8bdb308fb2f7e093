/** What an agent finds of the one before it when it starts. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import type { Logger } from '../runtime/logger.ts';
import type { AgentInfo, Resource } from '../wire/v1.ts';
import { cutOff } from './checkpoint/files.ts';
import { agentFolders } from './checkpoint/leftovers.ts';
import { type Checkpoints, readCheckpoints } from './checkpoint/reader.ts';
import { CheckpointError, type FileSystem, writeCheckpoints } from './checkpoint/writer.ts';
import { type ReconfigurationPolicy, reconfigure } from './core/reconfiguration.ts';
import { withCheckpointed } from './core/resources.ts';

export interface RecoverOptions {
  /** Absolute, without symbolic links. */
  readonly workDir: string;
  readonly strict: boolean;
  readonly policy: ReconfigurationPolicy;
  /** What the flags make of this agent. */
  readonly info: AgentInfo;
  readonly logger: Pick<Logger, 'warning' | 'info'>;
  /** A file that says of which start of the machine this is. */
  readonly bootId?: string;
  /** What is written with; the system's own files if left out. */
  readonly files?: FileSystem;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** @returns an error that says how to go on */
export async function recoverCheckpoints(options: RecoverOptions): Promise<Result<Checkpoints>> {
  try {
    return await readAndPrepare(options);
  } catch (error) {
    return err(error instanceof CheckpointError ? error.message : `${(error as Error).message}: look at the disk`);
  }
}

/** @throws Error where something cannot be written; nothing is lost then, and the next start tries again */
async function readAndPrepare(options: RecoverOptions): Promise<Result<Checkpoints>> {
  const { workDir, strict, logger, files } = options;
  const read = readCheckpoints({ workDir, strict, warn: (text) => logger.warning(text) });
  if (!read.ok) return read;
  const boot = bootOf(options);
  const checkpoints = await admit(read.value, boot.isNew, options);
  if (!checkpoints.ok) return checkpoints;
  const unfit = unfitResources(checkpoints.value, options);
  if (unfit !== undefined && strict) return err(unfit);
  if (unfit !== undefined) logger.warning(`${unfit}. Going on without them`);
  for (const { path, length } of checkpoints.value.torn) {
    logger.info(`Cutting ${path} off at byte ${length}: what follows was being written when the machine stopped`);
    cutOff(path, length);
  }
  // Last: until all of the above is done, this is the first start after that of the machine.
  if (boot.id !== undefined) {
    await writeCheckpoints([{ how: 'replace', path: boot.path, bytes: Buffer.from(boot.id) }], files);
  }
  return checkpoints;
}

/** Whether what was read is this agent's, or the agent begins as a new one. */
async function admit(
  checkpoints: Checkpoints,
  isNewBoot: boolean,
  { workDir, policy, info, logger, files }: RecoverOptions,
): Promise<Result<Checkpoints>> {
  if (checkpoints.info === undefined) return ok(checkpoints);
  const fits = reconfigure(checkpoints.info, info, policy);
  const latest = join(workDir, 'meta/slaves/latest');
  if (!fits.ok && !isNewBoot) {
    return err(
      `${fits.error}, which --reconfiguration_policy=${policy} does not allow. Start it with the flags of before, or ` +
        `give up its tasks and begin as a new agent: remove ${latest}`,
    );
  }
  if (isNewBoot) logger.info('The machine was restarted: whatever ran here has ended');
  if (fits.ok) return ok(checkpoints);
  // Nothing of it can run any more, so that nobody loses anything by its being a new agent.
  logger.warning(`The machine was restarted and ${fits.error}: beginning as a new agent`);
  await writeCheckpoints([{ how: 'remove', path: latest }], files);
  const leftovers = agentFolders(workDir, undefined);
  return ok({ ...checkpoints, info: undefined, drain: undefined, frameworks: [], leftovers, torn: [] });
}

/** Reservations and volumes belong to the machine, whatever its agent's id. */
function unfitResources({ resources }: Checkpoints, { workDir, info }: RecoverOptions): string | undefined {
  const kept: readonly Resource[] = resources.resources ?? [];
  const total = withCheckpointed(info.resources ?? [], kept);
  if (total.ok) return undefined;
  return (
    `The reservations and volumes in ${join(workDir, 'meta/resources/resources_and_operations.state')} do not fit into ` +
    `--resources: ${total.error}. Start it with the resources of before, or give them up with --no-strict`
  );
}

interface Boot {
  readonly path: string;
  /** To be written down; undefined if it is already, or there is no such thing here. */
  readonly id: string | undefined;
  /** The machine has been restarted since an agent was here. */
  readonly isNew: boolean;
}

function bootOf({ workDir, bootId = BOOT_ID, logger }: RecoverOptions): Boot {
  const path = join(workDir, 'meta/boot_id');
  const now = read(bootId);
  const before = read(path);
  if (now === undefined || now === before) return { path, id: undefined, isNew: false };
  if (before === undefined) return { path, id: now, isNew: false };
  // Tasks are given up after a restart of the machine, so nothing that is in doubt counts as one.
  const isGarbled = before.length !== now.length;
  if (isGarbled)
    logger.warning(`${path} is garbled; taking it that the machine was not restarted, and writing it anew`);
  return { path, id: now, isNew: !isGarbled };
}

function read(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
  } catch {
    return undefined;
  }
}
