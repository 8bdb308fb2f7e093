/** Performs what the core asks for, apart from storing. */
import type { Logger } from '../runtime/logger.ts';
import type { MarathonEvent, RequestId } from './core/events.ts';
import type { Outcome } from './core/outcome.ts';
import type { Framework } from './framework.ts';
import type { EventHub } from './http/hub.ts';
import type { Question } from './http/service.ts';
import { Prober } from './probe.ts';
import { type LookUp, withSecrets } from './secrets/give.ts';
import type { DirectPerformers } from './store.ts';

export interface ShellOptions {
  readonly framework: Pick<Framework, 'send' | 'setRoles'>;
  readonly hub: Pick<EventHub, 'publish'>;
  /** The values of secrets; where there is none, references to them stay what they are. */
  readonly lookUp?: LookUp;
  readonly logger: Logger;
  readonly maxProbes: number;
  readonly post: (event: MarathonEvent) => void;
  readonly end: (status: number, reason: string) => void;
}

export class Shell {
  readonly #options: ShellOptions;
  readonly #prober: Prober;
  readonly #waiting = new Map<RequestId, (outcome: Outcome) => void>();
  #nextRequest = 1;
  readonly performers: DirectPerformers;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#prober = new Prober(options.maxProbes);
    const { framework, hub, logger, post, end, lookUp = () => undefined } = options;
    this.performers = {
      answer: ({ request, outcome }) => this.#answer(request, outcome),
      call: ({ call }) => framework.send(withSecrets(call, lookUp)),
      roles: ({ roles }) => framework.setRoles(roles),
      publish: ({ event }) => hub.publish(event),
      probe: ({ probe, target, timeout }) =>
        this.#prober.probe(target, timeout, (result) => post({ kind: 'probed', probe, result })),
      log: ({ level, text }) => logger.log(level, text),
      exit: ({ code, reason }) => end(code, reason),
    };
  }

  /** Puts a question to the core; the answer comes when what it says is kept. */
  ask(question: Question): Promise<Outcome> {
    const request = this.#nextRequest++;
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.#options.post({ ...question, request } as MarathonEvent);
    });
  }

  #answer(request: RequestId, outcome: Outcome): void {
    this.#waiting.get(request)?.(outcome);
    this.#waiting.delete(request);
  }
}
