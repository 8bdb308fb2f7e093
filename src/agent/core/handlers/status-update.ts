import type { StatusUpdateMessage } from '../../../wire/internal.ts';
import { type Context, log, send } from '../context.ts';
import type { Pid } from '../effects.ts';
import { takeUpdate } from '../status.ts';

/** From a v0 executor. It is acknowledged once the agent answers for it. */
export function statusUpdate(context: Context, message: StatusUpdateMessage, from: Pid): void {
  const { update } = message;
  const agent = context.state.info.id;
  const taskId = update.status.task_id.value;
  const framework = context.state.frameworks.get(update.framework_id.value);
  const executor = framework?.tasks.get(taskId);
  const uuid = update.uuid;
  if (!agent || !framework || !executor || uuid?.length !== 16 || update.status.state === 'TASK_STAGING') {
    log(
      context,
      'warning',
      `Ignoring ${update.status.state} of task ${taskId} from ${from}: no such task, or malformed`,
    );
    context.state.metrics.invalidStatusUpdates++;
    return;
  }
  takeUpdate(context, framework, executor, {
    ...update,
    executor_id: { value: executor.id },
    slave_id: agent,
    status: {
      ...update.status,
      uuid,
      source: 'SOURCE_EXECUTOR',
      agent_id: agent,
      executor_id: { value: executor.id },
      container_status: { ...update.status.container_status, container_id: executor.containerId },
    },
  });
  send(context, message.pid ?? from, 'mesos.internal.StatusUpdateAcknowledgementMessage', {
    slave_id: agent,
    framework_id: update.framework_id,
    task_id: update.status.task_id,
    uuid,
  });
}
