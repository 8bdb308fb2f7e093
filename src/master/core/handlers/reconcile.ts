import type { AgentID, TaskID } from '../../../wire/v1.ts';
import type { Call_Reconcile } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, type Reconciliation } from '../context.ts';
import { disconnectFramework } from '../frameworks.ts';
import type { FrameworkRecord } from '../records.ts';
import type { StreamId } from '../state.ts';
import { type MasterStatus, masterStatus, sendUpdate, taskStatus } from '../status.ts';
import { endStream } from '../streams.ts';

const REASON = 'REASON_RECONCILIATION';
/**
 * So many are answered in one go. A scheduler may have a hundred thousand tasks: to tell it of all at once would make everybody
 * else wait, and look as if it did not read its stream.
 */
const SLICE = 1_000;
/** So many named tasks may wait for a scheduler to read what it asked for before. One that asks on and does not read is let go. */
const MOST_WAITING = 100_000;

interface Asked {
  readonly task_id: TaskID;
  readonly agent_id?: AgentID;
}

/** RECONCILE: no tasks named means all of them. */
export function reconcile(ctx: Context, framework: FrameworkRecord, call: Call_Reconcile): void {
  countUp(ctx, 'messages_reconcile_tasks');
  const named = (call.tasks?.length ?? 0) > 0;
  const job = { tasks: named ? (call.tasks ?? []) : [...framework.tasks.values()], named, done: 0 };
  const { connection } = framework;
  if (connection?.kind !== 'http') {
    answer(ctx, framework, job, job.tasks.length);
    return;
  }
  const before = ctx.reconciling.get(connection.stream);
  if (before !== undefined) {
    wait(ctx, framework, before, job);
    return;
  }
  answer(ctx, framework, job, SLICE);
  if (job.done === job.tasks.length) return;
  ctx.reconciling.set(connection.stream, [job]);
  ctx.emit({ kind: 'awaitReader', stream: connection.stream });
}

/** Puts a question behind those that are being answered. */
function wait(ctx: Context, framework: FrameworkRecord, before: Reconciliation[], job: Reconciliation): void {
  // Nobody needs to hear of everything twice; once, of what is there by now.
  const same = job.named ? -1 : before.findIndex(({ named, done }) => !named && done === 0);
  if (same >= 0) before.splice(same, 1);
  before.push(job);
  const waiting = before.reduce((sum, { tasks, named }, at) => sum + (named && at > 0 ? tasks.length : 0), 0);
  if (waiting <= MOST_WAITING || framework.connection?.kind !== 'http') return;
  const { stream } = framework.connection;
  ctx.reconciling.delete(stream);
  log(
    ctx,
    'warning',
    `Closing event stream ${stream}: its scheduler does not read, and asked about ${waiting} more tasks`,
  );
  endStream(ctx, stream);
  disconnectFramework(ctx, framework);
}

/** The scheduler has taken what it was told so far. */
export function goOnReconciling(ctx: Context, stream: StreamId): void {
  const jobs = ctx.reconciling.get(stream);
  const framework = ctx.state.frameworks.get(ctx.frameworkByStream.get(stream) ?? '');
  const job = jobs?.[0];
  if (jobs === undefined || framework === undefined || job === undefined) {
    ctx.reconciling.delete(stream);
    return;
  }
  answer(ctx, framework, job, SLICE);
  if (job.done === job.tasks.length) jobs.shift();
  if (jobs.length === 0) ctx.reconciling.delete(stream);
  else ctx.emit({ kind: 'awaitReader', stream });
}

function answer(ctx: Context, framework: FrameworkRecord, job: Reconciliation, most: number): void {
  const end = Math.min(job.tasks.length, job.done + most);
  for (; job.done < end; job.done++) {
    const task = job.tasks[job.done]!;
    if (job.named) reconcileTask(ctx, framework, task);
    else tellKnown(ctx, framework, task.task_id.value);
  }
}

/** Answers what is known of one task; silent while the truth may still come from an agent that is expected back. */
export function reconcileTask(ctx: Context, framework: FrameworkRecord, { task_id, agent_id }: Asked): void {
  if (tellKnown(ctx, framework, task_id.value)) return;
  const verdict = verdictOn(ctx, agent_id?.value);
  if (verdict === undefined) return;
  const aware = framework.capabilities.has('PARTITION_AWARE');
  const status = masterStatus(ctx, {
    taskId: task_id,
    ...(agent_id !== undefined && { agentId: agent_id }),
    ...verdict,
    state: aware ? verdict.state : 'TASK_LOST',
    reason: REASON,
  });
  sendUpdate(ctx, framework, status);
}

function tellKnown(ctx: Context, framework: FrameworkRecord, taskId: string): boolean {
  const task = framework.tasks.get(taskId);
  if (task === undefined) return false;
  const state = task.status_update_state ?? task.state;
  const status = taskStatus(ctx, task, { state, reason: REASON, message: 'Reconciliation: Latest task state' });
  sendUpdate(ctx, framework, status);
  return true;
}

/** What an unknown task must be, judging by its agent. */
function verdictOn(
  ctx: Context,
  agentId: string | undefined,
): Pick<MasterStatus, 'state' | 'message' | 'unreachableTime'> | undefined {
  const { state } = ctx;
  if (agentId === undefined) {
    return state.recovered.size > 0 ? undefined : { state: 'TASK_UNKNOWN', message: 'Reconciliation: Task is unknown' };
  }
  if (state.recovered.has(agentId) && !state.agents.has(agentId)) return undefined;
  const agent = state.agents.get(agentId);
  if (agent !== undefined) {
    // While its link is broken, a task that was given up for that may run still.
    return agent.connected
      ? { state: 'TASK_GONE', message: 'Reconciliation: Task is unknown to the agent' }
      : undefined;
  }
  const unreachable = state.unreachable.get(agentId);
  if (unreachable !== undefined) {
    return {
      state: 'TASK_UNREACHABLE',
      message: 'Reconciliation: Task is unreachable',
      unreachableTime: unreachable.time,
    };
  }
  if (state.gone.has(agentId)) return { state: 'TASK_GONE_BY_OPERATOR', message: 'Reconciliation: Task is gone' };
  return { state: 'TASK_UNKNOWN', message: 'Reconciliation: Task is unknown' };
}
