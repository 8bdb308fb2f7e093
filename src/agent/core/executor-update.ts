import type { StatusUpdate } from '../../wire/internal.ts';
import { type Context, log } from './context.ts';
import { takeUpdate } from './status.ts';

/**
 * Takes a status update of a framework's own executor, whatever its version; one that came before is taken silently.
 * @param from who sent it, for the log
 * @returns false when it belongs to no task here, or is malformed: then it is not acknowledged
 */
export function takeExecutorUpdate(context: Context, update: StatusUpdate, from: string): boolean {
  const agent = context.state.info.id;
  const taskId = update.status.task_id.value;
  const framework = context.state.frameworks.get(update.framework_id.value);
  const executor = framework?.tasks.get(taskId);
  const { uuid } = update;
  if (
    !agent ||
    !framework ||
    executor?.kind !== 'custom' ||
    uuid?.length !== 16 ||
    update.status.state === 'TASK_STAGING'
  ) {
    log(
      context,
      'warning',
      `Ignoring ${update.status.state} of task ${taskId} from ${from}: no such task, or malformed`,
    );
    context.state.metrics.invalidStatusUpdates++;
    return false;
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
  return true;
}
