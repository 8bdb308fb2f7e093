/** What Marathon looks after from time to time, in case something went unnoticed. */

import { delayOf } from './backoff.ts';
import { compact, compactAgainAfter, compactionInterval } from './compaction.ts';
import { isTerminal } from './condition.ts';
import { type Context, log } from './context.ts';
import { scaleTo } from './deploy/scale.ts';
import { setGoal } from './goals.ts';
import { killInstance } from './kills.ts';
import { sweep } from './launch/asking.ts';
import type { Instance } from './model.ts';
import { noteTimePassing } from './updates.ts';

const OVERDUE_EVERY = 5_000;
const OVERDUE_FIRST = 30_000;
const DELAYS_EVERY = 10_000;
const RECONCILED_AT_ONCE = 1_000;

interface Job {
  readonly run: (ctx: Context) => void;
  readonly first: (options: Context['options']) => number;
  readonly every: (options: Context['options'], ctx: Context) => number;
}

const JOBS: Readonly<Record<string, Job>> = {
  overdue: { run: killOverdue, first: () => OVERDUE_FIRST, every: () => OVERDUE_EVERY },
  delays: { run: forgetDelays, first: () => DELAYS_EVERY, every: () => DELAYS_EVERY },
  reconcile: {
    run: reconcile,
    first: ({ reconciliationInitialDelay }) => reconciliationInitialDelay,
    every: ({ reconciliationInterval }) => reconciliationInterval,
  },
  scale: {
    run: checkScale,
    first: ({ scaleAppsInitialDelay }) => scaleAppsInitialDelay,
    every: ({ scaleAppsInterval }) => scaleAppsInterval,
  },
  expunge: {
    run: expungeUnreachable,
    first: ({ expungeInitialDelay }) => expungeInitialDelay,
    every: ({ expungeInterval }) => expungeInterval,
  },
  compact: { run: compact, first: compactionInterval, every: (_, ctx) => compactAgainAfter(ctx) },
};

/** From now on all of them come round. */
export function startJobs({ emit, options }: Context): void {
  for (const [key, job] of Object.entries(JOBS)) emit({ kind: 'arm', key, after: job.first(options) });
}

/** @returns whether the timer was one of ours */
export function runJob(ctx: Context, key: string): boolean {
  const job = JOBS[key];
  if (job === undefined) return false;
  job.run(ctx);
  ctx.emit({ kind: 'arm', key, after: job.every(ctx.options, ctx) });
  return true;
}

/** Launches of which nothing was heard, tasks that never come to run, and groups of which a part does not end with the rest. */
function killOverdue(ctx: Context): void {
  const { state, env, options } = ctx;
  for (const instance of [...state.instances.values()]) {
    const limit = overdueAfter(instance, options);
    if (limit === undefined || startedAt(instance) + limit > env.wall) continue;
    log(ctx, 'warning', `Killing ${instance.id}: it has been ${instance.condition} for more than ${limit / 1000} s`);
    killInstance(ctx, instance);
  }
}

function overdueAfter({ condition, goal }: Instance, options: Context['options']): number | undefined {
  if (condition === 'Provisioned') return options.launchConfirmTimeout;
  if (condition === 'Killing') return goal === 'Running' ? options.launchTimeout : undefined;
  return condition === 'Staging' || condition === 'Starting' ? options.launchTimeout : undefined;
}

function startedAt({ tasks, since, condition }: Instance): number {
  return tasks.length === 0 || condition === 'Killing' ? since : Math.max(...tasks.map(({ stagedAt }) => stagedAt));
}

function forgetDelays({ state, env }: Context): void {
  for (const id of state.delayed) {
    const record = state.specs.get(id);
    const spec = record && [...record.instances.values()][0]?.spec;
    if (record === undefined || spec === undefined || delayOf(record, spec, env.wall) === undefined) {
      if (record) delete record.delay;
      state.delayed.delete(id);
    }
  }
}

/** Asks the master what it knows: first of each task that should be there, then of all, so that strangers show. */
export function reconcile(ctx: Context): void {
  const { state, emit } = ctx;
  if (!state.isSubscribed) return;
  // What was given back on an agent that was away is there again when the agent is.
  sweep(ctx, state.residentRoles);
  for (const instance of state.instances.values()) {
    if (instance.tasks.length > 0 && !hasDefinition(ctx, instance)) setGoal(ctx, instance, 'Decommissioned');
  }
  // Of those that wait with volumes the last tasks too: their agent may be gone for good by now.
  const tasks = [...state.instances.values()].flatMap((instance) =>
    instance.tasks
      .filter(({ condition }) => !isTerminal(condition) || instance.reservation !== undefined)
      .map(({ id }) => ({
        task_id: { value: id },
        ...(instance.placement && { agent_id: { value: instance.placement.agentId } }),
      })),
  );
  for (let from = 0; from < tasks.length; from += RECONCILED_AT_ONCE) {
    emit({
      kind: 'call',
      call: { type: 'RECONCILE', reconcile: { tasks: tasks.slice(from, from + RECONCILED_AT_ONCE) } },
    });
  }
  emit({ kind: 'call', call: { type: 'RECONCILE', reconcile: { tasks: [] } } });
}

function hasDefinition({ state }: Context, { specId }: Instance): boolean {
  return state.locks.has(specId) || state.current.has(specId);
}

/** Brings every app and pod that no deployment holds to the number of instances that it should have. */
export function checkScale(ctx: Context): void {
  for (const spec of ctx.state.current.values()) {
    if (!ctx.state.locks.has(spec.id)) scaleTo(ctx, spec);
  }
}

/** Those out of reach become inactive, and in the end are forgotten. */
function expungeUnreachable(ctx: Context): void {
  for (const instance of [...ctx.state.instances.values()]) noteTimePassing(ctx, instance);
}
