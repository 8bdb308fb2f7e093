import { validateId } from '../../../base/ids.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import type { Resources } from '../../../resources/resources.ts';
import { validateResources } from '../../../resources/validate.ts';
import type { RegisterSlaveMessage, ReregisterSlaveMessage } from '../../../wire/internal.ts';
import type { AgentInfo, Resource } from '../../../wire/v1.ts';
import { validateExecutorInfo } from './executor.ts';
import { validateFrameworkInfo } from './framework.ts';

/** Older agents speak a protocol that this master does not. */
const MIN_VERSION = [1, 0, 0] as const;

export function validateRegistration(message: RegisterSlaveMessage): Result<void> {
  const version = validateVersion(message.version);
  if (!version.ok) return version;
  if ((message.checkpointed_resources ?? []).length > 0 && message.slave.checkpoint !== true) {
    return err("'checkpointed_resources' must be empty unless 'slave.checkpoint' is true");
  }
  return validateAgent(message.slave, message.checkpointed_resources);
}

/** Checks that what an agent reports fits together: it could otherwise break the master's books. */
export function validateReregistration(message: ReregisterSlaveMessage): Result<void> {
  const { slave } = message;
  const version = validateVersion(message.version);
  if (!version.ok) return version;
  if (slave.id === undefined) return err("'slave.id' must be set by an agent that registers again");
  const agent = validateAgent(slave, message.checkpointed_resources);
  if (!agent.ok) return agent;
  const frameworks = validateFrameworks(message);
  if (!frameworks.ok) return frameworks;
  const executors = validateExecutors(message, frameworks.value);
  if (!executors.ok) return executors;
  return validateTasks(message, frameworks.value, executors.value);
}

function validateVersion(version: string | undefined): Result<void> {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version ?? '');
  if (match === null) return err(`the agent's version '${version ?? ''}' is not of the form 1.2.3`);
  for (const [i, least] of MIN_VERSION.entries()) {
    const part = Number(match[i + 1]);
    if (part > least) break;
    if (part < least) return err(`the agent's version ${version} is older than ${MIN_VERSION.join('.')}; upgrade it`);
  }
  return ok(undefined);
}

function validateAgent(agent: AgentInfo, checkpointed: readonly Resource[] | undefined): Result<void> {
  if (agent.id !== undefined) {
    const id = validateId(agent.id.value, 'agent id');
    if (!id.ok) return id;
  }
  const resources = validateResources(agent.resources ?? []);
  if (!resources.ok) return resources;
  const unallocated = [...(agent.resources ?? []), ...(checkpointed ?? [])].every(
    (r) => r.allocation_info === undefined,
  );
  if (!unallocated) return err("an agent's own resources must not carry 'allocation_info'");
  return validateResources(checkpointed ?? []);
}

/** @returns framework id -> its only role, or undefined if it has several */
function validateFrameworks(message: ReregisterSlaveMessage): Result<ReadonlyMap<string, string | undefined>> {
  const roles = new Map<string, string | undefined>();
  for (const info of message.frameworks ?? []) {
    const valid = validateFrameworkInfo(info);
    if (!valid.ok) return valid;
    const id = info.id?.value;
    if (id === undefined) return err(`the framework '${info.name}' has no id`);
    if (roles.has(id)) return err(`framework ${id} is reported twice`);
    const multiRole = info.capabilities?.some((capability) => capability.type === 'MULTI_ROLE');
    const named = multiRole ? (info.roles ?? []) : [info.role ?? '*'];
    roles.set(id, named.length === 1 ? named[0] : undefined);
  }
  return ok(roles);
}

function validateExecutors(
  message: ReregisterSlaveMessage,
  frameworks: ReadonlyMap<string, string | undefined>,
): Result<ReadonlySet<string>> {
  const executors = new Set<string>();
  for (const executor of message.executor_infos ?? []) {
    const valid = validateExecutorInfo(executor);
    if (!valid.ok) return valid;
    const frameworkId = executor.framework_id?.value ?? '';
    const key = `${frameworkId}/${executor.executor_id.value}`;
    if (!frameworks.has(frameworkId)) return err(`executor ${key} belongs to a framework that is not reported`);
    if (executors.has(key)) return err(`executor ${key} is reported twice`);
    executors.add(key);
    const resources = validateHeld(executor.resources, frameworks.get(frameworkId));
    if (!resources.ok) return err(`executor ${key}: ${resources.error}`);
  }
  return ok(executors);
}

function validateTasks(
  message: ReregisterSlaveMessage,
  frameworks: ReadonlyMap<string, string | undefined>,
  executors: ReadonlySet<string>,
): Result<void> {
  const tasks = message.tasks ?? [];
  const agentId = message.slave.id?.value;
  const seen = new TaskIds(tasks.length);
  // Most tasks of a framework hold the same.
  let lastFramework: string | undefined;
  let lastResources: readonly Resource[] | undefined;
  for (const { task_id, framework_id, agent_id, executor_id, state, resources } of tasks) {
    const id = validateId(task_id.value, 'task id');
    if (!id.ok) return id;
    const wrong = (what: string): Result<void> => err(`task ${framework_id.value}/${task_id.value}${what}`);
    if (agent_id.value !== agentId) return wrong(' belongs to another agent');
    if (!frameworks.has(framework_id.value)) return wrong(' belongs to a framework that is not reported');
    if (!seen.add(framework_id.value, task_id.value)) return wrong(' is reported twice');
    const executor = executor_id?.value;
    if (executor !== undefined && state === 'TASK_RUNNING' && !executors.has(`${framework_id.value}/${executor}`)) {
      return wrong(` runs in the executor '${executor}', which is not reported`);
    }
    if (resources === lastResources && framework_id.value === lastFramework) continue;
    const valid = validateHeld(resources, frameworks.get(framework_id.value));
    if (!valid.ok) return wrong(`: ${valid.error}`);
    lastResources = resources;
    lastFramework = framework_id.value;
  }
  return ok(undefined);
}

/** Most agents have few tasks: to look through a list of them is quicker than to fill sets. */
const FEW = 16;

class TaskIds {
  readonly #list: string[] = [];
  readonly #sets: Map<string, Set<string>> | undefined;

  constructor(count: number) {
    this.#sets = count > FEW ? new Map() : undefined;
  }

  /** @returns false if it is there */
  add(frameworkId: string, taskId: string): boolean {
    if (this.#sets === undefined) {
      const list = this.#list;
      for (let at = 0; at < list.length; at += 2) {
        if (list[at] === taskId && list[at + 1] === frameworkId) return false;
      }
      list.push(taskId, frameworkId);
      return true;
    }
    const set = this.#sets.get(frameworkId);
    if (set?.has(taskId)) return false;
    if (set === undefined) this.#sets.set(frameworkId, new Set([taskId]));
    else set.add(taskId);
    return true;
  }
}

function validateHeld(resources: readonly Resource[] | undefined, onlyRole: string | undefined): Result<void> {
  const list = resources ?? [];
  const valid = validateResources(list);
  if (!valid.ok) return valid;
  if (onlyRole === undefined && list.some((resource) => resource.allocation_info?.role === undefined)) {
    return err("resources of a framework with several roles need 'allocation_info.role'");
  }
  return ok(undefined);
}

/** Whether what the agent itself has (not what providers or oversubscription add later) covers what is held there. */
export function validateFit(total: Resources, held: Resources): Result<void> {
  if (total === fits.total && held === fits.held) return ok(undefined);
  const own = (resources: Resources): Resources =>
    resources
      .nonRevocable()
      .nonShared()
      .ofKinds(({ template }) => template.provider_id === undefined);
  const used = own(held.unallocate());
  if (own(total).contains(used)) {
    fits = { total, held };
    return ok(undefined);
  }
  return err(`what its tasks and executors hold (${used}) is more than it has (${total})`);
}

/** The last that did: most agents are like the one before. */
let fits: { readonly total?: Resources; readonly held?: Resources } = {};
