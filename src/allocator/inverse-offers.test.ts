import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Unavailability } from '../wire/v1.ts';
import type { InverseOfferStatus } from '../wire/v1_allocator.ts';
import { AGENT_CAPABILITIES, resources, Stage } from './stage.fixture.ts';

const SOON: Unavailability = { start: { nanoseconds: 60e9 }, duration: { nanoseconds: 3600e9 } };
const LATER: Unavailability = { start: { nanoseconds: 600e9 } };

/** f1 and f2 each hold something of a1 and a2; f3 holds nothing. */
function stage(): Stage {
  const stage = new Stage();
  for (const id of ['f1', 'f2', 'f3']) stage.framework(id, 'r', { suppressedRoles: ['r'] });
  for (const id of ['a1', 'a2']) {
    stage.allocator.addAgent(id, {
      info: { hostname: id },
      total: resources('cpus:4'),
      capabilities: AGENT_CAPABILITIES,
      used: ['f1', 'f2'].map((framework) => [framework, resources('cpus:1').allocate('r')]),
    });
  }
  return stage;
}

const due = ({ allocator, now }: Stage): string[] =>
  allocator
    .allocateInverse(now)
    .map(({ frameworkId, agentId }) => `${frameworkId} ${agentId}`)
    .sort();

function answer(
  { allocator, now }: Stage,
  frameworkId: string,
  status: InverseOfferStatus['status'] | undefined,
  refuseSeconds?: number,
  agentId = 'a1',
): void {
  const said = status && { status, framework_id: { value: frameworkId }, timestamp: { nanoseconds: 1 } };
  allocator.answerInverseOffer(agentId, frameworkId, said, refuseSeconds, now);
}

const statuses = ({ allocator }: Stage): Record<string, Record<string, string>> =>
  Object.fromEntries(
    [...allocator.inverseOfferStatuses()].map(([agentId, answers]) => [
      agentId,
      Object.fromEntries([...answers].map(([id, { status }]) => [id, status])),
    ]),
  );

test('those who hold something on an agent that is to go down are asked, once, until they answer', () => {
  const there = stage();
  assert.deepEqual(due(there), []);
  there.allocator.updateUnavailability('a1', SOON);
  const [first] = there.allocator.allocateInverse(0);
  assert.deepEqual(first, { frameworkId: 'f1', agentId: 'a1', unavailability: SOON });
  assert.deepEqual(due(there), []);
  answer(there, 'f1', 'ACCEPT', 0);
  assert.deepEqual(due(there), ['f1 a1']);
});

test('an offer that is out counts as something held, and a framework in several roles is asked once', () => {
  const there = new Stage();
  there.framework('f', ['r1', 'r2']);
  there.agent('a', 'cpus:4');
  const [offer] = there.allocate();
  there.allocator.updateUnavailability('a', SOON);
  assert.deepEqual(due(there), ['f a']);
  answer(there, 'f', undefined, undefined, 'a');
  there.decline(offer!);
  assert.deepEqual(due(there), []);
  for (const role of ['r1', 'r2']) {
    there.allocator.addResourceProvider('a', resources('cpus:1'), [['f', resources('cpus:1').allocate(role)]]);
  }
  assert.deepEqual(due(there), ['f a']);
});

test('an agent may come with its unavailability, and holders may come after it', () => {
  const there = new Stage();
  there.allocator.addAgent('a', {
    info: { hostname: 'a' },
    total: resources('cpus:1'),
    capabilities: AGENT_CAPABILITIES,
    used: [['f', resources('cpus:1').allocate('r')]],
    unavailability: SOON,
  });
  assert.deepEqual(due(there), []);
  there.framework('f', 'r');
  assert.deepEqual(due(there), ['f a']);
});

test('a framework is not asked again for as long as it said', () => {
  const there = stage();
  there.allocator.updateUnavailability('a1', SOON);
  due(there);
  answer(there, 'f1', 'DECLINE', 10);
  answer(there, 'f2', 'ACCEPT', 20);
  there.now = 9999;
  assert.deepEqual(due(there), []);
  there.now = 10_000;
  assert.deepEqual(due(there), ['f1 a1']);
  there.now = 20_000;
  assert.deepEqual(due(there), ['f2 a1']);
});

test('times that make no sense count as five seconds, and more than a year as a year', () => {
  for (const [said, lasts] of [
    [-1, 5000],
    [Number.NaN, 5000],
    [1e12, 365 * 86_400_000],
  ] as const) {
    const there = stage();
    there.allocator.updateUnavailability('a1', SOON);
    due(there);
    answer(there, 'f1', 'DECLINE', said);
    there.now = lasts - 1;
    assert.deepEqual(due(there), []);
    there.now = lasts;
    assert.deepEqual(due(there), ['f1 a1']);
  }
});

test('of several refusals the longest counts', () => {
  const there = stage();
  there.allocator.updateUnavailability('a1', SOON);
  due(there);
  answer(there, 'f1', 'DECLINE', 100);
  answer(there, 'f1', undefined, 1);
  there.now = 50_000;
  assert.deepEqual(due(there), []);
});

test('answers are kept by agent and framework; those to questions that are not open are not', () => {
  const there = stage();
  there.allocator.updateUnavailability('a1', SOON);
  there.allocator.updateUnavailability('a2', SOON);
  answer(there, 'f1', 'ACCEPT');
  assert.deepEqual(statuses(there), { a1: {}, a2: {} });
  due(there);
  answer(there, 'f1', 'ACCEPT');
  answer(there, 'f2', undefined);
  answer(there, 'f1', 'DECLINE', undefined, 'a2');
  assert.deepEqual(statuses(there), { a1: { f1: 'ACCEPT' }, a2: { f1: 'DECLINE' } });
  assert.deepEqual(due(there), ['f1 a1', 'f1 a2', 'f2 a1']);
  answer(there, 'f1', 'DECLINE');
  assert.deepEqual(statuses(there).a1, { f1: 'DECLINE' });
});

test('answers of the unknown about the unknown are ignored', () => {
  const there = stage();
  answer(there, 'f1', 'ACCEPT', 5, 'no agent');
  answer(there, 'nobody', 'ACCEPT', 5);
  answer(there, 'f1', 'ACCEPT', 5);
  assert.deepEqual(statuses(there), {});
  there.allocator.updateUnavailability('a1', SOON);
  assert.deepEqual(due(there), ['f1 a1', 'f2 a1']);
});

test('another unavailability opens everything anew, and none ends it', () => {
  const there = stage();
  there.allocator.updateUnavailability('a1', SOON);
  due(there);
  answer(there, 'f1', 'ACCEPT', 1000);
  there.allocator.updateUnavailability('a1', LATER);
  assert.deepEqual(statuses(there), { a1: {} });
  const again = there.allocator.allocateInverse(there.now);
  assert.deepEqual(
    again.map((one) => [one.frameworkId, one.unavailability]),
    [
      ['f1', LATER],
      ['f2', LATER],
    ],
  );
  there.allocator.updateUnavailability('a1', undefined);
  assert.deepEqual(due(there), []);
  assert.deepEqual(statuses(there), {});
});

for (const [what, lift] of [
  ['REVIVE of any role', ({ allocator }: Stage) => allocator.revive('f1', ['r'])],
  [
    'an update of the framework',
    ({ allocator }: Stage) => allocator.updateFramework('f1', { roles: ['r'], capabilities: new Set() }),
  ],
  [
    'deactivation of the framework',
    ({ allocator }: Stage) => {
      allocator.deactivateFramework('f1');
      allocator.activateFramework('f1');
    },
  ],
  [
    'new attributes of the agent',
    ({ allocator }: Stage) =>
      allocator.updateAgent('a1', {
        info: { hostname: 'a1', attributes: [{ name: 'x', type: 'TEXT', text: { value: 'y' } }] },
      }),
  ],
] as const) {
  test(`${what} ends refusals of inverse offers`, () => {
    const there = stage();
    there.allocator.updateUnavailability('a1', SOON);
    due(there);
    answer(there, 'f1', 'DECLINE', 1000);
    assert.deepEqual(due(there), []);
    lift(there);
    assert.deepEqual(due(there), ['f1 a1']);
  });
}

test('nobody is asked who is not there to answer, and nothing about agents that are not offered', () => {
  const there = stage();
  there.allocator.updateUnavailability('a1', SOON);
  there.allocator.updateUnavailability('a2', SOON);
  there.allocator.deactivateFramework('f1');
  there.allocator.deactivateAgent('a2');
  assert.deepEqual(due(there), ['f2 a1']);
  there.allocator.activateFramework('f1');
  there.allocator.activateAgent('a2');
  assert.deepEqual(due(there), ['f1 a1', 'f1 a2', 'f2 a2']);
});

test('frameworks and agents that went are forgotten', () => {
  const there = stage();
  there.allocator.updateUnavailability('a1', SOON);
  due(there);
  answer(there, 'f1', 'DECLINE', 1000);
  there.allocator.removeFramework('f1');
  there.allocator.removeFramework('f2');
  for (const id of ['f1', 'f2']) {
    there.framework(id, 'r', { suppressedRoles: ['r'] });
    there.allocator.addResourceProvider('a1', resources('cpus:1'), [[id, resources('cpus:1').allocate('r')]]);
  }
  assert.deepEqual(due(there), ['f1 a1', 'f2 a1']);
  there.allocator.removeAgent('a1');
  assert.deepEqual(statuses(there), {});
  assert.deepEqual(due(there), []);
  answer(there, 'f1', 'ACCEPT', 5);
  there.agent('a1', 'cpus:1');
  assert.deepEqual(statuses(there), {});
});
