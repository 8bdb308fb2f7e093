import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agent } from '../core/state.ts';
import { AgentSums, agentSums, catchUpAgentSums } from './agent-sums.ts';
import { clusterState, resources } from './state.fixture.ts';

const [AGENT] = clusterState().agents.values();

function agent(id: string, total: string, used: string, role = 'eng/a'): Agent {
  assert.ok(AGENT !== undefined);
  const inUse = resources(used).allocate(role);
  return { ...AGENT, id, total: resources(total), used: inUse, offered: resources('').allocate(role) };
}

const consumed = (sums: AgentSums, role: string) => Object.fromEntries(sums.consumed.addedUp().amounts(role));

test('what is reserved counts once, in use or idle, for the role and all above it', () => {
  const sums = new AgentSums();
  sums.update(new Map([['a', agent('a', 'cpus:4;cpus(eng):2;mem:10', 'cpus:1;cpus(eng):0.5;ports:[1-2]')]]));
  assert.deepEqual(consumed(sums, 'eng/a'), { cpus: 1500 });
  assert.deepEqual(consumed(sums, 'eng'), { cpus: 3000 });
  assert.deepEqual(consumed(sums, ''), { cpus: 3000 });
  assert.equal(sums.total.of('', 'cpus'), 6000);
});

test('kept sums are those that counting anew would give, whatever came, changed and went', () => {
  const agents = new Map<string, Agent>();
  const steps: (() => void)[] = [
    () => agents.set('a', agent('a', 'cpus:4;mem:100', 'cpus:1')),
    () => agents.set('b', agent('b', 'cpus(x):8', 'cpus(x):3', 'x')),
    () => agents.set('a', agent('a', 'cpus:4;mem:200', 'cpus:2;mem:10')),
    () => {
      agents.delete('b');
      agents.set('c', agent('c', 'gpus:2', 'gpus:1', 'y/z'));
    },
    () => agents.delete('c'),
    () => agents.clear(),
  ];
  for (const step of steps) {
    step();
    const sums = agentSums({ agents });
    assert.equal(agentSums({ agents }), sums);
    const anew = new AgentSums();
    anew.update(agents);
    for (const part of ['total', 'used', 'offered', 'consumed', 'held'] as const) {
      const keys = [...anew[part].keys].sort();
      assert.deepEqual([...sums[part].keys].sort(), keys);
      for (const key of keys) assert.deepEqual(new Map(sums[part].amounts(key)), new Map(anew[part].amounts(key)));
    }
  }
});

test('agents may come, change and go while sums catch up', () => {
  const agents = new Map<string, Agent>();
  for (let at = 0; at < 400; at++) agents.set(`a${at}`, agent(`a${at}`, 'cpus:4;mem:100', 'cpus:1'));
  const work = catchUpAgentSums({ agents });
  assert.equal(work.next().done, false);
  agents.delete('a3');
  agents.set('a4', agent('a4', 'cpus:8', 'cpus:2'));
  agents.set('a399', agent('a399', 'gpus:8', ''));
  agents.set('new', agent('new', 'cpus(x):2', ''));
  assert.equal(work.next().done, false);
  agents.delete('a5');
  while (work.next().done !== true);
  const sums = agentSums({ agents });
  assert.deepEqual(
    new Map(sums.total.amounts('')),
    new Map(Object.entries({ cpus: 397 * 4000 + 8000 + 2000 - 4000, gpus: 8000, mem: 396 * 100_000 })),
  );
  const anew = new AgentSums();
  anew.update(agents);
  for (const part of ['total', 'used', 'consumed'] as const) {
    for (const key of anew[part].keys)
      assert.deepEqual(new Map(sums[part].amounts(key)), new Map(anew[part].amounts(key)));
  }
});
