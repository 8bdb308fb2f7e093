import type { Resource } from '../wire/v1.ts';
import {
  type Amount,
  addAmounts,
  amountOf,
  amountToWire,
  containsAmount,
  equalAmounts,
  isNone,
  quantityOf,
  subtractAmounts,
} from './amount.ts';
import { type Kind, kindOf, sameKind } from './kind.ts';
import { upgrade } from './refinement.ts';
import type { Milli } from './scalars.ts';
import type { Items } from './sets.ts';

/** An amount of one kind. What is not divisible is there `copies` times, whole. Immutable. */
export class Entry {
  readonly kind: Kind;
  readonly amount: Amount;
  readonly copies: number;
  private wire: Resource | undefined;

  constructor(kind: Kind, amount: Amount, copies = 1) {
    this.kind = kind;
    this.amount = amount;
    this.copies = copies;
  }

  static of(resource: Resource): Entry {
    const upgraded = upgrade(resource);
    return new Entry(kindOf(upgraded), amountOf(upgraded));
  }

  /** The wire form, in stack form; built when first asked for. */
  get resource(): Resource {
    this.wire ??= { ...this.kind.template, ...amountToWire(this.kind.type, this.amount) };
    return this.wire;
  }

  get isNone(): boolean {
    return this.copies <= 0 || isNone(this.amount);
  }

  /** In thousandths. A shared thing counts once, however many hold it. */
  get quantity(): Milli {
    const one = quantityOf(this.kind.type, this.amount);
    return this.kind.combining === 'exclusive' ? one * this.copies : one;
  }

  /** Whether the other one can be added to, taken from or looked for in this one. Indivisible things must be equal. */
  matches(other: Entry): boolean {
    const { kind } = this;
    if (!sameKind(kind, other.kind)) return false;
    return kind.combining === 'divisible' || equalAmounts(kind.type, this.amount, other.amount);
  }

  /** Equal exactly for entries that match. */
  get identity(): string {
    const { kind, amount } = this;
    if (kind.combining === 'divisible') return kind.key;
    return `${kind.key} ${JSON.stringify(kind.type === 'SET' ? [...(amount as Items)].sort() : amount)}`;
  }

  plus(other: Entry): Entry {
    const { kind } = this;
    return kind.combining === 'divisible'
      ? new Entry(kind, addAmounts(kind.type, this.amount, other.amount))
      : new Entry(kind, this.amount, this.copies + other.copies);
  }

  minus(other: Entry): Entry {
    const { kind } = this;
    return kind.combining === 'divisible'
      ? new Entry(kind, subtractAmounts(kind.type, this.amount, other.amount))
      : new Entry(kind, this.amount, this.copies - other.copies);
  }

  /** Given that they match. */
  contains(other: Entry): boolean {
    const { kind } = this;
    return kind.combining === 'divisible'
      ? containsAmount(kind.type, this.amount, other.amount)
      : this.copies >= other.copies;
  }

  /** Given that they match. */
  equals(other: Entry): boolean {
    return this.copies === other.copies && equalAmounts(this.kind.type, this.amount, other.amount);
  }

  as(kind: Kind): Entry {
    return kind === this.kind ? this : new Entry(kind, this.amount, this.copies);
  }

  with(amount: Amount): Entry {
    return new Entry(this.kind, amount, this.copies);
  }
}
