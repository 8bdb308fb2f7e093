import type { ExecutorInfo, FrameworkInfo, Resource, TaskInfo } from '../../wire/v1.ts';
import { commandWithoutSecrets, withoutSecrets } from '../../wire/without-secrets.ts';

/** Upstream gives a command task's last run this long beyond its grace period: reaping, and a second. */
const SHUTDOWN_MARGIN_NANOSECONDS = 2e9;

/**
 * How upstream describes the executor that it makes up for a command task. Ours is built into the agent, but tools read
 * this description (its name, source and resources) from the agent's state.
 */
export function commandExecutorInfo(framework: FrameworkInfo, task: TaskInfo, launcherDir: string): ExecutorInfo {
  // Everybody may see it; the task's own command has the values.
  const command = task.command && commandWithoutSecrets(task.command);
  const grace = task.kill_policy?.grace_period;
  return {
    executor_id: { value: task.task_id.value },
    ...(framework.id && { framework_id: framework.id }),
    name: `Command Executor (Task: ${task.task_id.value}) ${describeCommand(task)}`,
    source: task.task_id.value,
    command: {
      ...(command?.uris && { uris: command.uris }),
      ...(command?.environment && { environment: command.environment }),
      ...(command?.user !== undefined && { user: command.user }),
      shell: false,
      value: `${launcherDir}/mesos-executor`,
      arguments: ['mesos-executor', `--launcher_dir=${launcherDir}`],
    },
    resources: overhead(task),
    ...(task.container && { container: withoutSecrets(task.container) }),
    ...(task.labels && { labels: task.labels }),
    ...(task.discovery && { discovery: task.discovery }),
    ...(grace && { shutdown_grace_period: { nanoseconds: grace.nanoseconds + SHUTDOWN_MARGIN_NANOSECONDS } }),
  };
}

function describeCommand(task: TaskInfo): string {
  const { command } = task;
  const shell = command?.shell ?? true;
  if (command?.value === undefined) return shell ? '(Command: NO COMMAND)' : '(Command: NO EXECUTABLE)';
  if (shell) return `(Command: sh -c '${shorten(command.value)}')`;
  return `(Command: [${shorten(`${command.value}, ${(command.arguments ?? []).join(', ')}`)}])`;
}

const shorten = (text: string): string => (text.length > 15 ? `${text.slice(0, 12)}...` : text);

/** What upstream adds to a command task for its executor, though no offer accounts for it. */
function overhead(task: TaskInfo): readonly Resource[] {
  const allocation = task.resources?.find((resource) => resource.allocation_info)?.allocation_info;
  const scalar = (name: string, value: number): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value },
    ...(allocation && { allocation_info: allocation }),
  });
  return [scalar('cpus', 0.1), scalar('mem', 32)];
}
