/** What the agents of the cluster have in all, as their master tells anybody who asks. */
import type { Address } from '../sdk/core/address.ts';
import type { Credential } from '../sdk/exchange.ts';
import { getFromMaster } from '../sdk/master-get.ts';
import type { AgentTotal } from './views/never-fits.ts';

/** Who waits for an answer may ask often: the master is not asked more than once in so many ms. */
const FRESH_FOR = 5_000;
const ANSWER_WITHIN = 2_000;

interface Slaves {
  readonly slaves?: readonly {
    readonly active?: boolean;
    readonly unreserved_resources?: AgentTotal['unreserved'];
    readonly reserved_resources?: AgentTotal['reserved'];
  }[];
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
      const { slaves = [] } = (await getFromMaster(address, '/slaves', {}, options)) as Slaves;
      return slaves.map(({ unreserved_resources: unreserved = {}, reserved_resources: reserved = {} }) => ({
        unreserved,
        reserved,
      }));
    } catch {
      // It may not be ours to see.
      return undefined;
    }
  }
}
