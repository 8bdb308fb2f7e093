import type { KillTaskMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { killTask as kill } from '../kill.ts';
import { reportMissing } from '../status.ts';
import { droppedState } from '../task-state.ts';

export function killTask(context: Context, message: KillTaskMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a kill')) return;
  const taskId = message.task_id.value;
  const framework = context.state.frameworks.get(message.framework_id.value);
  if (context.state.phase === 'terminating' || !framework || framework.phase === 'terminating') {
    log(context, 'warning', `Not killing task ${taskId}: framework ${message.framework_id.value} is not running here`);
    return;
  }
  log(context, 'info', `Asked to kill task ${taskId} of framework ${framework.id}`);
  const executor = framework.tasks.get(taskId);
  if (executor) {
    kill(context, framework, executor, taskId, message.kill_policy);
    return;
  }
  reportMissing(context, framework.id, taskId, {
    state: droppedState(framework.info),
    source: 'SOURCE_AGENT',
    reason: 'REASON_EXECUTOR_TERMINATED',
    message: 'Cannot find executor',
  });
}
