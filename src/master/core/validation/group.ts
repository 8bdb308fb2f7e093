import { err, ok, type Result } from '../../../base/result.ts';
import { Resources } from '../../../resources/resources.ts';
import { fromMilli } from '../../../resources/scalars.ts';
import type { ExecutorInfo, TaskInfo } from '../../../wire/v1.ts';
import { sameMessage } from '../same-message.ts';
import { sharesCgroups } from './container.ts';
import { validateExecutorFor } from './executor.ts';
import { type Launchpad, validateTaskItself, validateTogether } from './task.ts';

const VALID: Result<void> = ok(undefined);

/** What an executor needs itself, in thousandths: cpus, and megabytes of memory. */
const MIN_CPUS = 10;
const MIN_MEM = 32_000;

/** Whether a task group may be launched: all of it or nothing. Tasks must carry the executor, resources the allocation. */
export function validateGroup(tasks: readonly TaskInfo[], executor: ExecutorInfo, launchpad: Launchpad): Result<void> {
  const ids = new Set<string>();
  for (const task of tasks) {
    const valid = validateMember(task, launchpad);
    if (!valid.ok) return err(`Task '${task.task_id.value}' is invalid: ${valid.error}`);
    if (ids.has(task.task_id.value)) return err(`Task '${task.task_id.value}' is in the group twice`);
    ids.add(task.task_id.value);
  }
  const runner = validateGroupExecutor(tasks, executor, launchpad);
  if (!runner.ok) return runner;
  const together = validateGroupResources(tasks, executor, launchpad);
  return together.ok ? validateCgroups(tasks, executor, launchpad) : together;
}

function validateMember(task: TaskInfo, launchpad: Launchpad): Result<void> {
  const itself = validateTaskItself(task, launchpad);
  if (!itself.ok) return itself;
  if (task.executor === undefined) return err("'TaskInfo.executor' must be set");
  const probe = task.health_check?.type;
  if ((task.container?.network_infos?.length ?? 0) > 0 && (probe === 'HTTP' || probe === 'TCP')) {
    return err("HTTP and TCP health checks need the parent's network; leave out 'network_infos'");
  }
  if (task.container?.type === 'DOCKER') return err('Docker ContainerInfo is not supported on the task');
  if (Object.keys(task.limits ?? {}).length > 0 && sharesCgroups(task.container)) {
    return err("Resource limits of a task in a group need 'share_cgroups' set to 'false'");
  }
  return VALID;
}

function validateGroupExecutor(tasks: readonly TaskInfo[], executor: ExecutorInfo, launchpad: Launchpad): Result<void> {
  const valid = validateExecutorFor(executor, launchpad.framework, launchpad.agent);
  if (!valid.ok) return valid;
  const id = executor.executor_id.value;
  if (executor.type === undefined) return err("'ExecutorInfo.type' must be set");
  if (executor.type === 'UNKNOWN') return err("Unknown executor type; use 'DEFAULT' or 'CUSTOM'");
  if (executor.container?.type === 'DOCKER') return err('Docker ContainerInfo is not supported on the executor');
  const different = tasks.find((task) => !sameMessage(task.executor, executor));
  if (different !== undefined) {
    return err(`The ExecutorInfo of task '${different.task_id.value}' is different from executor '${id}'`);
  }
  const resources = Resources.of(executor.resources ?? []);
  const cpus = resources.scalar('cpus');
  if (cpus < MIN_CPUS) {
    return err(
      `Executor '${id}' uses less CPUs (${fromMilli(cpus)}) than the minimum required (${fromMilli(MIN_CPUS)})`,
    );
  }
  const mem = resources.scalar('mem');
  if (mem < MIN_MEM) {
    return err(`Executor '${id}' uses less memory (${fromMilli(mem)}MB) than the minimum required (32MB)`);
  }
  return resources.scalar('disk') > 0 ? VALID : err(`Executor '${id}' uses no disk`);
}

function validateGroupResources(
  tasks: readonly TaskInfo[],
  executor: ExecutorInfo,
  launchpad: Launchpad,
): Result<void> {
  const { framework, agent, available } = launchpad;
  const held = tasks.map((task) => Resources.of(task.resources ?? []));
  const own = Resources.of(executor.resources ?? []);
  const together = validateTogether([...held, own], 'Task group and executor');
  if (!together.ok) return together;
  const isNew = !framework.executors.get(agent.id)?.has(executor.executor_id.value);
  const needed = Resources.sum(isNew ? [...held, own] : held);
  if (available.contains(needed)) return VALID;
  return err(`Total resources ${needed} required by task group and its executor are more than available ${available}`);
}

/** All tasks under one executor share its limits, or none does. */
function validateCgroups(tasks: readonly TaskInfo[], executor: ExecutorInfo, launchpad: Launchpad): Result<void> {
  if (executor.container?.linux_info?.share_cgroups === true) {
    return err("The 'share_cgroups' field cannot be set to 'true' on executor containers");
  }
  const { framework, agent } = launchpad;
  const here = [...(agent.tasks.get(framework.id) ?? [])]
    .flatMap((id) => framework.tasks.get(id) ?? [])
    .filter((task) => task.executor_id?.value === executor.executor_id.value);
  const wishes = new Set([...tasks, ...here].map((task) => sharesCgroups(task.container)));
  if (wishes.size <= 1) return VALID;
  return err("If set, 'share_cgroups' must be the same for all tasks under a single executor");
}
