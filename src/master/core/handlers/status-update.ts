import { formatUuid } from '../../../base/random.ts';
import type { StatusUpdate, StatusUpdateMessage } from '../../../wire/internal.ts';
import type { TaskStatus } from '../../../wire/v1.ts';
import { type Context, countUp, log } from '../context.ts';
import { isTerminal, sendUpdate } from '../status.ts';
import { removeTask, updateTask } from '../tasks.ts';

/** StatusUpdateMessage of an agent: entered in the books, and passed on to the scheduler, which acknowledges it. */
export function statusUpdate(ctx: Context, message: StatusUpdateMessage): void {
  countUp(ctx, 'messages_status_update');
  const problem = enter(ctx, message);
  countUp(ctx, problem === undefined ? 'valid_status_updates' : 'invalid_status_updates');
  if (problem === undefined) return;
  const { state, task_id } = message.update.status;
  log(ctx, 'warning', `Ignoring status update ${state} of task ${task_id.value}: ${problem}`);
}

/** @returns why it could not be entered, or not be passed on */
function enter(ctx: Context, { update, pid }: StatusUpdateMessage): string | undefined {
  const agentId = update.slave_id?.value ?? update.status.agent_id?.value ?? '';
  const agent = ctx.state.agents.get(agentId);
  if (agent === undefined) return `agent ${agentId} is not registered`;
  const framework = ctx.state.frameworks.get(update.framework_id.value);
  if (framework === undefined) return `framework ${update.framework_id.value} is not known`;
  const status = toldBy(update, agentId);
  const { uuid } = status;
  if (uuid !== undefined && uuid.length !== 16) return `its uuid has ${uuid.length} bytes instead of 16`;
  const taskId = status.task_id.value;
  const shown = uuid === undefined ? 'none' : formatUuid(uuid);
  log(ctx, 'info', `Status update ${status.state} (uuid ${shown}) of task ${taskId} of framework ${framework.id}`);
  sendUpdate(ctx, framework, status, uuid === undefined ? undefined : agent);
  const task = framework.tasks.get(taskId);
  if (task === undefined || task.agent_id.value !== agentId) return 'the task is not known';
  const latest = update.latest_state;
  const told = framework.state === 'CONNECTED';
  const change = { status, ...(latest !== undefined && { latest }), ...(told && uuid !== undefined && { uuid }) };
  const updated = updateTask(ctx, framework, task, change);
  // Nobody will acknowledge it, so there is nothing to keep the task for.
  if (isTerminal(updated.state) && (uuid === undefined || pid === undefined || pid === '')) {
    removeTask(ctx, framework, updated, 'completed');
  }
  // The books are right, but the scheduler has yet to hear of it: the agent repeats itself.
  return told ? undefined : `framework ${framework.id} is not connected`;
}

/** The status with everything in it that the update says around it. A uuid means that it is to be acknowledged. */
function toldBy(update: StatusUpdate, agentId: string): TaskStatus {
  const { uuid: _, ...status } = update.status;
  const executorId = status.executor_id ?? update.executor_id;
  return {
    ...status,
    timestamp: status.timestamp ?? update.timestamp,
    agent_id: status.agent_id ?? { value: agentId },
    ...(executorId !== undefined && { executor_id: executorId }),
    ...(update.uuid !== undefined && update.uuid.length > 0 && { uuid: update.uuid }),
  };
}
