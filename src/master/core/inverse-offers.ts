/** Inverse offers: frameworks are asked to leave agents that are to go down for maintenance. */
import type { InverseAllocation } from '../../allocator/allocator.ts';
import type { Filters, InverseOffer, OfferID } from '../../wire/v1.ts';
import type { InverseOfferStatus_Status } from '../../wire/v1_allocator.ts';
import { agentOf, type Context, frameworkOf, log, nameFramework } from './context.ts';
import { agentUrl } from './offers.ts';
import { type AgentRecord, type FrameworkRecord, own } from './records.ts';
import type { Agent, InverseOfferRecord } from './state.ts';
import { sendToFramework } from './streams.ts';

/** Turns what the allocator wants to be asked for into inverse offers: one event to each framework. */
export function makeInverseOffers(ctx: Context, allocations: readonly InverseAllocation[]): void {
  const byFramework = new Map<string, InverseOffer[]>();
  for (const { frameworkId, agentId, unavailability } of allocations) {
    const agent = agentOf(ctx, agentId);
    const id = `${ctx.state.id}-O${ctx.next.offer++}`;
    const offer: InverseOfferRecord = { id, frameworkId, agentId, unavailability };
    ctx.state.inverseOffers.set(id, offer);
    frameworkOf(ctx, frameworkId).inverseOffers.add(id);
    own(agent, 'inverseOffers').add(id);
    if (ctx.options.offerTimeout !== undefined) {
      ctx.deadlines.set({ type: 'inverseOffer', offerId: id }, ctx.env.now + ctx.options.offerTimeout);
    }
    const wire = wireInverseOffer(offer, agent);
    const list = byFramework.get(frameworkId);
    if (list === undefined) byFramework.set(frameworkId, [wire]);
    else list.push(wire);
  }
  for (const [frameworkId, inverse_offers] of byFramework) {
    const framework = frameworkOf(ctx, frameworkId);
    log(ctx, 'info', `Sending ${inverse_offers.length} inverse offers to framework ${nameFramework(framework)}`);
    sendToFramework(ctx, framework, { type: 'INVERSE_OFFERS', inverse_offers: { inverse_offers } });
  }
}

/** An inverse offer as frameworks and operators see it. */
export function wireInverseOffer(offer: InverseOfferRecord, agent: Pick<Agent, 'info' | 'pid'>): InverseOffer {
  return {
    id: { value: offer.id },
    url: agentUrl(agent),
    framework_id: { value: offer.frameworkId },
    agent_id: { value: offer.agentId },
    unavailability: offer.unavailability,
  };
}

/** The answer of a framework to some of its inverse offers. It only informs; ids that are not valid (any more) are ignored. */
export function answerInverseOffers(
  ctx: Context,
  framework: FrameworkRecord,
  call: { readonly inverse_offer_ids?: readonly OfferID[]; readonly filters?: Filters },
  answer: Exclude<InverseOfferStatus_Status, 'UNKNOWN'>,
): void {
  for (const { value: id } of call.inverse_offer_ids ?? []) {
    const offer = ctx.state.inverseOffers.get(id);
    if (offer?.frameworkId !== framework.id) {
      const who = `framework ${nameFramework(framework)}`;
      log(ctx, 'warning', `Ignoring ${answer} of inverse offer ${id} by ${who}: it is not valid, or not any more`);
      continue;
    }
    forget(ctx, offer);
    const status = {
      status: answer,
      framework_id: { value: framework.id },
      timestamp: { nanoseconds: Math.round(ctx.env.wall * 1e6) },
    };
    // Upstream's default of `Filters.refuse_seconds`.
    const refuse = call.filters?.refuse_seconds ?? 5;
    ctx.allocator.answerInverseOffer(offer.agentId, framework.id, status, refuse, ctx.env.now);
  }
}

/** Nobody answered in time. */
export function inverseOfferTimedOut(ctx: Context, id: string): void {
  const offer = ctx.state.inverseOffers.get(id);
  if (offer !== undefined) takeBack(ctx, offer, true);
}

/** Takes back all inverse offers to a framework or about an agent. @param tell whether the frameworks hear of it */
export function takeBackInverseOffers(ctx: Context, holder: FrameworkRecord | AgentRecord, tell: boolean): void {
  for (const id of [...holder.inverseOffers]) {
    const offer = ctx.state.inverseOffers.get(id);
    if (offer !== undefined) takeBack(ctx, offer, tell);
  }
}

function takeBack(ctx: Context, offer: InverseOfferRecord, tell: boolean): void {
  forget(ctx, offer);
  ctx.allocator.answerInverseOffer(offer.agentId, offer.frameworkId, undefined, undefined, ctx.env.now);
  const framework = ctx.state.frameworks.get(offer.frameworkId);
  if (!tell || framework === undefined) return;
  sendToFramework(ctx, framework, {
    type: 'RESCIND_INVERSE_OFFER',
    rescind_inverse_offer: { inverse_offer_id: { value: offer.id } },
  });
}

function forget(ctx: Context, { id, frameworkId, agentId }: InverseOfferRecord): void {
  ctx.state.inverseOffers.delete(id);
  ctx.state.frameworks.get(frameworkId)?.inverseOffers.delete(id);
  const agent = ctx.state.agents.get(agentId);
  if (agent?.inverseOffers.has(id)) own(agent, 'inverseOffers').delete(id);
  ctx.deadlines.clear({ type: 'inverseOffer', offerId: id });
}
