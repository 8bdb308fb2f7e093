import type { RunTaskMessage } from '../../../wire/internal.ts';
import { commandExecutorInfo } from '../command-executor-info.ts';
import { type Context, isFromMaster } from '../context.ts';
import type { Pid } from '../effects.ts';
import { runTasks } from '../run.ts';

export function runTask(context: Context, message: RunTaskMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a task')) return;
  const { framework, task } = message;
  const { launcherDir } = context.state.options;
  runTasks(context, {
    framework,
    schedulerPid: message.pid,
    kind: task.executor ? (task.executor.type === 'DEFAULT' ? 'default' : 'custom') : 'command',
    executor: task.executor ?? commandExecutorInfo(framework, task, launcherDir),
    tasks: [task],
    grouped: false,
    launchExecutor: message.launch_executor,
    resourceVersions: message.resource_version_uuids,
  });
}
