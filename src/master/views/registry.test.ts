import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MasterState, QuotaRecord } from '../core/state.ts';
import { textOf } from './parts.fixture.ts';
import { registryParts, takeRegistry } from './registry.ts';
import { AGENT_ID, clusterState, MASTER_ID } from './state.fixture.ts';

const registryJson = (state: MasterState): string => textOf(() => registryParts(takeRegistry(state)));

test('the registry shows agents, quotas and weights, and leaves out what is empty', () => {
  const state = clusterState();
  const bare = JSON.parse(registryJson({ ...state, quotas: new Map(), weights: new Map(), machines: new Map() }));
  assert.deepEqual(Object.keys(bare), ['master', 'slaves']);
  assert.equal(bare.master.info.id, MASTER_ID);
  assert.equal(bare.slaves.slaves[0].info.id.value, AGENT_ID);
  const none: QuotaRecord = { role: 'none', guarantees: {}, limits: {} };
  const shown = JSON.parse(
    registryJson({
      ...state,
      quotas: new Map([
        ['a', { role: 'a', guarantees: { cpus: 1500 }, limits: {} }],
        ['none', none],
      ]),
      weights: new Map([['b', 2.5]]),
      unreachable: new Map([['x', { id: 'x', time: 1000, info: undefined }]]),
      gone: new Map([['y', { id: 'y', time: 2000 }]]),
      machines: new Map([
        ['h1/', { id: { hostname: 'h1' }, mode: 'DRAINING', unavailability: { start: { nanoseconds: 5 } } }],
      ]),
    }),
  );
  assert.deepEqual(shown.quota_configs, [{ role: 'a', guarantees: { cpus: { value: 1.5 } } }]);
  assert.deepEqual(shown.minimum_capabilities, [{ capability: 'QUOTA_V2' }]);
  assert.deepEqual(shown.weights, [{ info: { role: 'b', weight: 2.5 } }]);
  assert.deepEqual(shown.unreachable.slaves, [{ id: { value: 'x' }, timestamp: { nanoseconds: 1e9 } }]);
  assert.deepEqual(shown.gone.slaves, [{ id: { value: 'y' }, timestamp: { nanoseconds: 2e9 } }]);
  assert.equal(shown.machines.machines[0].info.mode, 'DRAINING');
  assert.deepEqual(shown.schedules[0].windows[0].machine_ids, [{ hostname: 'h1' }]);
});

test('the registry shows what is decided about agents that are away', () => {
  const state = clusterState();
  const drain = { state: 'DRAINING', config: { mark_gone: true } } as const;
  const shown = JSON.parse(
    registryJson({
      ...state,
      recovered: new Map([['r', { id: { value: 'r' }, hostname: 'h' }]]),
      unreachable: new Map([['x', { id: 'x', time: 1000, info: undefined }]]),
      standings: new Map([
        ['r', {}],
        ['x', { drain }],
      ]),
    }),
  );
  assert.equal(shown.slaves.slaves.at(-1).deactivated, true);
  assert.deepEqual(shown.unreachable.slaves[0].drain_info, drain);
  assert.deepEqual(shown.minimum_capabilities, [{ capability: 'AGENT_DRAINING' }]);
});
