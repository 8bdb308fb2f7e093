import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineID } from '../../../../wire/v1.ts';
import type { Schedule } from '../../../../wire/v1_maintenance.ts';
import type { AuthorizationQuestion } from '../../authorization.ts';
import { type Host, scalar, task, World } from '../../harness.fixture.ts';

const SOON = 1_700_000_100_000_000_000;
const HOUR = 3_600_000_000_000;

function machine(port: number): MachineID {
  return { hostname: `host-${port}`, ip: '127.0.0.1' };
}

function windowOf(machine_ids: readonly MachineID[], start = SOON, duration = HOUR): Schedule {
  return {
    windows: [{ machine_ids, unavailability: { start: { nanoseconds: start }, duration: { nanoseconds: duration } } }],
  };
}

function plan(world: World, schedule: Schedule): { status: number; text: string | undefined } {
  return world.operate({ type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule } });
}

const down = (world: World, machines: readonly MachineID[]) =>
  world.operate({ type: 'START_MAINTENANCE', start_maintenance: { machines } });
const up = (world: World, machines: readonly MachineID[]) =>
  world.operate({ type: 'STOP_MAINTENANCE', stop_maintenance: { machines } });

const modes = (world: World): string[] =>
  [...world.state.machines.values()].map(({ id, mode }) => `${id.hostname} ${mode}`);

test('machines of a schedule drain, go down and come up again', () => {
  const world = new World();
  const first = world.register(5051);
  const second = world.register(5052);
  assert.equal(plan(world, windowOf([machine(5051), machine(5052)])).status, 200);
  assert.deepEqual(modes(world), ['host-5051 DRAINING', 'host-5052 DRAINING']);

  assert.equal(down(world, [machine(5051)]).status, 200);
  assert.deepEqual(modes(world), ['host-5051 DOWN', 'host-5052 DRAINING']);
  assert.equal(world.sent('mesos.internal.ShutdownMessage', first.pid).length, 1);
  assert.equal(world.state.agents.has(first.id), false);
  assert.equal(world.state.agents.has(second.id), true);
  assert.equal(world.state.counters.slave_removals, 1);

  world.reregister(first);
  assert.equal(world.sent('mesos.internal.ShutdownMessage', first.pid).length, 1, 'not while the machine is down');
  assert.equal(world.state.agents.has(first.id), false);

  assert.equal(up(world, [machine(5051)]).status, 200);
  assert.deepEqual(modes(world), ['host-5052 DRAINING']);
  world.reregister(first);
  assert.equal(world.state.agents.has(first.id), true);
});

test('a new schedule replaces the old one: machines that are not in it are up', () => {
  const world = new World();
  plan(world, windowOf([machine(5051), machine(5052)]));
  plan(world, windowOf([machine(5052), machine(5053)], SOON + HOUR));
  assert.deepEqual(modes(world).sort(), ['host-5052 DRAINING', 'host-5053 DRAINING']);
  const starts = [...world.state.machines.values()].map(({ unavailability }) => unavailability?.start.nanoseconds);
  assert.deepEqual(starts, [SOON + HOUR, SOON + HOUR]);
  assert.equal(plan(world, {}).status, 200);
  assert.deepEqual(modes(world), []);
});

test('a machine that is down stays in the schedule, and stays down when its window moves', () => {
  const world = new World();
  plan(world, windowOf([machine(5051)]));
  down(world, [machine(5051)]);
  const removal = plan(world, windowOf([machine(5052)]));
  assert.deepEqual([removal.status, /host-5051.*is DOWN.*bring it up/.test(removal.text ?? '')], [400, true]);
  assert.equal(plan(world, windowOf([machine(5051)], SOON + 1)).status, 200);
  assert.deepEqual(modes(world), ['host-5051 DOWN']);
});

test('host names are the same in any case', () => {
  const world = new World();
  world.register(5051);
  plan(world, windowOf([{ hostname: 'HOST-5051', ip: '127.0.0.1' }]));
  assert.equal(down(world, [{ hostname: 'Host-5051', ip: '127.0.0.1' }]).status, 200);
  assert.equal(world.state.agents.size, 0);
});

for (const [what, schedule, complaint] of [
  ['a window without machines', windowOf([]), /'machine_ids'/],
  ['a negative duration', windowOf([machine(1)], SOON, -1), /'duration' is negative: -1 ns/],
  ['a machine without name and address', windowOf([{}]), /neither 'hostname' nor 'ip'/],
  ['an address that is none', windowOf([{ ip: '10.0.0.256' }]), /'10.0.0.256': 'ip' is not an IPv4 address/],
  ['an address of version 6', windowOf([{ ip: '::1' }]), /IPv4/],
  [
    'a machine that is named twice',
    windowOf([machine(1), { hostname: 'HOST-1', ip: '127.0.0.1' }]),
    /'HOST-1\/127.0.0.1' appears more than once/,
  ],
  [
    'a machine in two windows',
    { windows: [...windowOf([machine(1)]).windows!, ...windowOf([machine(1)]).windows!] },
    /more than once/,
  ],
] as const) {
  test(`a schedule with ${what} is refused`, () => {
    const world = new World();
    const { status, text } = plan(world, schedule);
    assert.equal(status, 400);
    assert.match(text ?? '', complaint);
    assert.equal(world.state.machines.size, 0);
    assert.deepEqual(
      world.effects.filter(({ kind }) => kind === 'commit'),
      [],
    );
  });
}

test('machines go down only while they drain, and come up only while they are down', () => {
  const world = new World();
  plan(world, windowOf([machine(5051)]));
  const cases: [answer: { status: number; text: string | undefined }, complaint: RegExp][] = [
    [down(world, []), /list of machines is empty/],
    [down(world, [{}]), /neither/],
    [down(world, [machine(5051), machine(5051)]), /more than once/],
    [down(world, [machine(5052)]), /'host-5052\/127.0.0.1' is not part of a maintenance schedule/],
    [down(world, [{ hostname: 'host-5051' }]), /not part of/],
    [up(world, [machine(5051)]), /is DRAINING; it must be DOWN/],
    [up(world, [machine(5052)]), /not part of/],
  ];
  for (const [{ status, text }, complaint] of cases) {
    assert.equal(status, 400, text);
    assert.match(text ?? '', complaint);
  }
  down(world, [machine(5051)]);
  const again = down(world, [machine(5051)]);
  assert.deepEqual([again.status, /is DOWN; it must be DRAINING/.test(again.text ?? '')], [400, true]);
});

test('a change counts on what is being committed, not only on what is durable', () => {
  const world = new World();
  plan(world, windowOf([machine(5051)]));
  world.autoCommit = false;
  world.step({
    kind: 'operatorCall',
    request: 1000,
    call: { type: 'START_MAINTENANCE', start_maintenance: { machines: [machine(5051)] } },
  });
  const answer = plan(world, {});
  assert.equal(answer.status, 400, 'the machine is about to be DOWN');
  world.commitAll();
  assert.deepEqual(modes(world), ['host-5051 DOWN']);
});

test('who may not maintain a machine may not do so in company with others', () => {
  const questions: string[] = [];
  const authorize = (question: AuthorizationQuestion): boolean => {
    if (!('machine' in question)) return true;
    questions.push(`${question.principal} ${question.action} ${question.machine.hostname}`);
    return question.machine.hostname !== 'host-5052';
  };
  const world = new World({ authorize });
  const call = {
    type: 'UPDATE_MAINTENANCE_SCHEDULE',
    update_maintenance_schedule: { schedule: windowOf([machine(5051), machine(5052)]) },
  } as const;
  assert.equal(world.operate(call, 'bob').status, 403);
  assert.deepEqual(questions, [
    'bob UPDATE_MAINTENANCE_SCHEDULE host-5051',
    'bob UPDATE_MAINTENANCE_SCHEDULE host-5052',
  ]);
  assert.equal(world.state.machines.size, 0);
});

test('an agent whose registration is being committed while its machine goes down is told to end', () => {
  const world = new World();
  plan(world, windowOf([machine(5051)]));
  world.autoCommit = false;
  const pid = 'slave(1)@127.0.0.1:5051';
  world.message(pid, 'mesos.internal.RegisterSlaveMessage', {
    slave: { hostname: 'host-5051', port: 5051, resources: [scalar('cpus', 1)] },
    version: '1.12.0',
  });
  const call = { type: 'START_MAINTENANCE', start_maintenance: { machines: [machine(5051)] } } as const;
  world.step({ kind: 'operatorCall', request: 1000, call });
  world.autoCommit = true;
  world.commitAll();
  assert.equal(world.sent('mesos.internal.ShutdownMessage', pid).length, 1);
  assert.equal(world.state.agents.size, 0);
});

test('what runs on a machine that goes down is lost, even for frameworks that know partitions', () => {
  const world = new World();
  const host: Host = world.register(5051);
  const scheduler = world.subscribe({ capabilities: [{ type: 'PARTITION_AWARE' }], checkpoint: true });
  const [offer] = world.offers(scheduler);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.update(scheduler, host, 't', 'TASK_RUNNING');
  plan(world, windowOf([machine(5051)]));
  down(world, [machine(5051)]);
  assert.deepEqual(world.states(scheduler), [['t', 'TASK_LOST', 'REASON_AGENT_REMOVED']]);
  assert.equal(world.events(scheduler.stream, 'FAILURE').length, 1);
});

test('offers of an agent that is to go down are made anew and say when', () => {
  const world = new World();
  world.register(5051);
  world.register(5052);
  const scheduler = world.subscribe();
  assert.equal(world.offers(scheduler).length, 2);
  plan(world, windowOf([machine(5051)]));
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 1);
  const [again, ...more] = world.offers(scheduler);
  assert.deepEqual(more, []);
  assert.deepEqual(again?.unavailability, { start: { nanoseconds: SOON }, duration: { nanoseconds: HOUR } });

  plan(world, windowOf([machine(5051)]));
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 0, 'nothing is new in the same schedule');
  plan(world, {});
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 1);
  assert.equal(world.offers(scheduler)[0]?.unavailability, undefined);
});

test('an agent that registers later on a scheduled machine is offered with the time too', () => {
  const world = new World();
  plan(world, windowOf([machine(5051)]));
  const scheduler = world.subscribe();
  world.register(5051);
  assert.equal(world.offers(scheduler)[0]?.unavailability?.start.nanoseconds, SOON);
});
