import type { ReregisterExecutorMessage } from '../../../wire/internal.ts';
import { type Context, log, send } from '../context.ts';
import { executorReregistered } from '../custom.ts';
import type { Pid } from '../effects.ts';
import { takeExecutorUpdate } from '../executor-update.ts';
import { drainExecutor, executorIsBack } from '../recovery.ts';

/** A version 0 executor answers the agent that was restarted. */
export function reregisterExecutor(context: Context, message: ReregisterExecutorMessage, from: Pid): void {
  const framework = context.state.frameworks.get(message.framework_id.value);
  const executor = framework?.executors.get(message.executor_id.value);
  const slave_id = context.state.info.id;
  if (executor?.phase === 'running' && executor.pid === from) {
    log(context, 'info', `Executor ${executor.id} was asked more than once to come back, and has answered already`);
    return;
  }
  if (!framework || !executor?.isReconnecting || framework.phase !== 'running' || !slave_id) {
    log(context, 'warning', `Shutting down executor ${message.executor_id.value} at ${from}: it is not awaited`);
    send(context, from, 'mesos.internal.ShutdownExecutorMessage', {});
    return;
  }
  executorReregistered(context, framework, executor, from);
  // What it could not tell before comes first, so that nothing is thought lost that has ended.
  for (const update of message.updates ?? []) {
    if (!takeExecutorUpdate(context, update, from) || !update.uuid) continue;
    send(context, from, 'mesos.internal.StatusUpdateAcknowledgementMessage', {
      slave_id,
      framework_id: update.framework_id,
      task_id: update.status.task_id,
      uuid: update.uuid,
    });
  }
  executorIsBack(context, framework, executor, message.tasks ?? []);
  drainExecutor(context, framework, executor);
}
