import type { MasterEffect } from '../../master/core/effects.ts';
import type { MasterEvent } from '../../master/core/events.ts';
import { Resources } from '../../resources/resources.ts';
import type { Offer, Resource } from '../../wire/v1.ts';
import type { LiveContainer } from '../containers.ts';
import type { Observer, SeenAgent, SeenMaster } from '../observer.ts';
import { demand } from '../violation.ts';

interface OpenOffer {
  readonly agentId: string;
  /** Who made it: of two masters each keeps to its own books. */
  readonly master: SeenMaster;
  readonly stream: string;
  readonly resources: Resources;
}

/**
 * Nothing is offered twice, judged from outside, without a look at the master's books: what schedulers were offered and
 * have neither answered nor lost, together with what really runs on the machine, is never more than the machine has.
 */
export class OffersChecker implements Observer {
  private readonly open = new Map<string, OpenOffer>();
  /** agent id -> container id -> what runs there. */
  private readonly running = new Map<string, Map<string, Resources>>();
  private readonly totals = new Map<string, Resources>();

  masterEnded(master: SeenMaster): void {
    for (const [id, offer] of this.open) if (offer.master === master) this.open.delete(id);
  }

  masterStepped(master: SeenMaster, event: MasterEvent, effects: readonly MasterEffect[]): void {
    if (event.kind === 'streamClosed') this.closeStream(event.stream);
    if (event.kind === 'schedulerCall') this.answered(event.call, effects);
    // Offers of this step may use what it took back, so that first goes out what went.
    for (const effect of effects) {
      if (effect.kind === 'closeStream') this.closeStream(effect.stream);
      if (effect.kind === 'event' && effect.event.rescind) this.open.delete(effect.event.rescind.offer_id.value);
    }
    for (const effect of effects) {
      if (effect.kind !== 'event') continue;
      for (const offer of effect.event.offers?.offers ?? []) this.made(master, effect.stream, offer);
    }
  }

  containerStarted(agent: SeenAgent, container: LiveContainer): void {
    const { id } = agent;
    if (id === undefined) return;
    this.totals.set(id, agent.total);
    const here = this.running.get(id) ?? new Map<string, Resources>();
    this.running.set(id, here.set(container.containerId, footprint(container)));
    for (const master of new Set(Array.from(this.open.values(), (offer) => offer.master))) this.check(id, master);
  }

  /** It may have come back with more. */
  agentStepped({ id, total }: SeenAgent): void {
    if (id !== undefined) this.totals.set(id, total);
  }

  containerEnded(agent: SeenAgent, container: LiveContainer): void {
    this.running.get(agent.id ?? '')?.delete(container.containerId);
  }

  private answered(
    call: Extract<MasterEvent, { kind: 'schedulerCall' }>['call'],
    effects: readonly MasterEffect[],
  ): void {
    const heeded = effects.some((effect) => effect.kind === 'reply' && effect.status === 202);
    if (!heeded) return;
    for (const { value } of call.accept?.offer_ids ?? call.decline?.offer_ids ?? []) this.open.delete(value);
  }

  private closeStream(stream: string): void {
    for (const [id, offer] of this.open) if (offer.stream === stream) this.open.delete(id);
  }

  private made(master: SeenMaster, stream: string, offer: Offer): void {
    const id = offer.id.value;
    demand(!this.open.has(id), () => `offer ${id} was made twice`);
    const agentId = offer.agent_id.value;
    this.open.set(id, { agentId, master, stream, resources: Resources.of((offer.resources ?? []).map(plain)) });
    this.check(agentId, master);
  }

  private check(agentId: string, master: SeenMaster): void {
    // The offers of one that was deposed are worth nothing: the agent takes no launch from it.
    if (!master.reigning) return;
    const total = this.totals.get(agentId);
    const offers = [...this.open.values()].filter((offer) => offer.agentId === agentId && offer.master === master);
    const offered = Resources.sum(offers.map(({ resources }) => resources));
    const running = Resources.sum(this.running.get(agentId)?.values() ?? []);
    const sum = offered.plus(running);
    demand(
      total === undefined || total.contains(sum),
      () => `agent ${agentId} has ${total}, of which ${offered} is on offer while ${running} is in use`,
    );
  }
}

/** What it is, whatever it is reserved for. */
function plain(resource: Resource): Resource {
  const { reservations: _, reservation: __, role: ___, allocation_info: ____, disk: _____, ...rest } = resource;
  return rest;
}

/** Containers tell their scalars only. */
function footprint({ resources }: LiveContainer): Resources {
  const { cpus, mem } = resources;
  return Resources.of([
    { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
  ]);
}
