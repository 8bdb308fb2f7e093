import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './harness.fixture.ts';

/** Found by the simulator: agents that die and come back at the same address faster than their master notices. */

const version = (byte: number): { value: Uint8Array } => ({ value: new Uint8Array(16).fill(byte) });

test('an agent that repeats its registration is greeted under the id that it has', () => {
  const world = new World();
  const host = world.register();
  assert.deepEqual(world.register(), host);
  assert.equal(world.state.agents.size, 1);
});

test('another agent at the address of a connected one takes its place, with an id of its own', () => {
  const world = new World();
  const host = world.register();
  world.message(host.pid, 'mesos.internal.RegisterSlaveMessage', {
    slave: { hostname: 'host-5051', port: 5051 },
    version: '1.12.0',
    resource_version_uuid: version(1),
  });
  assert.equal(world.state.agents.has(host.id), false);
  assert.equal(world.state.agents.size, 1);
  assert.equal(world.state.counters['slave_removals/reason_registered'], 1);
});

test('one address has one agent, also when a former one is readmitted there', () => {
  const world = new World();
  const first = world.register();
  world.step({ kind: 'exited', pid: first.pid });
  world.message(first.pid, 'mesos.internal.RegisterSlaveMessage', {
    slave: { hostname: 'host-5051', port: 5051 },
    version: '1.12.0',
    resource_version_uuid: version(2),
  });
  const [second] = [...world.state.agents.keys()];
  assert.notEqual(second, first.id);
  world.reregister(first);
  assert.deepEqual([...world.state.agents.keys()], [first.id]);
});
