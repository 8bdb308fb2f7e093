import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import { compileOfferConstraints } from './constraints.ts';
import { FRAMEWORK_CAPABILITIES, quantities, resources, Stage } from './stage.fixture.ts';

describe('filters', () => {
  test('a declined offer is not made again to that role of that framework within refuse_seconds', () => {
    const stage = new Stage();
    stage.framework('f1', ['r1', 'r2']);
    stage.agent('1', 'cpus:2;mem:100;ports:[1-10]');
    const [first] = stage.allocate();
    stage.decline(first!, 5);
    const [second] = stage.allocate();
    assert.deepEqual([first!.role, second!.role], ['r1', 'r2']);
    stage.decline(second!, 5);
    assert.deepEqual(stage.offers(), []);
    assert.deepEqual(stage.reasons('f1'), ['r1 REFUSED 1', 'r2 REFUSED 1']);
    assert.equal(stage.allocator.activeFilters('r1'), 1);
    assert.equal(stage.allocator.nextExpiry(), 5000);
    stage.now = 4999;
    assert.deepEqual(stage.offers(), []);
    stage.now = 5000;
    assert.equal(stage.offers().length, 1);
    assert.equal(stage.allocator.activeFilters('r1'), 0);
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
      const stage = new Stage();
      stage.framework('f1', 'r1');
      stage.agent('1', 'cpus:2');
      stage.decline(stage.allocate()[0]!, seconds);
      assert.equal(stage.allocator.nextExpiry() ?? 0, lasts, `refuse_seconds ${seconds}`);
      stage.now = lasts;
      assert.equal(stage.offers().length, 1);
    }
  });

  test('more than was refused is offered; less is not', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1');
    stage.agent('1', 'cpus:2;mem:100');
    const [given] = stage.allocate();
    const half = resources('cpus:1;mem:50').allocate('r1');
    stage.allocator.recoverResources('f1', '1', half, 60, 0);
    assert.deepEqual(stage.offers(), []);
    stage.allocator.recoverResources('f1', '1', given!.resources.minus(half), undefined, 0);
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:2; mem:100']);
  });

  test('a revive lifts the filters of the roles it names, and of all roles if it names none', () => {
    const stage = new Stage();
    stage.framework('f1', ['r1', 'r2']);
    stage.agent('1', 'cpus:2');
    const decline = () => {
      for (let given = stage.allocate(); given.length > 0; given = stage.allocate()) stage.declineAll(given, 3600);
    };
    decline();
    stage.allocator.revive('f1', ['r2']);
    assert.deepEqual(stage.offers(), ['f1 r2 1: cpus:2']);
    stage.allocator.recoverResources('f1', '1', resources('cpus:2').allocate('r2'), 3600, 0);
    stage.allocator.revive('f1');
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:2']);
  });

  test('filters for an agent go when its attributes change, and those of a framework when it is deactivated', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1');
    stage.agent('1', 'cpus:2');
    stage.decline(stage.allocate()[0]!, 3600);
    assert.equal(
      stage.allocator.updateAgent('1', {
        info: { hostname: '1', attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'a' } }] },
      }),
      true,
    );
    const [again] = stage.allocate();
    assert.ok(again);
    stage.decline(again, 3600);
    stage.allocator.deactivateFramework('f1');
    assert.deepEqual(stage.offers(), []);
    stage.allocator.activateFramework('f1');
    assert.equal(stage.offers().length, 1);
  });
});

describe('who is offered anything', () => {
  test('a suppressed role is offered nothing until it is revived', () => {
    const stage = new Stage();
    stage.framework('f1', ['r1', 'r2'], { suppressedRoles: ['r1', 'r2'] });
    stage.agent('1', 'cpus:2');
    assert.deepEqual(stage.offers(), []);
    assert.deepEqual(stage.reasons('f1'), ['r1 ROLE_SUPPRESSED 1', 'r2 ROLE_SUPPRESSED 1']);
    stage.allocator.revive('f1', ['r2']);
    const given = stage.allocate();
    assert.deepEqual(given[0]!.role, 'r2');
    stage.allocator.suppress('f1');
    stage.declineAll(given);
    assert.deepEqual(stage.offers(), []);
    stage.allocator.updateFramework('f1', { roles: ['r1'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:2']);
  });

  test('a framework that leaves a role is offered nothing as it, and what it holds still counts', () => {
    const stage = new Stage();
    stage.framework('f1', ['r1']);
    stage.agent('1', 'cpus:2');
    const [given] = stage.allocate();
    stage.allocator.updateFramework('f1', { roles: ['r2'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.equal(stage.allocator.roleShare('r1'), 1);
    stage.decline(given!, 5);
    assert.equal(stage.allocator.roleShare('r1'), 0);
    assert.deepEqual(stage.offers(), ['f1 r2 1: cpus:2']);
  });

  test('agents that are deactivated, removed or not whitelisted are not offered', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1');
    stage.agent('1', 'cpus:1');
    stage.agent('2', 'cpus:2');
    stage.agent('3', 'cpus:3');
    stage.allocator.updateWhitelist(new Set(['1', '2']));
    stage.allocator.deactivateAgent('2');
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:1']);
    assert.deepEqual(stage.reasons('f1').sort(), [
      'r1 AGENT_DEACTIVATED 1',
      'r1 AGENT_NOT_WHITELISTED 1',
      'r1 NOTHING_FREE 1',
    ]);
    stage.allocator.activateAgent('2');
    stage.allocator.updateWhitelist(undefined);
    assert.deepEqual(stage.offers(), ['f1 r1 2: cpus:2', 'f1 r1 3: cpus:3']);
    stage.allocator.removeAgent('1');
    stage.allocator.recoverResources('f1', '1', resources('cpus:1').allocate('r1'), 5, 0);
    assert.equal(stage.allocator.roleShare('r1'), 1);
  });

  test('too little is not offered; a role of a framework may say what is too little for it', () => {
    const stage = new Stage({ minAllocatable: [quantities('cpus:0.01'), quantities('mem:32')] });
    stage.framework('f1', 'r1');
    stage.agent('1', 'mem:31;disk:1000');
    stage.agent('2', 'mem:32');
    assert.deepEqual(stage.offers(), ['f1 r1 2: mem:32']);
    assert.deepEqual(stage.reasons('f1').sort(), ['r1 NOTHING_FREE 1', 'r1 TOO_LITTLE 1']);
    stage.framework('f2', 'r2', { minAllocatableByRole: new Map([['r2', [quantities('disk:1000')]]]) });
    assert.deepEqual(stage.offers(), ['f2 r2 1: mem:31; disk:1000']);
    stage.framework('f3', 'r3', { minAllocatableByRole: new Map([['r3', []]]) });
    stage.agent('3', 'mem:1');
    assert.deepEqual(stage.offers(), ['f3 r3 3: mem:1']);
  });

  test('agents with GPUs are for frameworks with GPU_RESOURCES, unless the filter is off', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:1;gpus:1');
    stage.framework('f1', 'r1');
    assert.deepEqual(stage.offers(), []);
    assert.deepEqual(stage.reasons('f1'), ['r1 LACKS_GPU_RESOURCES 1']);
    stage.framework('f2', 'r2', { capabilities: new Set(['MULTI_ROLE', 'GPU_RESOURCES']) });
    assert.deepEqual(stage.offers(), ['f2 r2 1: cpus:1; gpus:1']);
    const open = new Stage({ filterGpuResources: false });
    open.agent('1', 'cpus:1;gpus:1');
    open.framework('f1', 'r1');
    assert.equal(open.offers().length, 1);
  });

  test('agents of another region are for frameworks with REGION_AWARE', () => {
    const domain = (region: string) => ({ fault_domain: { region: { name: region }, zone: { name: 'z' } } });
    const stage = new Stage({ domain: domain('home') });
    stage.agent('1', 'cpus:1', { domain: domain('away') });
    stage.agent('2', 'cpus:2', { domain: domain('home') });
    stage.agent('3', 'cpus:3');
    stage.framework('f1', 'r1');
    assert.deepEqual(stage.offers(), ['f1 r1 2: cpus:2', 'f1 r1 3: cpus:3']);
    assert.ok(stage.reasons('f1').includes('r1 LACKS_REGION_AWARE 1'));
    stage.framework('f2', 'r1', { capabilities: new Set(['MULTI_ROLE', 'REGION_AWARE']) });
    assert.deepEqual(stage.offers(), ['f2 r1 1: cpus:1']);
  });

  test('old agents are not for MULTI_ROLE frameworks, nor for hierarchical roles', () => {
    const stage = new Stage();
    stage.agent('1', 'cpus:1', {}, new Set());
    stage.agent('2', 'cpus:1', {}, new Set(['MULTI_ROLE']));
    stage.framework('f1', 'a/b');
    assert.deepEqual(stage.offers(), []);
    assert.deepEqual(stage.reasons('f1').sort(), [
      'a/b AGENT_LACKS_HIERARCHICAL_ROLE 1',
      'a/b AGENT_LACKS_MULTI_ROLE 1',
    ]);
    stage.framework('f2', 'a', { capabilities: new Set() });
    assert.equal(stage.offers().length, 2);
  });

  test('revocable resources are for frameworks with REVOCABLE_RESOURCES', () => {
    const stage = new Stage();
    const revocable = [...resources('cpus:4')].map((resource) => ({ ...resource, revocable: {} }));
    stage.agent('1', resources('cpus:1').plus(revocable));
    stage.framework('f1', 'r1');
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:1']);
    assert.deepEqual(stage.reasons('f1'), ['r1 LACKS_CAPABILITIES 1']);
    stage.framework('f2', 'r2', { capabilities: new Set(['MULTI_ROLE', 'REVOCABLE_RESOURCES']) });
    assert.deepEqual(stage.offers(), ['f2 r2 1: cpus{REV}:4']);
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
    const stage = new Stage();
    stage.agent('1', Resources.of([volume]));
    const capabilities = new Set(['MULTI_ROLE', 'SHARED_RESOURCES']);
    stage.framework('f1', 'r1', { capabilities });
    stage.framework('f2', 'r1', { capabilities });
    stage.framework('f3', 'r1');
    const first = stage.allocate();
    const second = stage.allocate();
    assert.deepEqual(
      [...first, ...second].map(({ frameworkId }) => frameworkId),
      ['f1', 'f2'],
    );
    assert.equal(stage.allocator.roleShare('r1'), 1);
    stage.declineAll(first);
    assert.equal(stage.allocator.roleShare('r1'), 1);
    stage.declineAll(second);
    assert.equal(stage.allocator.roleShare('r1'), 0);
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
    const stage = new Stage();
    stage.framework('f1', ['r1', 'r2'], { constraints: compiled.value });
    stage.agent('1', 'cpus:1', { attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'b' } }] });
    assert.deepEqual(stage.offers(), ['f1 r2 1: cpus:1']);
    assert.deepEqual(
      [...stage.allocator.excludedByConstraints('f1')],
      [
        ['r1', ['1']],
        ['r2', []],
      ],
    );
    stage.allocator.recoverResources('f1', '1', resources('cpus:1').allocate('r2'), 60, 0);
    assert.deepEqual(stage.offers(), []);
    assert.deepEqual(stage.reasons('f1'), ['r1 OFFER_CONSTRAINTS 1', 'r2 REFUSED 1']);
    stage.allocator.updateFramework('f1', { roles: ['r1', 'r2'], capabilities: FRAMEWORK_CAPABILITIES });
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:1']);
  });

  test('naming agents looks at these only; the rest waits for the next allocation', () => {
    const stage = new Stage();
    stage.framework('f1', 'r1');
    stage.agent('1', 'cpus:1');
    stage.agent('2', 'cpus:2');
    assert.deepEqual(stage.offers(['2', 'gone']), ['f1 r1 2: cpus:2']);
    assert.deepEqual(stage.offers(), ['f1 r1 1: cpus:1']);
  });
});
