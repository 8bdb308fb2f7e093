import type { Millis } from '../base/machine.ts';
import type { Unavailability } from '../wire/v1.ts';
import type { InverseOfferStatus } from '../wire/v1_allocator.ts';
import type { InverseAllocation } from './allocator.ts';
import type { Cluster } from './cluster.ts';

/** An agent that is to go down, and what was said about it. */
interface Departure {
  readonly unavailability: Unavailability;
  /** Ids of frameworks that were asked and have not answered. */
  readonly outstanding: Set<string>;
  /** The last answer of each framework to this unavailability. */
  readonly statuses: Map<string, InverseOfferStatus>;
}

/** Which frameworks are asked to leave agents that are to go down, and what they answered. */
export class InverseOffers {
  private readonly cluster: Cluster;
  /** By agent id. */
  private readonly departures = new Map<string, Departure>();
  /** By framework id and agent id: the time until which the framework does not want to hear of the agent again. */
  private readonly refusals = new Map<string, Map<string, Millis>>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** Earlier answers were about another time: they and refusals are forgotten, and nothing is outstanding. */
  setUnavailability(agentId: string, unavailability: Unavailability | undefined): void {
    this.forgetAgent(agentId);
    if (unavailability === undefined) return;
    this.departures.set(agentId, { unavailability, outstanding: new Set(), statuses: new Map() });
  }

  /** Refusals that have run out by now are dropped on the way. */
  due(now: Millis): InverseAllocation[] {
    const due: InverseAllocation[] = [];
    for (const [agentId, { unavailability, outstanding }] of this.departures) {
      const agent = this.cluster.agents.get(agentId);
      if (agent?.isActive !== true) continue;
      for (const { framework } of agent.holdings.keys()) {
        const { id } = framework;
        if (!framework.active || outstanding.has(id) || this.isRefused(id, agentId, now)) continue;
        outstanding.add(id);
        due.push({ frameworkId: id, agentId, unavailability });
      }
    }
    return due;
  }

  /** An answer that nobody waits for says nothing, but the wish not to be asked again counts. @param refused seconds */
  answer(
    agentId: string,
    frameworkId: string,
    status: InverseOfferStatus | undefined,
    refused: number,
    now: Millis,
  ): void {
    const departure = this.departures.get(agentId);
    if (departure === undefined || !this.cluster.frameworks.has(frameworkId)) return;
    if (departure.outstanding.delete(frameworkId) && status !== undefined) {
      departure.statuses.set(frameworkId, status);
    }
    if (refused > 0) this.refuse(frameworkId, agentId, now + refused * 1000);
  }

  statuses(): ReadonlyMap<string, ReadonlyMap<string, InverseOfferStatus>> {
    return new Map([...this.departures].map(([agentId, { statuses }]) => [agentId, statuses]));
  }

  /** A framework may be asked again about any agent: it revived, was updated or was deactivated. */
  liftOf(frameworkId: string): void {
    this.refusals.delete(frameworkId);
  }

  /** Frameworks may be asked again about an agent: it changed. */
  liftFor(agentId: string): void {
    for (const [frameworkId, refusals] of this.refusals) {
      if (refusals.delete(agentId) && refusals.size === 0) this.refusals.delete(frameworkId);
    }
  }

  /** What it answered stays for operators to see until the unavailability changes. */
  forgetFramework(frameworkId: string): void {
    this.liftOf(frameworkId);
    for (const { outstanding } of this.departures.values()) outstanding.delete(frameworkId);
  }

  forgetAgent(agentId: string): void {
    this.departures.delete(agentId);
    this.liftFor(agentId);
  }

  /** Of several refusals the one that lasts longest counts. */
  private refuse(frameworkId: string, agentId: string, until: Millis): void {
    let refusals = this.refusals.get(frameworkId);
    if (refusals === undefined) {
      refusals = new Map();
      this.refusals.set(frameworkId, refusals);
    }
    refusals.set(agentId, Math.max(until, refusals.get(agentId) ?? until));
  }

  private isRefused(frameworkId: string, agentId: string, now: Millis): boolean {
    const refusals = this.refusals.get(frameworkId);
    const until = refusals?.get(agentId);
    if (refusals === undefined || until === undefined) return false;
    if (until > now) return true;
    refusals.delete(agentId);
    if (refusals.size === 0) this.refusals.delete(frameworkId);
    return false;
  }
}
