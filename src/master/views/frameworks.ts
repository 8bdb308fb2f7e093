import { Resources } from '../../resources/resources.ts';
import { toSummary } from '../../resources/summary.ts';
import { type CommandInfo, Environment, type ExecutorInfo } from '../../wire/v1.ts';
import { OfferConstraints } from '../../wire/v1_scheduler.ts';
import type { OfferContent } from '../core/offers.ts';
import type { OfferRecord } from '../core/state.ts';
import type { Form, Kept, Steps } from './kept.ts';
import { jsonForm, jsonItems, type Parts } from './parts.ts';
import type { ExecutorShown, FrameworkShown, Snapshot } from './snapshot.ts';
import { labelsJson, TASKS } from './tasks.ts';

const SUM: Form<Resources, Resources> = { name: 'sum', make: (items) => Resources.sum(items) };
const OFFERED: Form<OfferContent, Resources> = {
  name: 'offered',
  make: (items) => Resources.sum(items.map(({ offer }) => offer.resources)),
};

/** What its tasks and executors use, on all agents. */
export function* usedBy(kept: Kept, framework: FrameworkShown): Steps<Resources> {
  return Resources.sum(yield* kept.values(framework.used, SUM));
}

/** What it is offered at present. */
export function* offeredTo(kept: Kept, framework: FrameworkShown): Steps<Resources> {
  return Resources.sum(yield* kept.values(framework.offers, OFFERED));
}

/** A framework as `/state-summary` shows it; the others add to this. */
export function frameworkSummary(framework: FrameworkShown, used: Resources, offered: Resources): object {
  const { info, connection } = framework;
  return {
    id: framework.id,
    name: info.name,
    ...(connection?.kind === 'pid' && { pid: connection.pid }),
    used_resources: toSummary(used),
    offered_resources: toSummary(offered),
    capabilities: (info.capabilities ?? []).map(({ type }) => type ?? 'UNKNOWN'),
    hostname: info.hostname ?? '',
    webui_url: info.webui_url ?? '',
    active: framework.active,
    connected: framework.state === 'CONNECTED',
    recovered: framework.state === 'RECOVERED',
  };
}

const OFFERS = jsonForm<OfferContent>('offers', ({ offer }) => JSON.stringify(offerJson(offer)));
const EXECUTORS = jsonForm<ExecutorShown>('executors', ({ agentId, executor }) =>
  JSON.stringify({ ...executorJson(executor), slave_id: agentId }),
);

/** A framework with its tasks, offers and executors, as `/state` and `/frameworks` show it. */
export function* frameworkParts(kept: Kept, framework: FrameworkShown): Parts {
  const { info } = framework;
  const used = yield* usedBy(kept, framework);
  const offered = yield* offeredTo(kept, framework);
  const multiRole = framework.capabilities.has('MULTI_ROLE');
  const head = JSON.stringify({
    ...frameworkSummary(framework, used, offered),
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: framework.registeredTime / 1000,
    unregistered_time: framework.unregisteredTime / 1000,
    ...(info.principal !== undefined && { principal: info.principal }),
    resources: toSummary(used.plus(offered)),
    ...(framework.reregisteredTime !== framework.registeredTime && {
      reregistered_time: framework.reregisteredTime / 1000,
    }),
    ...(multiRole ? { roles: info.roles ?? [] } : { role: info.role ?? '*' }),
  });
  const tail = JSON.stringify({
    ...(info.labels && { labels: labelsJson(info.labels) }),
    offer_constraints: OfferConstraints.v0.toJson(framework.offerConstraints ?? {}),
  });
  yield `${head.slice(0, -1)},"tasks":[`;
  yield* jsonItems(kept, [framework.tasks], TASKS);
  yield '],"unreachable_tasks":[';
  yield* jsonItems(kept, [framework.unreachableTasks], TASKS);
  yield '],"completed_tasks":[';
  yield* jsonItems(kept, [framework.completedTasks], TASKS);
  yield '],"offers":[';
  yield* jsonItems(kept, [framework.offers], OFFERS);
  yield '],"executors":[';
  yield* jsonItems(kept, [framework.executors], EXECUTORS);
  yield `],${tail.slice(1)}`;
}

/** Frameworks one after the other, as a JSON list without its brackets. */
export function* frameworksItems(kept: Kept, frameworks: readonly FrameworkShown[]): Parts {
  for (const framework of frameworks) {
    if (framework !== frameworks[0]) yield ',';
    yield* frameworkParts(kept, framework);
  }
}

/** `/frameworks`. @param frameworkId only this one */
export function* frameworksParts(kept: Kept, snapshot: Snapshot, frameworkId?: string): Parts {
  const asked = (frameworks: readonly FrameworkShown[]): readonly FrameworkShown[] =>
    frameworkId === undefined ? frameworks : frameworks.filter(({ id }) => id === frameworkId);
  yield '{"frameworks":[';
  yield* frameworksItems(kept, asked(snapshot.frameworks));
  yield '],"completed_frameworks":[';
  yield* frameworksItems(kept, asked(snapshot.completedFrameworks));
  yield '],"unregistered_frameworks":[]}';
}

export function offerJson(offer: OfferRecord): object {
  return {
    id: offer.id,
    framework_id: offer.frameworkId,
    allocation_info: { role: offer.role },
    slave_id: offer.agentId,
    resources: toSummary(offer.resources),
  };
}

export function executorJson(executor: ExecutorInfo): object {
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
