/**
 * The state at one instant, taken in one quick pass: references to values that do not change, and copies of the few fields
 * that do. Long answers are written from it in slices while the master goes on.
 */
import type { Resources } from '../../resources/resources.ts';
import type { AgentInfo, ExecutorInfo, InverseOffer, Task } from '../../wire/v1.ts';
import { wireInverseOffer } from '../core/inverse-offers.ts';
import { type OfferContent, offerContent } from '../core/offers.ts';
import type { Agent, Framework, MasterState, OfferRecord } from '../core/state.ts';
import type { Listed } from './kept.ts';

/** What somebody may see. An absent question means: everything of that sort. */
export interface Visible {
  readonly framework?: (framework: Framework) => boolean;
  readonly task?: (task: Task, framework: Framework) => boolean;
  readonly executor?: (executor: ExecutorInfo, framework: Framework) => boolean;
}

export const EVERYTHING: Visible = {};

/** Which parts of the state an answer needs; what is left out stays empty. */
export interface Wanted {
  readonly agents?: boolean;
  readonly tasks?: boolean;
  readonly executors?: boolean;
  /** What frameworks use and are offered. */
  readonly holdings?: boolean;
}

export const ALL: Wanted = { agents: true, tasks: true, executors: true, holdings: true };

/** Everything of an agent that any view shows. The same object as long as nothing of it changes. */
export type AgentShown = Pick<
  Agent,
  | 'id'
  | 'info'
  | 'pid'
  | 'version'
  | 'capabilities'
  | 'registeredTime'
  | 'reregisteredTime'
  | 'active'
  | 'deactivated'
  | 'drain'
  | 'drainStarted'
  | 'total'
  | 'used'
  | 'offered'
>;

/** An executor and where it is. */
export interface ExecutorShown {
  readonly agentId: string;
  readonly executor: ExecutorInfo;
}

type Collected = 'inverseOffers' | 'tasks' | 'unreachableTasks' | 'completedTasks' | 'executors' | 'offers' | 'used';

/** A framework at one instant. */
export interface FrameworkShown extends Omit<Framework, Collected> {
  readonly tasks: Listed<Task>;
  readonly unreachableTasks: Listed<Task>;
  readonly completedTasks: Listed<Task>;
  readonly executors: Listed<ExecutorShown>;
  readonly offers: Listed<OfferContent>;
  readonly inverseOffers: readonly InverseOffer[];
  /** For each agent what it uses there. */
  readonly used: Listed<Resources>;
}

export interface Snapshot extends Pick<MasterState, 'id' | 'info' | 'startTime' | 'electedTime'> {
  readonly unreachable: number;
  readonly agents: Listed<AgentShown>;
  readonly recovered: Listed<AgentInfo>;
  readonly frameworks: readonly FrameworkShown[];
  readonly completedFrameworks: readonly FrameworkShown[];
}

/** @returns what is wanted of the state, as far as it is visible */
export function takeSnapshot(state: MasterState, wanted: Wanted = ALL, visible: Visible = EVERYTHING): Snapshot {
  const show = (frameworks: Iterable<Framework>): FrameworkShown[] => {
    const shown: FrameworkShown[] = [];
    for (const framework of frameworks) {
      if (visible.framework?.(framework) ?? true) shown.push(frameworkShown(state, framework, wanted, visible));
    }
    return shown;
  };
  return {
    id: state.id,
    info: state.info,
    startTime: state.startTime,
    electedTime: state.electedTime,
    unreachable: state.unreachable.size,
    agents: { id: 'agents', items: wanted.agents ? agentsOf(state) : [] },
    recovered: { id: 'recovered', items: wanted.agents ? [...state.recovered.values()] : [] },
    frameworks: show(state.frameworks.values()),
    completedFrameworks: show(state.completedFrameworks.values()),
  };
}

/** The ids of all lists of a snapshot. */
export function listIds(snapshot: Snapshot): Set<string> {
  const ids = new Set([snapshot.agents.id, snapshot.recovered.id]);
  for (const framework of everyFramework(snapshot)) {
    const { tasks, unreachableTasks, completedTasks, executors, offers, used } = framework;
    for (const { id } of [tasks, unreachableTasks, completedTasks, executors, offers, used]) ids.add(id);
  }
  return ids;
}

export function* everyFramework(snapshot: Snapshot): Iterable<FrameworkShown> {
  yield* snapshot.frameworks;
  yield* snapshot.completedFrameworks;
}

/** Agents and what was shown of them, place by place: agents mostly stay where they are. */
interface Row {
  readonly agents: readonly Agent[];
  readonly shown: readonly AgentShown[];
}

const rows = new WeakMap<MasterState['agents'], Row>();

function agentsOf({ agents }: MasterState): readonly AgentShown[] {
  const before = rows.get(agents);
  const row = { agents: [] as Agent[], shown: [] as AgentShown[] };
  for (const agent of agents.values()) {
    const at = row.agents.length;
    const same = before?.agents[at] === agent ? before.shown[at] : undefined;
    row.shown.push(same !== undefined && isUnchanged(same, agent) ? same : agentShown(agent));
    row.agents.push(agent);
  }
  rows.set(agents, row);
  return row.shown;
}

const agentsShown = new WeakMap<Agent, AgentShown>();

/** Agents change in place: what is shown of one is copied when it has changed, and only then. */
export function agentShown(agent: Agent): AgentShown {
  const before = agentsShown.get(agent);
  if (before !== undefined && isUnchanged(before, agent)) return before;
  const { id, info, pid, version, capabilities, registeredTime, reregisteredTime } = agent;
  const { active, deactivated, drain, drainStarted, total, used, offered } = agent;
  const who = { id, info, pid, version, capabilities, registeredTime, reregisteredTime };
  const shown: AgentShown = { ...who, active, deactivated, drain, drainStarted, total, used, offered };
  agentsShown.set(agent, shown);
  return shown;
}

/** Written out: a loop over names takes several times as long, and this is done for every agent in one go. */
function isUnchanged(before: AgentShown, now: AgentShown): boolean {
  return (
    before.used === now.used &&
    before.offered === now.offered &&
    before.total === now.total &&
    before.active === now.active &&
    before.info === now.info &&
    before.pid === now.pid &&
    before.version === now.version &&
    before.capabilities === now.capabilities &&
    before.registeredTime === now.registeredTime &&
    before.reregisteredTime === now.reregisteredTime &&
    before.deactivated === now.deactivated &&
    before.drain === now.drain &&
    before.drainStarted === now.drainStarted &&
    before.id === now.id
  );
}

function frameworkShown(state: MasterState, framework: Framework, wanted: Wanted, visible: Visible): FrameworkShown {
  const list = <T>(name: string, items: readonly T[]): Listed<T> => ({ id: `${framework.id}/${name}`, items });
  const { task, executor } = visible;
  const tasks = (items: readonly Task[]): readonly Task[] =>
    task === undefined ? items : items.filter((item) => task(item, framework));
  const executors = wanted.executors ? executorsOf(framework) : [];
  const { tasks: live, unreachableTasks: lost, completedTasks: completed, offers, used, ...rest } = framework;
  return {
    ...rest,
    inverseOffers: [...framework.inverseOffers].flatMap((id) => inverseOfferShown(state, id)),
    tasks: list('tasks', wanted.tasks ? tasks(live.toArray()) : []),
    unreachableTasks: list('unreachable', wanted.tasks ? tasks([...lost.values()]) : []),
    completedTasks: list('completed', wanted.tasks ? tasks(completed.toArray()) : []),
    executors: list(
      'executors',
      executor === undefined ? executors : executors.filter((shown) => executor(shown.executor, framework)),
    ),
    offers: list('offers', wanted.holdings ? [...offers].flatMap((id) => offerShown(state, framework, id)) : []),
    used: list('used', wanted.holdings ? [...used.values()] : []),
  };
}

function inverseOfferShown(state: MasterState, id: string): InverseOffer[] {
  const offer = state.inverseOffers.get(id);
  const agent = state.agents.get(offer?.agentId ?? '');
  return offer === undefined || agent === undefined ? [] : [wireInverseOffer(offer, agent)];
}

const executorsShown = new WeakMap<ExecutorInfo, ExecutorShown>();

function executorsOf(framework: Framework): ExecutorShown[] {
  const all: ExecutorShown[] = [];
  for (const [agentId, executors] of framework.executors) {
    for (const executor of executors.values()) {
      let shown = executorsShown.get(executor);
      if (shown?.agentId !== agentId) {
        shown = { agentId, executor };
        executorsShown.set(executor, shown);
      }
      all.push(shown);
    }
  }
  return all;
}

const offersShown = new WeakMap<OfferRecord, OfferContent>();

function offerShown(state: MasterState, framework: Framework, id: string): OfferContent[] {
  const offer = state.offers.get(id);
  const agent = offer && state.agents.get(offer.agentId);
  if (offer === undefined || agent === undefined) return [];
  const before = offersShown.get(offer);
  const now = offerContent(
    state,
    offer,
    framework,
    before?.agent ?? { id: agent.id, info: agent.info, pid: agent.pid },
  );
  const same =
    before?.agent.info === agent.info &&
    before.agent.pid === agent.pid &&
    before.unavailability === now.unavailability &&
    before.executorIds.length === now.executorIds.length &&
    before.executorIds.every((own, at) => own === now.executorIds[at]);
  if (same) return [before];
  const content = { ...now, agent: { id: agent.id, info: agent.info, pid: agent.pid } };
  offersShown.set(offer, content);
  return [content];
}
