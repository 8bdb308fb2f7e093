/** The order of roles, with the figures of upstream's own tests of its sorters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import { Shares } from './drf-order.ts';
import { type Framework, OwnTurn, type RoleNode, RoleTree, type Seat } from './role-tree.ts';
import { measure, NameTable } from './scalar-vector.ts';
import { resources } from './stage.fixture.ts';

/** Roles with one framework each. */
class Order {
  readonly names = new NameTable();
  readonly shares = new Shares(() => false);
  readonly tree = new RoleTree(this.shares, this.names);
  private readonly seats = new Map<string, Seat>();
  private readonly given = new Map<string, { readonly resources: Resources; readonly agent: string }[]>();

  constructor(total: string) {
    this.grow(total);
  }

  grow(total: string): void {
    this.shares.grow(this.names.scalars(resources(total)));
  }

  shrink(total: string): void {
    this.shares.shrink(this.names.scalars(resources(total)));
  }

  add(...roles: string[]): void {
    for (const role of roles) {
      const framework: Framework = { id: 'f', active: true, capabilities: 0, constraints: undefined, seats: new Map() };
      const seat = this.tree.seat(framework, role);
      seat.subscribed = true;
      this.tree.refresh(seat);
      this.seats.set(role, seat);
      this.given.set(role, []);
    }
  }

  /** The role goes, with all that it was given. */
  remove(role: string): void {
    for (const { resources, agent } of this.given.get(role) ?? []) this.take(role, resources, agent);
    this.tree.removeSeat(this.seat(role));
    this.seats.delete(role);
  }

  give(role: string, what: string | Resources, agent = 'x'): void {
    const given = typeof what === 'string' ? resources(what) : what;
    this.given.get(role)?.push({ resources: given, agent });
    this.tree.give(this.seat(role), agent, measure(this.names, given));
  }

  take(role: string, what: string | Resources, agent = 'x'): void {
    const taken = typeof what === 'string' ? resources(what) : what;
    this.tree.take(this.seat(role), agent, measure(this.names, taken));
  }

  want(role: string, wants: boolean): void {
    this.seat(role).suppressed = !wants;
    this.tree.refresh(this.seat(role));
  }

  get now(): string {
    return flatten(this.tree.root).join(' ');
  }

  private seat(role: string): Seat {
    const seat = this.seats.get(role);
    assert.ok(seat, role);
    return seat;
  }
}

function flatten(node: RoleNode): string[] {
  return node.turns.sorted().flatMap((turn) => (turn instanceof OwnTurn ? [turn.node.role] : flatten(turn)));
}

test('weights divide shares', () => {
  const order = new Order('cpus:100;mem:100');
  order.add('a', 'b');
  order.give('a', 'cpus:5;mem:5');
  order.give('b', 'cpus:6;mem:6');
  assert.equal(order.now, 'a b');
  order.tree.setWeight('b', 2);
  assert.equal(order.now, 'b a');
  order.add('c');
  order.give('c', 'cpus:4;mem:4');
  assert.equal(order.now, 'b c a');
  order.tree.setWeight('d', 10);
  order.add('d');
  order.give('d', 'cpus:10;mem:20');
  assert.equal(order.now, 'd b c a');
  order.remove('b');
  assert.equal(order.now, 'd c a');
  order.give('d', 'cpus:10;mem:25');
  assert.equal(order.now, 'c d a');
  order.tree.setWeight('e', 0.1);
  order.add('e');
  order.give('e', 'cpus:1;mem:1');
  assert.equal(order.now, 'c d a e');
  order.remove('a');
  assert.equal(order.now, 'c d e');
});

test('among equal shares the one that was given less often comes first; taking back and suppressing change no counts', () => {
  const order = new Order('cpus:100;mem:100');
  order.add('a', 'b', 'c', 'd', 'e');
  for (const role of ['a', 'b', 'e']) order.give(role, 'cpus:3;mem:3');
  for (let i = 0; i < 3; i++) order.give('c', 'cpus:1;mem:1');
  order.give('d', 'cpus:2;mem:2');
  order.give('d', 'cpus:1;mem:1');
  assert.equal(order.now, 'a b e d c');
  order.take('c', 'cpus:3;mem:3');
  assert.equal(order.now, 'c a b e d');
  order.give('c', 'cpus:3;mem:3');
  assert.equal(order.now, 'a b e d c');
  order.want('c', false);
  order.want('c', true);
  assert.equal(order.now, 'a b e d c');
  order.want('a', false);
  order.take('a', 'cpus:1;mem:3');
  order.give('a', 'cpus:1;mem:3');
  assert.equal(order.now, 'b e d c');
  order.want('a', true);
  assert.equal(order.now, 'b e a d c');
});

test('a subtree stands where the sum of all in it puts it', () => {
  const order = new Order('cpus:100;mem:100');
  order.add('a', 'b/c', 'b/d');
  assert.equal(order.now, 'a b/c b/d');
  order.give('a', 'cpus:6;mem:6');
  assert.equal(order.now, 'b/c b/d a');
  order.give('b/c', 'cpus:4;mem:4');
  order.give('b/d', 'cpus:3;mem:3');
  assert.equal(order.now, 'a b/d b/c');
  order.give('a', 'cpus:2;mem:2');
  assert.equal(order.now, 'b/d b/c a');
  order.add('b/e/f');
  assert.equal(order.now, 'b/e/f b/d b/c a');
  order.give('b/e/f', 'cpus:3.5;mem:3.5');
  assert.equal(order.now, 'a b/d b/e/f b/c');
  order.remove('b/e/f');
  assert.equal(order.tree.get('b/e'), undefined);
  assert.equal(order.now, 'b/d b/c a');
  order.take('b/c', 'cpus:3;mem:3');
  assert.equal(order.now, 'b/c b/d a');
  order.add('b/e/f');
  order.give('b/e/f', 'cpus:3.5;mem:3.5');
  assert.equal(order.now, 'b/c b/d b/e/f a');
});

test('a role with frameworks of its own takes turns with the roles below it', () => {
  const order = new Order('cpus:100;mem:100');
  order.add('a/b', 'c', 'd', 'd/e');
  assert.equal(order.now, 'a/b c d d/e');
  order.give('c', 'cpus:8;mem:8');
  assert.equal(order.now, 'a/b d d/e c');
  order.give('d', 'cpus:3;mem:3');
  order.give('d/e', 'cpus:2;mem:2');
  assert.equal(order.now, 'a/b d/e d c');
  order.give('a/b', 'cpus:6;mem:6');
  assert.equal(order.now, 'd/e d a/b c');
});

test('a role may get roles below it, or frameworks of its own, later; weights are among siblings', () => {
  const order = new Order('cpus:100;mem:100');
  order.add('a', 'b');
  order.give('a', 'cpus:10;mem:10');
  order.give('b', 'cpus:6;mem:6');
  assert.equal(order.now, 'b a');
  order.add('a/c');
  order.give('a/c', 'cpus:5;mem:5');
  assert.equal(order.now, 'b a/c a');
  order.remove('a');
  assert.equal(order.now, 'a/c b');
  order.add('a');
  order.give('a', 'cpus:10;mem:10');
  assert.equal(order.now, 'b a/c a');
  order.tree.setWeight('a/c', 0.2);
  assert.equal(order.now, 'b a a/c');
  order.tree.setWeight('a', 3);
  assert.equal(order.now, 'a a/c b');
  order.tree.setWeight('a/c', 1);
  assert.equal(order.now, 'a/c a b');
});

test('roles that do not want anything count for their parents, but have no turn', () => {
  const order = new Order('cpus:100;mem:100');
  order.add('a', 'b');
  order.give('a', 'cpus:10;mem:10');
  order.give('b', 'cpus:6;mem:6');
  order.want('a', false);
  assert.equal(order.now, 'b');
  order.add('a/c');
  order.give('a/c', 'cpus:5;mem:5');
  assert.equal(order.now, 'b a/c');
  order.remove('a/c');
  assert.equal(order.now, 'b');
  order.want('a', true);
  assert.equal(order.now, 'b a');
});

test('the weight of a role is that of all below it', () => {
  const order = new Order('cpus:100;mem:100');
  order.tree.setWeight('b', 3);
  order.tree.setWeight('a', 2);
  order.add('a/x', 'b/y');
  assert.equal(order.now, 'a/x b/y');
  order.give('a/x', 'cpus:10;mem:10');
  order.give('b/y', 'cpus:10;mem:10');
  assert.equal(order.now, 'b/y a/x');
  order.add('b/z');
  order.give('b/z', 'cpus:5;mem:5');
  assert.equal(order.now, 'b/z b/y a/x');
  order.add('b');
  order.give('b', 'cpus:4;mem:4');
  assert.equal(order.now, 'a/x b b/z b/y');
  order.add('a/zz');
  order.give('a/zz', 'cpus:2;mem:2');
  assert.equal(order.now, 'a/zz a/x b b/z b/y');
});

test('shares are parts of the total: when that changes, so may the order', () => {
  const order = new Order('cpus:10;mem:100');
  order.add('a', 'b');
  order.give('a', 'cpus:2;mem:1');
  order.give('b', 'cpus:1;mem:2');
  assert.equal(order.now, 'b a');
  order.shrink('cpus:10;mem:100');
  order.grow('cpus:100;mem:10');
  assert.equal(order.now, 'a b');

  const agents = new Order('cpus:5;mem:50');
  agents.grow('cpus:5;mem:50');
  agents.add('a', 'b');
  agents.give('a', 'cpus:2;mem:1', '0');
  agents.give('b', 'cpus:1;mem:3', '1');
  assert.equal(agents.now, 'b a');
  agents.grow('cpus:90');
  assert.equal(agents.now, 'a b');
});

test('volumes add up, and what is revocable counts like the rest', () => {
  const order = new Order('cpus:100;mem:100;disk:100');
  order.add('a', 'b');
  order.give('a', 'cpus:9;mem:9;disk:9');
  const volume: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 5 },
    disk: { persistence: { id: 'ID2' }, volume: { container_path: 'data', mode: 'RW' } },
  };
  order.give('b', resources('cpus:9;mem:9').plus([volume, volume]));
  assert.equal(order.now, 'a b');

  const revocable = new Order('cpus:20;mem:100');
  revocable.add('a', 'b');
  revocable.give('a', 'cpus:2;mem:1');
  revocable.give('b', resources('cpus:1;mem:1').plus({ ...[...resources('cpus:9')][0]!, revocable: {} }));
  assert.equal(revocable.now, 'a b');
});

/** A shared volume of the role r. */
function shared(size: number): Resource {
  return {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: size },
    reservations: [{ type: 'DYNAMIC', role: 'r' }],
    disk: { persistence: { id: 'v' }, volume: { container_path: 'v', mode: 'RW' } },
    shared: {},
  };
}

test('a shared volume counts whole for everybody who has it', () => {
  const volume = shared(100);
  const order = new Order('cpus:100;mem:100;disk:1000');
  order.add('a', 'b');
  order.give('a', resources('cpus:5;mem:5').plus(volume));
  order.give('b', 'cpus:6;mem:6');
  assert.equal(order.now, 'b a');
  order.add('c');
  order.give('c', resources('cpus:1;mem:1').plus(volume));
  assert.equal(order.now, 'b a c');
  order.remove('a');
  order.take('b', 'cpus:4;mem:4');
  assert.equal(order.now, 'b c');
  order.add('d');
  order.give('d', resources('cpus:1;mem:5').plus(volume));
  assert.equal(order.now, 'b c d');
});

test('and but once, however many copies somebody has, until the last is given back', () => {
  const volume = shared(100);
  const order = new Order('cpus:100;mem:100;disk:1000');
  order.add('a', 'b');
  order.give('a', resources('cpus:2;mem:2').plus(volume).plus(volume).plus(volume));
  order.give('b', 'cpus:6;mem:6');
  const share = () => order.shares.of(order.tree.get('a')!);
  assert.equal(share(), 0.1);
  order.take('a', Resources.of([volume]));
  assert.equal(share(), 0.1);
  assert.equal(order.now, 'b a');
  order.take('a', Resources.of([volume]).plus(volume));
  assert.equal(share(), 0.02);
  assert.equal(order.now, 'a b');
});
