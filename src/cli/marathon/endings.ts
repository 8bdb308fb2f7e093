/** How deployments end: Marathon tells of it once, to those who listen. */
import { open } from '../../sdk/exchange.ts';
import { reach } from './client.ts';
import type { CommonOptions } from './options.ts';

export type Ending = { readonly kind: 'success' } | { readonly kind: 'failed'; readonly reason: string };

/** How long news of a deployment that is not listed any more may be on their way, in ms. */
const NEWS_WITHIN = 2_000;
const PATH = '/v2/events?event_type=deployment_success&event_type=deployment_failed&plan-format=light';

/** Listens from when it is made until it is closed. */
export class Endings {
  readonly #known = new Map<string, Ending>();
  #isListening = false;
  #wake: () => void = () => {};
  #close: () => void = () => {};

  /** @returns once it hears of all that ends from now on; where that cannot be had, one that hears of nothing */
  static async listen(options: CommonOptions): Promise<Endings> {
    const endings = new Endings();
    const incoming = await open({ ...reach(options), path: PATH, headers: { Accept: 'text/event-stream' } }).catch(
      () => undefined,
    );
    if (incoming === undefined) return endings;
    endings.#close = () => incoming.destroy();
    if (incoming.statusCode !== 200) incoming.destroy();
    else {
      endings.#isListening = true;
      endings.#read(incoming).catch(() => undefined);
    }
    return endings;
  }

  async #read(incoming: AsyncIterable<Buffer>): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of incoming) {
        const records = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n\r?\n/);
        rest = records.pop() ?? '';
        for (const record of records) this.#take(record);
      }
    } finally {
      this.#isListening = false;
      this.#wake();
    }
  }

  #take(record: string): void {
    const type = /^event: ?(\S+)/m.exec(record)?.[1];
    const data = /^data: ?(.*)$/m.exec(record)?.[1];
    if (type === undefined || data === undefined) return;
    const { id, reason = 'Marathon does not say why' } = JSON.parse(data) as { id?: string; reason?: string };
    if (id === undefined) return;
    this.#known.set(id, type === 'deployment_success' ? { kind: 'success' } : { kind: 'failed', reason });
    this.#wake();
  }

  /** Whether it is known already how this one has ended. */
  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** How a deployment that is over has ended. @returns undefined for one that ended before anybody listened */
  async of(id: string): Promise<Ending | undefined> {
    const deadline = performance.now() + NEWS_WITHIN;
    while (!this.#known.has(id) && this.#isListening && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - performance.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#known.get(id);
  }

  close(): void {
    this.#close();
  }
}
