/** Situations that upstream's tests of its allocator set up, with their figures. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import { AGENT_CAPABILITIES, quantities, resources, Stage } from './stage.fixture.ts';

/** As upstream's tests mean it: a guarantee that is the limit too. */
function quota(stage: Stage, role: string, text: string): void {
  const amounts = Object.fromEntries(quantities(text));
  stage.allocator.updateQuota(role, { guarantees: amounts, limits: amounts });
}

const reserved = (role: string, text: string): Resources =>
  resources(text).pushReservation({ type: 'DYNAMIC', role, principal: 'ops' });

function revocable(cpus: number): Resource {
  return { name: 'cpus', type: 'SCALAR', scalar: { value: cpus }, revocable: {} };
}

describe('sharing', () => {
  test('reserved resources count for the shares of roles, and of frameworks in a role', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:1;mem:512;cpus(r1):100;mem(r1):1024');
    stage.framework('f1', 'r1');
    assert.equal(stage.offers().length, 1);
    stage.framework('f2', 'r2');
    for (const id of ['2', '3']) {
      stage.agent(id, 'cpus:2;mem:512');
      assert.deepEqual(stage.offers(), [`f2 r2 ${id}: cpus:2; mem:512`]);
    }
    stage.framework('f3', 'r1');
    stage.agent('4', 'cpus(r1):2;mem(r1):1024');
    assert.equal(stage.allocate()[0]!.frameworkId, 'f3');
  });

  test('weights that change move what is offered from then on', () => {
    const stage = new Stage();
    for (let i = 0; i < 6; i++) stage.agent(`${i}`, 'cpus:2;mem:1024');
    stage.framework('f1', 'r1');
    stage.framework('f2', 'r2');
    const round = (): Record<string, number> => {
      const given = stage.allocate();
      stage.declineAll(given);
      const count = (role: string) => given.filter((one) => one.role === role).length;
      return { r1: count('r1'), r2: count('r2'), r3: count('r3') };
    };
    assert.deepEqual(round(), { r1: 3, r2: 3, r3: 0 });
    stage.allocator.updateWeights([['r2', 2]]);
    assert.deepEqual(round(), { r1: 2, r2: 4, r3: 0 });
    stage.allocator.updateWeights([['r3', 3]]);
    stage.framework('f3', 'r3');
    assert.deepEqual(round(), { r1: 1, r2: 2, r3: 3 });
  });

  test('what a removed agent held is given back to nobody, and counts for nobody', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:2;mem:200');
    stage.framework('f1', 'r');
    stage.allocate();
    stage.framework('f2', 'r');
    stage.agent('2', 'cpus:1;mem:100');
    assert.equal(stage.allocate()[0]!.frameworkId, 'f2');
    stage.allocator.removeAgent('1');
    stage.agent('3', 'cpus:1;mem:100');
    assert.equal(stage.allocate()[0]!.frameworkId, 'f1');
  });

  test('one who cannot take anything of an agent does not stand in the way of the next', () => {
    const stage = new Stage();
    stage.framework('f1', 'a/b');
    stage.agent('1', 'cpus:1;mem:1');
    stage.allocate();
    stage.framework('f2', 'a/b', { capabilities: new Set(['MULTI_ROLE']) });
    stage.agent('2', reserved('a', 'cpus:1').pushReservation({ type: 'DYNAMIC', role: 'a/b' }));
    assert.equal(stage.allocate()[0]!.frameworkId, 'f1');
  });

  test('a role far down is offered what is reserved to any role above it', () => {
    const stage = new Stage();
    stage.framework('f', 'a/b/c');
    stage.agent('1', 'cpus(a):1;mem(a):512');
    stage.agent('2', 'cpus:2;cpus(a/b):4;cpus(a/x):8');
    const [first, second] = stage.allocate();
    assert.equal(first!.resources.scalar('cpus'), 1000);
    assert.equal(second!.resources.scalar('cpus'), 6000);
  });
});

describe('agents that change', () => {
  test('what a resource provider brings counts as held by those who hold it', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1', { suppressedRoles: ['r1'] });
    stage.framework('f2', 'r2');
    stage.agent('1', 'cpus:1;mem:100;disk:10');
    const twice = resources('cpus:2;mem:200;disk:20');
    stage.allocator.addResourceProvider('1', twice, [['f1', twice.allocate('r1')]]);
    assert.deepEqual(stage.offers(), ['f2 r2 1: cpus:1; mem:100; disk:10']);
    stage.allocator.revive('f1');
    assert.deepEqual(stage.offers(), []);
    stage.agent('2', 'cpus:1;mem:100;disk:10');
    assert.deepEqual(stage.offers(), ['f2 r2 2: cpus:1; mem:100; disk:10']);
  });

  test('what is held of a resource provider without any resources is taken from the agent', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:2;mem:200');
    stage.framework('f', 'r');
    stage.allocator.addResourceProvider('1', Resources.EMPTY, [['f', resources('cpus:1;mem:100').allocate('r')]]);
    assert.deepEqual(stage.offers(), ['f r 1: cpus:1; mem:100']);
  });

  test('oversubscribed resources come and go', () => {
    const stage = new Stage();
    const own = resources('cpus:100;mem:100');
    stage.agent('1', own);
    stage.framework('f', 'r', { capabilities: new Set(['MULTI_ROLE', 'REVOCABLE_RESOURCES']) });
    stage.allocate();
    const update = (cpus: number) => stage.allocator.updateAgent('1', { total: own.plus(revocable(cpus)) });
    update(10);
    assert.deepEqual(stage.offers(), ['f r 1: cpus{REV}:10']);
    update(12);
    assert.deepEqual(stage.offers(), ['f r 1: cpus{REV}:2']);
    update(5);
    assert.deepEqual(stage.offers(), []);
    const back = Resources.of([revocable(9)])
      .plus(resources('cpus:2'))
      .allocate('r');
    stage.allocator.recoverResources('f', '1', back, undefined, 0);
    assert.deepEqual(
      stage.offers(),
      ['f r 1: cpus{REV}:2; cpus:2'],
      'of twelve three are still held, of five two are free',
    );
    update(5);
    assert.equal(stage.allocator.updateAgent('1', { total: own.plus(revocable(5)) }), false);
  });

  test('the total of an agent may fall below what is held, and grow again', () => {
    const stage = new Stage();
    const total = (text: string) => stage.allocator.updateAgent('1', { total: resources(text) });
    stage.agent('1', 'cpus:100;mem:100;disk:100');
    stage.framework('f', 'r');
    const first = stage.allocate();
    total('cpus:112;mem:100;disk:100');
    assert.deepEqual(stage.offers(), ['f r 1: cpus:12']);
    total('cpus:50;mem:50;disk:50');
    assert.deepEqual(stage.offers(), []);
    stage.declineAll(first);
    stage.allocator.recoverResources('f', '1', resources('cpus:12').allocate('r'), undefined, 0);
    assert.deepEqual(stage.offers(), ['f r 1: cpus:50; mem:50; disk:50']);
    total('cpus:100;mem:100;disk:100');
    assert.deepEqual(stage.offers(), ['f r 1: cpus:50; mem:50; disk:50']);
  });

  test('an agent that learns MULTI_ROLE is offered to those who need it', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:1;mem:1', {}, new Set());
    stage.framework('f', 'r');
    assert.deepEqual(stage.offers(), []);
    assert.equal(stage.allocator.updateAgent('1', { capabilities: AGENT_CAPABILITIES }), true);
    assert.equal(stage.offers().length, 1);
  });

  test('reservations of ports alone are counted and forgotten', () => {
    const stage = new Stage();
    for (const id of ['1', '2']) stage.agent(id, 'cpus:1;ports(r):[1-2]');
    quota(stage, 'r', 'cpus:1');
    for (const id of ['1', '2']) stage.allocator.removeAgent(id);
    assert.equal(`${stage.allocator.quotaConsumed('r')}`, '');
  });

  test('parts that come back are offered again as parts', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus(r):1;mem(r):200;cpus:1;mem:200');
    stage.framework('f', 'r');
    const [all] = stage.allocate();
    for (const part of [all!.resources.reserved('r'), all!.resources.unreserved()]) {
      stage.allocator.recoverResources('f', '1', part, undefined, 0);
      const [again] = stage.allocate();
      assert.ok(again!.resources.equals(part));
    }
  });
});
