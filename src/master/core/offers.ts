import type { Allocation } from '../../allocator/allocator.ts';
import { downgrade } from '../../resources/refinement.ts';
import { Resources } from '../../resources/resources.ts';
import type { Offer, Resource, Unavailability, URL } from '../../wire/v1.ts';
import { recover } from './accounting.ts';
import { agentOf, type Context, frameworkOf } from './context.ts';
import { parsePid } from './pid.ts';
import { type AgentRecord, type FrameworkRecord, machineKey, own } from './records.ts';
import type { Agent, Framework, MasterState, OfferRecord } from './state.ts';
import { sendToFramework } from './streams.ts';

/** Turns allocations into offers: one event to each framework, one offer for each agent and role. */
export function makeOffers(ctx: Context, allocations: readonly Allocation[]): void {
  const byFramework = new Map<string, Offer[]>();
  for (const { frameworkId, agentId, role, resources } of allocations) {
    const framework = frameworkOf(ctx, frameworkId);
    const agent = agentOf(ctx, agentId);
    if (isFull(ctx, agent)) {
      recover(ctx, frameworkId, agentId, resources, FULL_REFUSED);
      continue;
    }
    const id = `${ctx.state.id}-O${ctx.next.offer++}`;
    const offer: OfferRecord = { id, frameworkId, agentId, role, resources, created: ctx.env.wall };
    ctx.state.offers.set(id, offer);
    framework.offers.add(id);
    framework.counters.offersSent++;
    own(agent, 'offers').add(id);
    agent.offered = agent.offered.plus(resources);
    if (ctx.options.offerTimeout !== undefined) {
      ctx.deadlines.set({ type: 'offer', offerId: id }, ctx.env.now + ctx.options.offerTimeout);
    }
    const wire = wireOffer(offerContent(ctx.state, offer, framework, agent), framework.capabilities);
    const list = byFramework.get(frameworkId);
    if (list === undefined) byFramework.set(frameworkId, [wire]);
    else list.push(wire);
  }
  for (const [frameworkId, offers] of byFramework) {
    sendToFramework(ctx, frameworkOf(ctx, frameworkId), { type: 'OFFERS', offers: { offers } });
  }
}

/** Seconds for which an agent that can take no more executors is not offered again. */
const FULL_REFUSED = 5;

function isFull({ options }: Context, agent: AgentRecord): boolean {
  const limit = options.maxExecutorsPerAgent;
  if (limit === undefined) return false;
  let executors = 0;
  for (const ids of agent.executors.values()) executors += ids.size;
  return executors >= limit;
}

/** An offer with what its wire form takes from elsewhere. */
export interface OfferContent {
  readonly offer: OfferRecord;
  readonly agent: Pick<Agent, 'id' | 'info' | 'pid'>;
  /** Of the framework's executors on that agent. */
  readonly executorIds: readonly string[];
  readonly unavailability: Unavailability | undefined;
}

export function offerContent(
  state: MasterState,
  offer: OfferRecord,
  framework: Pick<Framework, 'executors'>,
  agent: OfferContent['agent'],
): OfferContent {
  const executorIds = [...(framework.executors.get(agent.id)?.keys() ?? [])];
  if (state.machines.size === 0) return { offer, agent, executorIds, unavailability: undefined };
  const machine = state.machines.get(machineKey(agent.info.hostname, parsePid(agent.pid)?.ip));
  return { offer, agent, executorIds, unavailability: machine?.unavailability };
}

/** An offer as the framework sees it, in the resource format that its capabilities ask for. */
export function wireOffer(content: OfferContent, capabilities: ReadonlySet<string>): Offer {
  const { offer, agent, executorIds, unavailability } = content;
  const { info } = agent;
  return {
    id: { value: offer.id },
    framework_id: { value: offer.frameworkId },
    agent_id: { value: agent.id },
    hostname: info.hostname,
    url: agentUrl(agent),
    resources: offer.resources
      .toProto()
      .filter((resource) => resource.name !== 'ephemeral_ports')
      .map((resource) => resourceFor(capabilities, resource)),
    ...(info.attributes !== undefined && { attributes: info.attributes }),
    ...(info.domain !== undefined && { domain: info.domain }),
    ...(executorIds.length > 0 && { executor_ids: executorIds.map((value) => ({ value })) }),
    ...(unavailability !== undefined && { unavailability }),
    ...(capabilities.has('MULTI_ROLE') && { allocation_info: { role: offer.role } }),
  };
}

/** Where an agent is reached. */
export function agentUrl(agent: Pick<Agent, 'info' | 'pid'>): URL {
  const pid = parsePid(agent.pid);
  return {
    scheme: 'http',
    address: {
      hostname: agent.info.hostname,
      port: pid?.port ?? agent.info.port ?? 5051,
      ...(pid !== undefined && { ip: pid.ip }),
    },
    path: `/${pid?.id ?? 'slave(1)'}`,
  };
}

/** A resource in the format that a framework or an agent with these capabilities understands. */
export function resourceFor(capabilities: ReadonlySet<string>, resource: Resource): Resource {
  let result = resource;
  if (!capabilities.has('MULTI_ROLE')) {
    const { allocation_info: _, ...rest } = resource;
    result = rest;
  }
  if (capabilities.has('RESERVATION_REFINEMENT')) return result;
  const old = downgrade(result);
  return old.ok ? old.value : result;
}

/** Takes an offer back without telling anybody; what becomes of its resources is up to the caller. */
export function takeOffer(ctx: Context, offer: OfferRecord): void {
  ctx.state.offers.delete(offer.id);
  ctx.deadlines.clear({ type: 'offer', offerId: offer.id });
  ctx.state.frameworks.get(offer.frameworkId)?.offers.delete(offer.id);
  const agent = ctx.state.agents.get(offer.agentId);
  if (agent !== undefined) {
    own(agent, 'offers').delete(offer.id);
    agent.offered = agent.offers.size === 0 ? Resources.EMPTY : agent.offered.minus(offer.resources);
  }
}

/** Takes an offer back and frees its resources. @param refuseSeconds how long the framework does not want them */
export function discardOffer(ctx: Context, offer: OfferRecord, refuseSeconds?: number): void {
  takeOffer(ctx, offer);
  recover(ctx, offer.frameworkId, offer.agentId, offer.resources, refuseSeconds);
}

/** Takes an offer back, frees its resources and tells the framework. */
export function rescindOffer(ctx: Context, offer: OfferRecord): void {
  discardOffer(ctx, offer);
  const framework = ctx.state.frameworks.get(offer.frameworkId);
  if (framework === undefined) return;
  framework.counters.offersRescinded++;
  sendToFramework(ctx, framework, { type: 'RESCIND', rescind: { offer_id: { value: offer.id } } });
}

/** The outstanding offers to a framework, or of an agent. */
export function offersOf(ctx: Context, holder: FrameworkRecord | AgentRecord): OfferRecord[] {
  return [...holder.offers].flatMap((id) => ctx.state.offers.get(id) ?? []);
}
