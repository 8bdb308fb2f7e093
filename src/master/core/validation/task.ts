import { validateId } from '../../../base/ids.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import {
  partsOverlap,
  validateRequest,
  validateRevocability,
  validateUniquePersistenceIds,
} from '../../../resources/requests.ts';
import { Resources } from '../../../resources/resources.ts';
import { fromMilli, toMilli } from '../../../resources/scalars.ts';
import type { ExecutorInfo, TaskInfo } from '../../../wire/v1.ts';
import type { Agent, Framework } from '../state.ts';
import { validateCheck, validateHealthCheck } from './checks.ts';
import { validateCommand } from './command.ts';
import { sharesCgroups, validateContainer } from './container.ts';
import { validateDuration, validateExecutorFor, validateHolding } from './executor.ts';

const VALID: Result<void> = ok(undefined);

/** Where a task is to run, and with what. */
export interface Launchpad {
  readonly framework: Framework;
  readonly agent: Agent;
  /** What is left of the offers. */
  readonly available: Resources;
}

/** Whether a task of a LAUNCH may be launched. Its resources, and its executor's, must be allocated. */
export function validateTask(task: TaskInfo, launchpad: Launchpad): Result<void> {
  const itself = validateTaskItself(task, launchpad);
  if (!itself.ok) return itself;
  const executor = validateRunner(task, launchpad);
  if (!executor.ok) return executor;
  if (!sharesCgroups(task.container)) {
    return err("Only tasks in a task group may have 'share_cgroups' set to 'false'");
  }
  return VALID;
}

/** Everything but the executor: what tasks in groups and tasks alone have in common. */
export function validateTaskItself(task: TaskInfo, { framework, agent }: Launchpad): Result<void> {
  const id = validateId(task.task_id.value, 'task id');
  if (!id.ok) return id;
  if (framework.tasks.has(id.value)) return err(`Task has duplicate ID: ${id.value}`);
  if (framework.unreachableTasks.has(id.value)) return err(`Task reuses the ID of an unreachable task: ${id.value}`);
  if (task.agent_id.value !== agent.id) {
    return err(`Task uses invalid agent ${task.agent_id.value} while agent ${agent.id} is expected`);
  }
  const grace = validateDuration(task.kill_policy?.grace_period, "Task's 'kill_policy.grace_period'");
  if (!grace.ok) return grace;
  const longest = validateDuration(task.max_completion_time, "Task's 'max_completion_time'");
  if (!longest.ok) return longest;
  const parts = validateParts(task);
  return parts.ok ? validateLimits(task, agent) : parts;
}

function validateParts(task: TaskInfo): Result<void> {
  if (task.check !== undefined) {
    const check = validateCheck(task.check);
    if (!check.ok) return err(`Task uses invalid check: ${check.error}`);
  }
  if (task.health_check !== undefined) {
    const check = validateHealthCheck(task.health_check);
    if (!check.ok) return err(`Task uses invalid health check: ${check.error}`);
  }
  if ((task.resources?.length ?? 0) === 0) return err('Task uses no resources; name at least one');
  const resources = validateHolding(task.resources ?? [], 'Task');
  if (!resources.ok) return resources;
  if (task.command !== undefined) {
    const command = validateCommand(task.command);
    if (!command.ok) return err(`Task's 'CommandInfo' is invalid: ${command.error}`);
  }
  if (task.container !== undefined) {
    const container = validateContainer(task.container);
    if (!container.ok) return err(`Task's 'ContainerInfo' is invalid: ${container.error}`);
  }
  return VALID;
}

function validateLimits(task: TaskInfo, agent: Agent): Result<void> {
  const limits = Object.entries(task.limits ?? {});
  if (limits.length === 0) return VALID;
  if (!agent.capabilities.has('TASK_RESOURCE_LIMITS')) {
    return err('Agent is not capable of handling task resource limits');
  }
  const requested = Resources.of(task.resources ?? []);
  for (const [name, { value }] of limits) {
    if (name !== 'cpus' && name !== 'mem') {
      return err(`Only cpus and mem may be included in a task's resource limits, not '${name}'`);
    }
    const request = requested.scalar(name);
    if (request === 0) return err(`When a limit of ${name} is specified, a request must also be specified`);
    // Written so that NaN is refused; infinity means no limit.
    if (!(value === Number.POSITIVE_INFINITY || toMilli(value) >= request)) {
      return err(
        `The limit of ${name} must be greater than or equal to the request: ${value} is below ${fromMilli(request)}`,
      );
    }
  }
  return VALID;
}

/** The executor if there is one, and whether all that is needed is there. */
function validateRunner(task: TaskInfo, { framework, agent, available }: Launchpad): Result<void> {
  const { executor } = task;
  if ((executor === undefined) === (task.command === undefined)) {
    return err('Task should have at least one (but not both) of CommandInfo or ExecutorInfo present');
  }
  const parts = [Resources.of(task.resources ?? [])];
  let needed = parts[0]!;
  if (executor !== undefined) {
    const valid = validateOwnExecutor(executor, framework, agent);
    if (!valid.ok) return valid;
    parts.push(Resources.of(executor.resources ?? []));
    if (!framework.executors.get(agent.id)?.has(executor.executor_id.value)) needed = Resources.sum(parts);
  }
  const together = validateTogether(parts, 'Task and its executor');
  if (!together.ok) return together;
  if (available.contains(needed)) return VALID;
  return err(`Total resources ${needed} required by task and its executor is more than available ${available}`);
}

function validateOwnExecutor(executor: ExecutorInfo, framework: Framework, agent: Agent): Result<void> {
  const valid = validateExecutorFor(executor, framework, agent);
  if (!valid.ok) return valid;
  if (executor.type !== undefined && executor.type !== 'CUSTOM') return err("'ExecutorInfo.type' must be 'CUSTOM'");
  if (executor.command === undefined) return err("'ExecutorInfo.command' must be set");
  const resources = Resources.of(executor.resources ?? []);
  if (!resources.shared().isEmpty) return err(`Executor resources ${resources} should not contain shared resources`);
  if (executor.container?.linux_info?.share_cgroups === true) {
    return err("The 'share_cgroups' field cannot be set to 'true' on executor containers");
  }
  return VALID;
}

/** Whether what several hold can be held side by side. */
export function validateTogether(parts: readonly Resources[], who: string): Result<void> {
  const total = Resources.sum(parts);
  const valid = validateRequest(total.toProto());
  if (!valid.ok) return err(`${who} use invalid resources: ${valid.error}`);
  if (parts.length > 1 && partsOverlap(parts))
    return err(`${who} use overlapping ports or items: ${parts.join(' and ')}`);
  const unique = validateUniquePersistenceIds(total);
  if (!unique.ok) return err(`${who} use duplicate persistence ID: ${unique.error}`);
  const revocable = validateRevocability(total);
  return revocable.ok ? VALID : err(`${who} mix revocable and non-revocable resources: ${revocable.error}`);
}
