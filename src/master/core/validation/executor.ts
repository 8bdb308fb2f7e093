import { validateId } from '../../../base/ids.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import {
  validateRequest,
  validateRevocability,
  validateSingleAllocation,
  validateUniquePersistenceIds,
} from '../../../resources/requests.ts';
import { Resources } from '../../../resources/resources.ts';
import type { DurationInfo, ExecutorInfo, Resource } from '../../../wire/v1.ts';
import { sameMessage } from '../same-message.ts';
import type { Agent, Framework } from '../state.ts';
import { validateCommand } from './command.ts';
import { validateContainer } from './container.ts';

const VALID: Result<void> = ok(undefined);

/** Whether an executor makes sense by itself. */
export function validateExecutorInfo(executor: ExecutorInfo): Result<void> {
  const type = validateType(executor);
  if (!type.ok) return type;
  const id = validateId(executor.executor_id.value, 'executor id');
  if (!id.ok) return id;
  const grace = validateDuration(executor.shutdown_grace_period, "ExecutorInfo's 'shutdown_grace_period'");
  if (!grace.ok) return grace;
  if (executor.command !== undefined) {
    const command = validateCommand(executor.command);
    if (!command.ok) return err(`Executor's 'CommandInfo' is invalid: ${command.error}`);
  }
  if (executor.container !== undefined) {
    const container = validateContainer(executor.container);
    if (!container.ok) return err(`Executor's 'ContainerInfo' is invalid: ${container.error}`);
  }
  return VALID;
}

function validateType({ type, command, container }: ExecutorInfo): Result<void> {
  if (type === 'CUSTOM') return command === undefined ? err("'ExecutorInfo.command' must be set for CUSTOM") : VALID;
  if (type !== 'DEFAULT') return VALID;
  if (command !== undefined) return err("'ExecutorInfo.command' must not be set for 'DEFAULT' executor");
  if (container !== undefined && container.type !== 'MESOS') {
    return err("'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor");
  }
  if (container?.mesos?.image !== undefined) {
    return err("'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor");
  }
  return VALID;
}

/** @param what names the field in the error */
export function validateDuration(duration: DurationInfo | undefined, what: string): Result<void> {
  const nanoseconds = duration?.nanoseconds ?? 0;
  return nanoseconds < 0 ? err(`${what} must be non-negative, not ${nanoseconds} nanoseconds`) : VALID;
}

/** Whether this framework may run the executor on this agent. */
export function validateExecutorFor(executor: ExecutorInfo, framework: Framework, agent: Agent): Result<void> {
  const info = validateExecutorInfo(executor);
  if (!info.ok) return info;
  if (executor.framework_id === undefined) return err("'ExecutorInfo.framework_id' must be set");
  const owner = executor.framework_id.value;
  if (owner !== framework.id) {
    return err(`ExecutorInfo has an invalid FrameworkID (Actual: ${owner} vs Expected: ${framework.id})`);
  }
  const resources = validateHolding(executor.resources ?? [], 'Executor');
  if (!resources.ok) return resources;
  const known = framework.executors.get(agent.id)?.get(executor.executor_id.value);
  if (known !== undefined && !sameMessage(known, executor)) {
    return err(
      `the executor '${executor.executor_id.value}' runs on the agent already with a different ExecutorInfo; ` +
        'send the same one, or use another executor id',
    );
  }
  return VALID;
}

/** Whether a task or an executor may hold these resources, looked at by themselves. They must be allocated. */
export function validateHolding(resources: readonly Resource[], what: 'Task' | 'Executor'): Result<void> {
  const valid = validateRequest(resources);
  if (!valid.ok) return err(`${what} uses invalid resources: ${valid.error}`);
  const all = Resources.of(resources);
  const unique = validateUniquePersistenceIds(all);
  if (!unique.ok) return err(`${what} uses duplicate persistence ID: ${unique.error}`);
  const allocation = validateSingleAllocation(resources);
  if (!allocation.ok) return err(`Invalid ${what.toLowerCase()} resources: ${allocation.error}`);
  const revocable = validateRevocability(all);
  return revocable.ok ? VALID : err(`${what} mixes revocable and non-revocable resources: ${revocable.error}`);
}
