import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { parseResources } from '../resources/parse.ts';
import { Quantities } from '../resources/quantities.ts';
import { Resources } from '../resources/resources.ts';
import type { AgentInfo, Resource } from '../wire/v1.ts';
import type { Allocation, Allocator, AllocatorOptions, FrameworkSpec } from './allocator.ts';
import { compileOfferConstraints } from './constraints.ts';
import { createAllocator } from './hierarchical.ts';

const AGENT_CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);
const FRAMEWORK_CAPABILITIES = new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT']);

function resources(text: string): Resources {
  const parsed = parseResources(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return parsed.value;
}

function quantities(text: string): Quantities {
  const parsed = Quantities.fromText(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

/** An allocator with a clock, so that tests read as stories. */
class Bench {
  readonly allocator: Allocator;
  now = 0;
  private readonly random = seededRandom(7);

  constructor(options: AllocatorOptions = {}) {
    this.allocator = createAllocator(options);
  }

  agent(id: string, total: string | Resources, info: Partial<AgentInfo> = {}, capabilities = AGENT_CAPABILITIES): void {
    this.allocator.addAgent(id, {
      info: { hostname: id, ...info },
      total: typeof total === 'string' ? resources(total) : total,
      capabilities,
    });
  }

  framework(id: string, roles: string | string[], spec: Partial<FrameworkSpec> = {}): void {
    this.allocator.addFramework(id, {
      roles: [roles].flat(),
      capabilities: FRAMEWORK_CAPABILITIES,
      active: true,
      ...spec,
    });
  }

  /** One allocation, as `framework role agent: resources`, sorted. */
  offers(agentIds?: string[]): string[] {
    return this.allocate(agentIds).map(
      ({ frameworkId, role, agentId, resources }) => `${frameworkId} ${role} ${agentId}: ${resources.unallocate()}`,
    );
  }

  allocate(agentIds?: string[]): Allocation[] {
    return this.allocator
      .allocate(this.now, this.random, agentIds)
      .sort((a, b) => (`${a.frameworkId} ${a.role} ${a.agentId}` < `${b.frameworkId} ${b.role} ${b.agentId}` ? -1 : 1));
  }

  decline({ frameworkId, agentId, resources }: Allocation, refuseSeconds?: number): void {
    this.allocator.recoverResources(frameworkId, agentId, resources, refuseSeconds, this.now);
  }

  /** Everything on one agent declined, without a filter. */
  declineAll(allocations: Allocation[], refuseSeconds?: number): void {
    for (const allocation of allocations) this.decline(allocation, refuseSeconds);
  }

  reasons(frameworkId: string): string[] {
    return this.allocator
      .explain(frameworkId, this.now)
      .map(({ role, reason, agents }) => `${role} ${reason} ${agents}`);
  }
}

describe('sharing', () => {
  test('agents go to whoever has the smallest dominant share', () => {
    // Upstream's own story: HierarchicalAllocatorTest.UnreservedDRF.
    const bench = new Bench();
    bench.agent('1', 'cpus:2;mem:1024');
    bench.framework('f1', 'r1');
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:2; mem:1024']);
    bench.framework('f2', 'r2');
    bench.agent('2', 'cpus:1;mem:512');
    assert.deepEqual(bench.offers(), ['f2 r2 2: cpus:1; mem:512']);
    // r1 has 2/6 of the cpus, r2 1/6.
    bench.agent('3', 'cpus:3;mem:2048');
    assert.deepEqual(bench.offers(), ['f2 r2 3: cpus:3; mem:2048']);
    // r1 2/10, r2 4/10; f3 has nothing yet of r1.
    bench.framework('f3', 'r1');
    bench.agent('4', 'cpus:4;mem:4096');
    assert.deepEqual(bench.offers(), ['f3 r1 4: cpus:4; mem:4096']);
    // f4 is alone in a role that has nothing.
    bench.framework('f4', 'r3');
    bench.agent('5', 'cpus:1;mem:512');
    assert.deepEqual(bench.offers(), ['f4 r3 5: cpus:1; mem:512']);
  });

  test('among equal shares the one that was given less often comes first, then the name decides', () => {
    const bench = new Bench();
    bench.framework('f1', 'r1');
    bench.framework('f2', 'r2');
    bench.agent('1', 'cpus:1;mem:512');
    const turns: string[] = [];
    for (let i = 0; i < 4; i++) {
      const given = bench.allocate();
      turns.push(given[0]!.frameworkId);
      bench.declineAll(given);
    }
    assert.deepEqual(turns, ['f1', 'f2', 'f1', 'f2']);
  });

  test('a role of twice the weight gets twice as much', () => {
    const bench = new Bench();
    bench.allocator.updateWeights([['heavy', 2]]);
    bench.framework('f1', 'heavy');
    bench.framework('f2', 'light');
    for (let i = 0; i < 9; i++) bench.agent(`${i}`, 'cpus:1;mem:512');
    const given = bench.allocate();
    assert.equal(given.filter(({ role }) => role === 'heavy').length, 6);
    assert.equal(given.filter(({ role }) => role === 'light').length, 3);
  });

  test('siblings share what falls to their parent', () => {
    const bench = new Bench();
    bench.framework('f1', 'a/b');
    bench.framework('f2', 'a/c');
    bench.framework('f3', 'd');
    for (let i = 0; i < 8; i++) bench.agent(`${i}`, 'cpus:1;mem:512');
    const given = bench.allocate();
    const count = (role: string) => given.filter((allocation) => allocation.role === role).length;
    assert.deepEqual([count('a/b'), count('a/c'), count('d')], [2, 2, 4]);
  });

  test('the frameworks of an inner role compete with its subroles as one', () => {
    const bench = new Bench();
    bench.framework('f1', 'a');
    bench.framework('f2', 'a');
    bench.framework('f3', 'a/b');
    for (let i = 0; i < 8; i++) bench.agent(`${i}`, 'cpus:1;mem:512');
    const given = bench.allocate();
    const count = (id: string) => given.filter(({ frameworkId }) => frameworkId === id).length;
    assert.deepEqual([count('f1'), count('f2'), count('f3')], [2, 2, 4]);
  });

  test('a resource that is excluded from fair sharing does not count', () => {
    const bench = new Bench({ fairSharingExcluded: new Set(['gpus']) });
    const capabilities = new Set([...FRAMEWORK_CAPABILITIES, 'GPU_RESOURCES']);
    bench.framework('f1', 'r1', { capabilities });
    bench.agent('1', 'cpus:1;mem:100;gpus:1');
    bench.allocate();
    bench.framework('f2', 'r2');
    bench.agent('2', 'cpus:2;mem:200');
    assert.deepEqual(bench.offers(), ['f2 r2 2: cpus:2; mem:200']);
    // r1 holds every GPU, but only a third of the rest.
    bench.agent('3', 'cpus:1;mem:100');
    assert.deepEqual(bench.offers(), ['f1 r1 3: cpus:1; mem:100']);
  });

  test('what frameworks held before they or their agents were known counts', () => {
    const bench = new Bench();
    const used = resources('cpus:3;mem:300').allocate('r1');
    bench.allocator.addAgent('1', {
      info: { hostname: '1' },
      total: resources('cpus:4;mem:400'),
      capabilities: AGENT_CAPABILITIES,
      used: [['f1', used]],
    });
    assert.equal(`${bench.allocator.available('1')}`, 'cpus:1; mem:100');
    bench.framework('f1', 'r1');
    assert.equal(bench.allocator.roleShare('r1'), 0.75);
    bench.framework('f2', 'r2');
    assert.deepEqual(bench.offers(), ['f2 r2 1: cpus:1; mem:100']);
    bench.allocator.removeFramework('f1');
    assert.deepEqual(bench.offers(), ['f2 r2 1: cpus:3; mem:300']);
  });

  test('the random sorter gives in proportion to weights', () => {
    const bench = new Bench({ roleSorter: 'random', frameworkSorter: 'random' });
    bench.allocator.updateWeights([['heavy', 4]]);
    bench.framework('f1', 'heavy');
    bench.framework('f2', 'light');
    bench.framework('f3', 'heavy');
    for (let i = 0; i < 1000; i++) bench.agent(`${i}`, 'cpus:1;mem:512');
    const given = bench.allocate();
    const count = (id: string) => given.filter(({ frameworkId }) => frameworkId === id).length;
    assert.ok(Math.abs(count('f2') - 200) < 60, `${count('f2')} of about 200`);
    assert.ok(Math.abs(count('f1') - 400) < 80, `${count('f1')} of about 400`);
  });

  test('an agent offered in parts leaves nothing out, and nothing is offered twice', () => {
    const bench = new Bench();
    bench.framework('f1', 'r1');
    bench.framework('f2', 'r2');
    bench.agent('1', 'cpus(r1):1;cpus(r2):2;cpus(r3):4;cpus:8;ports:[1-10]');
    // The first takes everything unreserved along; ports come first, as upstream has them.
    assert.deepEqual(bench.offers(), [
      'f1 r1 1: cpus(reservations: [(STATIC,r1)]):1; ports:[1-10]; cpus:8',
      'f2 r2 1: cpus(reservations: [(STATIC,r2)]):2',
    ]);
    assert.deepEqual(bench.offers(), []);
  });
});

describe('reservations', () => {
  test('a role is offered its own reservations and those of the roles above it', () => {
    const bench = new Bench();
    bench.framework('f1', 'a/b');
    bench.agent('1', 'cpus(a):1;cpus(a/b):2;cpus(a/b/c):4;cpus(a/x):8;cpus(ab):16');
    assert.deepEqual(bench.offers(), [
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
    const bench = new Bench();
    bench.agent('1', Resources.of([refined]));
    bench.framework('f1', 'a/b', { capabilities: new Set(['MULTI_ROLE']) });
    assert.deepEqual(bench.offers(), []);
    assert.deepEqual(bench.reasons('f1'), ['a/b LACKS_CAPABILITIES 1']);
    bench.allocator.updateFramework('f1', { roles: ['a/b'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.equal(bench.offers().length, 1);
  });

  test('an operation changes what is held and what the agent has', () => {
    const bench = new Bench();
    bench.framework('f1', 'r1');
    bench.agent('1', 'cpus:2;mem:100');
    const [given] = bench.allocate();
    const before = resources('cpus:1').allocate('r1');
    const after = resources('cpus(r1):1').allocate('r1');
    bench.allocator.updateAllocation('f1', '1', before, after);
    bench.allocator.recoverResources('f1', '1', given!.resources.minus(before).plus(after), undefined, 0);
    bench.allocator.removeFramework('f1');
    bench.framework('f2', 'r2');
    assert.deepEqual(bench.offers(), ['f2 r2 1: cpus:1; mem:100']);
  });

  test('an operator reserves only what is free', () => {
    const bench = new Bench();
    bench.agent('1', 'cpus:2');
    assert.equal(bench.allocator.updateAvailable('1', resources('cpus:1'), resources('cpus(r1):1')), true);
    assert.equal(bench.allocator.updateAvailable('1', resources('cpus:2'), resources('cpus(r1):2')), false);
    assert.equal(`${bench.allocator.available('1')}`, 'cpus:1; cpus(reservations: [(STATIC,r1)]):1');
  });
});

describe('filters', () => {
  test('a declined offer is not made again to that role of that framework within refuse_seconds', () => {
    const bench = new Bench();
    bench.framework('f1', ['r1', 'r2']);
    bench.agent('1', 'cpus:2;mem:100;ports:[1-10]');
    const [first] = bench.allocate();
    bench.decline(first!, 5);
    const [second] = bench.allocate();
    assert.deepEqual([first!.role, second!.role], ['r1', 'r2']);
    bench.decline(second!, 5);
    assert.deepEqual(bench.offers(), []);
    assert.deepEqual(bench.reasons('f1'), ['r1 REFUSED 1', 'r2 REFUSED 1']);
    assert.equal(bench.allocator.activeFilters('r1'), 1);
    assert.equal(bench.allocator.nextExpiry(), 5000);
    bench.now = 4999;
    assert.deepEqual(bench.offers(), []);
    bench.now = 5000;
    assert.equal(bench.offers().length, 1);
    assert.equal(bench.allocator.activeFilters('r1'), 0);
  });

  test('a refusal without seconds is none, a negative one lasts 5 s, a tiny one an allocation interval', () => {
    for (const [seconds, lasts] of [
      [0, 0],
      [undefined, 0],
      [-1, 5000],
      [Number.NaN, 5000],
      [0.1, 1000],
      [1e12, 365 * 24 * 3600 * 1000],
    ] as const) {
      const bench = new Bench();
      bench.framework('f1', 'r1');
      bench.agent('1', 'cpus:2');
      bench.decline(bench.allocate()[0]!, seconds);
      assert.equal(bench.allocator.nextExpiry() ?? 0, lasts, `refuse_seconds ${seconds}`);
      bench.now = lasts;
      assert.equal(bench.offers().length, 1);
    }
  });

  test('more than was refused is offered; less is not', () => {
    const bench = new Bench();
    bench.framework('f1', 'r1');
    bench.agent('1', 'cpus:2;mem:100');
    const [given] = bench.allocate();
    const half = resources('cpus:1;mem:50').allocate('r1');
    bench.allocator.recoverResources('f1', '1', half, 60, 0);
    assert.deepEqual(bench.offers(), []);
    bench.allocator.recoverResources('f1', '1', given!.resources.minus(half), undefined, 0);
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:2; mem:100']);
  });

  test('a revive lifts the filters of the roles it names, and of all roles if it names none', () => {
    const bench = new Bench();
    bench.framework('f1', ['r1', 'r2']);
    bench.agent('1', 'cpus:2');
    const decline = () => {
      for (let given = bench.allocate(); given.length > 0; given = bench.allocate()) bench.declineAll(given, 3600);
    };
    decline();
    bench.allocator.revive('f1', ['r2']);
    assert.deepEqual(bench.offers(), ['f1 r2 1: cpus:2']);
    bench.allocator.recoverResources('f1', '1', resources('cpus:2').allocate('r2'), 3600, 0);
    bench.allocator.revive('f1');
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:2']);
  });

  test('filters for an agent go when its attributes change, and those of a framework when it is deactivated', () => {
    const bench = new Bench();
    bench.framework('f1', 'r1');
    bench.agent('1', 'cpus:2');
    bench.decline(bench.allocate()[0]!, 3600);
    assert.equal(
      bench.allocator.updateAgent('1', {
        info: { hostname: '1', attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'a' } }] },
      }),
      true,
    );
    const [again] = bench.allocate();
    assert.ok(again);
    bench.decline(again, 3600);
    bench.allocator.deactivateFramework('f1');
    assert.deepEqual(bench.offers(), []);
    bench.allocator.activateFramework('f1');
    assert.equal(bench.offers().length, 1);
  });
});

describe('who is offered anything', () => {
  test('a suppressed role is offered nothing until it is revived', () => {
    const bench = new Bench();
    bench.framework('f1', ['r1', 'r2'], { suppressedRoles: ['r1', 'r2'] });
    bench.agent('1', 'cpus:2');
    assert.deepEqual(bench.offers(), []);
    assert.deepEqual(bench.reasons('f1'), ['r1 ROLE_SUPPRESSED 1', 'r2 ROLE_SUPPRESSED 1']);
    bench.allocator.revive('f1', ['r2']);
    const given = bench.allocate();
    assert.deepEqual(given[0]!.role, 'r2');
    bench.allocator.suppress('f1');
    bench.declineAll(given);
    assert.deepEqual(bench.offers(), []);
    bench.allocator.updateFramework('f1', { roles: ['r1'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:2']);
  });

  test('a framework that leaves a role is offered nothing as it, and what it holds still counts', () => {
    const bench = new Bench();
    bench.framework('f1', ['r1']);
    bench.agent('1', 'cpus:2');
    const [given] = bench.allocate();
    bench.allocator.updateFramework('f1', { roles: ['r2'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.equal(bench.allocator.roleShare('r1'), 1);
    bench.decline(given!, 5);
    assert.equal(bench.allocator.roleShare('r1'), 0);
    assert.deepEqual(bench.offers(), ['f1 r2 1: cpus:2']);
  });

  test('agents that are deactivated, removed or not whitelisted are not offered', () => {
    const bench = new Bench();
    bench.framework('f1', 'r1');
    bench.agent('1', 'cpus:1');
    bench.agent('2', 'cpus:2');
    bench.agent('3', 'cpus:3');
    bench.allocator.updateWhitelist(new Set(['1', '2']));
    bench.allocator.deactivateAgent('2');
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:1']);
    assert.deepEqual(bench.reasons('f1').sort(), [
      'r1 AGENT_DEACTIVATED 1',
      'r1 AGENT_NOT_WHITELISTED 1',
      'r1 NOTHING_FREE 1',
    ]);
    bench.allocator.activateAgent('2');
    bench.allocator.updateWhitelist(undefined);
    assert.deepEqual(bench.offers(), ['f1 r1 2: cpus:2', 'f1 r1 3: cpus:3']);
    bench.allocator.removeAgent('1');
    bench.allocator.recoverResources('f1', '1', resources('cpus:1').allocate('r1'), 5, 0);
    assert.equal(bench.allocator.roleShare('r1'), 1);
  });

  test('too little is not offered; a role of a framework may say what is too little for it', () => {
    const bench = new Bench({ minAllocatable: [quantities('cpus:0.01'), quantities('mem:32')] });
    bench.framework('f1', 'r1');
    bench.agent('1', 'mem:31;disk:1000');
    bench.agent('2', 'mem:32');
    assert.deepEqual(bench.offers(), ['f1 r1 2: mem:32']);
    assert.deepEqual(bench.reasons('f1').sort(), ['r1 NOTHING_FREE 1', 'r1 TOO_LITTLE 1']);
    bench.framework('f2', 'r2', { minAllocatableByRole: new Map([['r2', [quantities('disk:1000')]]]) });
    assert.deepEqual(bench.offers(), ['f2 r2 1: mem:31; disk:1000']);
    bench.framework('f3', 'r3', { minAllocatableByRole: new Map([['r3', []]]) });
    bench.agent('3', 'mem:1');
    assert.deepEqual(bench.offers(), ['f3 r3 3: mem:1']);
  });

  test('agents with GPUs are for frameworks with GPU_RESOURCES, unless the filter is off', () => {
    const bench = new Bench();
    bench.agent('1', 'cpus:1;gpus:1');
    bench.framework('f1', 'r1');
    assert.deepEqual(bench.offers(), []);
    assert.deepEqual(bench.reasons('f1'), ['r1 LACKS_GPU_RESOURCES 1']);
    bench.framework('f2', 'r2', { capabilities: new Set(['MULTI_ROLE', 'GPU_RESOURCES']) });
    assert.deepEqual(bench.offers(), ['f2 r2 1: cpus:1; gpus:1']);
    const open = new Bench({ filterGpuResources: false });
    open.agent('1', 'cpus:1;gpus:1');
    open.framework('f1', 'r1');
    assert.equal(open.offers().length, 1);
  });

  test('agents of another region are for frameworks with REGION_AWARE', () => {
    const domain = (region: string) => ({ fault_domain: { region: { name: region }, zone: { name: 'z' } } });
    const bench = new Bench({ domain: domain('home') });
    bench.agent('1', 'cpus:1', { domain: domain('away') });
    bench.agent('2', 'cpus:2', { domain: domain('home') });
    bench.agent('3', 'cpus:3');
    bench.framework('f1', 'r1');
    assert.deepEqual(bench.offers(), ['f1 r1 2: cpus:2', 'f1 r1 3: cpus:3']);
    assert.ok(bench.reasons('f1').includes('r1 LACKS_REGION_AWARE 1'));
    bench.framework('f2', 'r1', { capabilities: new Set(['MULTI_ROLE', 'REGION_AWARE']) });
    assert.deepEqual(bench.offers(), ['f2 r1 1: cpus:1']);
  });

  test('old agents are not for MULTI_ROLE frameworks, nor for hierarchical roles', () => {
    const bench = new Bench();
    bench.agent('1', 'cpus:1', {}, new Set());
    bench.agent('2', 'cpus:1', {}, new Set(['MULTI_ROLE']));
    bench.framework('f1', 'a/b');
    assert.deepEqual(bench.offers(), []);
    assert.deepEqual(bench.reasons('f1').sort(), [
      'a/b AGENT_LACKS_HIERARCHICAL_ROLE 1',
      'a/b AGENT_LACKS_MULTI_ROLE 1',
    ]);
    bench.framework('f2', 'a', { capabilities: new Set() });
    assert.equal(bench.offers().length, 2);
  });

  test('revocable resources are for frameworks with REVOCABLE_RESOURCES', () => {
    const bench = new Bench();
    const revocable = [...resources('cpus:4')].map((resource) => ({ ...resource, revocable: {} }));
    bench.agent('1', resources('cpus:1').plus(revocable));
    bench.framework('f1', 'r1');
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:1']);
    assert.deepEqual(bench.reasons('f1'), ['r1 LACKS_CAPABILITIES 1']);
    bench.framework('f2', 'r2', { capabilities: new Set(['MULTI_ROLE', 'REVOCABLE_RESOURCES']) });
    assert.deepEqual(bench.offers(), ['f2 r2 1: cpus{REV}:4']);
  });

  test('a shared volume is offered once per allocation, over and over, and counts once', () => {
    const volume: Resource = {
      name: 'disk',
      type: 'SCALAR',
      scalar: { value: 100 },
      reservations: [{ type: 'DYNAMIC', role: 'r1' }],
      disk: { persistence: { id: 'v' }, volume: { container_path: 'data', mode: 'RW' } },
      shared: {},
    };
    const bench = new Bench();
    bench.agent('1', Resources.of([volume]));
    const capabilities = new Set(['MULTI_ROLE', 'SHARED_RESOURCES']);
    bench.framework('f1', 'r1', { capabilities });
    bench.framework('f2', 'r1', { capabilities });
    bench.framework('f3', 'r1');
    const first = bench.allocate();
    const second = bench.allocate();
    assert.deepEqual(
      [...first, ...second].map(({ frameworkId }) => frameworkId),
      ['f1', 'f2'],
    );
    assert.equal(bench.allocator.roleShare('r1'), 1);
    bench.declineAll(first);
    assert.equal(bench.allocator.roleShare('r1'), 1);
    bench.declineAll(second);
    assert.equal(bench.allocator.roleShare('r1'), 0);
  });

  test('offer constraints keep agents from a role', () => {
    const compiled = compileOfferConstraints(
      {
        role_constraints: {
          r1: {
            groups: [
              {
                attribute_constraints: [
                  { selector: { attribute_name: 'rack' }, predicate: { text_equals: { value: 'a' } } },
                ],
              },
            ],
          },
        },
      },
      { maxPatternSize: 100 },
    );
    assert.ok(compiled.ok);
    const bench = new Bench();
    bench.framework('f1', ['r1', 'r2'], { constraints: compiled.value });
    bench.agent('1', 'cpus:1', { attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'b' } }] });
    assert.deepEqual(bench.offers(), ['f1 r2 1: cpus:1']);
    assert.deepEqual(
      [...bench.allocator.excludedByConstraints('f1')],
      [
        ['r1', ['1']],
        ['r2', []],
      ],
    );
    bench.allocator.recoverResources('f1', '1', resources('cpus:1').allocate('r2'), 60, 0);
    assert.deepEqual(bench.offers(), []);
    assert.deepEqual(bench.reasons('f1'), ['r1 OFFER_CONSTRAINTS 1', 'r2 REFUSED 1']);
    bench.allocator.updateFramework('f1', { roles: ['r1', 'r2'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:1']);
  });

  test('naming agents looks at these only; the rest waits for the next allocation', () => {
    const bench = new Bench();
    bench.framework('f1', 'r1');
    bench.agent('1', 'cpus:1');
    bench.agent('2', 'cpus:2');
    assert.deepEqual(bench.offers(['2', 'gone']), ['f1 r1 2: cpus:2']);
    assert.deepEqual(bench.offers(), ['f1 r1 1: cpus:1']);
  });
});
