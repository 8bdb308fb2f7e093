import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { comesBefore, DrfOrder, type Ranked, Shares } from './drf-order.ts';
import type { Vector } from './scalar-vector.ts';

/** A user of the DRF paper, who runs as many equal tasks as he can get. */
class User implements Ranked {
  share = 0;
  count = 0;
  listed = false;
  readonly held: Vector = [];
  readonly weight: number;
  readonly path: string;
  readonly demand: Vector;

  constructor(path: string, demand: Vector, weight = 1) {
    this.path = path;
    this.demand = demand;
    this.weight = weight;
  }
}

interface Outcome {
  readonly picks: string;
  readonly tasks: Record<string, number>;
  readonly shares: number[][];
  readonly used: number[];
}

/** Algorithm 1 of the paper: one task at a time to whoever has the smallest share, until his next task does not fit. */
function share(total: Vector, users: readonly User[]): Outcome {
  const shares = new Shares(() => false);
  shares.grow(total);
  const order = new DrfOrder<User>(shares);
  for (const user of users) order.insert(user);
  const used = total.map(() => 0);
  const history: number[][] = [];
  let picks = '';
  for (;;) {
    const next = order.sorted().find(({ demand }) => demand.every((amount, i) => used[i]! + amount <= total[i]!));
    if (next === undefined) break;
    for (const [i, amount] of next.demand.entries()) used[i]! += amount;
    order.give(next, next.demand, 1);
    picks += next.path;
    history.push(users.map((user) => shares.of(user)));
  }
  return {
    picks,
    tasks: Object.fromEntries(users.map(({ path, count }) => [path, count])),
    shares: history,
    used,
  };
}

describe('the tables of the DRF paper (Ghodsi et al., NSDI 2011)', () => {
  test('Table 1: the order of picks, and the shares after each', () => {
    // The paper breaks the first tie for B.
    const { picks, shares, used } = share([9, 18], [new User('b', [3, 1]), new User('c', [1, 4])]);
    assert.equal(picks, 'bccbc');
    assert.deepEqual(
      shares.map(([b, a]) => [a, b]),
      [
        [0, 3 / 9],
        [4 / 18, 3 / 9],
        [8 / 18, 3 / 9],
        [8 / 18, 6 / 9],
        [12 / 18, 6 / 9],
      ],
    );
    assert.deepEqual(used, [9, 14]);
  });

  test('section 4.1: three tasks of A, two of B, whoever goes first', () => {
    assert.deepEqual(share([9, 18], [new User('a', [1, 4]), new User('b', [3, 1])]).tasks, { a: 3, b: 2 });
    assert.deepEqual(share([9, 18], [new User('b', [1, 4]), new User('a', [3, 1])]).tasks, { b: 3, a: 2 });
  });

  test('theorem 1: sharing is worth it', () => {
    const { tasks, used } = share([30, 30], [new User('a', [1, 3]), new User('b', [1, 1])]);
    assert.deepEqual(tasks, { a: 5, b: 15 });
    assert.deepEqual(used, [20, 30]);
  });

  test('theorem 2: one bottleneck is shared evenly', () => {
    assert.deepEqual(share([21, 21], [new User('a', [3, 2]), new User('b', [4, 1])]).tasks, { a: 3, b: 3 });
  });

  test('theorem 3: more of a resource makes nobody poorer', () => {
    const users = () => [new User('a', [4, 2]), new User('b', [1, 1])];
    assert.deepEqual(share([77, 77], users()).tasks, { a: 10, b: 37 });
    assert.deepEqual(share([77, 154], users()).tasks, { a: 10, b: 37 });
  });

  test('theorem 4: a lie gains nothing', () => {
    assert.equal(share([100, 100], [new User('a', [16, 1]), new User('b', [1, 2])]).tasks.a, 4);
    assert.equal(share([100, 100], [new User('a', [16, 8]), new User('b', [1, 2])]).tasks.a, 4);
  });

  test('theorem 5: nobody suffers from one leaving', () => {
    const users = [new User('a', [4, 1]), new User('b', [1, 16]), new User('c', [16, 1])];
    const { tasks } = share([100, 100], users);
    assert.deepEqual(tasks, { a: 12, b: 4, c: 3 });
    const left = share([100, 100], [new User('a', [4, 1]), new User('b', [1, 16])]).tasks;
    assert.ok(left.a! >= 12 && left.b! >= 4);
  });

  test('weights divide shares', () => {
    const { tasks } = share([30, 30], [new User('a', [1, 1], 2), new User('b', [1, 1])]);
    assert.deepEqual(tasks, { a: 20, b: 10 });
  });
});

test('the order is that of a plain sort, whatever happened', () => {
  const change = fc.record({
    who: fc.nat({ max: 5 }),
    what: fc.constantFrom('insert', 'remove', 'give', 'take', 'grow', 'look'),
    amount: fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 })),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60, size: 'max' }), (changes) => {
      const shares = new Shares((index) => index === 2);
      shares.grow([10, 10, 10]);
      const order = new DrfOrder<User>(shares);
      const users = Array.from({ length: 6 }, (_, i) => new User(`${i}`, [], (i % 3) + 1));
      for (const { who, what, amount } of changes) {
        const user = users[who]!;
        if (what === 'insert' && !user.listed) order.insert(user);
        if (what === 'remove' && user.listed) order.remove(user);
        if (what === 'give') order.give(user, [...amount, 7], 1);
        if (what === 'take') order.take(user, [...user.held]);
        if (what === 'grow') shares.grow(amount);
        if (what !== 'look') continue;
        const expected = users.filter(({ listed }) => listed);
        for (const one of expected) one.share = shares.of(one);
        expected.sort((a, b) => (comesBefore(a, b) ? -1 : 1));
        assert.deepEqual(
          order.sorted().map(({ path }) => path),
          expected.map(({ path }) => path),
        );
      }
      assert.equal(order.size, users.filter(({ listed }) => listed).length);
    }),
  );
});
