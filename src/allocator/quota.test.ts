import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { parseResources } from '../resources/parse.ts';
import { Resources } from '../resources/resources.ts';
import type { Allocation, Allocator } from './allocator.ts';
import { createAllocator } from './hierarchical.ts';

const CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);

function parse(text: string): Resources {
  const parsed = parseResources(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

/** Frameworks `f-role` by role, agents by their text. */
function cluster(roles: readonly string[], agents: readonly string[]): Allocator {
  const allocator = createAllocator();
  for (const role of roles) {
    allocator.addFramework(`f-${role}`, { roles: [role], capabilities: CAPABILITIES, active: true });
  }
  for (const [i, text] of agents.entries()) addAgent(allocator, `${i}`, text);
  return allocator;
}

function addAgent(allocator: Allocator, id: string, text: string): void {
  allocator.addAgent(id, { info: { hostname: id }, total: parse(text), capabilities: CAPABILITIES });
}

function allocate(allocator: Allocator): Allocation[] {
  return allocator.allocate(0, seededRandom(3));
}

/** What each role was given, all agents together. */
function given(allocations: readonly Allocation[]): Record<string, string> {
  const sums = new Map<string, Resources>();
  for (const { role, resources } of allocations) {
    sums.set(role, (sums.get(role) ?? Resources.EMPTY).plus(resources.unallocate()));
  }
  return Object.fromEntries([...sums].sort().map(([role, sum]) => [role, `${sum.scalarQuantities()}`]));
}

test('a role is given no more than its limits, and what has no limit whole', () => {
  const allocator = cluster(['a'], ['cpus:8;mem:800;ports:[1-2]']);
  allocator.updateQuota('a', { guarantees: {}, limits: { cpus: 3000 } });
  assert.deepEqual(given(allocate(allocator)), { a: 'cpus:3; mem:800' });
  assert.equal(`${allocator.available('0')}`, 'cpus:5');
  assert.deepEqual(allocate(allocator), []);
  assert.deepEqual(
    allocator.explain('f-a', 0).map(({ reason }) => reason),
    ['QUOTA_LIMIT'],
  );
  allocator.updateQuota('a', { guarantees: {}, limits: { cpus: 5000 } });
  assert.deepEqual(given(allocate(allocator)), { a: 'cpus:2' });
});

test('the limit of a role holds for all roles below it together', () => {
  const allocator = cluster(['a/x', 'a/y', 'b'], ['cpus:1', 'cpus:1', 'cpus:1', 'cpus:1', 'cpus:1', 'cpus:1']);
  allocator.updateQuota('a', { guarantees: {}, limits: { cpus: 2000 } });
  assert.deepEqual(given(allocate(allocator)), { 'a/x': 'cpus:1', 'a/y': 'cpus:1', b: 'cpus:4' });
});

test('reservations count as consumed, in use or not', () => {
  const allocator = cluster(['a'], ['cpus(a):2;cpus:4']);
  allocator.updateQuota('a', { guarantees: {}, limits: { cpus: 3000 } });
  assert.deepEqual(given(allocate(allocator)), { a: 'cpus:3' });
});

test('what is missing to a guarantee is kept from others, whether or not anybody is there to use it', () => {
  const allocator = cluster(['b'], ['cpus:2', 'cpus:2', 'cpus:2']);
  allocator.updateQuota('a', { guarantees: { cpus: 4000 }, limits: {} });
  assert.deepEqual(given(allocate(allocator)), { b: 'cpus:2' });
  assert.deepEqual(
    allocator
      .explain('f-b', 0)
      .map(({ reason }) => reason)
      .sort(),
    ['NOTHING_FREE', 'QUOTA_HELD_BACK'],
  );
  allocator.addFramework('f-a', { roles: ['a'], capabilities: CAPABILITIES, active: true });
  assert.deepEqual(given(allocate(allocator)), { a: 'cpus:4' });
});

test('guarantees come before shares', () => {
  const allocator = cluster(['a', 'b'], []);
  addAgent(allocator, '0', 'cpus:4;mem:400');
  assert.deepEqual(given(allocate(allocator)), { a: 'cpus:4; mem:400' });
  allocator.updateQuota('a', { guarantees: { cpus: 8000 }, limits: {} });
  // By shares it would be the turn of b.
  addAgent(allocator, '1', 'cpus:4;mem:400');
  assert.deepEqual(given(allocate(allocator)), { a: 'cpus:4; mem:400' });
  addAgent(allocator, '2', 'cpus:4;mem:400');
  assert.deepEqual(given(allocate(allocator)), { b: 'cpus:4; mem:400' });
});

test('what a guarantee does not need of an agent goes along with it, within the limits', () => {
  const allocator = cluster(['a', 'b'], ['cpus:4;mem:400;disk:10;ports:[1-9]']);
  allocator.updateQuota('a', { guarantees: { cpus: 1000 }, limits: { cpus: 2000, mem: 100_000 } });
  const allocations = allocate(allocator);
  assert.deepEqual(given(allocations), { a: 'cpus:2; disk:10; mem:100', b: 'cpus:2; mem:300' });
  assert.deepEqual(
    allocations.map(({ resources }) => resources.ranges('ports').length > 0),
    [true, false],
  );
});

test('one agent is offered to a role in one piece even if two stages gave of it', () => {
  const allocator = cluster(['a'], ['cpus(a):1;cpus:4;mem:400']);
  allocator.updateQuota('a', { guarantees: { cpus: 2000, mem: 100_000 }, limits: {} });
  assert.equal(allocate(allocator).length, 1);
  assert.equal(`${allocator.available('0')}`, '{}');
});

test('resources that come back to a limited role are given on, also those held back elsewhere', () => {
  const allocator = cluster(['a'], ['cpus:2', 'cpus:2']);
  allocator.updateQuota('a', { guarantees: {}, limits: { cpus: 2000 } });
  const [first] = allocate(allocator);
  assert.deepEqual(allocate(allocator), []);
  allocator.recoverResources('f-a', first!.agentId, first!.resources, 3600, 0);
  const [second] = allocate(allocator);
  assert.notEqual(second!.agentId, first!.agentId);
  assert.equal(second!.resources.scalar('cpus'), 2000);
});

test('a guarantee that is met with reservations alone keeps nothing from others', () => {
  const allocator = cluster(['b'], ['cpus(a):4;cpus:4']);
  allocator.updateQuota('a', { guarantees: { cpus: 4000 }, limits: {} });
  assert.deepEqual(given(allocate(allocator)), { b: 'cpus:4' });
});

test('revocable resources are no headroom, and no consumption', () => {
  const allocator = cluster([], []);
  const revocable = [...parse('cpus:4')].map((resource) => ({ ...resource, revocable: {} }));
  allocator.addAgent('0', {
    info: { hostname: '0' },
    total: parse('cpus:4').plus(revocable),
    capabilities: CAPABILITIES,
  });
  allocator.updateQuota('a', { guarantees: { cpus: 4000 }, limits: {} });
  const capabilities = new Set([...CAPABILITIES, 'REVOCABLE_RESOURCES']);
  allocator.addFramework('f-b', { roles: ['b'], capabilities, active: true });
  const [one] = allocate(allocator);
  assert.equal(`${one!.resources.unallocate()}`, 'cpus{REV}:4');
});

test('what a disk cannot be cut to is not given', () => {
  const allocator = cluster(['a'], []);
  const mount = { type: 'MOUNT' as const, mount: { root: '/mnt' } };
  const total = Resources.of([
    { name: 'disk', type: 'SCALAR', scalar: { value: 100 }, disk: { source: mount } },
    { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } },
  ]);
  allocator.addAgent('0', { info: { hostname: '0' }, total, capabilities: CAPABILITIES });
  allocator.updateQuota('a', { guarantees: {}, limits: { disk: 50_000 } });
  assert.deepEqual(given(allocate(allocator)), { a: 'cpus:1' });
});

test('many roles with guarantees all get theirs', () => {
  const roles = Array.from({ length: 30 }, (_, i) => `r${i}`);
  const allocator = cluster(
    roles,
    roles.map(() => 'cpus:2'),
  );
  for (const [i, role] of roles.entries()) {
    const amount = { cpus: i < 25 ? 1000 : 4000 };
    allocator.updateQuota(role, { guarantees: amount, limits: amount });
  }
  const sums = given(allocate(allocator));
  for (const [i, role] of roles.entries()) assert.equal(sums[role], i < 25 ? 'cpus:1' : 'cpus:4');
});
