import type { Resources } from '../../resources/resources.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import { toMilli } from '../../resources/scalars.ts';
import type { Agent, MasterState } from '../core/state.ts';
import type { Steps } from './kept.ts';

/** Agents counted between two places to pause, and how many that have not changed take as long as one. */
const BREATH = 100;
const UNCHANGED_PER_COUNTED = 20;

/** An amount in thousandths under a role or a resource name. */
type Amount = readonly [key: string, name: string, milli: number];

export const SHOWN: readonly string[] = ['cpus', 'gpus', 'mem', 'disk'];

type Holdings = Pick<Agent, 'total' | 'used' | 'offered'>;

/** An agent as it was when its resources were counted. */
interface Counted extends Holdings {
  round: number;
}

/**
 * Sums over all agents, kept from one answer to the next: what agents have and use is replaced when it changes, so only
 * agents of which something was replaced are counted anew.
 */
export class AgentSums {
  /** Scalars that are always shown, under '' or '_revocable'. */
  readonly total = new Sums();
  readonly used = new Sums();
  readonly offered = new Sums();
  /** By role, without subroles: what counts against quotas, in use or reserved and idle. */
  readonly consumed = new Sums();
  /** By role, without subroles: in use or offered. */
  readonly held = new Sums();
  readonly #counted = new Map<string, Counted>();
  #round = 0;

  update(agents: MasterState['agents']): void {
    this.#round++;
    for (const agent of agents.values()) this.#visit(agent);
    if (this.#counted.size === agents.size) return;
    for (const [id, counted] of this.#counted) {
      if (counted.round === this.#round) continue;
      this.#count(counted, -1);
      this.#counted.delete(id);
    }
  }

  /** Does most of what the next update would have to do, with places to pause at; meanwhile agents may change. */
  *catchUp(agents: MasterState['agents']): Steps<void> {
    let breath = BREATH;
    for (const agent of agents.values()) {
      breath -= this.#visit(agent) ? 1 : 1 / UNCHANGED_PER_COUNTED;
      if (breath > 0) continue;
      breath = BREATH;
      yield;
    }
  }

  /** @returns whether it had to be counted */
  #visit({ id, total, used, offered }: Agent): boolean {
    const before = this.#counted.get(id);
    if (before?.total === total && before.used === used && before.offered === offered) {
      before.round = this.#round;
      return false;
    }
    if (before !== undefined) this.#count(before, -1);
    const now = { total, used, offered, round: this.#round };
    this.#count(now, 1);
    this.#counted.set(id, now);
    return true;
  }

  #count({ total, used, offered }: Holdings, sign: 1 | -1): void {
    const [has, uses, offers] = [measure(total), measure(used), measure(offered)];
    this.total.add(has.shown, sign);
    this.used.add(uses.shown, sign);
    this.offered.add(offers.shown, sign);
    this.consumed.add(uses.allocated, sign);
    this.consumed.add(uses.reserved, sign === 1 ? -1 : 1);
    this.consumed.add(has.reserved, sign);
    this.held.add(uses.allocated, sign);
    this.held.add(offers.allocated, sign);
  }
}

const kept = new WeakMap<MasterState['agents'], AgentSums>();

/** The sums over the agents as they are now. */
export function agentSums({ agents }: Pick<MasterState, 'agents'>): AgentSums {
  const sums = sumsOf(agents);
  sums.update(agents);
  return sums;
}

/** Makes `agentSums` quick, where much has changed since it was asked last. */
export function catchUpAgentSums({ agents }: Pick<MasterState, 'agents'>): Steps<void> {
  return sumsOf(agents).catchUp(agents);
}

function sumsOf(agents: MasterState['agents']): AgentSums {
  const sums = kept.get(agents) ?? new AgentSums();
  kept.set(agents, sums);
  return sums;
}

interface Measure {
  readonly shown: readonly Amount[];
  /** All scalars by the role that they are allocated to. */
  readonly allocated: readonly Amount[];
  /** All scalars by the role that they are reserved for. */
  readonly reserved: readonly Amount[];
}

function measure(resources: Resources): Measure {
  const measured = { shown: [] as Amount[], allocated: [] as Amount[], reserved: [] as Amount[] };
  for (const { name, scalar, revocable, allocation_info, reservations } of resources.toProto()) {
    if (scalar === undefined) continue;
    const milli = toMilli(scalar.value);
    if (SHOWN.includes(name)) measured.shown.push([revocable === undefined ? '' : '_revocable', name, milli]);
    if (allocation_info?.role !== undefined) measured.allocated.push([allocation_info.role, name, milli]);
    const owner = reservations?.at(-1)?.role;
    if (owner !== undefined) measured.reserved.push([owner, name, milli]);
  }
  return measured;
}

/** Sums in thousandths by key and name. */
export class Sums {
  readonly #byKey = new Map<string, Map<string, number>>();

  add(amounts: readonly Amount[], sign: 1 | -1 = 1): void {
    for (const [key, name, milli] of amounts) this.#addTo(key, name, milli * sign);
  }

  of(key: string, name: string): number {
    return this.#byKey.get(key)?.get(name) ?? 0;
  }

  get keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  /** Names and amounts of a key; none is zero. */
  amounts(key: string): Iterable<readonly [name: string, milli: number]> {
    return this.#byKey.get(key) ?? [];
  }

  /** Of sums by role: what every role has with its subroles, and under the empty name what all roles have. */
  addedUp(): Sums {
    const sums = new Sums();
    for (const [role, amounts] of this.#byKey) {
      for (const above of [role, ...ancestorsOf(role), ''])
        for (const [name, milli] of amounts) sums.#addTo(above, name, milli);
    }
    return sums;
  }

  #addTo(key: string, name: string, milli: number): void {
    const amounts = this.#byKey.get(key) ?? new Map<string, number>();
    const sum = (amounts.get(name) ?? 0) + milli;
    if (sum !== 0) this.#byKey.set(key, amounts.set(name, sum));
    else if (amounts.delete(name) && amounts.size === 0) this.#byKey.delete(key);
  }
}
