/** How long launches wait after failures, so that what cannot run does not wear out the cluster. */
import type { TaskStatus } from '../../wire/v1.ts';
import type { Context } from './context.ts';
import type { Delay, Instance, RunSpec } from './model.ts';
import { type SpecRecord, specRecord } from './state.ts';

const DELAYING: ReadonlySet<string> = new Set(['Dropped', 'Error', 'Failed', 'Gone', 'Finished']);
const PROGRESSING: ReadonlySet<string> = new Set(['Provisioned', 'Staging', 'Starting', 'Running']);

/** The configuration that a delay belongs to: changing anything but the number of instances begins anew. */
export function configVersion({ version, versionInfo }: RunSpec): number {
  return versionInfo?.lastConfigChangeAt ?? version;
}

/** An instance came to this condition: the next launch waits longer, or the wait is kept in mind for longer. */
export function noteOutcome(ctx: Context, { specId, spec, condition }: Instance, status?: TaskStatus): void {
  const record = specRecord(ctx.state, specId);
  if (status?.reason === 'REASON_AGENT_DRAINING') delete record.delay;
  else if (DELAYING.has(condition)) delayLaunch(ctx, record, spec);
  else if (PROGRESSING.has(condition) && record.delay) record.delay.reference = ctx.env.wall;
}

function delayLaunch({ env, state }: Context, record: SpecRecord, spec: RunSpec): void {
  const { backoffSeconds, backoffFactor, maxLaunchDelaySeconds } = spec.backoff;
  const limit = maxLaunchDelaySeconds * 1000;
  const known = delayOf(record, spec, env.wall);
  const duration = Math.min(known ? known.duration * backoffFactor : backoffSeconds * 1000, limit);
  record.delay = {
    version: configVersion(spec),
    duration,
    deadline: env.wall + duration,
    reference: env.wall,
  };
  state.delayed.add(record.id);
}

/** The delay that holds for this definition now, if any. */
export function delayOf(record: SpecRecord, spec: RunSpec, now: number): Delay | undefined {
  const { delay } = record;
  if (delay === undefined || delay.version !== configVersion(spec)) return undefined;
  return now > delay.reference + Math.max(spec.backoff.maxLaunchDelaySeconds * 1000, delay.duration)
    ? undefined
    : delay;
}

/** Whether launches of this definition may be now. */
export function mayLaunch(record: SpecRecord, spec: RunSpec, now: number): boolean {
  const delay = delayOf(record, spec, now);
  return delay === undefined || delay.deadline <= now;
}
