import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../../../../resources/resources.ts';
import type { AgentInfo_Capability, Resource, Resource_ReservationInfo } from '../../../../wire/v1.ts';
import type { Call } from '../../../../wire/v1_master.ts';
import type { AuthorizationQuestion } from '../../authorization.ts';
import { type Host, type Scheduler, scalar, task, World } from '../../harness.fixture.ts';

const dynamic = (role: string, principal?: string): Resource_ReservationInfo => ({
  type: 'DYNAMIC',
  role,
  ...(principal !== undefined && { principal }),
});

function reserved(name: string, value: number, ...stack: readonly (string | Resource_ReservationInfo)[]): Resource {
  return { ...scalar(name, value), reservations: stack.map((one) => (typeof one === 'string' ? dynamic(one) : one)) };
}

function volume(size: number, id = 'v', more: Partial<Resource> = {}): Resource {
  const disk = { persistence: { id }, volume: { container_path: 'data', mode: 'RW' as const } };
  return { ...reserved('disk', size, 'a'), disk, ...more };
}

const RESOURCES = [scalar('cpus', 4), scalar('mem', 1024), scalar('disk', 1000)];

function cluster(options: ConstructorParameters<typeof World>[0] = {}): { world: World; host: Host } {
  const world = new World(options);
  return { world, host: world.register(5051, RESOURCES) };
}

/** The calls, in short. */
const CALLS = {
  reserve: (agent_id: { value: string }, resources: readonly Resource[], source?: readonly Resource[]): Call => ({
    type: 'RESERVE_RESOURCES',
    reserve_resources: { agent_id, resources, ...(source !== undefined && { source }) },
  }),
  unreserve: (agent_id: { value: string }, resources: readonly Resource[]): Call => ({
    type: 'UNRESERVE_RESOURCES',
    unreserve_resources: { agent_id, resources },
  }),
  create: (agent_id: { value: string }, volumes: readonly Resource[]): Call => ({
    type: 'CREATE_VOLUMES',
    create_volumes: { agent_id, volumes },
  }),
  destroy: (agent_id: { value: string }, volumes: readonly Resource[]): Call => ({
    type: 'DESTROY_VOLUMES',
    destroy_volumes: { agent_id, volumes },
  }),
  grow: (agent_id: { value: string }, of: Resource, addition: Resource): Call => ({
    type: 'GROW_VOLUME',
    grow_volume: { agent_id, volume: of, addition },
  }),
  shrink: (agent_id: { value: string }, of: Resource, value: number): Call => ({
    type: 'SHRINK_VOLUME',
    shrink_volume: { agent_id, volume: of, subtract: { value } },
  }),
};

/** Does what must succeed. */
function done(world: World, call: Call, principal?: string): void {
  assert.deepEqual(world.operate(call, principal), { status: 202, text: undefined });
}

function total(world: World, host: Host): string {
  return String(world.state.agents.get(host.id)?.total);
}

const idOf = (host: Host) => ({ value: host.id });

test('an operator reserves what is free: the books change at once, and the agent is told', () => {
  const { world, host } = cluster();
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 1, 'a')]));
  assert.ok(world.state.agents.get(host.id)?.total.contains(reserved('cpus', 1, 'a')));
  assert.ok(world.state.agents.get(host.id)?.checkpointed.equals(Resources.of([reserved('cpus', 1, 'a')])));
  const [message] = world.sent('mesos.internal.ApplyOperationMessage', host.pid);
  assert.equal(message?.framework_id, undefined);
  assert.equal(message?.operation_info.type, 'RESERVE');
  const [operation] = world.state.agents.get(host.id)!.operations.values();
  assert.deepEqual([operation?.framework_id, operation?.latest_status.state], [undefined, 'OPERATION_PENDING']);

  world.message(host.pid, 'mesos.internal.UpdateOperationStatusMessage', {
    slave_id: idOf(host),
    status: { state: 'OPERATION_FINISHED', uuid: { value: new Uint8Array(16).fill(1) } },
    operation_uuid: operation!.uuid,
  });
  assert.equal(world.sent('mesos.internal.AcknowledgeOperationStatusMessage', host.pid).length, 1);
  assert.equal(world.state.agents.get(host.id)?.operations.size, 0);
});

test('what is reserved is offered to that role only', () => {
  const { world, host } = cluster();
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 3, 'a')]));
  const b = world.subscribe({ role: 'b' });
  assert.deepEqual(cpus(world, b), [1]);
  const a = world.subscribe({ role: 'a' });
  assert.deepEqual(cpus(world, a), [3]);
});

function cpus(world: World, scheduler: Scheduler): (number | undefined)[] {
  return world.offers(scheduler).map(({ resources }) => resources?.find(({ name }) => name === 'cpus')?.scalar?.value);
}

test('an agent without resource providers is told what to checkpoint', () => {
  const world = new World();
  const pid = 'slave(1)@127.0.0.1:5051';
  const old: AgentInfo_Capability[] = [{ type: 'MULTI_ROLE' }];
  world.message(pid, 'mesos.internal.RegisterSlaveMessage', {
    slave: { hostname: 'old', port: 5051, resources: RESOURCES },
    version: '1.3.0',
    agent_capabilities: old,
  });
  const id = world.sent('mesos.internal.SlaveRegisteredMessage')[0]!.slave_id;
  done(world, CALLS.reserve(id, [reserved('cpus', 1, 'a')]));
  const [message] = world.sent('mesos.internal.CheckpointResourcesMessage', pid);
  assert.deepEqual(message?.resources, [{ ...scalar('cpus', 1), role: 'a', reservation: {} }]);
  assert.match(world.operate(CALLS.reserve(id, [reserved('cpus', 1, 'a/b')])).text ?? '', /hierarchical roles/);
  assert.match(world.operate(CALLS.reserve(id, [reserved('cpus', 1, 'a', 'a/b')])).text ?? '', /does not support/);
});

test('only offers that hold what is missing are taken back', () => {
  const { world, host } = cluster();
  const limits = { cpus: { value: 1 } };
  world.operate({ type: 'UPDATE_QUOTA', update_quota: { quota_configs: [{ role: 'a', limits }] } });
  const a = world.subscribe({ role: 'a' });
  assert.deepEqual(cpus(world, a), [1]);
  const b = world.subscribe({ role: 'b' });
  assert.deepEqual(cpus(world, b), [3]);
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 1, 'c')]));
  assert.deepEqual([world.events(a.stream, 'RESCIND').length, world.events(b.stream, 'RESCIND').length], [1, 0]);
});

test('no offer is taken back if enough is free', () => {
  const { world, host } = cluster();
  const other = world.register(5052, RESOURCES);
  const a = world.subscribe({ role: 'a' });
  const offers = world.offers(a);
  const mine = offers.find(({ agent_id }) => agent_id.value === host.id)!;
  world.say(a, { type: 'DECLINE', decline: { offer_ids: [mine.id], filters: { refuse_seconds: 1000 } } });
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 4, 'c')]));
  assert.equal(world.events(a.stream, 'RESCIND').length, 0);
  assert.equal(world.state.agents.get(other.id)?.offers.size, 1);
});

test('what a task uses cannot be reserved: a conflict, and nothing changes, not even offers', () => {
  const { world, host } = cluster();
  const a = world.subscribe({ role: 'a' });
  const [offer] = world.offers(a);
  world.launch(a, offer!, [task('t', offer!.agent_id, { resources: [scalar('cpus', 3)] })]);
  world.sleep(1000);
  const before = total(world, host);
  assert.equal(world.state.offers.size, 1);
  const { status, text } = world.operate(CALLS.reserve(idOf(host), [reserved('cpus', 2, 'a')]));
  assert.equal(status, 409);
  assert.match(text ?? '', /cpus:1.*does not contain cpus:2/);
  assert.equal(total(world, host), before);
  assert.equal(world.state.offers.size, 1);
  assert.equal(world.effects.filter(({ kind }) => kind === 'send').length, 0);
});

test('a source moves resources from one reservation to another', () => {
  const { world, host } = cluster();
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 2, 'a')]));
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 1, 'b', 'b/c')], [reserved('cpus', 1, 'a')]));
  const now = world.state.agents.get(host.id)!.total;
  assert.ok(now.contains([reserved('cpus', 1, 'a'), reserved('cpus', 1, 'b', 'b/c'), scalar('cpus', 2)]));
});

test('a reservation is refined and taken off again, the innermost first', () => {
  const { world, host } = cluster();
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 1, 'a')]));
  done(world, CALLS.reserve(idOf(host), [reserved('cpus', 1, 'a', 'a/b')]));
  assert.equal(world.operate(CALLS.unreserve(idOf(host), [reserved('cpus', 1, 'a')])).status, 409);
  done(world, CALLS.unreserve(idOf(host), [reserved('cpus', 1, 'a', 'a/b')]));
  done(world, CALLS.unreserve(idOf(host), [reserved('cpus', 1, 'a')]));
  assert.ok(world.state.agents.get(host.id)?.total.equals(Resources.of(RESOURCES)));
});

test('a volume is created, grown, shrunk and destroyed', () => {
  const { world, host } = cluster();
  const id = idOf(host);
  done(world, CALLS.reserve(id, [reserved('disk', 100, 'a')]));
  done(world, CALLS.create(id, [volume(50)]));
  done(world, CALLS.grow(id, volume(50), reserved('disk', 25, 'a')));
  assert.ok(world.state.agents.get(host.id)?.total.contains([volume(75), reserved('disk', 25, 'a')]));
  done(world, CALLS.shrink(id, volume(75), 35));
  assert.ok(world.state.agents.get(host.id)?.total.contains([volume(40), reserved('disk', 60, 'a')]));
  done(world, CALLS.destroy(id, [volume(40)]));
  assert.ok(world.state.agents.get(host.id)?.total.contains(reserved('disk', 100, 'a')));
  const operations = [...world.state.agents.get(host.id)!.operations.values()];
  assert.deepEqual(
    operations.map(({ info }) => info.type),
    ['RESERVE', 'CREATE', 'GROW_VOLUME', 'SHRINK_VOLUME', 'DESTROY'],
  );
});

test('a volume that a task uses is not destroyed', () => {
  const { world, host } = cluster();
  done(world, CALLS.reserve(idOf(host), [reserved('disk', 100, 'a')]));
  done(world, CALLS.create(idOf(host), [volume(50)]));
  const a = world.subscribe({ role: 'a' });
  const [offer] = world.offers(a);
  world.launch(a, offer!, [task('t', offer!.agent_id, { resources: [scalar('cpus', 1), volume(50)] })], 1000);
  assert.equal(world.state.frameworks.get(a.id)?.tasks.size, 1);
  const { status, text } = world.operate(CALLS.destroy(idOf(host), [volume(50)]));
  assert.equal(status, 400);
  assert.match(text ?? '', /in use by a task/);
});

test('all offers of a shared volume are taken back before it is destroyed', () => {
  const { world, host } = cluster();
  const shared = volume(50, 'v', { shared: {} });
  done(world, CALLS.reserve(idOf(host), [reserved('disk', 100, 'a')]));
  done(world, CALLS.create(idOf(host), [shared]));
  const capabilities = [{ type: 'SHARED_RESOURCES' as const }];
  const schedulers = [world.subscribe({ role: 'a', capabilities }), world.subscribe({ role: 'a', capabilities })];
  const [first] = world.offers(schedulers[0]!);
  world.launch(schedulers[0]!, first!, [task('t', first!.agent_id, { resources: [scalar('cpus', 1)] })]);
  world.sleep(2000);
  const holding = () => [...world.state.offers.values()].filter(({ resources }) => !resources.shared().isEmpty).length;
  assert.ok(holding() >= 2);
  done(world, CALLS.destroy(idOf(host), [shared]));
  assert.equal(holding(), 0);
  assert.ok(world.state.agents.get(host.id)?.total.contains(reserved('disk', 100, 'a')));
});

const AGENT = { value: 'm-S0' };
const STATIC: Resource_ReservationInfo = { type: 'STATIC', role: 'a' };
const INVALID: readonly [what: string, call: Call, reason: RegExp][] = [
  ['an agent that is not known', CALLS.reserve({ value: 'x' }, [reserved('cpus', 1, 'a')]), /No agent found/],
  ['no resources', CALLS.reserve(AGENT, []), /no resources; name at least one/],
  ['less than nothing', CALLS.reserve(AGENT, [reserved('cpus', -1, 'a')]), /cpus/],
  ['nothing', CALLS.reserve(AGENT, [reserved('cpus', 0, 'a')]), /cpus.*none at all/],
  ['a volume of nothing', CALLS.create(AGENT, [volume(0)]), /disk.*none at all/],
  ['to destroy a volume of nothing', CALLS.destroy(AGENT, [volume(0)]), /disk.*none at all/],
  ['a part of a gpu', CALLS.reserve(AGENT, [reserved('gpus', 0.5, 'a')]), /gpus come whole/],
  ['no reservation', CALLS.reserve(AGENT, [scalar('cpus', 1)]), /reservation must be a dynamic one/],
  ['a static reservation', CALLS.reserve(AGENT, [reserved('cpus', 1, STATIC)]), /reservation must be a dynamic one/],
  ['the role *', CALLS.reserve(AGENT, [reserved('cpus', 1, '*')]), /\*/],
  ['a refinement for a role outside', CALLS.reserve(AGENT, [reserved('cpus', 1, 'a', 'b')]), /'a'|"a"|refine/],
  [
    'revocable resources',
    CALLS.reserve(AGENT, [{ ...reserved('cpus', 1, 'a'), revocable: {} }]),
    /revocable resources cannot be dynamically reserved/,
  ],
  [
    'allocated resources',
    CALLS.reserve(AGENT, [{ ...reserved('cpus', 1, 'a'), allocation_info: { role: 'a' } }]),
    /'allocation_info'.*free/,
  ],
  [
    'resources of two providers',
    CALLS.reserve(AGENT, [reserved('cpus', 1, 'a'), { ...reserved('disk', 1, 'a'), provider_id: { value: 'p' } }]),
    /several providers/,
  ],
  [
    'a source of other amounts',
    CALLS.reserve(AGENT, [reserved('cpus', 1, 'a')], [reserved('cpus', 2, 'b')]),
    /must be the same but for the reservations/,
  ],
  [
    'a source of two reservations',
    CALLS.reserve(AGENT, [reserved('cpus', 2, 'a')], [reserved('cpus', 1, 'b'), reserved('cpus', 1, 'c')]),
    /'source' has different reservations/,
  ],
  [
    'a target of two reservations',
    CALLS.reserve(AGENT, [reserved('cpus', 1, 'b'), reserved('cpus', 1, 'c')], [reserved('cpus', 2, 'a')]),
    /'resources' has different reservations/,
  ],
  ['a source that is not valid', CALLS.reserve(AGENT, [reserved('cpus', 1, 'a')], [reserved('cpus', -1, 'b')]), /cpus/],
  ['to unreserve nothing', CALLS.unreserve(AGENT, []), /no resources; name at least one/],
  ['to unreserve what is not', CALLS.unreserve(AGENT, [scalar('cpus', 1)]), /not dynamically reserved/],
  ['to unreserve what is static', CALLS.unreserve(AGENT, [reserved('cpus', 1, STATIC)]), /not dynamically reserved/],
  ['to unreserve a volume', CALLS.unreserve(AGENT, [volume(10)]), /destroy it before/],
  ['to create no volume', CALLS.create(AGENT, []), /no resources; name at least one/],
  ['a volume that is a plain disk', CALLS.create(AGENT, [reserved('disk', 1, 'a')]), /not a persistent volume/],
  ['a volume without reservation', CALLS.create(AGENT, [{ ...volume(1), reservations: [] }]), /unreserved/],
  ['a volume without id', CALLS.create(AGENT, [volume(1, '')]), /disk.persistence.id/],
  [
    'a volume that cannot be written',
    CALLS.create(AGENT, [
      volume(1, 'v', { disk: { persistence: { id: 'v' }, volume: { container_path: 'd', mode: 'RO' } } }),
    ]),
    /RW, not RO/,
  ],
  [
    'a volume with a host path',
    CALLS.create(AGENT, [
      volume(1, 'v', {
        disk: { persistence: { id: 'v' }, volume: { container_path: 'd', host_path: '/', mode: 'RW' } },
      }),
    ]),
    /host_path/,
  ],
  ['two volumes with one id', CALLS.create(AGENT, [volume(1), volume(2)]), /used already/],
  ['to destroy a volume that is not there', CALLS.destroy(AGENT, [volume(1, 'none')]), /not on the agent/],
  ['to destroy a plain disk', CALLS.destroy(AGENT, [reserved('disk', 1, 'a')]), /not a persistent volume/],
  ['to grow by nothing', CALLS.grow(AGENT, volume(1), reserved('disk', 0, 'a')), /none at all/],
  ['to grow by the disk of another role', CALLS.grow(AGENT, volume(1), reserved('disk', 1, 'b')), /not of the kind/],
  ['to grow by memory', CALLS.grow(AGENT, volume(1), reserved('mem', 1, 'a')), /not of the kind/],
  ['to grow a plain disk', CALLS.grow(AGENT, reserved('disk', 1, 'a'), reserved('disk', 1, 'a')), /persistent volume/],
  [
    'to grow a shared volume',
    CALLS.grow(AGENT, volume(1, 'v', { shared: {} }), reserved('disk', 1, 'a')),
    /shared volume cannot be resized/,
  ],
  [
    'to grow a volume of a provider',
    CALLS.grow(AGENT, volume(1, 'v', { provider_id: { value: 'p' } }), reserved('disk', 1, 'a')),
    /resource provider cannot be resized/,
  ],
  ['to shrink by all', CALLS.shrink(AGENT, volume(5), 5), /'subtract' must be more than 0 and less than.*5, not 5/],
  ['to shrink by nothing', CALLS.shrink(AGENT, volume(5), 0.0001), /'subtract' must be more than 0/],
  ['to shrink by less than nothing', CALLS.shrink(AGENT, volume(5), -1), /'subtract' must be more than 0/],
  [
    'to shrink a whole disk',
    CALLS.shrink(
      AGENT,
      volume(5, 'v', {
        disk: {
          source: { type: 'MOUNT', mount: { root: '/mnt' } },
          persistence: { id: 'v' },
          volume: { container_path: 'd', mode: 'RW' },
        },
      }),
      1,
    ),
    /MOUNT disk cannot be shrunk/,
  ],
];
for (const [what, call, reason] of INVALID) {
  test(`refused, and nothing changes: ${what}`, () => {
    const { world, host } = cluster();
    assert.equal(host.id, AGENT.value);
    const before = total(world, host);
    const { status, text } = world.operate(call);
    assert.match(text ?? '', reason);
    assert.equal(status, 400);
    assert.equal(total(world, host), before);
    assert.equal(world.effects.filter(({ kind }) => kind === 'send').length, 0);
  });
}

test('volumes are resized on agents that can do it, and named agents, only', () => {
  const world = new World();
  const pid = 'slave(1)@127.0.0.1:5051';
  world.message(pid, 'mesos.internal.RegisterSlaveMessage', {
    slave: { hostname: 'old', port: 5051, resources: RESOURCES },
    version: '1.5.0',
    agent_capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
  });
  assert.match(world.operate(CALLS.shrink(AGENT, volume(5), 1)).text ?? '', /does not support the resizing/);
  const grow_volume = { volume: volume(5), addition: reserved('disk', 1, 'a') };
  const nowhere = world.operate({ type: 'GROW_VOLUME', grow_volume });
  assert.equal(nowhere.status, 400);
  assert.match(nowhere.text ?? '', /'agent_id' is missing/);
});

test('who is authenticated reserves and creates in their own name', () => {
  const { world, host } = cluster();
  const id = idOf(host);
  for (const wrong of [dynamic('a'), dynamic('a', 'other')]) {
    const { status, text } = world.operate(CALLS.reserve(id, [reserved('cpus', 1, wrong)]), 'me');
    assert.equal(status, 400);
    assert.match(text ?? '', /must be that of who asks, 'me'/);
  }
  done(world, CALLS.reserve(id, [reserved('disk', 10, dynamic('a', 'me'))]), 'me');
  const mine = volume(5, 'v', { reservations: [dynamic('a', 'me')] });
  assert.match(world.operate(CALLS.create(id, [mine]), 'me').text ?? '', /must be that of who asks, 'me'/);
  const persistence = { id: 'v', principal: 'me' };
  done(world, CALLS.create(id, [{ ...mine, disk: { ...mine.disk, persistence } }]), 'me');
});

test('each operation asks whether it is allowed; if not, nothing is done', () => {
  const asked: AuthorizationQuestion[] = [];
  const { world, host } = cluster({
    authorize: (question) => {
      asked.push(question);
      return question.action === 'REGISTER_AGENT' || question.principal === 'boss';
    },
  });
  const id = idOf(host);
  const ask = (call: Call, principal = 'boss') => {
    asked.length = 0;
    const { status } = world.operate(call, principal);
    return [status, ...asked.map(({ action, principal: who }) => `${action} ${who}`)];
  };
  const by = (role: string) => dynamic(role, 'boss');
  const one = reserved('cpus', 1, dynamic('a', 'clerk'));
  assert.deepEqual(ask(CALLS.reserve(id, [one]), 'clerk'), [403, 'RESERVE_RESOURCES clerk']);
  assert.equal(total(world, host), String(Resources.of(RESOURCES)));
  const refined = reserved('cpus', 1, by('a'), by('a/b'));
  const moved = reserved('cpus', 1, by('a'), by('a/c'), by('a/c/d'));
  ask(CALLS.reserve(id, [reserved('cpus', 1, by('a'))]));
  ask(CALLS.reserve(id, [refined]));
  const steps = ['UNRESERVE_RESOURCES boss', 'RESERVE_RESOURCES boss', 'RESERVE_RESOURCES boss'];
  assert.deepEqual(ask(CALLS.reserve(id, [moved], [refined])), [202, ...steps]);
  assert.deepEqual(ask(CALLS.unreserve(id, [moved])), [202, 'UNRESERVE_RESOURCES boss']);
  ask(CALLS.reserve(id, [reserved('disk', 9, by('a'))]));
  const disk = { persistence: { id: 'v', principal: 'boss' }, volume: { container_path: 'd', mode: 'RW' as const } };
  const made = (size: number): Resource => ({ ...reserved('disk', size, by('a')), disk });
  assert.deepEqual(ask(CALLS.create(id, [made(5)])), [202, 'CREATE_VOLUME boss']);
  assert.deepEqual(ask(CALLS.grow(id, made(5), reserved('disk', 1, by('a')))), [202, 'RESIZE_VOLUME boss']);
  assert.deepEqual(ask(CALLS.shrink(id, made(6), 1)), [202, 'RESIZE_VOLUME boss']);
  assert.deepEqual(ask(CALLS.destroy(id, [made(5)])), [202, 'DESTROY_VOLUME boss']);
});

test('the older spelling of a reservation is understood', () => {
  const { world, host } = cluster();
  done(world, CALLS.reserve(idOf(host), [{ ...scalar('cpus', 1), role: 'a', reservation: {} }]));
  assert.ok(world.state.agents.get(host.id)?.total.contains(reserved('cpus', 1, 'a')));
});
