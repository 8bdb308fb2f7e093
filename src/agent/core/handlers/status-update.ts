import type { StatusUpdateMessage } from '../../../wire/internal.ts';
import type { Context } from '../context.ts';
import { send } from '../context.ts';
import type { Pid } from '../effects.ts';
import { takeExecutorUpdate } from '../executor-update.ts';

/** From a v0 executor. It is acknowledged once the agent answers for it. */
export function statusUpdate(context: Context, message: StatusUpdateMessage, from: Pid): void {
  const { update } = message;
  const agent = context.state.info.id;
  if (!takeExecutorUpdate(context, update, from) || !agent || !update.uuid) return;
  send(context, message.pid ?? from, 'mesos.internal.StatusUpdateAcknowledgementMessage', {
    slave_id: agent,
    framework_id: update.framework_id,
    task_id: update.status.task_id,
    uuid: update.uuid,
  });
}
