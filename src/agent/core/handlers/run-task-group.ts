import type { RunTaskGroupMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster } from '../context.ts';
import type { Pid } from '../effects.ts';
import { runTasks } from '../run.ts';

export function runTaskGroup(context: Context, message: RunTaskGroupMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a task group')) return;
  runTasks(context, {
    framework: message.framework,
    schedulerPid: undefined,
    kind: message.executor.type === 'DEFAULT' ? 'default' : 'custom',
    executor: message.executor,
    tasks: message.task_group.tasks ?? [],
    grouped: true,
    launchExecutor: message.launch_executor,
    resourceVersions: message.resource_version_uuids,
  });
}
