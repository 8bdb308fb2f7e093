import type { Answer } from '../../http/answer.ts';
import { failure } from '../../http/answer.ts';
import type { ContainerAnswer, Termination } from '../core/effects.ts';
import type { AgentEvent, ContainerCall } from '../core/events.ts';

type Post = (event: Extract<AgentEvent, { kind: 'containerCall' }>) => void;
type Over = (termination: Termination) => void;

/** Calls about containers that the core has not answered yet, and those who wait for the end of one. */
export class ContainerCalls {
  readonly #post: Post;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #waiting = new Map<string, Set<Over>>();
  #last = 0;

  /** @param post gives an event to the core */
  constructor(post: Post) {
    this.#post = post;
  }

  ask(call: ContainerCall): Promise<Answer> {
    const ticket = ++this.#last;
    return new Promise((resolve) => {
      this.#asked.set(ticket, resolve);
      this.#post({ kind: 'containerCall', ticket, call });
    });
  }

  answered(ticket: number, { status, sentence }: ContainerAnswer): void {
    const resolve = this.#asked.get(ticket);
    this.#asked.delete(ticket);
    resolve?.(sentence === undefined ? { status } : failure(status, sentence));
  }

  /** Calls back once when the container is over. @returns who does not want that any more */
  whenOver(key: string, callback: Over): () => void {
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(callback));
    return () => {
      waiting.delete(callback);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    };
  }

  over(key: string, termination: Termination): void {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    for (const callback of waiting) callback(termination);
  }
}
