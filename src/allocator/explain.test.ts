import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import type { NoOfferHere } from './allocator.ts';
import { NO_OFFER_REASONS, type NoOfferReason } from './reason.ts';
import { FRAMEWORK_CAPABILITIES, quantities, resources, Stage } from './stage.fixture.ts';

/** Why the framework f is not offered the agent a, as the role r. */
function why(stage: Stage, role = 'r'): Omit<NoOfferHere, 'role' | 'agentId'> {
  const [one, ...more] = stage.allocator.explainAgents('f', stage.now, { role, agentId: 'a' });
  assert.deepEqual([one?.role, one?.agentId, more], [role, 'a', []]);
  const { role: _role, agentId: _agentId, ...because } = one!;
  const summary = stage.allocator.explain('f', stage.now).find((entry) => entry.role === role);
  assert.equal(summary?.reason, because.reason, 'of the only agent both say the same');
  assert.equal(summary?.until, because.until);
  if (summary?.exampleAgentId !== undefined) assert.deepEqual(summary.details, because.details);
  return because;
}

const revocable = (text: string): Resource[] => [...resources(text)].map((one) => ({ ...one, revocable: {} }));

const SHARED_VOLUME: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 1 },
  reservations: [{ type: 'DYNAMIC', role: 'r' }],
  disk: { persistence: { id: 'v' }, volume: { container_path: 'data', mode: 'RW' } },
  shared: {},
};

const REFINED: Resource = {
  name: 'cpus',
  type: 'SCALAR',
  scalar: { value: 1 },
  reservations: [
    { type: 'STATIC', role: 'r' },
    { type: 'DYNAMIC', role: 'r/s' },
  ],
};

const domain = (region: string) => ({ fault_domain: { region: { name: region }, zone: { name: 'z' } } });

/** What must be so for each reason, and what the explanation then says beside it. */
const CASES: Readonly<Record<Exclude<NoOfferReason, 'NO_AGENTS'>, () => Partial<NoOfferHere> & { stage: Stage }>> = {
  FRAMEWORK_INACTIVE() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1');
    stage.framework('f', 'r');
    stage.allocator.deactivateFramework('f');
    return { stage };
  },
  ROLE_SUPPRESSED() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1');
    stage.framework('f', 'r', { suppressedRoles: ['r'] });
    return { stage };
  },
  AGENT_DEACTIVATED() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1');
    stage.allocator.deactivateAgent('a');
    stage.framework('f', 'r');
    return { stage };
  },
  AGENT_NOT_WHITELISTED() {
    const stage = new Stage();
    stage.allocator.updateWhitelist(new Set(['elsewhere']));
    stage.agent('a', 'cpus:1');
    stage.framework('f', 'r');
    return { stage };
  },
  OFFER_CONSTRAINTS() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1');
    stage.framework('f', 'r', { constraints: { excludes: (role) => role === 'r' } });
    return { stage };
  },
  AGENT_LACKS_MULTI_ROLE() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1', {}, new Set(['HIERARCHICAL_ROLE']));
    stage.framework('f', 'r');
    return { stage };
  },
  AGENT_LACKS_HIERARCHICAL_ROLE() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1', {}, new Set(['MULTI_ROLE']));
    stage.framework('f', 'r/s');
    return { stage, role: 'r/s' };
  },
  LACKS_GPU_RESOURCES() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1;gpus:1');
    stage.framework('f', 'r');
    return { stage, details: { capabilities: ['GPU_RESOURCES'] } };
  },
  LACKS_REGION_AWARE() {
    const stage = new Stage({ domain: domain('here') });
    stage.agent('a', 'cpus:1', { domain: domain('there') });
    stage.framework('f', 'r');
    return { stage, details: { capabilities: ['REGION_AWARE'] } };
  },
  NOTHING_FREE() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1');
    stage.framework('other', 'first');
    stage.allocate();
    stage.framework('f', 'r');
    return { stage, details: { holders: [{ frameworkId: 'other', role: 'first' }] } };
  },
  RESERVED_TO_OTHERS() {
    const stage = new Stage();
    stage.agent('a', 'cpus(x):1;mem(r/s):10');
    stage.framework('f', 'r');
    return { stage, details: { roles: ['r/s', 'x'] } };
  },
  LACKS_CAPABILITIES() {
    const stage = new Stage();
    stage.agent('a', Resources.of([...revocable('cpus:1'), SHARED_VOLUME, REFINED]));
    stage.framework('f', 'r/s', { capabilities: new Set(['MULTI_ROLE']) });
    const capabilities = ['SHARED_RESOURCES', 'REVOCABLE_RESOURCES', 'RESERVATION_REFINEMENT'];
    return { stage, role: 'r/s', details: { capabilities } };
  },
  TOO_LITTLE() {
    const stage = new Stage({ minAllocatable: [quantities('cpus:1;mem:32')] });
    stage.agent('a', 'cpus:1;mem:31');
    stage.framework('f', 'r');
    return { stage };
  },
  QUOTA_LIMIT() {
    const stage = new Stage();
    stage.agent('a', 'cpus:4;mem:100');
    stage.allocator.updateQuota('r', { guarantees: {}, limits: { cpus: 1500, mem: 0 } });
    stage.framework('f', 'r/s');
    stage.allocate();
    const details = { limitedRole: 'r', resource: 'cpus', limit: 1500, consumed: 1500 };
    return { stage, role: 'r/s', details };
  },
  QUOTA_HELD_BACK() {
    const stage = new Stage();
    stage.agent('a', 'cpus:4');
    stage.allocator.updateQuota('x', { guarantees: { cpus: 5000 }, limits: {} });
    stage.allocator.updateQuota('y', { guarantees: { mem: 5000 }, limits: {} });
    stage.framework('f', 'r');
    return { stage, details: { resource: 'cpus', free: 4000, guaranteed: 5000, roles: ['x'] } };
  },
  REFUSED() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1');
    stage.framework('f', 'r');
    stage.declineAll(stage.allocate(), 10);
    return { stage, until: 10_000 };
  },
  OTHERS_FIRST() {
    const stage = new Stage();
    stage.agent('a', 'cpus:1');
    stage.framework('e', 'a/b');
    stage.framework('f', 'r');
    return { stage, details: { next: { frameworkId: 'e', role: 'a/b' } } };
  },
};

describe('each reason is named, with what is behind it', () => {
  for (const [reason, setUp] of Object.entries(CASES)) {
    test(`${reason}: ${NO_OFFER_REASONS[reason as NoOfferReason]}`, () => {
      const { stage, role = 'r', ...beside } = setUp();
      if (reason !== 'OTHERS_FIRST') {
        assert.deepEqual(
          stage.allocate().filter(({ frameworkId }) => frameworkId === 'f'),
          [],
        );
      }
      assert.deepEqual(why(stage, role), { reason, ...beside });
    });
  }

  test('NO_AGENTS: there is no agent', () => {
    const stage = new Stage();
    stage.framework('f', 'r');
    assert.deepEqual(stage.reasons('f'), ['r NO_AGENTS 0']);
    assert.deepEqual([...stage.allocator.explainAgents('f', 0)], []);
  });
});

test('of several refusals of an agent the last to end counts, of several agents the first that is free again', () => {
  const stage = new Stage();
  stage.agent('a', 'cpus:4');
  stage.agent('b', 'cpus:4');
  stage.framework('f', 'r');
  for (const [agentId, seconds] of [
    ['a', 30],
    ['b', 20],
  ] as const) {
    for (const refuse of [seconds, 10]) {
      stage.allocate();
      const held = stage.allocator.allocated('f', agentId);
      if (!held.isEmpty) stage.allocator.recoverResources('f', agentId, held, refuse, stage.now);
    }
  }
  assert.deepEqual(stage.allocator.explain('f', 0), [
    { role: 'r', reason: 'REFUSED', agents: 2, exampleAgentId: 'a', until: 20_000 },
  ]);
  assert.deepEqual(
    [...stage.allocator.explainAgents('f', 0)].map(({ agentId, until }) => [agentId, until]),
    [
      ['a', 30_000],
      ['b', 20_000],
    ],
  );
});

test('a refusal that has run out is none, and asking does not change what is allocated', () => {
  const stage = new Stage();
  stage.agent('a', 'cpus:4');
  stage.framework('f', 'r');
  stage.declineAll(stage.allocate(), 10);
  stage.now = 10_000;
  assert.equal(why(stage).reason, 'OTHERS_FIRST');
  assert.equal(stage.allocator.activeFilters('r'), 1);
  assert.equal(stage.offers().length, 1);
});

test('a role that lacks something of its guarantees is not told that it is held back for others', () => {
  const stage = new Stage();
  stage.agent('a', 'cpus:4');
  for (const role of ['r', 'x']) {
    stage.allocator.updateQuota(role, { guarantees: { cpus: 4000 }, limits: {} });
  }
  stage.framework('f', 'r');
  assert.equal(why(stage).reason, 'OTHERS_FIRST');
  stage.declineAll(stage.allocate(), 10);
  assert.equal(why(stage).reason, 'REFUSED');
});

test('only roles that it subscribes to are explained, and agents that are not known are not', () => {
  const stage = new Stage();
  stage.agent('a', 'cpus:1');
  stage.framework('f', ['r', 's']);
  stage.allocate();
  stage.allocator.updateFramework('f', { roles: ['s'], capabilities: FRAMEWORK_CAPABILITIES });
  assert.deepEqual(stage.reasons('f'), ['s NOTHING_FREE 1']);
  assert.deepEqual([...stage.allocator.explainAgents('f', 0, { role: 'r' })], []);
  assert.deepEqual([...stage.allocator.explainAgents('f', 0, { agentId: 'b' })], []);
  assert.throws(() => stage.allocator.explain('nobody', 0));
});

test('shares and consumed quota can be asked for', () => {
  const stage = new Stage();
  stage.agent('a', 'cpus(r):1;cpus:3');
  stage.agent('b', 'cpus:4');
  stage.allocator.updateQuota('r', { guarantees: {}, limits: { cpus: 4000 } });
  stage.framework('f', 'r/s');
  assert.equal(`${stage.allocator.quotaConsumed('r')}`, 'cpus:1');
  stage.allocate();
  assert.equal(`${stage.allocator.quotaConsumed('r')}`, 'cpus:4');
  assert.equal(`${stage.allocator.quotaConsumed('nobody')}`, '');
  assert.equal(stage.allocator.frameworkShare('f', 'r/s'), 0.5);
  assert.equal(stage.allocator.frameworkShare('f', 'r'), 0);
  assert.equal(stage.allocator.frameworkShare('nobody', 'r'), 0);
});
