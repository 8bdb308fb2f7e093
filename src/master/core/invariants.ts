/** What must hold between any two steps, for the simulator and the tests. */
import { needsCheckpoint } from '../../resources/checkpointed.ts';
import { Resources } from '../../resources/resources.ts';
import type { Resource } from '../../wire/v1.ts';
import type { Master } from './machine.ts';
import type { Agent, Framework, MasterState } from './state.ts';
import { isRemovable } from './status.ts';

/**
 * Looks for contradictions in a master's books.
 * @returns a sentence for each one found; an empty list if all is well
 */
export function checkInvariants(master: Pick<Master, 'state' | 'allocator'>): string[] {
  const { state } = master;
  return [
    ...[...state.agents.values()].flatMap((agent) => [
      ...checkAgent(master, agent),
      ...checkAgentIndexes(state, agent),
    ]),
    ...[...state.frameworks.values()].flatMap((framework) => [...checkFramework(state, framework)]),
    ...checkOffers(state),
    ...checkInverseOffers(state),
    ...checkRoles(state),
  ];
}

function* checkAgent({ state, allocator }: Pick<Master, 'state' | 'allocator'>, agent: Agent): Iterable<string> {
  const offered = Resources.sum([...agent.offers].flatMap((id) => state.offers.get(id)?.resources ?? []));
  if (!offered.equals(agent.offered))
    yield `agent ${agent.id}: offers sum to ${offered}, the books say ${agent.offered}`;
  const held = Resources.sum(agent.usedByFramework.values());
  if (!held.equals(agent.used)) yield `agent ${agent.id}: frameworks hold ${held}, the books say ${agent.used}`;
  for (const [frameworkId, used] of agent.usedByFramework) {
    const framework = state.frameworks.get(frameworkId);
    if (framework === undefined) {
      yield `agent ${agent.id}: framework ${frameworkId} holds ${used} and is not known`;
      continue;
    }
    const real = Resources.sum(liveResources(framework, agent.id));
    if (!real.equals(used)) yield `agent ${agent.id}: framework ${frameworkId} holds ${real}, the books say ${used}`;
  }
  const taken = own(reallyUsed(agent).plus(agent.offered).unallocate());
  if (!own(agent.total).contains(taken)) {
    yield `agent ${agent.id}: used and offered ${taken} is more than its total ${agent.total}`;
  }
  // Only where nothing is oversubscribed can the rest be told exactly.
  if (agent.total.equals(own(agent.total))) {
    const available = allocator.available(agent.id);
    const sum = available.plus(taken);
    if (!sum.equals(agent.total)) yield `agent ${agent.id}: available, offered and used are ${sum}, not ${agent.total}`;
  }
}

function liveResources(framework: Framework, agentId: string): Resources[] {
  const tasks = [...framework.tasks.values()].filter(
    (task) => task.agent_id.value === agentId && !isRemovable(task.state),
  );
  const executors = [...(framework.executors.get(agentId)?.values() ?? [])];
  return [...tasks, ...executors].map(({ resources }) => Resources.of(resources ?? []));
}

/**
 * What is used, but for reservations and volumes that have never reached the agent, and for what an agent that came back
 * smaller cannot have: tasks on those are as good as lost, and stay in the books until the agent has said so.
 */
function reallyUsed({ used, total, isOverdrawn }: Agent): Resources {
  const beyond = used.unallocate().minus(total);
  return used.unallocate().minus(isOverdrawn ? beyond : beyond.filter(needsCheckpoint));
}

/** Without what may be held although it is not in the total (yet): oversubscribed, shared, and of resource providers. */
function own(resources: Resources): Resources {
  const isOwn = (resource: Resource): boolean => resource.provider_id === undefined && resource.shared === undefined;
  return resources.nonRevocable().filter(isOwn);
}

function* checkAgentIndexes(state: MasterState, agent: Agent): Iterable<string> {
  if (agent.active && (!agent.connected || agent.deactivated)) yield `agent ${agent.id} is active and should not be`;
  if (!agent.active && agent.offers.size > 0) yield `agent ${agent.id} is not active and has offers`;
  for (const other of [state.recovered, state.unreachable, state.gone]) {
    if (other.has(agent.id))
      yield `agent ${agent.id} is registered, and at the same time recovered, unreachable or gone`;
  }
  for (const id of agent.offers) if (!state.offers.has(id)) yield `agent ${agent.id} lists the unknown offer ${id}`;
  for (const [frameworkId, taskIds] of agent.tasks) {
    if (taskIds.size === 0) yield `agent ${agent.id} has an empty list of tasks of framework ${frameworkId}`;
    for (const id of taskIds) {
      const task = state.frameworks.get(frameworkId)?.tasks.get(id);
      if (task?.agent_id.value !== agent.id)
        yield `agent ${agent.id} lists task ${id} of ${frameworkId}, which is not there`;
    }
  }
  for (const [frameworkId, executorIds] of agent.executors) {
    const known = state.frameworks.get(frameworkId)?.executors.get(agent.id);
    for (const id of executorIds) if (!known?.has(id)) yield `agent ${agent.id} lists the unknown executor ${id}`;
  }
}

function* checkFramework(state: MasterState, framework: Framework): Iterable<string> {
  const who = `framework ${framework.id}`;
  if (state.completedFrameworks.has(framework.id)) yield `${who} is both active and completed`;
  if (framework.active && framework.state !== 'CONNECTED') yield `${who} is active and not connected`;
  if (framework.state === 'CONNECTED' && framework.connection === undefined) yield `${who} is connected to nothing`;
  if (!framework.active && framework.offers.size > 0) yield `${who} is not active and has offers`;
  for (const id of framework.offers) if (!state.offers.has(id)) yield `${who} lists the unknown offer ${id}`;
  for (const [id, task] of framework.tasks) {
    const agent = state.agents.get(task.agent_id.value);
    if (!agent?.tasks.get(framework.id)?.has(id)) yield `${who} has task ${id}, which its agent does not list`;
  }
  for (const [agentId, used] of framework.used) {
    const booked = state.agents.get(agentId)?.usedByFramework.get(framework.id);
    if (booked === undefined || !booked.equals(used)) yield `${who} holds ${used} on ${agentId}, which says ${booked}`;
  }
  for (const [agentId, executors] of framework.executors) {
    const listed = state.agents.get(agentId)?.executors.get(framework.id);
    for (const id of executors.keys())
      if (!listed?.has(id)) yield `${who} has executor ${id}, not listed by ${agentId}`;
  }
}

function* checkOffers(state: MasterState): Iterable<string> {
  for (const [id, offer] of state.offers) {
    if (!state.frameworks.get(offer.frameworkId)?.offers.has(id)) yield `offer ${id} is not listed by its framework`;
    if (!state.agents.get(offer.agentId)?.offers.has(id)) yield `offer ${id} is not listed by its agent`;
    if (offer.resources.isEmpty) yield `offer ${id} offers nothing`;
  }
}

function* checkInverseOffers(state: MasterState): Iterable<string> {
  const pairs = new Set<string>();
  for (const [id, { frameworkId, agentId }] of state.inverseOffers) {
    const framework = state.frameworks.get(frameworkId);
    const agent = state.agents.get(agentId);
    if (!framework?.inverseOffers.has(id)) yield `inverse offer ${id} is not listed by its framework`;
    if (!agent?.inverseOffers.has(id)) yield `inverse offer ${id} is not listed by its agent`;
    if (!framework?.active || !agent?.active) yield `inverse offer ${id} is to or about somebody who is not active`;
    const pair = `${frameworkId} about ${agentId}`;
    if (pairs.has(pair)) yield `there is more than one inverse offer to ${pair}`;
    pairs.add(pair);
  }
  for (const holder of [...state.frameworks.values(), ...state.agents.values()]) {
    for (const id of holder.inverseOffers) {
      if (!state.inverseOffers.has(id)) yield `${holder.id} lists the unknown inverse offer ${id}`;
    }
  }
  for (const id of state.standings.keys()) {
    if (!state.recovered.has(id) && !state.unreachable.has(id)) yield `agent ${id} is deactivated and not known`;
  }
}

function* checkRoles(state: MasterState): Iterable<string> {
  for (const framework of state.frameworks.values()) {
    for (const role of framework.roles) {
      if (!state.roles.get(role)?.frameworks.has(framework.id)) yield `role ${role} does not list ${framework.id}`;
    }
  }
  for (const role of state.roles.values()) {
    for (const id of role.frameworks) {
      if (!state.frameworks.get(id)?.roles.has(role.name)) yield `role ${role.name} lists ${id}, which is not in it`;
    }
  }
}
