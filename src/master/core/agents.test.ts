import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo } from '../../wire/v1.ts';
import { type Host, type Scheduler, scalar, task, World } from './harness.fixture.ts';

/** A world in which one task runs. */
function running(
  info: Partial<FrameworkInfo> = {},
  world = new World(),
): { world: World; host: Host; scheduler: Scheduler } {
  const host = world.register();
  const scheduler = world.subscribe({ failover_timeout: 1e6, ...info });
  const [offer] = world.offers(scheduler, 1);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)], 1e6);
  world.acknowledge(scheduler, host, 't', world.update(scheduler, host, 't', 'TASK_RUNNING'));
  return { world, host, scheduler };
}

/** What the agent of `running` reports when it registers again. */
function report(world: World, host: Host, scheduler: Scheduler): Parameters<World['reregister']>[1] {
  const info = world.state.frameworks.get(scheduler.id)?.info ?? { user: 'root', name: 'test' };
  return {
    frameworks: [{ ...info, id: { value: scheduler.id } }],
    tasks: [
      {
        name: 't',
        task_id: { value: 't' },
        framework_id: { value: scheduler.id },
        agent_id: { value: host.id },
        state: 'TASK_RUNNING',
        resources: [scalar('cpus', 1), scalar('mem', 128)],
      },
    ],
  };
}

/** Nobody answers pings for so long. */
const SILENCE = 15_000 * 6;

test('an agent is admitted when that is durable, and is answered again when it asks again', () => {
  const world = new World();
  world.autoCommit = false;
  const message = { slave: { hostname: 'h', resources: [scalar('cpus', 1)] }, version: '1.12.0' };
  const pid = 'slave(1)@127.0.0.1:5051';
  const register = (): number => {
    world.message(pid, 'mesos.internal.RegisterSlaveMessage', message);
    return world.sent('mesos.internal.SlaveRegisteredMessage', pid).length;
  };
  assert.equal(register(), 0);
  assert.equal(register(), 0);
  assert.equal(world.effects.filter((effect) => effect.kind === 'commit').length, 0, 'it is being admitted already');
  world.commitAll();
  assert.equal(world.state.agents.size, 1);
  assert.ok(world.effects.some((effect) => effect.kind === 'link' && effect.pid === pid));
  assert.equal(register(), 1);
  assert.equal(world.state.agents.size, 1);
  assert.equal(world.state.counters.slave_registrations, 1);
});

test('an agent that is restarted while it is being admitted is admitted as what it is now', () => {
  const world = new World();
  world.autoCommit = false;
  const pid = 'slave(1)@127.0.0.1:5051';
  for (const [life, cpus] of [
    [1, 1],
    [2, 8],
  ] as const) {
    world.message(pid, 'mesos.internal.RegisterSlaveMessage', {
      slave: { hostname: 'h', resources: [scalar('cpus', cpus)] },
      version: '1.12.0',
      resource_version_uuid: { value: new Uint8Array(16).fill(life) },
    });
  }
  world.commitAll();
  const [agent, ...others] = [...world.state.agents.values()];
  assert.deepEqual([agent?.total.toString(), others.length], ['cpus:8', 0]);
  const greeted = world.sent('mesos.internal.SlaveRegisteredMessage', pid).map(({ slave_id }) => slave_id.value);
  assert.deepEqual(greeted, [agent?.id], 'the first one is no more');
});

test('an agent that takes the admission of an earlier life for its own is asked to register again', () => {
  const world = new World();
  const pid = 'slave(1)@127.0.0.1:5051';
  const version = (life: number) => ({ value: new Uint8Array(16).fill(life) });
  const slave = { hostname: 'h', resources: [scalar('cpus', 1)] };
  world.message(pid, 'mesos.internal.RegisterSlaveMessage', {
    slave,
    version: '1.12.0',
    resource_version_uuid: version(1),
  });
  const [agent] = [...world.state.agents.values()];
  const asked = () => world.sent('mesos.internal.PingSlaveMessage', pid).filter(({ connected }) => !connected).length;
  const tell = (life: number) =>
    world.message(pid, 'mesos.internal.UpdateSlaveMessage', {
      slave_id: { value: agent!.id },
      resource_version_uuid: version(life),
    });
  tell(1);
  tell(2);
  assert.equal(asked(), 0, 'a version that changes later is nothing unusual');
  world.message('slave(1)@127.0.0.1:5052', 'mesos.internal.RegisterSlaveMessage', {
    slave,
    version: '1.12.0',
    resource_version_uuid: version(1),
  });
  const other = [...world.state.agents.values()][1]!;
  const message = { slave_id: { value: other.id }, resource_version_uuid: version(3) };
  world.message(other.pid, 'mesos.internal.UpdateSlaveMessage', message);
  const again = world.sent('mesos.internal.PingSlaveMessage', other.pid).filter(({ connected }) => !connected);
  assert.equal(again.length, 1);
});

test('nothing of an agent is offered while it is made durable that it has become another', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  assert.equal(world.offers(scheduler, 1).length, 1);
  world.autoCommit = false;
  const port = Number(host.pid.split(':')[1]);
  const resources = [scalar('cpus', 8), scalar('mem', 4096)];
  const slave = { hostname: `host-${port}`, port, resources, id: { value: host.id } };
  world.reregister(host, { slave });
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 1);
  assert.deepEqual(world.offers(scheduler, 10_000), []);
  world.commitAll();
  const [offer] = world.offers(scheduler, 10_000);
  assert.equal(offer?.resources?.find(({ name }) => name === 'cpus')?.scalar?.value, 8);
});

test('a registry that fails ends the master', () => {
  const world = new World();
  world.autoCommit = false;
  const message = { slave: { hostname: 'h' }, version: '1.12.0' };
  world.message('slave(1)@127.0.0.1:1', 'mesos.internal.RegisterSlaveMessage', message);
  world.commitAll('no quorum');
  assert.ok(world.effects.some((effect) => effect.kind === 'shutdown'));
});

test('agents that make no sense, are too old, or may not join are not answered', () => {
  const world = new World({ authorize: (q) => q.action !== 'REGISTER_AGENT' || q.principal !== 'guest' });
  const pid = 'slave(1)@127.0.0.1:5051';
  const slave = { hostname: 'h', resources: [scalar('cpus', 1)] };
  const refused = [
    { slave, version: '0.28.0' },
    { slave },
    { slave: { ...slave, resources: [scalar('cpus', -1)] }, version: '1.0.0' },
    { slave: { ...slave, id: { value: 'a/b' } }, version: '1.0.0' },
    { slave: { ...slave, domain: {} }, version: '1.0.0' },
    { slave, version: '1.0.0', checkpointed_resources: [scalar('cpus', 1)] },
  ];
  for (const message of refused) world.message(pid, 'mesos.internal.RegisterSlaveMessage', message);
  world.message('nonsense', 'mesos.internal.RegisterSlaveMessage', { slave, version: '1.0.0' });
  world.step({
    kind: 'message',
    from: pid,
    to: 'master',
    name: 'mesos.internal.RegisterSlaveMessage',
    body: { slave, version: '1.0.0' },
    principal: 'guest',
  });
  assert.equal(world.state.agents.size, 0);
});

test('a machine that is down may not join', () => {
  const machine = { id: { hostname: 'HOST-5051', ip: '127.0.0.1' }, mode: 'DOWN', unavailability: undefined } as const;
  const registry = { agents: [], unreachable: [], gone: [], weights: [], quotas: [], machines: [machine] };
  const world = new World({ registry });
  const slave = { hostname: 'host-5051' };
  world.message('slave(1)@127.0.0.1:5051', 'mesos.internal.RegisterSlaveMessage', { slave, version: '1.0.0' });
  assert.equal(world.sent('mesos.internal.ShutdownMessage').length, 1);
});

test('agents are pinged by their own observer, at once and every 15 seconds', () => {
  const world = new World();
  const host = world.register();
  const pings = world.sleep(31_000).filter((effect) => effect.kind === 'send' && effect.to === host.pid);
  assert.equal(pings.length, 3);
  assert.ok(pings.every((effect) => effect.kind === 'send' && effect.from === 'slave-observer(1)'));
});

test('an agent that does not answer five pings is unreachable, and tasks with it', () => {
  for (const aware of [true, false]) {
    const { world, host, scheduler } = running(aware ? { capabilities: [{ type: 'PARTITION_AWARE' }] } : {});
    world.sleep(60_000);
    assert.equal(world.state.agents.size, 1);
    world.sleep(SILENCE - 60_000);
    assert.equal(world.state.agents.size, 0);
    assert.ok(world.state.unreachable.has(host.id));
    const state = aware ? 'TASK_UNREACHABLE' : 'TASK_LOST';
    assert.deepEqual(world.states(scheduler), [['t', state, 'REASON_AGENT_REMOVED']]);
    assert.equal(world.events(scheduler.stream, 'FAILURE')[0]?.failure?.agent_id?.value, host.id);
    assert.equal(world.state.frameworks.get(scheduler.id)?.unreachableTasks.has('t'), true);
    const reconcile = { tasks: [{ task_id: { value: 't' }, agent_id: { value: host.id } }] };
    world.say(scheduler, { type: 'RECONCILE', reconcile });
    assert.deepEqual(world.states(scheduler), [['t', state, 'REASON_RECONCILIATION']]);
  }
});

test('a pong in time keeps an agent', () => {
  const world = new World();
  const host = world.register();
  for (let i = 0; i < 20; i++) {
    world.sleep(50_000);
    world.message(host.pid, 'mesos.internal.PongSlaveMessage', {}, 'slave-observer(1)');
  }
  assert.equal(world.state.agents.size, 1);
});

test('the removal rate limit lets silent agents go one by one, and a pong takes one back', () => {
  const world = new World({ agentRemovalRateLimit: { count: 1, interval: 60_000 } });
  const hosts = [5051, 5052, 5053].map((port) => world.register(port));
  world.sleep(SILENCE);
  assert.equal(world.state.agents.size, 2);
  const [last] = [...world.state.agents.values()].slice(-1);
  world.message(last!.pid, 'mesos.internal.PongSlaveMessage', {}, last!.observer.process);
  assert.equal(world.state.counters.slave_unreachable_canceled, 1);
  world.sleep(61_000);
  assert.deepEqual([...world.state.agents.keys()], [hosts[2]!.id]);
});

test('the removal rate limit holds for agents that do not come back after their link broke, too', () => {
  const world = new World({
    agentRemovalRateLimit: { count: 1, interval: 60_000 },
    agentReregisterTimeout: 10_000,
    maxAgentPingTimeouts: 1000,
  });
  const hosts = [5051, 5052, 5053].map((port) => world.register(port));
  for (const { pid } of hosts) world.step({ kind: 'exited', pid });
  world.sleep(10_001);
  assert.deepEqual([...world.state.unreachable.keys()], [hosts[0]!.id]);
  world.reregister(hosts[1]!);
  world.sleep(60_001);
  assert.deepEqual([...world.state.unreachable.keys()], [hosts[0]!.id, hosts[2]!.id]);
  const { slave_unreachable_scheduled, slave_unreachable_completed, slave_unreachable_canceled } = world.state.counters;
  assert.deepEqual([slave_unreachable_scheduled, slave_unreachable_completed, slave_unreachable_canceled], [3, 2, 1]);
});

test('the removal rate limit holds for agents that do not come back after a failover, too', () => {
  const agents = ['old-S0', 'old-S1', 'old-S2'].map((value) => ({ info: { ...OLD, id: { value } } }));
  const registry = { agents, unreachable: [], gone: [], weights: [], quotas: [], machines: [] };
  const world = new World({ registry, agentRemovalRateLimit: { count: 1, interval: 60_000 } });
  world.sleep(600_001);
  assert.deepEqual([...world.state.unreachable.keys()], ['old-S0']);
  assert.deepEqual([...world.state.recovered.keys()], ['old-S1', 'old-S2']);
  world.reregister({ id: 'old-S1', pid: 'slave(1)@127.0.0.1:5051' });
  world.sleep(60_000);
  assert.deepEqual([...world.state.unreachable.keys()], ['old-S0', 'old-S2']);
  const { counters } = world.state;
  const names = ['slave_unreachable_scheduled', 'slave_unreachable_completed', 'slave_unreachable_canceled'] as const;
  assert.deepEqual(
    names.map((name) => counters[name]),
    [3, 2, 1],
  );
  assert.equal(counters.recovery_slave_removals, 2);
  assert.equal(counters['slave_removals/reason_unhealthy'], 2);
});

test('an unreachable agent that comes back brings its tasks with it', () => {
  const { world, host, scheduler } = running({ capabilities: [{ type: 'PARTITION_AWARE' }], checkpoint: true });
  const luggage = report(world, host, scheduler);
  world.sleep(SILENCE);
  world.reregister(host, luggage);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_RUNNING', 'REASON_AGENT_REREGISTERED']]);
  const framework = world.state.frameworks.get(scheduler.id);
  assert.equal(framework?.unreachableTasks.size, 0);
  assert.equal(framework?.tasks.get('t')?.state, 'TASK_RUNNING');
  assert.equal(world.state.unreachable.size, 0);
  assert.equal(world.sent('mesos.internal.UpdateFrameworkMessage', host.pid).length, 1);
});

test('an agent that comes back after its framework ended is told to end what runs there', () => {
  const { world, host, scheduler } = running({ checkpoint: true });
  const luggage = report(world, host, scheduler);
  world.sleep(SILENCE);
  world.say(scheduler, { type: 'TEARDOWN' });
  world.reregister(host, luggage);
  assert.equal(world.sent('mesos.internal.ShutdownFrameworkMessage', host.pid).length, 1);
  assert.equal(world.state.agents.get(host.id)?.used.isEmpty, true);
});

test('when the link breaks, tasks without checkpointing are lost at once, others wait', () => {
  for (const checkpoint of [false, true]) {
    const { world, host, scheduler } = running({ checkpoint, capabilities: [{ type: 'PARTITION_AWARE' }] });
    world.step({ kind: 'exited', pid: host.pid });
    const lost = [['t', 'TASK_LOST', 'REASON_AGENT_DISCONNECTED']];
    assert.deepEqual(world.states(scheduler), checkpoint ? [] : lost);
    assert.equal(world.state.agents.get(host.id)?.active, false);
    assert.equal(world.state.offers.size, 0);
    assert.equal(world.offers(world.subscribe(), 2000).length, 0, 'nothing of it is offered');
  }
});

test('an agent that is not back within agent_reregister_timeout is unreachable', () => {
  const { world, host } = running({ checkpoint: true });
  world.step({ kind: 'exited', pid: host.pid });
  for (let i = 0; i < 60; i++) {
    world.sleep(11_000);
    const observer = world.state.agents.get(host.id)?.observer.process;
    if (observer !== undefined) world.message(host.pid, 'mesos.internal.PongSlaveMessage', {}, observer);
  }
  assert.equal(world.state.unreachable.has(host.id), true);
});

test('a known agent that registers again is compared with the books', () => {
  const { world, host, scheduler } = running({ checkpoint: true });
  world.step({ kind: 'exited', pid: host.pid });
  world.say(scheduler, { type: 'KILL', kill: { task_id: { value: 't' } } });
  assert.equal(world.sent('mesos.internal.KillTaskMessage').length, 0, 'it cannot be reached');
  world.reregister(host, report(world, host, scheduler));
  assert.equal(world.sent('mesos.internal.KillTaskMessage', host.pid).length, 1, 'the kill is made up for');
  assert.equal(world.sent('mesos.internal.SlaveReregisteredMessage')[0]?.reconciliations, undefined);
  assert.equal(world.state.agents.get(host.id)?.active, true);
  world.reregister(host);
  const [answer] = world.sent('mesos.internal.SlaveReregisteredMessage', host.pid);
  assert.deepEqual(
    answer?.reconciliations?.[0]?.statuses?.map((status) => status.task_id.value),
    ['t'],
  );
});

test('what an agent that was restarted says while its reregistration is being committed is what counts', () => {
  const world = new World();
  const host = world.register();
  world.autoCommit = false;
  const { hostname = '' } = world.state.agents.get(host.id)?.info ?? {};
  const say = (cpus: number): void => {
    const slave = { hostname, id: { value: host.id }, resources: [scalar('cpus', cpus)] };
    world.message(host.pid, 'mesos.internal.ReregisterSlaveMessage', { slave, version: '1.12.0' });
  };
  say(9);
  say(10);
  assert.equal(world.sent('mesos.internal.SlaveReregisteredMessage', host.pid).length, 0);
  world.commitAll();
  assert.equal(world.sent('mesos.internal.SlaveReregisteredMessage', host.pid).length, 2, 'one for each');
  assert.deepEqual(world.state.agents.get(host.id)?.total.toProto(), [scalar('cpus', 10)]);
});

test('an agent may not come back from elsewhere', () => {
  const world = new World();
  const host = world.register();
  const moved = 'slave(1)@127.0.0.2:5051';
  world.reregister({ ...host, pid: moved });
  assert.equal(world.sent('mesos.internal.ShutdownMessage', moved).length, 1);
  assert.equal(world.state.agents.get(host.id)?.pid, host.pid);
});

test('an agent whose report contradicts itself is not readmitted', () => {
  const world = new World();
  const scheduler = world.subscribe();
  const host = { id: 'old', pid: 'slave(1)@127.0.0.1:5051' };
  const good = report(world, host, scheduler)!;
  const [t] = good.tasks!;
  const cases: Parameters<World['reregister']>[1][] = [
    { ...good, frameworks: [] },
    { ...good, frameworks: [...good.frameworks!, ...good.frameworks!] },
    { ...good, tasks: [t!, t!] },
    { ...good, tasks: [{ ...t!, agent_id: { value: 'other' } }] },
    { ...good, tasks: [{ ...t!, executor_id: { value: 'none' } }] },
    { ...good, tasks: [{ ...t!, resources: [scalar('cpus', 100)] }] },
    { ...good, executor_infos: [{ executor_id: { value: 'e' } }] },
    { ...good, version: 'x' },
  ];
  for (const message of cases) world.reregister(host, message);
  assert.equal(world.state.agents.size, 0);
  world.reregister(host, good);
  assert.equal(world.state.agents.size, 1);
});

test('a new agent at the address of one that broke off takes its place', () => {
  const { world, host, scheduler } = running({ checkpoint: true });
  world.step({ kind: 'exited', pid: host.pid });
  const message = { slave: { hostname: 'host-5051' }, version: '1.12.0' };
  world.message(host.pid, 'mesos.internal.RegisterSlaveMessage', message);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_LOST', 'REASON_AGENT_REMOVED']]);
  assert.equal(world.state.agents.has(host.id), false);
  assert.equal(world.state.agents.size, 1);
  assert.equal(world.state.counters['slave_removals/reason_registered'], 1);
});

test('an agent leaves for good when it unregisters, and nobody else can say so', () => {
  const { world, host, scheduler } = running({ capabilities: [{ type: 'PARTITION_AWARE' }] });
  const message = { slave_id: { value: host.id } };
  world.message('slave(1)@127.0.0.1:9', 'mesos.internal.UnregisterSlaveMessage', message);
  assert.equal(world.state.agents.size, 1);
  world.message(host.pid, 'mesos.internal.UnregisterSlaveMessage', message);
  assert.equal(world.state.agents.size, 0);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_LOST', 'REASON_AGENT_REMOVED']]);
});

test('an agent that is marked gone is told to end, and stays away', () => {
  const { world, host, scheduler } = running({ capabilities: [{ type: 'PARTITION_AWARE' }] });
  const mark = (id: string): number | undefined => {
    const call = { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: id } } } as const;
    world.step({ kind: 'operatorCall', request: 1, call });
    return world.effects.flatMap((effect) => (effect.kind === 'reply' ? effect.status : []))[0];
  };
  assert.equal(mark('none'), 404);
  assert.equal(mark(host.id), 200);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_GONE_BY_OPERATOR', 'REASON_AGENT_REMOVED_BY_OPERATOR']]);
  assert.equal(mark(host.id), 200);
  world.reregister(host);
  assert.equal(world.sent('mesos.internal.ShutdownMessage', host.pid).length, 1);
  assert.equal(world.state.agents.size, 0);
});

const OLD = {
  hostname: 'host-5051',
  port: 5051,
  resources: [scalar('cpus', 4), scalar('mem', 4096)],
  id: { value: 'old-S0' },
};

test('after a failover, agents of before are waited for, and then unreachable', () => {
  const registry = {
    agents: [{ info: OLD }, { info: { ...OLD, id: { value: 'old-S1' } } }],
    unreachable: [],
    gone: [],
    weights: [],
    quotas: [],
    machines: [],
  };
  const world = new World({ registry });
  const scheduler = world.subscribe();
  const ask = (): unknown => {
    world.say(scheduler, { type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 't' } }] } });
    return world.states(scheduler).length;
  };
  assert.equal(ask(), 0, 'silent while agents are still coming back');
  world.reregister({ id: 'old-S0', pid: 'slave(1)@127.0.0.1:5051' });
  assert.equal(world.state.recovered.size, 1);
  for (let i = 0; i < 60; i++) {
    world.sleep(10_100);
    world.message('x', 'mesos.internal.PongSlaveMessage', {}, 'slave-observer(1)');
  }
  assert.deepEqual([...world.state.unreachable.keys()], ['old-S1']);
  assert.equal(world.state.counters.recovery_slave_removals, 1);
  assert.equal(ask(), 1);
});

test('too many agents missing after a failover end the master', () => {
  const registry = { agents: [{ info: OLD }], unreachable: [], gone: [], weights: [], quotas: [], machines: [] };
  const world = new World({ registry, recoveryAgentRemovalLimit: 0.5 });
  assert.ok(world.sleep(700_000).some((effect) => effect.kind === 'shutdown'));
});

test('the registry forgets unreachable agents that are too old or too many', () => {
  const unreachable = [1, 2, 3].map((i) => ({ id: `u${i}`, time: 1_700_000_000_000 - i }));
  const registry = { agents: [], unreachable, gone: [{ id: 'g', time: 0 }], weights: [], quotas: [], machines: [] };
  const world = new World({ registry, registryMaxAgentCount: 2 });
  world.sleep(900_000);
  assert.deepEqual([...world.state.unreachable.keys()], ['u1', 'u2']);
  assert.equal(world.state.gone.size, 0);
});

test('oversubscribed resources are offered to who asked for revocable ones', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe({ capabilities: [{ type: 'REVOCABLE_RESOURCES' }] });
  const [offer] = world.offers(scheduler, 1);
  assert.ok(offer);
  const oversubscribed_resources = [{ ...scalar('cpus', 2), revocable: {} }];
  const message = { slave_id: { value: host.id }, update_oversubscribed_resources: true, oversubscribed_resources };
  world.message(host.pid, 'mesos.internal.UpdateSlaveMessage', message);
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 1);
  const [next] = world.offers(scheduler, 1000);
  assert.ok(next?.resources?.some((resource) => resource.revocable !== undefined));
  world.message(host.pid, 'mesos.internal.UpdateSlaveMessage', { slave_id: { value: 'none' } });
});
