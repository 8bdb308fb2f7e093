import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import { AGENT_CAPABILITIES, FRAMEWORK_CAPABILITIES, resources, Stage } from './stage.fixture.ts';

describe('sharing', () => {
  test('agents go to whoever has the smallest dominant share', () => {
    // Upstream's own story: HierarchicalAllocatorTest.UnreservedDRF.
    const stage = new Stage();
    stage.agent('1', 'cpus:2;mem:1024');
    stage.framework('f1', 'r1');
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:2; mem:1024']);
    stage.framework('f2', 'r2');
    stage.agent('2', 'cpus:1;mem:512');
    assert.deepEqual(stage.offers(), ['f2 r2 2: cpus:1; mem:512']);
    // r1 has 2/6 of the cpus, r2 1/6.
    stage.agent('3', 'cpus:3;mem:2048');
    assert.deepEqual(stage.offers(), ['f2 r2 3: cpus:3; mem:2048']);
    // r1 2/10, r2 4/10; f3 has nothing yet of r1.
    stage.framework('f3', 'r1');
    stage.agent('4', 'cpus:4;mem:4096');
    assert.deepEqual(stage.offers(), ['f3 r1 4: cpus:4; mem:4096']);
    // f4 is alone in a role that has nothing.
    stage.framework('f4', 'r3');
    stage.agent('5', 'cpus:1;mem:512');
    assert.deepEqual(stage.offers(), ['f4 r3 5: cpus:1; mem:512']);
  });

  test('among equal shares the one that was given less often comes first, then the name decides', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1');
    stage.framework('f2', 'r2');
    stage.agent('1', 'cpus:1;mem:512');
    const turns: string[] = [];
    for (let i = 0; i < 4; i++) {
      const given = stage.allocate();
      turns.push(given[0]!.frameworkId);
      stage.declineAll(given);
    }
    assert.deepEqual(turns, ['f1', 'f2', 'f1', 'f2']);
  });

  test('a role of twice the weight gets twice as much', () => {
    const stage = new Stage();
    stage.allocator.updateWeights([['heavy', 2]]);
    stage.framework('f1', 'heavy');
    stage.framework('f2', 'light');
    for (let i = 0; i < 9; i++) stage.agent(`${i}`, 'cpus:1;mem:512');
    const given = stage.allocate();
    assert.equal(given.filter(({ role }) => role === 'heavy').length, 6);
    assert.equal(given.filter(({ role }) => role === 'light').length, 3);
  });

  test('siblings share what falls to their parent', () => {
    const stage = new Stage();
    stage.framework('f1', 'a/b');
    stage.framework('f2', 'a/c');
    stage.framework('f3', 'd');
    for (let i = 0; i < 8; i++) stage.agent(`${i}`, 'cpus:1;mem:512');
    const given = stage.allocate();
    const count = (role: string) => given.filter((allocation) => allocation.role === role).length;
    assert.deepEqual([count('a/b'), count('a/c'), count('d')], [2, 2, 4]);
  });

  test('the frameworks of an inner role compete with its subroles as one', () => {
    const stage = new Stage();
    stage.framework('f1', 'a');
    stage.framework('f2', 'a');
    stage.framework('f3', 'a/b');
    for (let i = 0; i < 8; i++) stage.agent(`${i}`, 'cpus:1;mem:512');
    const given = stage.allocate();
    const count = (id: string) => given.filter(({ frameworkId }) => frameworkId === id).length;
    assert.deepEqual([count('f1'), count('f2'), count('f3')], [2, 2, 4]);
  });

  test('a resource that is excluded from fair sharing does not count', () => {
    const stage = new Stage({ fairSharingExcluded: new Set(['gpus']) });
    const capabilities = new Set([...FRAMEWORK_CAPABILITIES, 'GPU_RESOURCES']);
    stage.framework('f1', 'r1', { capabilities });
    stage.agent('1', 'cpus:1;mem:100;gpus:1');
    stage.allocate();
    stage.framework('f2', 'r2');
    stage.agent('2', 'cpus:2;mem:200');
    assert.deepEqual(stage.offers(), ['f2 r2 2: cpus:2; mem:200']);
    // r1 holds every GPU, but only a third of the rest.
    stage.agent('3', 'cpus:1;mem:100');
    assert.deepEqual(stage.offers(), ['f1 r1 3: cpus:1; mem:100']);
  });

  test('what frameworks held before they or their agents were known counts', () => {
    const stage = new Stage();
    const used = resources('cpus:3;mem:300').allocate('r1');
    stage.allocator.addAgent('1', {
      info: { hostname: '1' },
      total: resources('cpus:4;mem:400'),
      capabilities: AGENT_CAPABILITIES,
      used: [['f1', used]],
    });
    assert.equal(`${stage.allocator.available('1')}`, 'cpus:1; mem:100');
    stage.framework('f1', 'r1');
    assert.equal(stage.allocator.roleShare('r1'), 0.75);
    stage.framework('f2', 'r2');
    assert.deepEqual(stage.offers(), ['f2 r2 1: cpus:1; mem:100']);
    stage.allocator.removeFramework('f1');
    assert.deepEqual(stage.offers(), ['f2 r2 1: cpus:3; mem:300']);
  });

  test('the random sorter gives in proportion to weights', () => {
    const stage = new Stage({ roleSorter: 'random', frameworkSorter: 'random' });
    stage.allocator.updateWeights([['heavy', 4]]);
    stage.framework('f1', 'heavy');
    stage.framework('f2', 'light');
    stage.framework('f3', 'heavy');
    for (let i = 0; i < 1000; i++) stage.agent(`${i}`, 'cpus:1;mem:512');
    const given = stage.allocate();
    const count = (id: string) => given.filter(({ frameworkId }) => frameworkId === id).length;
    assert.ok(Math.abs(count('f2') - 200) < 60, `${count('f2')} of about 200`);
    assert.ok(Math.abs(count('f1') - 400) < 80, `${count('f1')} of about 400`);
  });

  test('an agent offered in parts leaves nothing out, and nothing is offered twice', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1');
    stage.framework('f2', 'r2');
    stage.agent('1', 'cpus(r1):1;cpus(r2):2;cpus(r3):4;cpus:8;ports:[1-10]');
    // The first takes everything unreserved along; ports come first, as upstream has them.
    assert.deepEqual(stage.offers(), [
      'f1 r1 1: cpus(reservations: [(STATIC,r1)]):1; ports:[1-10]; cpus:8',
      'f2 r2 1: cpus(reservations: [(STATIC,r2)]):2',
    ]);
    assert.deepEqual(stage.offers(), []);
  });
});

describe('reservations', () => {
  test('a role is offered its own reservations and those of the roles above it', () => {
    const stage = new Stage();
    stage.framework('f1', 'a/b');
    stage.agent('1', 'cpus(a):1;cpus(a/b):2;cpus(a/b/c):4;cpus(a/x):8;cpus(ab):16');
    assert.deepEqual(stage.offers(), [
      'f1 a/b 1: cpus(reservations: [(STATIC,a)]):1; cpus(reservations: [(STATIC,a/b)]):2',
    ]);
  });

  test('refined reservations are hidden from frameworks that do not know them', () => {
    const refined: Resource = {
      name: 'cpus',
      type: 'SCALAR',
      scalar: { value: 1 },
      reservations: [
        { type: 'STATIC', role: 'a' },
        { type: 'DYNAMIC', role: 'a/b' },
      ],
    };
    const stage = new Stage();
    stage.agent('1', Resources.of([refined]));
    stage.framework('f1', 'a/b', { capabilities: new Set(['MULTI_ROLE']) });
    assert.deepEqual(stage.offers(), []);
    assert.deepEqual(stage.reasons('f1'), ['a/b LACKS_CAPABILITIES 1']);
    stage.allocator.updateFramework('f1', { roles: ['a/b'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.equal(stage.offers().length, 1);
  });

  test('an operation changes what is held and what the agent has', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1');
    stage.agent('1', 'cpus:2;mem:100');
    const [given] = stage.allocate();
    const before = resources('cpus:1').allocate('r1');
    const after = resources('cpus(r1):1').allocate('r1');
    stage.allocator.updateAllocation('f1', '1', before, after);
    stage.allocator.recoverResources('f1', '1', given!.resources.minus(before).plus(after), undefined, 0);
    stage.allocator.removeFramework('f1');
    stage.framework('f2', 'r2');
    assert.deepEqual(stage.offers(), ['f2 r2 1: cpus:1; mem:100']);
  });

  test('an operator reserves only what is free', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:2');
    assert.equal(stage.allocator.updateAvailable('1', resources('cpus:1'), resources('cpus(r1):1')), true);
    assert.equal(stage.allocator.updateAvailable('1', resources('cpus:2'), resources('cpus(r1):2')), false);
    assert.equal(`${stage.allocator.available('1')}`, 'cpus:1; cpus(reservations: [(STATIC,r1)]):1');
  });
});
