import { Heap } from '../base/heap.ts';
import type { Millis } from '../base/machine.ts';
import type { Resources } from '../resources/resources.ts';
import type { Refusal, Seat } from './role-tree.ts';

/** The refusals in force, with the times at which they run out. */
export class Refusals {
  private heap = new Heap<Refusal>((a, b) => a.expires - b.expires);
  private lifted = 0;
  private readonly onLift: (refusal: Refusal) => void;

  /** @param onLift told of every refusal that ends, whatever ends it */
  constructor(onLift: (refusal: Refusal) => void) {
    this.onLift = onLift;
  }

  /** Earlier refusals that say no more than this one are dropped. */
  add(seat: Seat, agentId: string, resources: Resources, expires: Millis): void {
    const before = seat.refusals.get(agentId) ?? [];
    const kept = before.filter((refusal) => {
      const says = refusal.expires > expires || !resources.contains(refusal.resources);
      if (!says) this.drop(refusal);
      return says;
    });
    const refusal: Refusal = { seat, agentId, resources, expires, lifted: false };
    seat.refusals.set(agentId, [...kept, refusal]);
    this.heap.push(refusal);
  }

  /** Ends the refusals of a seat, on one agent or on all. */
  lift(seat: Seat, agentId?: string): void {
    if (agentId === undefined) {
      for (const id of [...seat.refusals.keys()]) this.lift(seat, id);
      return;
    }
    const refusals = seat.refusals.get(agentId);
    if (refusals === undefined) return;
    seat.refusals.delete(agentId);
    for (const refusal of refusals) {
      this.drop(refusal);
      this.onLift(refusal);
    }
  }

  /** Ends what has run out. */
  expire(now: Millis): void {
    for (let first = this.first(); first !== undefined && first.expires <= now; first = this.first()) {
      this.heap.pop();
      const { seat, agentId } = first;
      const left = (seat.refusals.get(agentId) ?? []).filter((refusal) => refusal !== first);
      if (left.length === 0) seat.refusals.delete(agentId);
      else seat.refusals.set(agentId, left);
      first.lifted = true;
      this.onLift(first);
    }
  }

  nextExpiry(): Millis | undefined {
    return this.first()?.expires;
  }

  private first(): Refusal | undefined {
    while (this.heap.peek()?.lifted === true) {
      this.heap.pop();
      this.lifted--;
    }
    return this.heap.peek();
  }

  /** What is lifted stays in the heap for a while: a refusal may be for a year. */
  private drop(refusal: Refusal): void {
    refusal.lifted = true;
    this.lifted++;
    if (this.lifted < 1024 || this.lifted * 2 < this.heap.size) return;
    const live = new Heap<Refusal>((a, b) => a.expires - b.expires);
    for (let next = this.heap.pop(); next !== undefined; next = this.heap.pop()) if (!next.lifted) live.push(next);
    this.heap = live;
    this.lifted = 0;
  }
}
