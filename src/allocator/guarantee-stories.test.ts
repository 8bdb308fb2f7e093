/** Guarantees and limits in situations that upstream's tests of its allocator set up, with their figures. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import { AGENT_CAPABILITIES, FRAMEWORK_CAPABILITIES, quantities, resources, Stage } from './stage.fixture.ts';

/** As upstream's tests mean it: a guarantee that is the limit too. */
function quota(stage: Stage, role: string, text: string): void {
  const amounts = Object.fromEntries(quantities(text));
  stage.allocator.updateQuota(role, { guarantees: amounts, limits: amounts });
}

function holding(stage: Stage, id: string, total: string, frameworkId: string, role: string, held = total): void {
  stage.allocator.addAgent(id, {
    info: { hostname: id },
    total: resources(total),
    capabilities: AGENT_CAPABILITIES,
    used: [[frameworkId, resources(held).allocate(role)]],
  });
}

const reserved = (role: string, text: string): Resources =>
  resources(text).pushReservation({ type: 'DYNAMIC', role, principal: 'ops' });

describe('guarantees', () => {
  test('a role that has its guarantee takes part in nothing more if that is its limit', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:0.25;mem:128');
    stage.framework('f1', 'q');
    stage.framework('f2', 'r');
    holding(stage, '1', 'cpus:1;mem:512', 'f1', 'q', 'cpus:0.25;mem:128');
    assert.deepEqual(stage.offers(), ['f2 r 1: cpus:0.75; mem:384']);
    stage.agent('2', 'cpus:1;mem:512');
    assert.deepEqual(stage.offers(), ['f2 r 2: cpus:1; mem:512']);
  });

  test('a guarantee helps one who is starved by others that decline over and over', () => {
    const stage = new Stage();
    stage.framework('f1', 'q');
    stage.framework('f2', 'r');
    holding(stage, '1', 'cpus:1;mem:512', 'f1', 'q');
    stage.agent('2', 'cpus:1;mem:512');
    for (let i = 0; i < 3; i++) {
      const given = stage.allocate();
      assert.equal(given[0]!.frameworkId, 'f2');
      stage.declineAll(given, 0);
    }
    quota(stage, 'q', 'cpus:2;mem:1024');
    assert.deepEqual(stage.offers(), ['f1 q 2: cpus:1; mem:512']);
  });

  test('a removed quota holds nothing back', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:2;mem:1024');
    stage.framework('f1', 'q');
    stage.framework('f2', 'r');
    for (const id of ['1', '2']) holding(stage, id, 'cpus:1;mem:512', 'f1', 'q');
    stage.allocator.updateQuota('q', undefined);
    stage.allocator.recoverResources('f1', '1', resources('cpus:1;mem:512').allocate('q'), undefined, 0);
    assert.deepEqual(stage.offers(), ['f2 r 1: cpus:1; mem:512']);
  });

  test('within a role with a guarantee frameworks share, and one gets what another declines', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:4;mem:2048');
    stage.framework('a', 'q');
    stage.framework('other', 'r');
    stage.agent('1', 'cpus:1;mem:512');
    assert.equal(stage.allocate()[0]!.frameworkId, 'a');
    stage.framework('b', 'q');
    stage.agent('2', 'cpus:2;mem:1024');
    assert.equal(stage.allocate()[0]!.frameworkId, 'b');
    stage.agent('3', 'cpus:1;mem:512');
    const third = stage.allocate();
    assert.equal(third[0]!.frameworkId, 'a');
    stage.declineAll(third, 5);
    assert.deepEqual(stage.offers(), ['b q 3: cpus:1; mem:512']);
  });

  test('an absent framework keeps what its guarantee needs, and not a whole agent more', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:2;mem:1024');
    stage.framework('f', 'r');
    stage.agent('1', 'cpus:2;mem:1024');
    assert.deepEqual(stage.offers(), []);
    stage.agent('2', 'cpus:2;mem:1024');
    assert.equal(stage.allocate().length, 1);
    assert.deepEqual(stage.offers(), []);
  });

  test('a guarantee that nobody uses does not stand in the way of another that is lacking', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:2;mem:2048');
    quota(stage, 'q1', 'cpus:1;mem:1024');
    quota(stage, 'q2', 'cpus:2;mem:2048');
    stage.framework('f', 'q2');
    assert.deepEqual(stage.offers(), ['f q2 1: cpus:2; mem:2048']);
  });

  test('of two roles with guarantees the one that lacks something comes first, whatever the shares', () => {
    const stage = new Stage();
    quota(stage, 'q1', 'cpus:1;mem:200');
    quota(stage, 'q2', 'cpus:2;mem:2000');
    stage.framework('f1', 'q1');
    stage.framework('f2', 'q2');
    holding(stage, '1', 'cpus:1;mem:1024', 'f1', 'q1');
    holding(stage, '2', 'cpus:1;mem:1024', 'f2', 'q2');
    stage.agent('3', 'cpus:2;mem:2048');
    assert.deepEqual(stage.offers(), ['f2 q2 3: cpus:1; mem:976']);
  });

  test('a guarantee may be met of one resource and lacking of another', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:4;mem:1024');
    stage.framework('f', 'q');
    stage.agent('1', 'cpus:2;mem:1024');
    assert.deepEqual(stage.offers(), ['f q 1: cpus:2; mem:1024']);
    stage.agent('2', 'cpus:2;mem:1024');
    assert.deepEqual(stage.offers(), ['f q 2: cpus:2']);
  });

  test('what is not in the quota is given along, as far as nobody else has a guarantee of it', () => {
    const stage = new Stage();
    quota(stage, 'q1', 'cpus:2');
    stage.agent('1', 'cpus:1;mem:1024;ports:[1-9]');
    stage.framework('f', 'q1');
    assert.deepEqual(stage.offers(), ['f q1 1: ports:[1-9]; cpus:1; mem:1024']);
    quota(stage, 'q2', 'mem:1024');
    stage.agent('2', 'cpus:1;mem:1024;ports:[1-9]');
    assert.deepEqual(stage.offers(), ['f q1 2: ports:[1-9]; cpus:1']);
    stage.agent('3', 'cpus:1;mem:1024;ports:[1-9]');
    const rest = stage.allocate();
    assert.equal(`${Resources.sum(rest.map((one) => one.resources)).scalarQuantities()}`, 'mem:1024');
  });

  test('a disk that cannot be cut goes to a guarantee whole, or not at all', () => {
    const mount: Resource = {
      name: 'disk',
      type: 'SCALAR',
      scalar: { value: 100 },
      disk: { source: { type: 'MOUNT', mount: { root: '/mnt' } } },
    };
    const stage = new Stage();
    quota(stage, 'q', 'cpus:2;mem:2048;disk:150');
    stage.agent('1', resources('cpus:0.5;mem:512').plus(mount));
    stage.framework('f', 'q');
    const amounts = () => stage.allocate().map((one) => `${one.resources.scalarQuantities()}`);
    assert.deepEqual(amounts(), ['cpus:0.5; disk:100; mem:512']);
    stage.agent('2', resources('cpus:0.5;mem:512').plus(mount));
    assert.deepEqual(amounts(), ['cpus:0.5; mem:512']);
    stage.agent('3', 'cpus:2;mem:2048;disk:150');
    assert.deepEqual(amounts(), ['cpus:1; disk:50; mem:1024']);
  });

  test('several disks of an agent count together', () => {
    const path: Resource = {
      name: 'disk',
      type: 'SCALAR',
      scalar: { value: 50 },
      disk: { source: { type: 'PATH', path: { root: '/p' } } },
    };
    const stage = new Stage();
    quota(stage, 'q', 'cpus:1;mem:512;disk:100');
    stage.agent('1', resources('cpus:1;mem:512;disk:50').plus(path));
    stage.framework('f', 'q');
    assert.deepEqual(
      stage.allocate().map((one) => `${one.resources.scalarQuantities()}`),
      ['cpus:1; disk:100; mem:512'],
    );
  });
});

describe('guarantees and reservations', () => {
  test('a reservation to the role itself counts, whether it is wanted or declined', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus(q):1;mem(q):1024');
    quota(stage, 'q', 'cpus:1;mem:1024');
    stage.framework('f', 'q');
    const given = stage.allocate();
    assert.equal(given.length, 1);
    stage.declineAll(given, 86_400);
    stage.agent('2', 'cpus:1;mem:1024');
    assert.deepEqual(stage.offers(), []);
  });

  test('what is not reserved fills the guarantee up to its limit', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus(q):1;mem(q):1024');
    quota(stage, 'q', 'cpus:2;mem:2048');
    stage.framework('f', 'q');
    assert.equal(stage.allocate().length, 1);
    stage.agent('2', 'cpus:1;mem:1024');
    assert.deepEqual(stage.offers(), ['f q 2: cpus:1; mem:1024']);
    stage.agent('3', 'cpus:1;mem:1024');
    assert.deepEqual(stage.offers(), []);
  });

  test('what is reserved to others helps no guarantee, and is theirs', () => {
    const stage = new Stage();
    stage.agent('1', resources('cpus:2;mem:2048').plus(reserved('r', 'cpus:2;mem:2048')));
    quota(stage, 'q', 'cpus:2;mem:2048');
    stage.framework('f1', 'q');
    const given = stage.allocate();
    assert.deepEqual(given[0]!.resources.reserved().isEmpty, true);
    stage.declineAll(given, 86_400);
    stage.framework('f2', 'r');
    const [own, ...more] = stage.allocate();
    assert.deepEqual(more, []);
    assert.ok(own!.resources.unallocate().equals(reserved('r', 'cpus:2;mem:2048')));
  });

  test('reserving and unreserving what it holds changes nothing of what a role lacks', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:10;mem:1024');
    stage.framework('f', 'q');
    stage.agent('1', 'cpus:5;mem:512');
    const [given] = stage.allocate();
    const before = given!.resources;
    const after = reserved('q', 'cpus:5;mem:512').allocate('q');
    stage.allocator.updateAllocation('f', '1', before, after);
    assert.equal(`${stage.allocator.quotaConsumed('q')}`, 'cpus:5; mem:512');
    stage.agent('2', 'cpus:10;mem:1024');
    assert.deepEqual(stage.offers(), ['f q 2: cpus:5; mem:512']);
    stage.allocator.updateAllocation('f', '1', after, before);
    assert.deepEqual(stage.offers(), []);
  });

  test('a role with more reservations than guarantees needs no headroom, and lends none', () => {
    const stage = new Stage();
    quota(stage, 'with', 'cpus:1;mem:1024');
    quota(stage, 'without', 'cpus:1;mem:1024');
    stage.agent('1', reserved('with', 'cpus:2;mem:2048'));
    stage.agent('2', 'cpus:1;mem:1024');
    stage.framework('f', 'r');
    assert.deepEqual(stage.offers(), []);
    stage.agent('3', 'cpus:1;mem:1024');
    assert.equal(stage.allocate().length, 1);
    assert.deepEqual(stage.offers(), []);
  });

  test('an operator may reserve what is free: others may be kept from it without more being held back', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:4;mem:512');
    stage.agent('2', 'cpus:4;mem:512');
    assert.ok(stage.allocator.updateAvailable('2', resources('cpus:4;mem:512'), reserved('r', 'cpus:4;mem:512')));
    stage.framework('f1', 'q');
    quota(stage, 'q', 'cpus:4;mem:512');
    const first = stage.allocate();
    assert.deepEqual(
      first.map(({ agentId }) => agentId),
      ['1'],
    );
    stage.declineAll(first, 10);
    stage.framework('f2', 'r');
    const second = stage.allocate();
    assert.deepEqual(
      second.map(({ agentId, frameworkId }) => [agentId, frameworkId]),
      [['2', 'f2']],
    );
    stage.declineAll(second, 10);
    assert.deepEqual(stage.offers(), []);
  });

  test('a shared volume counts once towards a guarantee, however often it is offered', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:3;mem:2048;disk:100');
    stage.agent('1', reserved('q', 'cpus:2;mem:1024;disk:50'));
    stage.framework('f', 'q', { capabilities: new Set([...FRAMEWORK_CAPABILITIES, 'SHARED_RESOURCES']) });
    stage.allocate();
    const disk = [...reserved('q', 'disk:50')][0]!;
    const volume: Resource = {
      ...disk,
      disk: { persistence: { id: 'v' }, volume: { container_path: 'v', mode: 'RW' } },
      shared: {},
    };
    stage.allocator.updateAllocation(
      'f',
      '1',
      Resources.of([disk]).allocate('q'),
      Resources.of([volume]).allocate('q'),
    );
    stage.allocator.recoverResources('f', '1', reserved('q', 'cpus:1;mem:512').allocate('q'), undefined, 0);
    const [again] = stage.allocate();
    assert.equal(`${again!.resources.scalarQuantities()}`, 'cpus:1; disk:50; mem:512');
    assert.equal(`${stage.allocator.quotaConsumed('q')}`, 'cpus:2; disk:50; mem:1024');
    stage.agent('2', 'cpus:1;mem:1024;disk:50');
    const second = stage.allocate().find(({ agentId }) => agentId === '2');
    assert.equal(`${second?.resources.scalarQuantities()}`, 'cpus:1; disk:50; mem:1024');
    stage.agent('3', 'cpus:0.5;mem:512;disk:50');
    assert.deepEqual(
      stage.allocate().filter(({ agentId }) => agentId === '3'),
      [],
    );
  });
});

describe('guarantees and roles below', () => {
  test('a reservation of the role above that a role below holds is no headroom, and counts once', () => {
    const stage = new Stage();
    quota(stage, 'q', 'cpus:1;mem:1024');
    stage.agent('1', 'cpus(a):1;mem(a):1024');
    stage.framework('f1', 'a/b');
    assert.equal(stage.allocate().length, 1);
    stage.framework('f2', 'r');
    assert.deepEqual(stage.offers(), []);
    stage.agent('2', 'cpus:1;mem:1024');
    stage.agent('3', 'cpus:1;mem:1024');
    const given = stage.allocate();
    assert.deepEqual(
      given.map(({ frameworkId }) => frameworkId),
      ['f2'],
    );
  });

  test('a reservation to a role below counts towards the guarantee of the role above', () => {
    const stage = new Stage();
    quota(stage, 'a', 'cpus:2;mem:200');
    stage.agent('1', 'cpus(a/b):1;mem(a/b):100');
    stage.agent('2', 'cpus:10;mem:1000');
    stage.framework('f', 'a');
    assert.deepEqual(stage.offers(), ['f a 2: cpus:1; mem:100']);
  });

  test('what roles below were given is no headroom for others', () => {
    const stage = new Stage();
    stage.framework('f1', 'a/b');
    stage.agent('1', 'cpus:1;mem:100');
    assert.equal(stage.allocate()[0]!.role, 'a/b');
    stage.framework('f2', 'a');
    stage.agent('2', 'cpus:1;mem:100');
    assert.equal(stage.allocate()[0]!.role, 'a');
    quota(stage, 'q', 'cpus:1;mem:100');
    stage.agent('3', 'cpus:1;mem:100');
    assert.deepEqual(stage.offers(), []);
    stage.agent('4', 'cpus:1;mem:100');
    assert.equal(stage.allocate().length, 1);
    assert.deepEqual(stage.offers(), []);
  });
});
