import { Resources } from '../../resources/resources.ts';
import { toSummary } from '../../resources/summary.ts';
import { type CommandInfo, Environment, type ExecutorInfo } from '../../wire/v1.ts';
import { OfferConstraints } from '../../wire/v1_scheduler.ts';
import type { Framework, MasterState, OfferRecord } from '../core/state.ts';
import { labelsJson, taskJson } from './tasks.ts';

/** What its tasks and executors use, on all agents. */
export function usedBy(framework: Framework): Resources {
  return Resources.sum(framework.used.values());
}

/** What it is offered at present. */
export function offeredTo(state: MasterState, framework: Framework): Resources {
  return Resources.sum(offersTo(state, framework).map(({ resources }) => resources));
}

export function offersTo(state: MasterState, framework: Framework): OfferRecord[] {
  return [...framework.offers].flatMap((id) => state.offers.get(id) ?? []);
}

/** A framework as `/state-summary` shows it; the others add to this. */
export function frameworkSummary(state: MasterState, framework: Framework): object {
  const { info, connection } = framework;
  return {
    id: framework.id,
    name: info.name,
    ...(connection?.kind === 'pid' && { pid: connection.pid }),
    used_resources: toSummary(usedBy(framework)),
    offered_resources: toSummary(offeredTo(state, framework)),
    capabilities: (info.capabilities ?? []).map(({ type }) => type ?? 'UNKNOWN'),
    hostname: info.hostname ?? '',
    webui_url: info.webui_url ?? '',
    active: framework.active,
    connected: framework.state === 'CONNECTED',
    recovered: framework.state === 'RECOVERED',
  };
}

/** A framework with its tasks, offers and executors, as `/state` and `/frameworks` show it. */
export function frameworkJson(state: MasterState, framework: Framework): string {
  const { info } = framework;
  const multiRole = framework.capabilities.has('MULTI_ROLE');
  const head = JSON.stringify({
    ...frameworkSummary(state, framework),
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: framework.registeredTime / 1000,
    unregistered_time: framework.unregisteredTime / 1000,
    ...(info.principal !== undefined && { principal: info.principal }),
    resources: toSummary(usedBy(framework).plus(offeredTo(state, framework))),
    ...(framework.reregisteredTime !== framework.registeredTime && {
      reregistered_time: framework.reregisteredTime / 1000,
    }),
    ...(multiRole ? { roles: info.roles ?? [] } : { role: info.role ?? '*' }),
  });
  const tail = JSON.stringify({
    offers: offersTo(state, framework).map(offerJson),
    executors: [...executorsOf(framework)].map(([agentId, executor]) => ({
      ...executorJson(executor),
      slave_id: agentId,
    })),
    ...(info.labels && { labels: labelsJson(info.labels) }),
    offer_constraints: OfferConstraints.v0.toJson(framework.offerConstraints ?? {}),
  });
  const list = (tasks: Iterable<Parameters<typeof taskJson>[0]>): string =>
    `[${Array.from(tasks, (task) => JSON.stringify(taskJson(task))).join(',')}]`;
  return (
    `${head.slice(0, -1)},"tasks":${list(framework.tasks.values())},"unreachable_tasks":` +
    `${list(framework.unreachableTasks.values())},"completed_tasks":${list(framework.completedTasks)},${tail.slice(1)}`
  );
}

/** `/frameworks`. */
export function frameworksJson(state: MasterState, frameworkId?: string): string {
  const list = (frameworks: Iterable<Framework>): string =>
    [...frameworks]
      .filter(({ id }) => frameworkId === undefined || id === frameworkId)
      .map((framework) => frameworkJson(state, framework))
      .join(',');
  return (
    `{"frameworks":[${list(state.frameworks.values())}],` +
    `"completed_frameworks":[${list(state.completedFrameworks.values())}],"unregistered_frameworks":[]}`
  );
}

/** Executors with the agents that they are on. */
export function* executorsOf(framework: Framework): Iterable<[agentId: string, executor: ExecutorInfo]> {
  for (const [agentId, executors] of framework.executors) {
    for (const executor of executors.values()) yield [agentId, executor];
  }
}

function offerJson(offer: OfferRecord): object {
  return {
    id: offer.id,
    framework_id: offer.frameworkId,
    allocation_info: { role: offer.role },
    slave_id: offer.agentId,
    resources: toSummary(offer.resources),
  };
}

function executorJson(executor: ExecutorInfo): object {
  const first = executor.resources?.[0];
  return {
    executor_id: executor.executor_id.value,
    name: executor.name ?? '',
    framework_id: executor.framework_id?.value ?? '',
    command: commandJson(executor.command ?? {}),
    resources: toSummary(executor.resources ?? []),
    ...(first && { role: first.allocation_info?.role ?? '' }),
    ...(executor.labels && { labels: labelsJson(executor.labels) }),
    ...(executor.type !== undefined && { type: executor.type }),
  };
}

function commandJson(command: CommandInfo): object {
  return {
    ...(command.shell !== undefined && { shell: command.shell }),
    ...(command.value !== undefined && { value: command.value }),
    argv: command.arguments ?? [],
    ...(command.environment && { environment: Environment.v0.toJson(command.environment) }),
    uris: (command.uris ?? []).map(({ value, executable }) => ({ value, executable: executable ?? false })),
  };
}
