import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Resources } from '../resources/resources.ts';
import type { AgentInfo, Resource } from '../wire/v1.ts';
import type { Allocation, Allocator, AllocatorOptions, FrameworkSpec, Quota } from './allocator.ts';
import { createAllocator } from './hierarchical.ts';
import { ReferenceAllocator } from './reference.fixture.ts';
import { quantities, resources } from './stage.fixture.ts';

const ROLES = ['a', 'a/b', 'a/b/c', 'd', 'e', 'e/x'];
const IDS = ['0', '1', '2', '3'];
const REVOCABLE: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, revocable: {} };
const SHARED: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 8 },
  reservations: [{ type: 'DYNAMIC', role: 'a' }],
  disk: { persistence: { id: 'v' }, volume: { container_path: 'v', mode: 'RW' } },
  shared: {},
};
const REFINED: Resource = {
  name: 'mem',
  type: 'SCALAR',
  scalar: { value: 16 },
  reservations: [
    { type: 'STATIC', role: 'a' },
    { type: 'DYNAMIC', role: 'a/b' },
  ],
};
const TOTALS = [
  resources('cpus:4;mem:400;ports:[1-20]'),
  resources('cpus:8;mem:100'),
  resources('cpus:2;mem:200;cpus(a):1;mem(a/b):50'),
  resources('cpus(d):3;mem(d):30;cpus:1'),
  resources('mem:1000;disk:10'),
  resources('cpus:2;gpus:1;mem:100'),
  resources('cpus:3;mem:50').plus(REVOCABLE),
  resources('cpus:2;cpus(e):2').plus(SHARED).plus(REFINED),
];
const CAPABILITIES = [
  'GPU_RESOURCES',
  'REVOCABLE_RESOURCES',
  'SHARED_RESOURCES',
  'RESERVATION_REFINEMENT',
  'REGION_AWARE',
];
/** With it, everything stays where it is when it is shuffled. */
const IN_PLACE = (): number => 1 - Number.EPSILON;

function line({ frameworkId, role, agentId, resources }: Allocation): string {
  return `${frameworkId} ${role} ${agentId}: ${[...resources].map((one) => JSON.stringify(one)).sort()}`;
}

/** The allocator and the reference, told the same. */
class Pair {
  readonly real: Allocator;
  readonly reference: ReferenceAllocator;
  readonly frameworks = new Map<string, readonly string[]>();
  readonly agents = new Map<string, Resources>();
  held: Allocation[] = [];
  now = 0;
  private readonly story: string[] = [];
  /** Takes every call down, for when something turns out different. */
  private readonly recorder = new Proxy({} as Allocator, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        this.story.push(`${String(name)} ${told(args)}`),
  });

  constructor(options: AllocatorOptions) {
    this.real = createAllocator(options);
    this.reference = new ReferenceAllocator(options);
  }

  /** The part of both that is the same. */
  tell(what: (allocator: Pick<Allocator, Told>) => void): void {
    what(this.recorder);
    what(this.real);
    // What the reference does not tell about is not asked here.
    what(this.reference as unknown as Allocator);
  }

  allocate(): number {
    this.story.push('allocate');
    const given = this.real.allocate(this.now, IN_PLACE).map(line).sort();
    const expected = this.reference.allocate(this.now);
    assert.deepEqual(given, expected.map(line).sort(), `after\n  ${this.story.join('\n  ')}\n`);
    this.story.push(
      ...expected.map((one) => `  ${one.frameworkId} ${one.role} ${one.agentId}: ${one.resources.unallocate()}`),
    );
    this.held.push(...expected);
    return given.length;
  }

  check(): void {
    for (const id of this.agents.keys()) {
      const [real, expected] = [this.real.available(id), this.reference.available(id)];
      assert.ok(real.equals(expected), `${real} is free on ${id}, and ${expected} should be`);
    }
  }

  drop(isGone: (one: Allocation) => boolean): void {
    this.held = this.held.filter((one) => !isGone(one));
  }
}

function told(args: readonly unknown[]): string {
  return args.map((arg) => JSON.stringify(arg, plain)).join(' ');
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Resources) return `${value}`;
  return value instanceof Set || value instanceof Map ? [...value] : value;
}

type Told =
  | 'addFramework'
  | 'updateFramework'
  | 'removeFramework'
  | 'activateFramework'
  | 'deactivateFramework'
  | 'suppress'
  | 'revive'
  | 'addAgent'
  | 'updateAgent'
  | 'removeAgent'
  | 'activateAgent'
  | 'deactivateAgent'
  | 'updateWhitelist'
  | 'updateWeights'
  | 'updateQuota'
  | 'recoverResources'
  | 'updateAllocation'
  | 'updateAvailable';

type Step = (pair: Pair) => void;

const id = fc.constantFrom(...IDS);
const role = fc.constantFrom(...ROLES);

const frameworkSpec = fc
  .record({
    roles: fc.subarray(ROLES, { minLength: 1 }),
    suppressed: fc.subarray(ROLES),
    capabilities: fc.subarray(CAPABILITIES),
    excluded: fc.option(fc.constantFrom('0', '1'), { nil: undefined, freq: 4 }),
    minimum: fc.option(fc.constantFrom('cpus:3', 'mem:150'), { nil: undefined, freq: 4 }),
  })
  .map(
    ({ roles, suppressed, capabilities, excluded, minimum }): FrameworkSpec => ({
      roles,
      suppressedRoles: suppressed.filter((one) => roles.includes(one)),
      capabilities: new Set(['MULTI_ROLE', ...capabilities]),
      ...(excluded && {
        constraints: { excludes: (role, { attributes }) => role !== 'd' && attributes?.[0]?.text?.value === excluded },
      }),
      ...(minimum && { minAllocatableByRole: new Map([[roles[0]!, [quantities(minimum)]]]) }),
    }),
  );

const agentSpec = fc
  .record({
    total: fc.constantFrom(...TOTALS),
    rack: fc.constantFrom('0', '1'),
    remote: fc.boolean(),
    lacks: fc.constantFrom('', '', '', '', 'MULTI_ROLE', 'HIERARCHICAL_ROLE'),
  })
  .map(({ total, rack, remote, lacks }) => {
    const info: Omit<AgentInfo, 'hostname'> = {
      attributes: [{ name: 'rack', type: 'TEXT', text: { value: rack } }],
      ...(remote && { domain: { fault_domain: { region: { name: 'far' }, zone: { name: 'z' } } } }),
    };
    const capabilities = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE'].filter((one) => one !== lacks));
    return { total, info, capabilities };
  });

const allocate: Step = (pair) => {
  pair.allocate();
};

const recover = fc.record({ at: fc.nat(), refuse: fc.constantFrom(undefined, 0, 2, 30), half: fc.boolean() }).map(
  ({ at, refuse, half }): Step =>
    (pair) => {
      const one = pair.held[at % Math.max(1, pair.held.length)];
      if (one === undefined) return;
      const part = half ? one.resources.named('cpus') : one.resources;
      const rest = one.resources.minus(part);
      pair.drop((other) => other === one);
      if (!rest.isEmpty) pair.held.push({ ...one, resources: rest });
      pair.tell((to) => to.recoverResources(one.frameworkId, one.agentId, part, refuse, pair.now));
    },
);

/** Everybody declines what was just given, until nobody is given anything. */
const declineAll = fc.constantFrom(5, 60).map(
  (refuse): Step =>
    (pair) => {
      for (let rounds = 0; ; rounds++) {
        const before = pair.held;
        pair.held = [];
        pair.allocate();
        const given = pair.held;
        pair.held = before;
        for (const { frameworkId, agentId, resources } of given) {
          pair.tell((to) => to.recoverResources(frameworkId, agentId, resources, refuse, pair.now));
        }
        if (given.length === 0) return;
        assert.ok(rounds < 80, 'everybody has declined at last');
      }
    },
);

const frameworkSteps = [
  fc.record({ id, spec: frameworkSpec, active: fc.boolean() }).map(
    ({ id, spec, active }): Step =>
      (pair) => {
        if (pair.frameworks.has(id)) pair.tell((to) => to.updateFramework(id, spec));
        else pair.tell((to) => to.addFramework(id, { ...spec, active }));
        pair.frameworks.set(id, [...spec.roles]);
      },
  ),
  id.map(
    (id): Step =>
      (pair) => {
        if (!pair.frameworks.delete(id)) return;
        pair.tell((to) => to.removeFramework(id));
        pair.drop(({ frameworkId }) => frameworkId === id);
      },
  ),
  fc.record({ id, active: fc.boolean() }).map(
    ({ id, active }): Step =>
      (pair) => {
        if (!pair.frameworks.has(id)) return;
        pair.tell((to) => (active ? to.activateFramework(id) : to.deactivateFramework(id)));
      },
  ),
  fc.record({ id, roles: fc.subarray(ROLES), revive: fc.boolean() }).map(
    ({ id, roles, revive }): Step =>
      (pair) => {
        if (!pair.frameworks.has(id)) return;
        pair.tell((to) => (revive ? to.revive(id, roles) : to.suppress(id, roles)));
      },
  ),
];

const agentSteps = [
  fc.record({ id, spec: agentSpec, holder: id, role }).map(
    ({ id, spec, holder, role }): Step =>
      (pair) => {
        const { total } = spec;
        const info = { hostname: `host${id}`, ...spec.info };
        if (pair.agents.has(id)) {
          pair.tell((to) => to.updateAgent(id, { info, total, capabilities: spec.capabilities }));
        } else {
          const held = total.unreserved().named('mem').allocate(role);
          pair.tell((to) => to.addAgent(id, { info, total, capabilities: spec.capabilities, used: [[holder, held]] }));
          if (!held.isEmpty) pair.held.push({ frameworkId: holder, role, agentId: id, resources: held });
        }
        pair.agents.set(id, total);
      },
  ),
  id.map(
    (id): Step =>
      (pair) => {
        if (!pair.agents.delete(id)) return;
        pair.tell((to) => to.removeAgent(id));
        pair.drop(({ agentId }) => agentId === id);
      },
  ),
  fc.record({ id, active: fc.boolean() }).map(
    ({ id, active }): Step =>
      (pair) => {
        if (!pair.agents.has(id)) return;
        pair.tell((to) => (active ? to.activateAgent(id) : to.deactivateAgent(id)));
      },
  ),
  fc.option(fc.subarray(IDS), { nil: undefined }).map(
    (ids): Step =>
      (pair) => {
        pair.tell((to) => to.updateWhitelist(ids && new Set(ids.map((id) => `host${id}`))));
      },
  ),
  fc.record({ at: fc.nat(), role }).map(
    ({ at, role }): Step =>
      (pair) => {
        const one = pair.held[at % Math.max(1, pair.held.length)];
        if (one === undefined || !pair.frameworks.has(one.frameworkId)) return;
        const before = one.resources.unreserved().nonRevocable().named('cpus');
        if (before.isEmpty || !pair.agents.get(one.agentId)?.contains(before.unallocate())) return;
        const after = before.pushReservation({ type: 'DYNAMIC', role });
        pair.tell((to) => to.updateAllocation(one.frameworkId, one.agentId, before, after));
        pair.drop((other) => other === one);
        pair.held.push({ ...one, resources: one.resources.minus(before).plus(after) });
        pair.agents.set(one.agentId, pair.agents.get(one.agentId)!.minus(before.unallocate()).plus(after.unallocate()));
      },
  ),
  fc.record({ id, role }).map(
    ({ id, role }): Step =>
      (pair) => {
        const total = pair.agents.get(id);
        const before = resources('cpus:1');
        if (total === undefined || !pair.reference.available(id).contains(before)) return;
        const after = before.pushReservation({ type: 'DYNAMIC', role });
        pair.tell((to) => to.updateAvailable(id, before, after));
        pair.agents.set(id, total.minus(before).plus(after));
      },
  ),
];

const amounts = fc.record({ cpus: fc.constantFrom(0, 1000, 3000, 6000) }, { requiredKeys: [] });
const quota = fc
  .record({ guarantees: amounts, limits: amounts })
  .filter(({ guarantees, limits }) => (guarantees.cpus ?? 0) <= (limits.cpus ?? Infinity));
const policySteps = [
  fc.integer({ min: 0, max: 20_000 }).map(
    (time): Step =>
      (pair) => {
        pair.now += time;
      },
  ),
  fc.record({ role, weight: fc.constantFrom(1, 2, 0.5) }).map(
    ({ role, weight }): Step =>
      (pair) => {
        pair.tell((to) => to.updateWeights([[role, weight]]));
      },
  ),
  fc.record({ role: fc.constantFrom('a', 'd', 'e'), quota: fc.option(quota, { nil: undefined }) }).map(
    ({ role, quota }): Step =>
      (pair) =>
        pair.tell((to) => to.updateQuota(role, quota as Quota | undefined)),
  ),
];

const steps = fc.array(
  fc.oneof(
    { arbitrary: fc.constant(allocate), weight: 6 },
    { arbitrary: recover, weight: 6 },
    { arbitrary: declineAll, weight: 2 },
    { arbitrary: fc.oneof(...frameworkSteps), weight: 4 },
    { arbitrary: fc.oneof(...agentSteps), weight: 4 },
    { arbitrary: fc.oneof(...policySteps), weight: 3 },
  ),
  { maxLength: 60, size: 'max' },
);

/** Two frameworks in all roles and three agents, so that not every script begins with an empty cluster. */
function populate(pair: Pair): void {
  for (const id of IDS.slice(0, 2)) {
    pair.tell((to) => to.addFramework(id, { roles: ROLES, capabilities: new Set(['MULTI_ROLE']), active: true }));
    pair.frameworks.set(id, ROLES);
  }
  for (const [i, id] of IDS.slice(0, 3).entries()) {
    const total = TOTALS[i]!;
    const capabilities = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE']);
    pair.tell((to) => to.addAgent(id, { info: { hostname: `host${id}` }, total, capabilities }));
    pair.agents.set(id, total);
  }
}

/** One seed, one run. Seed 1421201484 tells a story of shared volumes in which the two part, which is not understood yet. */
const SEED = Number(process.env.MESETA_SEED ?? 7);
/** More runs than usual find what is rare: MESETA_PROPERTY_RUNS=10000. */
const RUNS = Number(process.env.MESETA_PROPERTY_RUNS ?? 300);

function run(options: AllocatorOptions, before?: Step): void {
  fc.assert(
    fc.property(steps, (script) => {
      const pair = new Pair(options);
      populate(pair);
      before?.(pair);
      for (const next of script) {
        next(pair);
        pair.check();
      }
      pair.allocate();
    }),
    { numRuns: RUNS, seed: SEED },
  );
}

test('whatever happens, the allocator gives what the rules give', () => {
  run({});
});

test('the same where little is not worth an offer and a resource does not count', () => {
  run({ minAllocatable: [quantities('cpus:1'), quantities('mem:32')], fairSharingExcluded: new Set(['mem']) });
});

test('the same under guarantees and limits', () => {
  run({ minAllocatable: [quantities('cpus:1'), quantities('mem:32')] }, (pair) => {
    const quotas: Record<string, Quota> = {
      a: { guarantees: { cpus: 4000, mem: 200_000 }, limits: { cpus: 6000 } },
      d: { guarantees: { cpus: 3000 }, limits: { cpus: 3000, mem: 300_000 } },
      e: { guarantees: { cpus: 2000, disk: 5000 }, limits: {} },
    };
    pair.tell((to) => {
      for (const [role, quota] of Object.entries(quotas)) to.updateQuota(role, quota);
    });
  });
});
