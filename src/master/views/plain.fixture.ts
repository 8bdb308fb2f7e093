/**
 * The long answers written in the simplest way: one object after the other, from the state as it is, without slices and
 * without anything kept. What the views write has to say the same.
 */

import { endpointForm } from '../../resources/refinement.ts';
import { Resources } from '../../resources/resources.ts';
import { toSummary } from '../../resources/summary.ts';
import {
  ContainerInfo,
  ContainerStatus,
  DiscoveryInfo,
  DomainInfo,
  type ExecutorInfo,
  HealthCheck,
  type Labels,
  NetworkInfo,
  type Offer,
  Resource,
  type Task,
  type TaskState,
  type TaskStatus,
} from '../../wire/v1.ts';
import type {
  Response,
  Response_GetAgents,
  Response_GetExecutors,
  Response_GetFrameworks,
  Response_GetFrameworks_Framework,
  Response_GetState,
  Response_GetTasks,
} from '../../wire/v1_master.ts';
import { OfferConstraints } from '../../wire/v1_scheduler.ts';
import { offerContent } from '../core/offers.ts';
import type { Agent, Framework, MasterState, OfferRecord } from '../core/state.ts';
import { agentInfoJson, agentJson } from './agents.ts';
import { executorJson, offerJson } from './frameworks.ts';
import { agentMessage, frameworkAlone, offerMessage } from './operator.ts';
import type { ListingCall } from './operator-lists.ts';
import type { Program } from './state.ts';
import type { TaskSelection } from './tasks.ts';

/** `/state`: everything. Made of one text per agent and framework, so that no object of the whole is ever built. */
export function plainState(state: MasterState, program: Program): string {
  const { flags } = program;
  const { info } = state;
  const active = [...state.agents.values()].filter((agent) => agent.active).length;
  const domain = info.domain && { domain: DomainInfo.v0.toJson(info.domain) };
  const head = JSON.stringify({
    ...program.build,
    start_time: state.startTime / 1000,
    elected_time: state.electedTime / 1000,
    id: state.id,
    pid: info.pid,
    hostname: info.hostname ?? '',
    capabilities: (info.capabilities ?? []).map(({ type }) => type ?? 'UNKNOWN'),
    activated_slaves: active,
    deactivated_slaves: state.agents.size - active,
    unreachable_slaves: state.unreachable.size,
    ...domain,
    leader: info.pid,
    leader_info: { id: state.id, pid: info.pid, port: info.port ?? 5050, hostname: info.hostname ?? '', ...domain },
    ...(flags.cluster !== undefined && { cluster: flags.cluster }),
    ...(flags.log_dir !== undefined && { log_dir: flags.log_dir }),
    ...(flags.external_log_file !== undefined && { external_log_file: flags.external_log_file }),
    flags,
  });
  const agents = Array.from(state.agents.values(), (agent) => JSON.stringify(agentJson(agent)));
  const recovered = Array.from(state.recovered.values(), (agent) => JSON.stringify(agentInfoJson(agent)));
  const frameworks = Array.from(state.frameworks.values(), (framework) => frameworkJson(state, framework));
  const completed = Array.from(state.completedFrameworks.values(), (framework) => frameworkJson(state, framework));
  return (
    `${head.slice(0, -1)},"slaves":[${agents.join(',')}],"recovered_slaves":[${recovered.join(',')}],` +
    `"frameworks":[${frameworks.join(',')}],"completed_frameworks":[${completed.join(',')}],` +
    '"orphan_tasks":[],"unregistered_frameworks":[]}'
  );
}

/** What its tasks and executors use, on all agents. */
function usedBy(framework: Framework): Resources {
  return Resources.sum(framework.used.values());
}

/** What it is offered at present. */
function offeredTo(state: MasterState, framework: Framework): Resources {
  return Resources.sum(offersTo(state, framework).map(({ resources }) => resources));
}

function offersTo(state: MasterState, framework: Framework): OfferRecord[] {
  return [...framework.offers].flatMap((id) => state.offers.get(id) ?? []);
}

/** A framework as `/state-summary` shows it; the others add to this. */
function frameworkSummary(state: MasterState, framework: Framework): object {
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
function frameworkJson(state: MasterState, framework: Framework): string {
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
export function plainFrameworks(state: MasterState, frameworkId?: string): string {
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
function* executorsOf(framework: Framework): Iterable<[agentId: string, executor: ExecutorInfo]> {
  for (const [agentId, executors] of framework.executors) {
    for (const executor of executors.values()) yield [agentId, executor];
  }
}

/** `/slaves`: agents with their resources in full, which operators give to `/unreserve` and `/destroy-volumes`. */
export function plainAgents(state: MasterState, agentId?: string): string {
  const wanted = (id: string | undefined): boolean => agentId === undefined || id === agentId;
  const agents = [...state.agents.values()].filter(({ id }) => wanted(id));
  const recovered = [...state.recovered.values()].filter(({ id }) => wanted(id?.value));
  const texts = agents.map((agent) => JSON.stringify({ ...agentJson(agent), ...inFull(agent) }));
  return `{"slaves":[${texts.join(',')}],"recovered_slaves":${JSON.stringify(recovered.map(agentInfoJson))}}`;
}

function inFull(agent: Agent): object {
  const reserved: Record<string, object[]> = {};
  for (const [role, resources] of agent.total.reservations()) reserved[role] = resourcesJson(resources);
  return {
    reserved_resources_full: reserved,
    unreserved_resources_full: resourcesJson(agent.total.unreserved()),
    used_resources_full: resourcesJson(agent.used),
    offered_resources_full: resourcesJson(agent.offered),
  };
}

function resourcesJson(resources: Resources): object[] {
  return resources.toProto().map((resource) => Resource.v0.toJson(endpointForm(resource)));
}

const DEFAULT_LIMIT = 100;

/**
 * `/tasks`: tasks of present and completed frameworks, by the time of their first status. A negative limit means all, as
 * upstream has it.
 */
export function plainTasks(state: MasterState, selection: TaskSelection): string {
  const tasks: Task[] = [];
  for (const framework of everyFramework(state)) {
    if (selection.frameworkId !== undefined && framework.id !== selection.frameworkId) continue;
    for (const task of everyTask(framework)) {
      if (selection.taskId === undefined || task.task_id.value === selection.taskId) tasks.push(task);
    }
  }
  const time = (task: Task): number => task.statuses?.[0]?.timestamp ?? Number.NEGATIVE_INFINITY;
  const sign = selection.ascending ? 1 : -1;
  tasks.sort((a, b) => (time(a) === time(b) ? 0 : time(a) < time(b) ? -sign : sign));
  const limit = selection.limit ?? DEFAULT_LIMIT;
  const offset = Math.max(0, selection.offset ?? 0);
  const page = tasks.slice(offset, limit < 0 ? undefined : offset + limit);
  return `{"tasks":[${page.map((task) => JSON.stringify(taskJson(task))).join(',')}]}`;
}

function* everyFramework(state: MasterState): Iterable<Framework> {
  yield* state.frameworks.values();
  yield* state.completedFrameworks.values();
}

function* everyTask(framework: Framework): Iterable<Task> {
  yield* framework.tasks.values();
  yield* framework.unreachableTasks.values();
  yield* framework.completedTasks;
}

/** The states that `/state-summary` counts; upstream leaves out the newer ones. */
const COUNTED = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_KILLED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_UNREACHABLE',
] as const satisfies readonly TaskState[];

/** Tasks of one framework or agent by state, and where they are. */
class Tally {
  readonly #counts = new Map<TaskState, number>();
  readonly ids = new Set<string>();

  add(state: TaskState, id: string): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
    this.ids.add(id);
  }

  get counts(): Record<string, number> {
    return Object.fromEntries(COUNTED.map((state) => [state, this.#counts.get(state) ?? 0]));
  }
}

/** `/state-summary`: agents and frameworks with how many tasks are in which state. One pass over all tasks. */
export function plainSummary(state: MasterState, cluster?: string): string {
  const byAgent = new Map<string, Tally>();
  const byFramework = new Map<string, Tally>();
  const tallyOf = (map: Map<string, Tally>, id: string): Tally => {
    const tally = map.get(id) ?? new Tally();
    map.set(id, tally);
    return tally;
  };
  for (const framework of state.frameworks.values()) {
    for (const task of everyTask(framework)) {
      tallyOf(byAgent, task.agent_id.value).add(task.state, framework.id);
      tallyOf(byFramework, framework.id).add(task.state, task.agent_id.value);
    }
  }
  const slaves = Array.from(state.agents.values(), (agent) => {
    const { counts, ids } = tallyOf(byAgent, agent.id);
    return JSON.stringify({ ...agentJson(agent), ...counts, framework_ids: [...ids] });
  });
  const frameworks = Array.from(state.frameworks.values(), (framework) => {
    const { counts, ids } = tallyOf(byFramework, framework.id);
    return JSON.stringify({ ...frameworkSummary(state, framework), ...counts, slave_ids: [...ids] });
  });
  const head = JSON.stringify({ hostname: state.info.hostname ?? '', ...(cluster !== undefined && { cluster }) });
  return `${head.slice(0, -1)},"slaves":[${slaves.join(',')}],"frameworks":[${frameworks.join(',')}]}`;
}

/** The answer to a call that lists things, as one message. */
export function plainAnswer(state: MasterState, type: ListingCall): Response {
  switch (type) {
    case 'GET_STATE':
      return { type, get_state: getState(state) };
    case 'GET_AGENTS':
      return { type, get_agents: getAgents(state) };
    case 'GET_FRAMEWORKS':
      return { type, get_frameworks: getFrameworks(state) };
    case 'GET_EXECUTORS':
      return { type, get_executors: getExecutors(state) };
    case 'GET_TASKS':
      return { type, get_tasks: getTasks(state) };
  }
}

/** Also the snapshot that an event stream begins with. */
function getState(state: MasterState): Response_GetState {
  return {
    get_tasks: getTasks(state),
    get_executors: getExecutors(state),
    get_frameworks: getFrameworks(state),
    get_agents: getAgents(state),
  };
}

function getAgents(state: MasterState): Response_GetAgents {
  return {
    agents: Array.from(state.agents.values(), agentMessage),
    recovered_agents: [...state.recovered.values()],
  };
}

function getFrameworks(state: MasterState): Response_GetFrameworks {
  return {
    frameworks: Array.from(state.frameworks.values(), (framework) => frameworkMessage(state, framework)),
    completed_frameworks: Array.from(state.completedFrameworks.values(), (framework) =>
      frameworkMessage(state, framework),
    ),
  };
}

function frameworkMessage(state: MasterState, framework: Framework): Response_GetFrameworks_Framework {
  const { registered_time, reregistered_time, unregistered_time, ...head } = frameworkAlone(framework);
  return {
    ...head,
    ...(framework.registeredTime !== 0 && { registered_time }),
    ...(framework.reregisteredTime !== 0 && { reregistered_time }),
    ...(framework.unregisteredTime !== 0 && { unregistered_time }),
    offers: offersTo(state, framework).flatMap((offer) => wire(state, offer, framework)),
    allocated_resources: usedBy(framework).toProto().map(endpointForm),
    offered_resources: offeredTo(state, framework).toProto().map(endpointForm),
    offer_constraints: framework.offerConstraints ?? {},
  } as Response_GetFrameworks_Framework;
}

function wire(state: MasterState, offer: OfferRecord, framework: Framework): Offer[] {
  const agent = state.agents.get(offer.agentId);
  return agent === undefined ? [] : [offerMessage(offerContent(state, offer, framework, agent))];
}

function getExecutors(state: MasterState): Response_GetExecutors {
  const executors = [...state.frameworks.values()].flatMap((framework) =>
    Array.from(executorsOf(framework), ([agentId, executor]) => ({
      executor_info: executor,
      agent_id: { value: agentId },
    })),
  );
  return { executors };
}

function getTasks(state: MasterState): Response_GetTasks {
  const tasks: Task[] = [];
  const lost: Task[] = [];
  const completed: Task[] = [];
  for (const framework of everyFramework(state)) {
    tasks.push(...framework.tasks.values());
    lost.push(...framework.unreachableTasks.values());
    completed.push(...framework.completedTasks);
  }
  return { tasks, unreachable_tasks: lost, completed_tasks: completed };
}

/** A task as the older endpoints show it (facts: http-endpoints, 1.1). */
function taskJson(task: Task): object {
  const { labels, discovery, container, health_check: healthCheck, limits } = task;
  return {
    id: task.task_id.value,
    name: task.name,
    framework_id: task.framework_id.value,
    executor_id: task.executor_id?.value ?? '',
    slave_id: task.agent_id.value,
    state: task.state,
    resources: toSummary(task.resources ?? []),
    ...(limits && Object.keys(limits).length > 0 && { limits: limitsJson(limits) }),
    role: task.resources?.[0]?.allocation_info?.role ?? '*',
    statuses: (task.statuses ?? []).map(statusJson),
    ...(task.user !== undefined && { user: task.user }),
    ...(labels && { labels: labelsJson(labels) }),
    ...(discovery && { discovery: DiscoveryInfo.v0.toJson(discovery) }),
    ...(container && { container: ContainerInfo.v0.toJson(container) }),
    ...(healthCheck && { health_check: HealthCheck.v0.toJson(healthCheck) }),
  };
}

/** The older endpoints have the list itself where the message has an object around it. */
function labelsJson(labels: Labels): object[] {
  return (labels.labels ?? []).map(({ key, value }) => (value === undefined ? { key } : { key, value }));
}

/** Upstream prints a limit of infinity, which JSON has no number for, as text. */
function limitsJson(limits: NonNullable<Task['limits']>): object {
  const entries = Object.entries(limits);
  return Object.fromEntries(entries.map(([name, { value }]) => [name, Number.isFinite(value) ? value : 'Infinity']));
}

function statusJson(status: TaskStatus): object {
  const { labels, container_status: container } = status;
  return {
    state: status.state,
    timestamp: status.timestamp ?? 0,
    ...(labels && { labels: labelsJson(labels) }),
    ...(container && { container_status: containerJson(container) }),
    ...(status.healthy !== undefined && { healthy: status.healthy }),
  };
}

function containerJson(container: ContainerStatus): object {
  const { container_id, cgroup_info } = ContainerStatus.v0.toJson(container);
  const networks = container.network_infos ?? [];
  return {
    ...(container_id !== undefined && { container_id }),
    ...(networks.length > 0 && { network_infos: networks.map(networkJson) }),
    ...(cgroup_info !== undefined && { cgroup_info }),
  };
}

function networkJson(network: NetworkInfo): object {
  const { groups, ip_addresses, name, port_mappings } = NetworkInfo.v0.toJson(network);
  const shown = { groups, labels: network.labels && labelsJson(network.labels), ip_addresses, name, port_mappings };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));
}
