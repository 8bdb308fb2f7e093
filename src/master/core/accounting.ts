/** Who holds what: the sums over tasks and executors, kept on agents and frameworks. */
import { Resources } from '../../resources/resources.ts';
import type { ExecutorInfo } from '../../wire/v1.ts';
import { requestAllocation } from './allocation.ts';
import type { Context } from './context.ts';
import { type AgentRecord, addTo, type FrameworkRecord, own, takeFrom } from './records.ts';

export function addUsed(framework: FrameworkRecord, agent: AgentRecord, resources: Resources): void {
  agent.used = agent.used.plus(bookUsed(framework, agent, resources));
}

/** Enters what a framework holds, but not in the sum of what is used on the agent. @returns the same resources */
export function bookUsed(framework: FrameworkRecord, agent: AgentRecord, resources: Resources): Resources {
  if (resources.isEmpty) return resources;
  // Both books say the same, and that of the agent is short.
  const held = (agent.usedByFramework.get(framework.id) ?? Resources.EMPTY).plus(resources);
  agent.usedByFramework.set(framework.id, held);
  framework.used.set(agent.id, held);
  return resources;
}

/** Gives back what a task or an executor held. */
export function freeUsed(ctx: Context, framework: FrameworkRecord, agent: AgentRecord, resources: Resources): void {
  if (resources.isEmpty) return;
  agent.used = agent.used.minus(resources);
  subtract(agent.usedByFramework, framework.id, resources);
  subtract(framework.used, agent.id, resources);
  recover(ctx, framework.id, agent.id, resources, undefined);
  requestAllocation(ctx, agent.id);
}

function subtract(held: Map<string, Resources>, key: string, resources: Resources): void {
  const rest = (held.get(key) ?? Resources.EMPTY).minus(resources);
  if (rest.isEmpty) held.delete(key);
  else held.set(key, rest);
}

/** Gives resources back to the allocator, role by role. @param refuseSeconds as in Filters; undefined for no filter */
export function recover(
  ctx: Context,
  frameworkId: string,
  agentId: string,
  resources: Resources,
  refuseSeconds: number | undefined,
): void {
  for (const part of resources.allocations().values()) {
    ctx.allocator.recoverResources(frameworkId, agentId, part, refuseSeconds, ctx.env.now);
  }
}

export function hasExecutor(framework: FrameworkRecord, agentId: string, executorId: string): boolean {
  return framework.executors.get(agentId)?.has(executorId) ?? false;
}

export function addExecutor(framework: FrameworkRecord, agent: AgentRecord, executor: ExecutorInfo): void {
  const id = executor.executor_id.value;
  const here = framework.executors.get(agent.id);
  if (here === undefined) framework.executors.set(agent.id, new Map([[id, executor]]));
  else here.set(id, executor);
  addTo(own(agent, 'executors'), framework.id, id);
  addUsed(framework, agent, Resources.of(executor.resources ?? []));
}

/** Forgets an executor and frees what it held. @returns whether it was known */
export function removeExecutor(
  ctx: Context,
  framework: FrameworkRecord,
  agent: AgentRecord,
  executorId: string,
): boolean {
  const here = framework.executors.get(agent.id);
  const executor = here?.get(executorId);
  if (here === undefined || executor === undefined) return false;
  here.delete(executorId);
  if (here.size === 0) framework.executors.delete(agent.id);
  takeFrom(own(agent, 'executors'), framework.id, executorId);
  freeUsed(ctx, framework, agent, Resources.of(executor.resources ?? []));
  return true;
}
