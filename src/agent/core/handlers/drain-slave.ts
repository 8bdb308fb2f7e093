import type { DrainSlaveMessage } from '../../../wire/internal.ts';
import type { KillPolicy } from '../../../wire/v1.ts';
import { rememberDrain } from '../checkpoints.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { graceOf, killTask } from '../kill.ts';

/** Every task is to end, in its own grace period or the drain's, whichever is shorter. */
export function drainSlave(context: Context, message: DrainSlaveMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a drain')) return;
  const { state, env } = context;
  state.drain = { config: message.config, startedAt: env.wall };
  rememberDrain(context, message.config);
  log(context, 'info', 'Draining: ending every task');
  const limit = message.config.max_grace_period;
  for (const framework of [...state.frameworks.values()]) {
    if (framework.phase === 'terminating') continue;
    for (const [taskId, executor] of [...framework.tasks]) {
      const record = executor.queued.get(taskId) ?? executor.launched.get(taskId);
      if (!record) continue;
      const own = graceOf(record.info, undefined) * 1e6;
      const policy: KillPolicy = { grace_period: { nanoseconds: limit ? Math.min(own, limit.nanoseconds) : own } };
      killTask(context, framework, executor, taskId, policy);
    }
  }
}
