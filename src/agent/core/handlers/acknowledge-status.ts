import type { StatusUpdateAcknowledgementMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster } from '../context.ts';
import type { Pid } from '../effects.ts';
import { completeTask } from '../executors.ts';
import { isTerminal } from '../task-state.ts';
import { acknowledgeUpdate } from '../updates.ts';

export function acknowledgeStatus(context: Context, message: StatusUpdateAcknowledgementMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'an acknowledgement')) return;
  const taskId = message.task_id.value;
  const update = acknowledgeUpdate(context, message.framework_id.value, taskId, message.uuid);
  if (!update || !isTerminal(update.status.state)) return;
  const framework = context.state.frameworks.get(message.framework_id.value);
  const executor = framework?.tasks.get(taskId);
  if (framework && executor) completeTask(context, framework, executor, taskId);
}
