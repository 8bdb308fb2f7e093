/** What the agents of the cluster have in all, as their master tells anybody who asks. */
import type { Address } from '../sdk/core/address.ts';
import type { Credential } from '../sdk/exchange.ts';
import { getFromMaster } from '../sdk/master-get.ts';
import { scalarText } from './core/placement/values.ts';
import type { AgentTotal } from './views/never-fits.ts';

/** Who waits for an answer may ask often: the master is not asked more than once in so many ms. */
const FRESH_FOR = 5_000;
const ANSWER_WITHIN = 2_000;

interface Slave {
  readonly id?: string;
  readonly hostname?: string;
  readonly unreserved_resources?: AgentTotal['unreserved'];
  readonly reserved_resources?: AgentTotal['reserved'];
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly domain?: {
    readonly fault_domain?: { readonly region: { readonly name: string }; readonly zone: { readonly name: string } };
  } | null;
}

export class AgentTotals {
  readonly #master: () => Address | undefined;
  readonly #credential: Credential | undefined;
  #known: { readonly at: number; readonly totals: Promise<readonly AgentTotal[] | undefined> } | undefined;

  /** @param master that Marathon is subscribed to */
  constructor(master: () => Address | undefined, credential: Credential | undefined) {
    this.#master = master;
    this.#credential = credential;
  }

  /** @returns undefined where the master does not say it */
  read(): Promise<readonly AgentTotal[] | undefined> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#known.at > FRESH_FOR) this.#known = { at: now, totals: this.#ask() };
    return this.#known.totals;
  }

  async #ask(): Promise<readonly AgentTotal[] | undefined> {
    const address = this.#master();
    if (address === undefined) return undefined;
    const options = { timeout: ANSWER_WITHIN, ...(this.#credential && { credential: this.#credential }) };
    try {
      const answer = await getFromMaster(address, '/slaves', {}, options);
      return ((answer as { readonly slaves?: readonly Slave[] }).slaves ?? []).map(totalOf);
    } catch {
      // It may not be ours to see.
      return undefined;
    }
  }
}

function totalOf(slave: Slave): AgentTotal {
  const { region, zone } = slave.domain?.fault_domain ?? {};
  const texts = Object.entries(slave.attributes ?? {}).map(
    ([name, value]) => [name, typeof value === 'number' ? scalarText(value) : value] as const,
  );
  return {
    unreserved: slave.unreserved_resources ?? {},
    reserved: slave.reserved_resources ?? {},
    placement: {
      agentId: slave.id ?? '',
      host: slave.hostname ?? '',
      ...(region && { region: region.name }),
      ...(zone && { zone: zone.name }),
      attributes: Object.fromEntries(texts),
    },
  };
}
