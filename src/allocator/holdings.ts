import type { Resources } from '../resources/resources.ts';
import type { Seat } from './role-tree.ts';

/**
 * Who holds what of an agent. A handful of entries that come and go all the time: two short lists cost less than a map,
 * which makes itself anew every few changes.
 */
export class Holdings {
  private readonly seats: Seat[] = [];
  private readonly amounts: Resources[] = [];

  get(seat: Seat): Resources | undefined {
    const at = this.seats.indexOf(seat);
    return at < 0 ? undefined : this.amounts[at];
  }

  has(seat: Seat): boolean {
    return this.seats.includes(seat);
  }

  /** @param held not empty */
  set(seat: Seat, held: Resources): void {
    const at = this.seats.indexOf(seat);
    if (at >= 0) {
      this.amounts[at] = held;
    } else {
      this.seats.push(seat);
      this.amounts.push(held);
    }
  }

  delete(seat: Seat): void {
    const at = this.seats.lastIndexOf(seat);
    if (at < 0) return;
    const lastSeat = this.seats.pop()!;
    const lastAmount = this.amounts.pop()!;
    if (at === this.seats.length) return;
    this.seats[at] = lastSeat;
    this.amounts[at] = lastAmount;
  }

  keys(): readonly Seat[] {
    return this.seats;
  }

  values(): readonly Resources[] {
    return this.amounts;
  }

  *[Symbol.iterator](): Iterator<readonly [Seat, Resources]> {
    for (let i = 0; i < this.seats.length; i++) yield [this.seats[i]!, this.amounts[i]!];
  }
}
