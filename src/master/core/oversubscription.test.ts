import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer, Resource } from '../../wire/v1.ts';
import { type Host, scalar, task, World } from './harness.fixture.ts';

const revocable = (cpus: number): Resource => ({ ...scalar('cpus', cpus), revocable: {} });

function oversubscribe(world: World, host: Host, ...resources: Resource[]): void {
  world.message(host.pid, 'mesos.internal.UpdateSlaveMessage', {
    slave_id: { value: host.id },
    update_oversubscribed_resources: true,
    oversubscribed_resources: resources,
  });
}

const revocableCpus = (offers: readonly Offer[]): number =>
  offers
    .flatMap((offer) => offer.resources ?? [])
    .filter((resource) => resource.name === 'cpus' && resource.revocable !== undefined)
    .reduce((sum, resource) => sum + (resource.scalar?.value ?? 0), 0);

const TAKER = { capabilities: [{ type: 'REVOCABLE_RESOURCES' as const }] };

test('what an agent oversubscribes is offered to frameworks that take revocable resources, and to no others', () => {
  const world = new World();
  const host = world.register();
  const plain = world.subscribe();
  oversubscribe(world, host, revocable(2));
  const offers = world.offers(plain);
  assert.ok(offers.length > 0);
  assert.equal(revocableCpus(offers), 0);
  const taker = world.subscribe(TAKER);
  assert.equal(revocableCpus(world.offers(taker)), 2);
});

test('a new estimate takes the place of the last one', () => {
  const world = new World();
  const host = world.register();
  oversubscribe(world, host, revocable(2));
  oversubscribe(world, host, revocable(3));
  assert.equal(world.state.agents.get(host.id)?.total.revocable().scalar('cpus'), 3000);
  oversubscribe(world, host);
  assert.equal(world.state.agents.get(host.id)?.total.revocable().isEmpty, true);
  assert.equal(world.state.agents.get(host.id)?.total.scalar('cpus'), 4000);
});

test('resources that are not revocable cannot be oversubscribed', () => {
  const world = new World();
  const host = world.register();
  for (let i = 0; i < 3; i++) oversubscribe(world, host, scalar('cpus', 2));
  assert.equal(world.state.agents.get(host.id)?.total.scalar('cpus'), 4000);
});

/** A task on revocable resources. */
function running() {
  const world = new World();
  const host = world.register();
  oversubscribe(world, host, revocable(2));
  const scheduler = world.subscribe({ ...TAKER, failover_timeout: 1e6, checkpoint: true });
  const [offer] = world.offers(scheduler);
  assert.ok(offer);
  const resources = [revocable(1.5), scalar('mem', 32)];
  world.launch(scheduler, offer, [task('t', offer.agent_id, { resources })]);
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  assert.equal(world.state.frameworks.get(scheduler.id)?.tasks.get('t')?.state, 'TASK_RUNNING');
  return { world, host, scheduler };
}

test('an estimate may fall below what is in use, and rise again', () => {
  const { world, host, scheduler } = running();
  oversubscribe(world, host, revocable(1));
  assert.equal(revocableCpus(world.offers(scheduler, 5000)), 0);
  oversubscribe(world, host, revocable(4));
  assert.equal(revocableCpus(world.offers(scheduler, 5000)), 2.5);
  world.update(scheduler, host, 't', 'TASK_FINISHED');
  assert.equal(world.state.agents.get(host.id)?.used.isEmpty, true);
});

test('an agent that comes back with a revocable task is taken, before it has said what it oversubscribes', () => {
  const { world, host, scheduler } = running();
  const agent = world.state.agents.get(host.id);
  const known = world.state.frameworks.get(scheduler.id)?.tasks.get('t');
  assert.ok(agent !== undefined && known !== undefined);
  world.step({ kind: 'exited', pid: host.pid });
  const frameworks = [world.state.frameworks.get(scheduler.id)!.info];
  world.reregister(host, { tasks: [known], frameworks });
  oversubscribe(world, host, revocable(2));
  assert.equal(revocableCpus(world.offers(scheduler, 5000)), 0.5);
  // And a master that knows nothing of it.
  const other = new World({
    registry: { agents: [{ info: agent.info }], unreachable: [], gone: [], weights: [], quotas: [], machines: [] },
  });
  other.reregister(host, { tasks: [known], frameworks });
  assert.equal(other.state.agents.get(host.id)?.used.revocable().scalar('cpus'), 1500);
  oversubscribe(other, host, revocable(2));
  other.update(scheduler, host, 't', 'TASK_FINISHED');
  assert.equal(other.state.agents.get(host.id)?.used.isEmpty, true);
});

test('what an agent tells while it is made durable that it is back counts when it is', () => {
  const registry = { agents: [], gone: [], weights: [], quotas: [], machines: [] };
  const world = new World({ registry: { ...registry, unreachable: [{ id: 'old-S0', time: 0 }] } });
  const host = { id: 'old-S0', pid: 'slave(1)@127.0.0.1:5051' };
  const revocableHere = () => world.state.agents.get(host.id)?.total.revocable().scalar('cpus');
  world.autoCommit = false;
  world.reregister(host);
  oversubscribe(world, host, revocable(2));
  assert.equal(revocableHere(), undefined);
  world.commitAll();
  assert.equal(revocableHere(), 2000);
});

test('and not when it registers once more meanwhile: it will tell again', () => {
  const registry = { agents: [], gone: [], weights: [], quotas: [], machines: [] };
  const world = new World({ registry: { ...registry, unreachable: [{ id: 'old-S0', time: 0 }] } });
  const host = { id: 'old-S0', pid: 'slave(1)@127.0.0.1:5051' };
  world.autoCommit = false;
  world.reregister(host);
  oversubscribe(world, host, revocable(2));
  world.reregister(host);
  world.commitAll();
  assert.equal(world.state.agents.get(host.id)?.total.revocable().isEmpty, true);
});
