import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call_DrainAgent } from '../../../../wire/v1_master.ts';
import type { AuthorizationQuestion } from '../../authorization.ts';
import { type Host, type Scheduler, scalar, task, World } from '../../harness.fixture.ts';

type Answer = { status: number; text: string | undefined };

function drain(world: World, id: string, more: Omit<Call_DrainAgent, 'agent_id'> = {}, principal?: string): Answer {
  return world.operate({ type: 'DRAIN_AGENT', drain_agent: { agent_id: { value: id }, ...more } }, principal);
}

const deactivate = (world: World, id: string, principal?: string): Answer =>
  world.operate({ type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id: { value: id } } }, principal);
const reactivate = (world: World, id: string, principal?: string): Answer =>
  world.operate({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id: { value: id } } }, principal);

const commits = (world: World): string[] =>
  world.effects.flatMap((effect) => (effect.kind === 'commit' ? [effect.operation.type] : []));

/** A task that runs on an agent. */
function withTask(world: World, checkpoint = true): { host: Host; scheduler: Scheduler } {
  const host = world.register();
  const scheduler = world.subscribe({
    checkpoint,
    failover_timeout: 1000,
    capabilities: [{ type: 'PARTITION_AWARE' }],
  });
  const [offer] = world.offers(scheduler);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  return { host, scheduler };
}

function endTask(world: World, { host, scheduler }: { host: Host; scheduler: Scheduler }): void {
  const uuid = world.update(scheduler, host, 't', 'TASK_KILLED');
  world.acknowledge(scheduler, host, 't', uuid);
}

test('an agent without tasks is drained at once, and offered again only when it is reactivated', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe();
  assert.equal(world.offers(scheduler).length, 1);
  assert.equal(drain(world, host.id, { max_grace_period: { seconds: 5, nanos: 1 } }).status, 200);
  const config = { max_grace_period: { nanoseconds: 5_000_000_001 }, mark_gone: false };
  assert.deepEqual(world.sent('mesos.internal.DrainSlaveMessage', host.pid), [{ config }]);
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 1);
  const agent = world.state.agents.get(host.id);
  assert.deepEqual(agent?.drain, { state: 'DRAINED', config });
  assert.deepEqual([agent?.active, agent?.deactivated], [false, true]);
  assert.equal(agent?.drainStarted, 1_700_000_000_000 + world.now);
  assert.deepEqual(world.offers(scheduler, 10_000), []);

  assert.equal(reactivate(world, host.id).status, 200);
  assert.deepEqual(
    [agent?.active, agent?.deactivated, agent?.drain, agent?.drainStarted],
    [true, false, undefined, undefined],
  );
  assert.equal(world.offers(scheduler).length, 1);
});

test('an agent is DRAINING until the end of its last task is acknowledged', () => {
  const world = new World();
  const there = withTask(world);
  const { host, scheduler } = there;
  drain(world, host.id);
  const agent = world.state.agents.get(host.id);
  assert.equal(agent?.drain?.state, 'DRAINING');
  const refused = reactivate(world, host.id);
  assert.deepEqual([refused.status, /DRAINING/.test(refused.text ?? '')], [400, true]);
  const uuid = world.update(scheduler, host, 't', 'TASK_KILLED');
  assert.equal(agent?.drain?.state, 'DRAINING', 'the scheduler has not seen the end');
  world.acknowledge(scheduler, host, 't', uuid);
  assert.deepEqual(commits(world), ['MARK_DRAINED']);
  assert.equal(agent?.drain?.state, 'DRAINED');
});

test('an agent whose framework is removed has nothing left to wait for', () => {
  const world = new World();
  const { host, scheduler } = withTask(world);
  drain(world, host.id);
  world.say(scheduler, { type: 'TEARDOWN' });
  assert.equal(world.state.agents.get(host.id)?.drain?.state, 'DRAINED');
});

test('an operation that is under way holds a drain up, too', () => {
  const world = new World();
  const host = world.register();
  const agent_id = { value: host.id };
  const reservations = [{ type: 'DYNAMIC', role: 'a', principal: 'op' }] as const;
  const reserve_resources = { agent_id, resources: [{ ...scalar('cpus', 1), reservations }] };
  assert.equal(world.operate({ type: 'RESERVE_RESOURCES', reserve_resources }, 'op').status, 202);
  const agent = world.state.agents.get(host.id);
  const [operation] = agent!.operations.values();
  drain(world, host.id);
  assert.equal(agent?.drain?.state, 'DRAINING');
  world.message(host.pid, 'mesos.internal.UpdateOperationStatusMessage', {
    slave_id: agent_id,
    status: { state: 'OPERATION_FINISHED', uuid: { value: new Uint8Array(16).fill(1) } },
    operation_uuid: operation!.uuid,
  });
  assert.equal(agent?.drain?.state, 'DRAINED');
});

test('with mark_gone the empty agent is gone for ever', () => {
  const world = new World();
  const there = withTask(world);
  drain(world, there.host.id, { mark_gone: true });
  assert.equal(world.state.agents.has(there.host.id), true);
  endTask(world, there);
  assert.deepEqual(commits(world), ['MARK_GONE']);
  assert.equal(world.state.gone.has(there.host.id), true);
  assert.equal(world.state.agents.has(there.host.id), false);
  assert.equal(world.sent('mesos.internal.ShutdownMessage', there.host.pid).length, 1);
  world.reregister(there.host);
  assert.equal(world.sent('mesos.internal.ShutdownMessage', there.host.pid).length, 1);
  assert.equal(drain(world, there.host.id).status, 400, 'who is gone is not known any more');
});

test('a drain that is asked for again takes over the new settings', () => {
  const world = new World();
  const { host } = withTask(world);
  drain(world, host.id);
  assert.equal(drain(world, host.id, { max_grace_period: { seconds: 1 } }).status, 200);
  const config = { max_grace_period: { nanoseconds: 1e9 }, mark_gone: false };
  assert.deepEqual(world.sent('mesos.internal.DrainSlaveMessage'), [{ config }]);
  assert.deepEqual(world.state.agents.get(host.id)?.drain, { state: 'DRAINING', config });
});

test('a draining agent that registers again is told so again, and stays without offers', () => {
  const world = new World();
  const there = withTask(world);
  const { host, scheduler } = there;
  drain(world, host.id);
  world.step({ kind: 'exited', pid: host.pid });
  const running = world.state.frameworks.get(scheduler.id)!;
  const tasks = [...running.tasks.values()];
  world.reregister(host, { tasks, frameworks: [running.info] });
  assert.equal(world.sent('mesos.internal.DrainSlaveMessage', host.pid).length, 1);
  assert.deepEqual(world.offers(scheduler, 5000), []);
  endTask(world, there);
  assert.equal(world.state.agents.get(host.id)?.drain?.state, 'DRAINED');
});

test('whether an agent that is back is empty is only known after its first UpdateSlaveMessage', () => {
  const world = new World({ maxAgentPingTimeouts: 2 });
  const { host } = withTask(world);
  drain(world, host.id);
  world.sleep(60_000);
  assert.equal(world.state.unreachable.has(host.id), true);
  assert.equal(world.state.standings.get(host.id)?.drain?.state, 'DRAINING');
  world.reregister(host);
  const agent = world.state.agents.get(host.id);
  assert.deepEqual([agent?.active, agent?.deactivated, agent?.drain?.state], [false, true, 'DRAINING']);
  assert.equal(world.state.standings.size, 0);
  world.message(host.pid, 'mesos.internal.UpdateSlaveMessage', { slave_id: { value: host.id } });
  assert.equal(agent?.drain?.state, 'DRAINED');
});

test('agents that are awaited or unreachable can be drained, and learn it when they come', () => {
  const info = { id: { value: 'old-S0' }, hostname: 'host-5051', port: 5051, resources: [scalar('cpus', 4)] };
  const registry = {
    agents: [{ info }],
    unreachable: [{ id: 'old-S1', time: 1, deactivated: true }],
    gone: [],
    weights: [],
    quotas: [],
    machines: [],
  };
  const world = new World({ registry });
  assert.equal(drain(world, 'old-S0').status, 200);
  assert.equal(deactivate(world, 'old-S1').status, 200);
  assert.deepEqual([...world.state.standings.keys()].sort(), ['old-S0', 'old-S1']);
  world.reregister({ id: 'old-S0', pid: 'slave(1)@127.0.0.1:5051' });
  assert.equal(world.sent('mesos.internal.DrainSlaveMessage').length, 1);
  world.reregister({ id: 'old-S1', pid: 'slave(1)@127.0.0.1:5052' });
  assert.equal(world.sent('mesos.internal.DrainSlaveMessage').length, 0, 'deactivated is not drained');
  assert.deepEqual(
    [world.state.agents.get('old-S1')?.active, world.state.agents.get('old-S1')?.deactivated],
    [false, true],
  );
  const scheduler = world.subscribe();
  assert.deepEqual(world.offers(scheduler), []);
});

test('a new master knows from the registry who is drained', () => {
  const info = { id: { value: 'old-S0' }, hostname: 'host-5051', port: 5051, resources: [scalar('cpus', 4)] };
  const drained = { state: 'DRAINED', config: { mark_gone: false } } as const;
  const registry = { unreachable: [], gone: [], weights: [], quotas: [], machines: [] };
  const world = new World({ registry: { ...registry, agents: [{ info, deactivated: true, drain: drained }] } });
  world.reregister({ id: 'old-S0', pid: 'slave(1)@127.0.0.1:5051' });
  assert.deepEqual(world.state.agents.get('old-S0')?.drain, drained);
  assert.equal(reactivate(world, 'old-S0').status, 200);
});

test('an agent that becomes unreachable and is given up by the registry is forgotten with its drain', () => {
  const world = new World({ maxAgentPingTimeouts: 2, registryMaxAgentAge: 1000, registryGcInterval: 200_000 });
  const host = world.register();
  deactivate(world, host.id);
  world.sleep(60_000);
  assert.equal(world.state.standings.size, 1);
  world.sleep(200_000);
  assert.deepEqual([world.state.unreachable.size, world.state.standings.size], [0, 0]);
});

test('a deactivated agent keeps what runs, and gets nothing more', () => {
  const world = new World();
  const there = withTask(world);
  assert.equal(deactivate(world, there.host.id).status, 200);
  assert.equal(deactivate(world, there.host.id).status, 200, 'twice is no error');
  assert.deepEqual(world.sent('mesos.internal.DrainSlaveMessage'), []);
  assert.equal(world.state.frameworks.get(there.scheduler.id)?.tasks.size, 1);
  assert.deepEqual(world.offers(there.scheduler, 10_000), []);
  const agent = world.state.agents.get(there.host.id);
  assert.deepEqual([agent?.active, agent?.deactivated, agent?.drain], [false, true, undefined]);
  assert.equal(reactivate(world, there.host.id).status, 200);
  assert.equal(world.offers(there.scheduler).length, 1);
});

test('a drain is refused for who is unknown, cannot drain, or is on a machine of the maintenance schedule', () => {
  const world = new World();
  const host = world.register(5051);
  const pid = 'slave(1)@127.0.0.1:5052';
  const slave = { hostname: 'host-5052', port: 5052, resources: [scalar('cpus', 4)] };
  world.message(pid, 'mesos.internal.RegisterSlaveMessage', { slave, version: '1.9.0' });
  const [old] = world.sent('mesos.internal.SlaveRegisteredMessage');
  const machine_ids = [{ hostname: 'host-5051', ip: '127.0.0.1' }];
  world.operate({
    type: 'UPDATE_MAINTENANCE_SCHEDULE',
    update_maintenance_schedule: {
      schedule: { windows: [{ machine_ids, unavailability: { start: { nanoseconds: 1 } } }] },
    },
  });
  const cases: [answer: Answer, complaint: RegExp][] = [
    [drain(world, 'nobody'), /Unknown agent 'nobody'/],
    [drain(world, host.id), /maintenance schedule/],
    [drain(world, old!.slave_id.value), /AGENT_DRAINING/],
    [drain(world, 'nobody', { max_grace_period: { seconds: -1 } }), /'max_grace_period' is -1 s/],
    [drain(world, 'nobody', { max_grace_period: { seconds: 1e15 } }), /from 0 s/],
    [deactivate(world, 'nobody'), /Unknown agent 'nobody'/],
    [reactivate(world, host.id), /not deactivated/],
    [reactivate(world, 'nobody'), /not deactivated/],
  ];
  for (const [{ status, text }, complaint] of cases) {
    assert.equal(status, 400, text);
    assert.match(text ?? '', complaint);
  }
  assert.equal(world.state.agents.get(host.id)?.deactivated, false);
});

test('a drain of an agent that is being marked gone is a conflict, and so is reactivating who is away', () => {
  const world = new World({ maxAgentPingTimeouts: 2 });
  const host = world.register();
  deactivate(world, host.id);
  world.sleep(60_000);
  const away = reactivate(world, host.id);
  assert.deepEqual([away.status, /not registered/.test(away.text ?? '')], [409, true]);
  assert.equal(world.state.standings.size, 0);
  world.reregister(host);
  assert.equal(world.state.agents.get(host.id)?.active, true);

  world.autoCommit = false;
  const call = { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: host.id } } } as const;
  world.step({ kind: 'operatorCall', request: 1000, call });
  assert.equal(drain(world, host.id).status, 409);
});

test('each of the three asks for its own permission, and a drain that marks gone for that too', () => {
  const asked: string[] = [];
  const allowed = new Set(['DRAIN_AGENT']);
  const authorize = (question: AuthorizationQuestion): boolean => {
    if (!question.action.endsWith('AGENT') && question.action !== 'MARK_AGENT_GONE') return true;
    if (question.action === 'REGISTER_AGENT') return true;
    asked.push(`${question.principal} ${question.action}`);
    return allowed.has(question.action);
  };
  const world = new World({ authorize });
  const host = world.register();
  assert.equal(deactivate(world, host.id, 'bob').status, 403);
  assert.equal(reactivate(world, host.id, 'bob').status, 403);
  assert.equal(drain(world, host.id, { mark_gone: true }, 'bob').status, 403);
  assert.equal(drain(world, host.id, {}, 'bob').status, 200);
  assert.deepEqual(asked, [
    'bob DEACTIVATE_AGENT',
    'bob REACTIVATE_AGENT',
    'bob DRAIN_AGENT',
    'bob MARK_AGENT_GONE',
    'bob DRAIN_AGENT',
  ]);
});

test('tasks of an unreachable agent that is marked gone are gone, and their scheduler hears of it', () => {
  const world = new World({ maxAgentPingTimeouts: 2 });
  const { host, scheduler } = withTask(world);
  world.sleep(60_000);
  assert.equal(world.state.frameworks.get(scheduler.id)?.unreachableTasks.size, 1);
  const call = { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: host.id } } } as const;
  assert.equal(world.operate(call).status, 200);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_GONE_BY_OPERATOR', 'REASON_AGENT_REMOVED_BY_OPERATOR']]);
  const framework = world.state.frameworks.get(scheduler.id);
  assert.equal(framework?.unreachableTasks.size, 0);
  assert.deepEqual(
    [...(framework?.completedTasks ?? [])].map(({ state }) => state),
    ['TASK_GONE_BY_OPERATOR'],
  );
});
