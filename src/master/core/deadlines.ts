import { Heap } from '../../base/heap.ts';
import type { Millis } from '../../base/machine.ts';

/** What happens by itself when its time has come. */
export type Deadline =
  | { readonly type: 'allocate' }
  | { readonly type: 'heartbeat'; readonly frameworkId: string }
  | { readonly type: 'failover'; readonly frameworkId: string }
  | { readonly type: 'offer'; readonly offerId: string }
  | { readonly type: 'inverseOffer'; readonly offerId: string }
  | { readonly type: 'ping'; readonly agentId: string }
  | { readonly type: 'agentReregister'; readonly agentId: string }
  | { readonly type: 'markUnreachable' }
  | { readonly type: 'recoveredAgents' }
  | { readonly type: 'recoveryReminder' }
  | { readonly type: 'resumeAllocation' }
  | { readonly type: 'throttled'; readonly key: string }
  | { readonly type: 'registryGc' };

interface Entry {
  readonly at: Millis;
  /** Breaks ties, so that equal instants come in the order in which they were set. */
  readonly sequence: number;
  readonly key: string;
  readonly deadline: Deadline;
}

/**
 * All the deadlines of the master behind one real timer: ten thousand event streams and as many agents must not mean
 * as many timers. Keyed: setting a key again replaces it.
 */
export class Deadlines {
  private readonly heap = new Heap<Entry>((a, b) => a.at - b.at || a.sequence - b.sequence);
  private readonly current = new Map<string, Entry>();
  private sequence = 0;

  get size(): number {
    return this.current.size;
  }

  set(deadline: Deadline, at: Millis): void {
    const key = keyOf(deadline);
    const entry = { at, sequence: this.sequence++, key, deadline };
    this.current.set(key, entry);
    this.heap.push(entry);
  }

  /** Sets it, unless it is set for an earlier time already. */
  hasten(deadline: Deadline, at: Millis): void {
    const entry = this.current.get(keyOf(deadline));
    if (entry === undefined || entry.at > at) this.set(deadline, at);
  }

  clear(deadline: Deadline): void {
    this.current.delete(keyOf(deadline));
  }

  has(deadline: Deadline): boolean {
    return this.current.has(keyOf(deadline));
  }

  /** The instant of the earliest deadline. */
  next(): Millis | undefined {
    this.dropStale();
    return this.heap.peek()?.at;
  }

  /** Takes out the earliest deadline that is due. */
  take(now: Millis): Deadline | undefined {
    this.dropStale();
    const entry = this.heap.peek();
    if (entry === undefined || entry.at > now) return undefined;
    this.heap.pop();
    this.current.delete(entry.key);
    return entry.deadline;
  }

  private dropStale(): void {
    for (let top = this.heap.peek(); top !== undefined && this.current.get(top.key) !== top; top = this.heap.peek()) {
      this.heap.pop();
    }
  }
}

function keyOf(deadline: Deadline): string {
  switch (deadline.type) {
    case 'heartbeat':
    case 'failover':
      return `${deadline.type}:${deadline.frameworkId}`;
    case 'offer':
    case 'inverseOffer':
      return `${deadline.type}:${deadline.offerId}`;
    case 'ping':
    case 'agentReregister':
      return `${deadline.type}:${deadline.agentId}`;
    case 'throttled':
      return `${deadline.type}:${deadline.key}`;
    default:
      return deadline.type;
  }
}
