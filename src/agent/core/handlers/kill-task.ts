import type { KillTaskMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { fateOf } from '../ended.ts';
import { killTask as kill } from '../kill.ts';
import { reportMissing } from '../status.ts';

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
  const why = { reason: 'REASON_EXECUTOR_TERMINATED', message: 'Cannot find executor' } as const;
  const fate = fateOf(context.state, { frameworkId: framework.id, taskId }, framework.info, why);
  reportMissing(context, framework.id, taskId, fate);
}
