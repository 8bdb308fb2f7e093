import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import { parseResources } from '../resources/parse.ts';
import { Resources } from '../resources/resources.ts';
import { isStrictSubrole } from '../resources/roles.ts';
import type { Allocator, AllocatorOptions } from './allocator.ts';
import { createAllocator } from './hierarchical.ts';

const ROLES = ['a', 'a/b', 'a/b/c', 'd', 'e'];
const TOTALS = [
  'cpus:4;mem:400;ports:[1-20]',
  'cpus:8;mem:100',
  'cpus:2;mem:200;cpus(a):1;mem(a/b):50',
  'cpus(d):3;mem(d):30;cpus:1',
  'mem:1000;disk:10',
];
const IDS = ['0', '1', '2', '3'];

function parse(text: string): Resources {
  const parsed = parseResources(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

interface ModelFramework {
  roles: string[];
  suppressed: Set<string>;
  active: boolean;
}

interface Held {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  readonly resources: Resources;
}

interface Refused {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  readonly resources: Resources;
  readonly until: number;
}

/** What must be true of an allocator, kept the slow and plain way. */
class Model {
  readonly allocator: Allocator;
  readonly frameworks = new Map<string, ModelFramework>();
  readonly agents = new Map<string, { total: Resources; active: boolean }>();
  readonly limits = new Map<string, number>();
  held: Held[] = [];
  refused: Refused[] = [];
  now = 0;
  private readonly random: () => number;

  constructor(options: AllocatorOptions, seed: number) {
    this.allocator = createAllocator(options);
    this.random = seededRandom(seed);
  }

  freeOf(agentId: string): Resources {
    const held = this.held.filter((one) => one.agentId === agentId).map(({ resources }) => resources.unallocate());
    return this.agents.get(agentId)!.total.minus(Resources.sum(held));
  }

  /** Of a role that was just given something that counts. */
  private checkLimit(role: string): void {
    const limit = this.limits.get(role) ?? Infinity;
    const total = Resources.sum([...this.agents.values()].map((agent) => agent.total));
    const reserved = total.reservedToSubtree(role).scalar('cpus');
    const held = this.held
      .filter((one) => one.role === role || isStrictSubrole(one.role, role))
      .reduce((sum, { resources }) => sum + resources.unreserved().scalar('cpus'), 0);
    assert.ok(reserved + held <= limit, `${role} holds ${held} and has ${reserved} reserved of ${limit}`);
  }

  allocate(): number {
    const allocations = this.allocator.allocate(this.now, this.random);
    for (const { frameworkId, role, agentId, resources } of allocations) {
      const framework = this.frameworks.get(frameworkId)!;
      assert.ok(
        framework.active && framework.roles.includes(role) && !framework.suppressed.has(role),
        'it wants offers',
      );
      assert.ok(this.agents.get(agentId)?.active, 'the agent is active');
      const plain = resources.unallocate();
      assert.ok(!plain.isEmpty);
      assert.ok(this.freeOf(agentId).contains(plain), `${plain} is free on ${agentId}`);
      assert.ok(plain.allocate(role).equals(resources), 'allocated to the role');
      for (const reserved of plain.reservations().keys()) {
        assert.ok(reserved === role || isStrictSubrole(role, reserved), `${reserved} is for ${role}`);
      }
      const refusal = this.refused.find(
        (one) =>
          one.frameworkId === frameworkId &&
          one.role === role &&
          one.agentId === agentId &&
          one.until > this.now &&
          one.resources.contains(plain),
      );
      assert.equal(refusal, undefined, 'not refused');
      this.held.push({ frameworkId, role, agentId, resources });
    }
    for (const { role, resources } of allocations) {
      if (resources.unreserved().scalar('cpus') > 0) this.checkLimit(role.split('/')[0]!);
    }
    return allocations.length;
  }

  /** After the allocator has handed out all it can. */
  settle(): void {
    for (let rounds = 0; this.allocate() > 0; rounds++) assert.ok(rounds < 10, 'it comes to an end');
    for (const id of this.frameworks.keys()) {
      const waiting = this.allocator.explain(id, this.now).filter(({ reason }) => reason === 'OTHERS_FIRST');
      assert.deepEqual(waiting, [], 'nobody is left out');
    }
  }

  check(): void {
    for (const id of this.agents.keys()) {
      assert.ok(this.allocator.available(id).equals(this.freeOf(id)), 'allocated and available make the total');
      for (const frameworkId of this.frameworks.keys()) {
        const held = this.held.filter((one) => one.agentId === id && one.frameworkId === frameworkId);
        assert.ok(this.allocator.allocated(frameworkId, id).equals(Resources.sum(held.map((one) => one.resources))));
      }
    }
    const total = Resources.sum([...this.agents.values()].map((agent) => agent.total));
    for (const role of ROLES) {
      const under = this.held.filter((one) => one.role === role || isStrictSubrole(one.role, role));
      const sum = Resources.sum(under.map(({ resources }) => resources.unallocate()));
      const parts = ['cpus', 'mem', 'disk'].map((name) => sum.scalar(name) / Math.max(1, total.scalar(name)));
      assert.equal(this.allocator.roleShare(role), Math.max(...parts), `the share of ${role}`);
    }
  }
}

type Step = (model: Model) => void;

const id = fc.constantFrom(...IDS);
const frameworkSpec = fc.record({
  roles: fc.subarray(ROLES, { minLength: 1 }),
  suppressed: fc.subarray(ROLES),
  capabilities: fc.constant(new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT'])),
});

function forget(model: Model, gone: (one: { frameworkId: string; role: string; agentId: string }) => boolean): void {
  model.refused = model.refused.filter((one) => !gone(one));
}

const allocate: fc.Arbitrary<Step> = fc.constant((model) => {
  model.allocate();
});

const decline: fc.Arbitrary<Step> = fc
  .record({ at: fc.nat(), refuse: fc.constantFrom(undefined, 0, 2, 30), half: fc.boolean() })
  .map(({ at, refuse, half }) => (model) => {
    const one = model.held[at % Math.max(1, model.held.length)];
    if (one === undefined) return;
    const part = half ? one.resources.named('cpus') : one.resources;
    const rest = one.resources.minus(part);
    model.held = model.held.filter((other) => other !== one);
    if (!rest.isEmpty) model.held.push({ ...one, resources: rest });
    model.allocator.recoverResources(one.frameworkId, one.agentId, part, refuse, model.now);
    if (refuse && model.frameworks.get(one.frameworkId)!.roles.includes(one.role) && !part.isEmpty) {
      model.refused.push({ ...one, resources: part.unallocate(), until: model.now + refuse * 1000 });
    }
  });

/** Everybody refuses everything that is free. */
const declineAll: fc.Arbitrary<Step> = fc.constant((model) => {
  const before = model.held;
  for (let rounds = 0; model.allocate() > 0; rounds++) {
    assert.ok(rounds < 60, 'everybody has refused at last');
    for (const one of model.held.filter((one) => !before.includes(one))) {
      model.allocator.recoverResources(one.frameworkId, one.agentId, one.resources, 10, model.now);
      model.refused.push({ ...one, resources: one.resources.unallocate(), until: model.now + 10_000 });
    }
    model.held = before;
  }
});

const settle: fc.Arbitrary<Step> = fc.constant((model) => {
  model.settle();
});

const rareSteps: fc.Arbitrary<Step>[] = [
  fc.record({ id, spec: frameworkSpec, active: fc.boolean() }).map(({ id, spec, active }) => (model) => {
    const suppressed = spec.suppressed.filter((role) => spec.roles.includes(role));
    const request = { roles: spec.roles, suppressedRoles: suppressed, capabilities: spec.capabilities };
    const known = model.frameworks.get(id);
    if (known === undefined) {
      model.allocator.addFramework(id, { ...request, active });
    } else {
      model.allocator.updateFramework(id, request);
      forget(
        model,
        (one) =>
          one.frameworkId === id &&
          (!spec.roles.includes(one.role) || (known.suppressed.has(one.role) && !suppressed.includes(one.role))),
      );
    }
    model.frameworks.set(id, {
      roles: spec.roles,
      suppressed: new Set(suppressed),
      active: known?.active ?? active,
    });
  }),
  id.map((id) => (model) => {
    if (!model.frameworks.delete(id)) return;
    model.allocator.removeFramework(id);
    model.held = model.held.filter((one) => one.frameworkId !== id);
    forget(model, (one) => one.frameworkId === id);
  }),
  fc.record({ id, active: fc.boolean() }).map(({ id, active }) => (model) => {
    const framework = model.frameworks.get(id);
    if (framework === undefined) return;
    framework.active = active;
    if (active) model.allocator.activateFramework(id);
    else model.allocator.deactivateFramework(id);
    if (!active) forget(model, (one) => one.frameworkId === id);
  }),
  fc.record({ id, roles: fc.subarray(ROLES), revive: fc.boolean() }).map(({ id, roles, revive }) => (model) => {
    const framework = model.frameworks.get(id);
    if (framework === undefined) return;
    const meant = roles.length === 0 ? framework.roles : roles.filter((role) => framework.roles.includes(role));
    if (revive) model.allocator.revive(id, roles);
    else model.allocator.suppress(id, roles);
    for (const role of meant) {
      if (revive) framework.suppressed.delete(role);
      else framework.suppressed.add(role);
    }
    if (revive) forget(model, (one) => one.frameworkId === id && meant.includes(one.role));
  }),
  fc.record({ id, total: fc.constantFrom(...TOTALS) }).map(({ id, total }) => (model) => {
    if (model.agents.has(id)) return;
    model.agents.set(id, { total: parse(total), active: true });
    model.allocator.addAgent(id, {
      info: { hostname: id },
      total: parse(total),
      capabilities: new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE']),
    });
  }),
  fc.record({ id, more: fc.constantFrom(...TOTALS) }).map(({ id, more }) => (model) => {
    const agent = model.agents.get(id);
    if (agent === undefined || agent.total.scalar('cpus') > 30_000) return;
    agent.total = agent.total.plus(parse(more));
    model.allocator.updateAgent(id, { total: agent.total });
  }),
  id.map((id) => (model) => {
    if (!model.agents.delete(id)) return;
    model.allocator.removeAgent(id);
    model.held = model.held.filter((one) => one.agentId !== id);
    forget(model, (one) => one.agentId === id);
  }),
  fc.record({ id, active: fc.boolean() }).map(({ id, active }) => (model) => {
    const agent = model.agents.get(id);
    if (agent === undefined) return;
    agent.active = active;
    if (active) model.allocator.activateAgent(id);
    else model.allocator.deactivateAgent(id);
  }),
  fc.integer({ min: 0, max: 20_000 }).map((time) => (model) => {
    model.now += time;
  }),
  fc
    .record({ role: fc.constantFrom(...ROLES), weight: fc.constantFrom(1, 2, 0.5) })
    .map(({ role, weight }) => (model) => {
      // Only the order of turns depends on weights: the model keeps shares by weight 1.
      model.allocator.updateWeights([[role, weight]]);
      model.allocator.updateWeights([[role, 1]]);
    }),
];

const step = fc.oneof(
  { arbitrary: allocate, weight: 6 },
  { arbitrary: decline, weight: 6 },
  { arbitrary: declineAll, weight: 2 },
  { arbitrary: settle, weight: 2 },
  { arbitrary: fc.oneof(...rareSteps), weight: 6 },
);

/** Two frameworks in all roles, three agents. */
function populate(model: Model): void {
  for (const id of IDS.slice(0, 2)) {
    model.allocator.addFramework(id, { roles: ROLES, capabilities: new Set(['MULTI_ROLE']), active: true });
    model.frameworks.set(id, { roles: ROLES, suppressed: new Set(), active: true });
  }
  for (const [i, id] of IDS.slice(0, 3).entries()) {
    const total = parse(TOTALS[i]!);
    model.agents.set(id, { total, active: true });
    model.allocator.addAgent(id, {
      info: { hostname: id },
      total,
      capabilities: new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE']),
    });
  }
}

function run(options: AllocatorOptions, before?: Step): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), fc.nat(), (script, seed) => {
      const model = new Model(options, seed);
      before?.(model);
      populate(model);
      for (const next of script) {
        next(model);
        model.check();
      }
      model.settle();
      model.check();
    }),
    { numRuns: 150 },
  );
}

test('nothing is given that is not free, nobody gets what he does not want, and nobody is left out', () => {
  run({});
});

test('the same holds when turns are random', () => {
  run({ roleSorter: 'random', frameworkSorter: 'random' });
});

test('the same holds under guarantees and limits, and limits are kept', () => {
  const quota = (role: string, guarantee: number, limit: number | undefined): Step => {
    return (model) => {
      model.allocator.updateQuota(role, {
        guarantees: { cpus: guarantee, mem: guarantee * 10 },
        limits: limit === undefined ? {} : { cpus: limit },
      });
      if (limit !== undefined) model.limits.set(role, limit);
    };
  };
  run({}, (model) => {
    quota('a', 2000, 6000)(model);
    quota('d', 5000, 5000)(model);
    quota('e', 3000, undefined)(model);
  });
});

test('what is given does not depend on the order in which frameworks and agents were added', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(['f1', 'f2', 'f3', 'f4'], { minLength: 4 }),
      fc.shuffledSubarray(TOTALS, { minLength: 5 }),
      (frameworks, totals) => {
        const given = (order: readonly string[], agents: readonly string[]): string[] => {
          const allocator = createAllocator();
          for (const id of order) {
            allocator.addFramework(id, { roles: [id === 'f1' ? 'a' : 'd'], capabilities: new Set(), active: true });
          }
          // One agent at a time: the order of agents is random by intent.
          return agents.flatMap((total, i) => {
            allocator.addAgent(`${i}`, { info: { hostname: `${i}` }, total: parse(total), capabilities: new Set() });
            return allocator
              .allocate(0, seededRandom(1))
              .map(({ frameworkId, role, agentId, resources }) => `${frameworkId} ${role} ${agentId} ${resources}`);
          });
        };
        assert.deepEqual(given(frameworks, totals), given([...frameworks].sort(), totals));
      },
    ),
    { numRuns: 50 },
  );
});
