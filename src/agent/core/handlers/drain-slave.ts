import type { DrainSlaveMessage } from '../../../wire/internal.ts';
import { rememberDrain } from '../checkpoints.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { drainPolicy, killTask } from '../kill.ts';

/** DrainSlaveMessage: every task is to end. A newer drain takes the place of an older one. */
export function drainSlave(context: Context, message: DrainSlaveMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a drain')) return;
  const { state, env } = context;
  if (isEmpty(context)) {
    log(context, 'info', 'Asked to drain: there is nothing to end');
    return;
  }
  state.drain = { config: message.config, startedAt: env.wall };
  rememberDrain(context, message.config);
  log(context, 'info', 'Draining: ending every task');
  for (const framework of [...state.frameworks.values()]) {
    if (framework.phase === 'terminating') continue;
    for (const [taskId, executor] of [...framework.tasks]) {
      const record = executor.queued.get(taskId) ?? executor.launched.get(taskId);
      if (record) killTask(context, framework, executor, taskId, drainPolicy(record.info, message.config));
    }
  }
}

/** When nothing is left the drain is over; what a master launches after that is not ended by it. */
export function finishDrain(context: Context): void {
  const { state } = context;
  if (state.drain === undefined || !isEmpty(context)) return;
  log(context, 'info', 'Drained: nothing is left to end');
  state.drain = undefined;
  rememberDrain(context, undefined);
}

function isEmpty({ state }: Context): boolean {
  return state.frameworks.size === 0 && state.operations.size === 0;
}
