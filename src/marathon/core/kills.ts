/** Sees to it that what is not wanted ends: asks for so many kills at once, and asks again until each is confirmed. */
import { isActive, isTerminal } from './condition.ts';
import type { Context } from './context.ts';
import { expunge } from './instances.ts';
import type { Instance } from './model.ts';
import type { Kill } from './state.ts';

const RETRY = 'kill-retry';

/**
 * Has an instance killed. What cannot be reached and shall keep nothing is forgotten instead: should it come back, it is
 * killed then, and what is reserved for it is given back.
 */
export function killInstance(ctx: Context, instance: Instance): void {
  const taskIds = instance.tasks.filter(({ condition }) => !isTerminal(condition)).map(({ id }) => id);
  if (taskIds.length === 0) return;
  if (isOutOfReach(instance)) {
    const keepsNothing = instance.reservation === undefined && instance.goal !== 'Stopped';
    if (keepsNothing || instance.goal === 'Decommissioned') expunge(ctx, instance);
    return;
  }
  queueKill(ctx, instance.id, taskIds);
}

/** Kills a task that is nobody's. @param key under which a repeated wish is known */
export function killTask(ctx: Context, key: string, taskId: string): void {
  queueKill(ctx, key, [taskId]);
}

function queueKill(ctx: Context, key: string, taskIds: readonly string[]): void {
  const { queued, inFlight } = ctx.state.kills;
  if (queued.has(key) || inFlight.has(key)) return;
  queued.set(key, { instanceId: key, taskIds, attempts: 0, issuedAt: 0 });
  sendKills(ctx);
}

/** It has ended, or is gone: the next one may be killed. */
export function confirmKill(ctx: Context, key: string): void {
  const { queued, inFlight } = ctx.state.kills;
  queued.delete(key);
  if (inFlight.delete(key)) sendKills(ctx);
}

/** One task of an instance that was forgotten while it was being killed is over: with the last of them the kill is. */
export function confirmTask(ctx: Context, instanceId: string, taskId: string): void {
  const { instances, kills } = ctx.state;
  const kill = kills.inFlight.get(instanceId) ?? kills.queued.get(instanceId);
  if (kill === undefined || instances.get(instanceId)?.tasks.some(({ id }) => kill.taskIds.includes(id))) return;
  kill.taskIds = kill.taskIds.filter((id) => id !== taskId);
  if (kill.taskIds.length === 0) confirmKill(ctx, instanceId);
}

/** Whoever has lost its instances out of sight meanwhile need not be killed any more. */
export function retryKills(ctx: Context): void {
  const { state, env, options } = ctx;
  for (const [key, kill] of [...state.kills.inFlight]) {
    if (kill.issuedAt + options.killRetryTimeout > env.now) continue;
    const instance = state.instances.get(key);
    if (instance && isOutOfReach(instance)) {
      state.kills.inFlight.delete(key);
      killInstance(ctx, instance);
    } else {
      send(ctx, kill);
    }
  }
  sendKills(ctx);
  armRetry(ctx);
}

/** What is sent without a subscription is lost: all of it is sent anew. */
export function resendKills(ctx: Context): void {
  for (const kill of ctx.state.kills.inFlight.values()) send(ctx, kill);
}

/** After a change of leaders: what was not wanted before is still not wanted. */
export function killUnwanted(ctx: Context): void {
  for (const instance of [...ctx.state.instances.values()]) {
    if (instance.goal !== 'Running' && isActive(instance.condition)) killInstance(ctx, instance);
  }
}

export function isKillTimer(key: string): boolean {
  return key === RETRY;
}

function isOutOfReach({ condition }: Instance): boolean {
  return condition === 'Unreachable' || condition === 'UnreachableInactive';
}

function sendKills(ctx: Context): void {
  const { queued, inFlight } = ctx.state.kills;
  for (const [key, kill] of queued) {
    if (inFlight.size >= ctx.options.killChunkSize) break;
    queued.delete(key);
    inFlight.set(key, kill);
    send(ctx, kill);
  }
  armRetry(ctx);
}

function send(ctx: Context, kill: Kill): void {
  const { state, env, emit } = ctx;
  kill.attempts++;
  kill.issuedAt = env.now;
  const instance = state.instances.get(kill.instanceId);
  const agentId = instance?.placement?.agentId;
  for (const taskId of kill.taskIds) {
    emit({
      kind: 'call',
      call: { type: 'KILL', kill: { task_id: { value: taskId }, ...(agentId && { agent_id: { value: agentId } }) } },
    });
  }
}

function armRetry({ state, options, emit }: Context): void {
  if (state.kills.inFlight.size > 0) emit({ kind: 'arm', key: RETRY, after: options.killRetryTimeout });
  else emit({ kind: 'disarm', key: RETRY });
}
