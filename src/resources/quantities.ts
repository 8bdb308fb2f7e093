import { err, ok, type Result } from '../base/result.ts';
import type { Value_Scalar } from '../wire/v1.ts';
import { formatMilli, fromMilli, type Milli, toMilli } from './scalars.ts';
import { parseValue } from './value-text.ts';

/**
 * How much of each name, whatever its role or reservation: what quota, shares and minimums are counted in. In
 * thousandths; never negative; a name that is not there counts as zero. Immutable, sorted by name.
 */
export class Quantities {
  static readonly EMPTY: Quantities = new Quantities([], []);

  private readonly names: readonly string[];
  private readonly amounts: readonly Milli[];

  private constructor(names: readonly string[], amounts: readonly Milli[]) {
    this.names = names;
    this.amounts = amounts;
  }

  /** From pairs of name and thousandths; equal names add up, zero and less is dropped. */
  static of(pairs: Iterable<readonly [name: string, amount: Milli]>): Quantities {
    const names: string[] = [];
    const amounts: Milli[] = [];
    for (const [name, amount] of pairs) {
      if (amount > 0) addSorted(names, amounts, name, amount);
    }
    return names.length === 0 ? Quantities.EMPTY : new Quantities(names, amounts);
  }

  /** The same of whatever has a name and a quantity. */
  static sum(parts: readonly { readonly kind: { readonly name: string }; readonly quantity: Milli }[]): Quantities {
    const names: string[] = [];
    const amounts: Milli[] = [];
    for (const { kind, quantity } of parts) if (quantity > 0) addSorted(names, amounts, kind.name, quantity);
    return names.length === 0 ? Quantities.EMPTY : new Quantities(names, amounts);
  }

  /** From the wire's map of name to scalar. */
  static fromWire(map: Readonly<Record<string, Value_Scalar>>): Quantities {
    return Quantities.of(Object.entries(map).map(([name, scalar]) => [name, toMilli(scalar.value)]));
  }

  /** From `cpus:0.01;mem:32`. */
  static fromText(text: string): Result<Quantities> {
    const pairs: [string, Milli][] = [];
    for (const token of text.split(';').filter((part) => part !== '')) {
      const parts = token.split(':').filter((part) => part !== '');
      const [name, amount] = parts.map((part) => part.trim());
      if (parts.length !== 2 || !name || !amount) {
        return err(`'${token}' is not a quantity; write name:amount pairs, such as cpus:0.01;mem:32`);
      }
      const value = parseValue(amount);
      if (!value.ok) return err(`the quantity '${token}' cannot be read: ${value.error}`);
      if (value.value.type !== 'SCALAR') {
        return err(`the quantity '${token}' must be a number that is not negative, not '${amount}'`);
      }
      pairs.push([name, toMilli(value.value.scalar)]);
    }
    return ok(Quantities.of(pairs));
  }

  get isEmpty(): boolean {
    return this.names.length === 0;
  }

  get size(): number {
    return this.names.length;
  }

  /** In thousandths; 0 if the name is not there. */
  get(name: string): Milli {
    const at = this.names.indexOf(name);
    return at < 0 ? 0 : this.amounts[at]!;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, amount: Milli]> {
    for (let i = 0; i < this.names.length; i++) yield [this.names[i]!, this.amounts[i]!];
  }

  plus(other: Quantities): Quantities {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    return this.merge(other, (a, b) => a + b);
  }

  /** What would fall to zero or below is dropped. */
  minus(other: Quantities): Quantities {
    if (other.isEmpty || this.isEmpty) return this;
    return this.merge(other, (a, b) => a - b);
  }

  /** Whether there is at least as much of every name. */
  contains(other: Quantities): boolean {
    let i = 0;
    for (let j = 0; j < other.names.length; j++) {
      const name = other.names[j]!;
      while (i < this.names.length && this.names[i]! < name) i++;
      if (this.names[i] !== name || this.amounts[i]! < other.amounts[j]!) return false;
    }
    return true;
  }

  equals(other: Quantities): boolean {
    if (this === other) return true;
    return (
      this.names.length === other.names.length &&
      this.names.every((name, i) => name === other.names[i] && this.amounts[i] === other.amounts[i])
    );
  }

  filter(keep: (name: string) => boolean): Quantities {
    return Quantities.of([...this].filter(([name]) => keep(name)));
  }

  toWire(): Record<string, Value_Scalar> {
    return Object.fromEntries([...this].map(([name, amount]) => [name, { value: fromMilli(amount) }]));
  }

  /** `cpus:0.01; mem:32` */
  toString(): string {
    return [...this].map(([name, amount]) => `${name}:${formatMilli(amount)}`).join('; ');
  }

  private merge(other: Quantities, combine: (a: Milli, b: Milli) => Milli): Quantities {
    const names: string[] = [];
    const amounts: Milli[] = [];
    let i = 0;
    let j = 0;
    while (i < this.names.length || j < other.names.length) {
      const left = this.names[i];
      const right = other.names[j];
      const takeLeft = right === undefined || (left !== undefined && left <= right);
      const takeRight = left === undefined || (right !== undefined && right <= left);
      const amount = combine(takeLeft ? this.amounts[i]! : 0, takeRight ? other.amounts[j]! : 0);
      if (amount > 0) {
        names.push(takeLeft ? left! : right!);
        amounts.push(amount);
      }
      if (takeLeft) i++;
      if (takeRight) j++;
    }
    return names.length === 0 ? Quantities.EMPTY : new Quantities(names, amounts);
  }
}

/** Names are few: they are kept in order as they come. */
function addSorted(names: string[], amounts: Milli[], name: string, amount: Milli): void {
  let at = names.length;
  while (at > 0 && names[at - 1]! > name) at--;
  if (at > 0 && names[at - 1] === name) {
    amounts[at - 1]! += amount;
  } else if (at === names.length) {
    names.push(name);
    amounts.push(amount);
  } else {
    names.splice(at, 0, name);
    amounts.splice(at, 0, amount);
  }
}
