import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunSpec } from '../core/model.ts';
import { Rig } from '../core/rig.fixture.ts';
import { type AgentTotal, neverFits } from './never-fits.ts';

function specOf(document: object): RunSpec {
  const rig = new Rig();
  const outcome = rig.change({ kind: 'createApp', document: { id: '/prod/a', cmd: 'sleep 1', ...document } });
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return rig.core.state.current.get('/prod/a')!;
}

const agent = (
  unreserved: AgentTotal['unreserved'],
  reserved: AgentTotal['reserved'] = {},
  attributes: AgentTotal['placement']['attributes'] = {},
): AgentTotal => ({ unreserved, reserved, placement: { agentId: 'a', host: 'host1', attributes } });

test('what every agent has too little of is named, with the most that there is', () => {
  const agents = [agent({ cpus: 4, mem: 1024 }), agent({ cpus: 8, mem: 64 })];
  assert.match(
    neverFits(specOf({ cpus: 10, mem: 32 }), agents) ?? '',
    /needs 10 cpus, and the most .* role '\*' is 8$/,
  );
  assert.equal(neverFits(specOf({ cpus: 8, mem: 32 }), agents), undefined);
  assert.match(neverFits(specOf({ cpus: 1, mem: 32, disk: 10 }), agents) ?? '', /needs 10 disk, .* is 0$/);
});

test('where each agent has enough of something, but none of all, that is said', () => {
  const agents = [agent({ cpus: 4, mem: 1024 }), agent({ cpus: 8, mem: 64 })];
  assert.match(neverFits(specOf({ cpus: 6, mem: 500 }), agents) ?? '', /none has all of 6 cpus, 500 mem, even when/);
});

test('what is reserved for the role counts, what is reserved for others does not', () => {
  const agents = [agent({ cpus: 1, mem: 100 }, { prod: { cpus: 2 }, dev: { cpus: 9 } })];
  assert.equal(neverFits(specOf({ cpus: 3, mem: 100, role: 'prod' }), agents), undefined);
  assert.match(neverFits(specOf({ cpus: 3.1, mem: 100, role: 'prod' }), agents) ?? '', /role 'prod' is 3$/);
});

test('without agents nothing is said: some may come', () => {
  assert.equal(neverFits(specOf({ cpus: 10 }), []), undefined);
});

test('constraints that no agent meets, whatever runs on it, are told', () => {
  const agents = [agent({ cpus: 4, mem: 100 }, {}, { rack: 'r1' }), agent({ cpus: 1, mem: 100 }, {}, { rack: 'r2' })];
  const never = (constraint: readonly string[], cpus = 1): string | undefined =>
    neverFits(specOf({ cpus, mem: 32, constraints: [constraint] }), agents);
  assert.match(
    never(['rack', 'LIKE', 'r3']) ?? '',
    /: none meets all constraints; on host1, constraint rack LIKE r3 is not met: rack is 'r1'$/,
  );
  assert.match(never(['zone', 'UNIQUE']) ?? '', /the agent has no 'zone'$/);
  assert.match(never(['rack', 'MAX_PER', '0']) ?? '', /MAX_PER 0 is not met/);
  assert.match(never(['rack', 'CLUSTER', 'r2'], 2) ?? '', /of those that are large enough none meets all constraints/);
  for (const met of [
    ['rack', 'CLUSTER', 'r2'],
    ['rack', 'UNIQUE'],
    ['rack', 'GROUP_BY', '3'],
    ['zone', 'UNLIKE', 'x'],
    ['hostname', 'IS', 'host1'],
  ])
    assert.equal(never(met), undefined, met.join(' '));
});
