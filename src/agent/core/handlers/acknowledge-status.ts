import type { StatusUpdateAcknowledgementMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { completeTask } from '../executors.ts';
import { isTerminal } from '../task-state.ts';
import { acknowledgeUpdate } from '../updates.ts';

export function acknowledgeStatus(context: Context, message: StatusUpdateAcknowledgementMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'an acknowledgement')) return;
  const taskId = message.task_id.value;
  if (context.state.phase === 'disconnected') {
    // The master may be about to enter the task anew, from an inventory that is on its way, and would wait for an
    // acknowledgement that has been already. The update goes out once more when the agent is admitted.
    log(context, 'info', `Ignoring an acknowledgement for task ${taskId}: registering again comes first`);
    return;
  }
  const update = acknowledgeUpdate(context, message.framework_id.value, taskId, message.uuid);
  if (!update || !isTerminal(update.status.state)) return;
  const framework = context.state.frameworks.get(message.framework_id.value);
  const executor = framework?.tasks.get(taskId);
  if (framework && executor) completeTask(context, framework, executor, taskId);
}
