import type { RoleNode, RoleTree, Seat } from './role-tree.ts';

/** After this many rejections in a row, weights are so uneven that counting them through is cheaper. */
const REJECTIONS = 16;

/**
 * A weighted shuffle that is drawn one by one: nobody pays for those whose turn does not come. Each draw takes one of the
 * rest, with a probability in proportion to its weight.
 */
export class LazyShuffle<T> {
  private readonly items: T[];
  private readonly weights: number[];
  private readonly heaviest: number;
  private readonly isEven: boolean;

  constructor(items: readonly T[], weightOf: (item: T) => number) {
    this.items = [...items];
    this.weights = items.map(weightOf);
    this.heaviest = this.weights.reduce((a, b) => Math.max(a, b), 0);
    this.isEven = this.weights.every((weight) => weight === this.heaviest);
  }

  get size(): number {
    return this.items.length;
  }

  /** Draws the one at a position; positions must be asked for in order, and 0 starts anew. */
  draw(at: number, random: () => number): T {
    const from = this.isEven ? at + Math.floor(random() * (this.items.length - at)) : this.drawWeighted(at, random);
    const { items, weights } = this;
    const drawn = items[from]!;
    items[from] = items[at]!;
    items[at] = drawn;
    const weight = weights[from]!;
    weights[from] = weights[at]!;
    weights[at] = weight;
    return drawn;
  }

  /** Takes one out; to be called between draws that start anew. */
  remove(item: T): void {
    const at = this.items.indexOf(item);
    if (at < 0) return;
    const lastItem = this.items.pop()!;
    const lastWeight = this.weights.pop()!;
    if (at === this.items.length) return;
    this.items[at] = lastItem;
    this.weights[at] = lastWeight;
  }

  private drawWeighted(at: number, random: () => number): number {
    const { weights } = this;
    const left = weights.length - at;
    for (let i = 0; i < REJECTIONS; i++) {
      const from = at + Math.floor(random() * left);
      if (random() * this.heaviest < weights[from]!) return from;
    }
    let sum = 0;
    for (let i = at; i < weights.length; i++) sum += weights[i]!;
    let point = random() * sum;
    for (let i = at; i < weights.length - 1; i++) {
      point -= weights[i]!;
      if (point < 0) return i;
    }
    return weights.length - 1;
  }
}

/** Random turns instead of DRF, for roles, for frameworks or for both. */
export class RandomOrder {
  private readonly tree: RoleTree;
  private version = -1;
  private roles: LazyShuffle<RoleNode> | undefined;
  private seats = new Map<RoleNode, LazyShuffle<Seat>>();

  constructor(tree: RoleTree) {
    this.tree = tree;
  }

  /** All roles with frameworks that want offers. */
  roleTurns(): LazyShuffle<RoleNode> {
    this.refresh();
    if (this.roles === undefined) {
      const weights = new Map<RoleNode, number>();
      collect(this.tree.root, 1, weights);
      this.roles = new LazyShuffle([...weights.keys()], (node) => weights.get(node)!);
    }
    return this.roles;
  }

  seatTurns(node: RoleNode): LazyShuffle<Seat> {
    this.refresh();
    let turns = this.seats.get(node);
    if (turns === undefined) {
      turns = new LazyShuffle(node.seatTurns.sorted(), () => 1);
      this.seats.set(node, turns);
    }
    return turns;
  }

  private refresh(): void {
    if (this.version === this.tree.version) return;
    this.version = this.tree.version;
    this.roles = undefined;
    this.seats = new Map();
  }
}

/** The part of each role: among siblings in proportion to their weights, from the top down. */
function collect(node: RoleNode, part: number, into: Map<RoleNode, number>): void {
  const turns = node.turns.sorted();
  const sum = turns.reduce((total, turn) => total + turn.weight, 0);
  for (const turn of turns) {
    const own = (part * turn.weight) / sum;
    if ('node' in turn) into.set(turn.node, own);
    else collect(turn, own, into);
  }
}
