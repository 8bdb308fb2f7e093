import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../../../../wire/v1.ts';
import type { QuotaConfig } from '../../../../wire/v1_quota.ts';
import type { AuthorizationQuestion } from '../../authorization.ts';
import { type Scheduler, scalar, task, World } from '../../harness.fixture.ts';
import { EMPTY_REGISTRY } from '../../registry.ts';
import type { QuotaRecord } from '../../state.ts';

type Amounts = Record<string, number>;

function config(role: string, guarantees: Amounts = {}, limits: Amounts = {}): QuotaConfig {
  const scalars = (amounts: Amounts) =>
    Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, { value }]));
  return { role, guarantees: scalars(guarantees), limits: scalars(limits) };
}

function update(world: World, configs: readonly QuotaConfig[], force = false) {
  return world.operate({ type: 'UPDATE_QUOTA', update_quota: { force, quota_configs: configs } });
}

function set(world: World, role: string, guarantee: readonly Resource[], force = false) {
  return world.operate({ type: 'SET_QUOTA', set_quota: { quota_request: { role, guarantee, force } } });
}

const remove = (world: World, role: string) => world.operate({ type: 'REMOVE_QUOTA', remove_quota: { role } });

test('a quota takes effect when it is durable, and is written to the registry', () => {
  const world = new World();
  world.register();
  world.autoCommit = false;
  const update_quota = { quota_configs: [config('a', { cpus: 1 }, { cpus: 2, mem: 0 })] };
  world.step({ kind: 'operatorCall', request: 7, call: { type: 'UPDATE_QUOTA', update_quota } });
  const quota = { role: 'a', guarantees: { cpus: 1000 }, limits: { cpus: 2000, mem: 0 } };
  const stored = world.effects.flatMap((effect) => (effect.kind === 'commit' ? [effect.operation] : []));
  assert.deepEqual(stored, [{ type: 'UPDATE_QUOTA', quotas: [quota] }]);
  assert.equal(world.state.quotas.size, 0);
  assert.equal(world.effects.filter((effect) => effect.kind === 'reply').length, 0);
  world.commitAll();
  assert.deepEqual([...world.state.quotas.values()], [quota]);
  assert.deepEqual(
    world.effects.filter((effect) => effect.kind === 'reply'),
    [{ kind: 'reply', request: 7, status: 200 }],
  );
});

const INVALID: readonly [what: string, configs: readonly QuotaConfig[], reason: RegExp][] = [
  ['a role that --roles does not list', [config('stranger', { cpus: 1 })], /'stranger'.*--roles/],
  ['a nested role', [config('a/b', { cpus: 1 })], /nested role 'a\/b'.*set it on 'a'/],
  ['no role', [config('', { cpus: 1 })], /role/],
  ['a role with a blank', [config('a b', { cpus: 1 })], /whitespace/],
  ['a negative guarantee', [config('a', { cpus: -1 })], /'guarantees.cpus' must not be negative, it is -1/],
  ['a negative limit', [config('a', {}, { cpus: -0.5 })], /'limits.cpus' must not be negative, it is -0.5/],
  ['an infinite guarantee', [config('a', { cpus: Infinity })], /'guarantees.cpus' must be a number, not Infinity/],
  ['a limit that is no number', [config('a', {}, { mem: Number.NaN })], /'limits.mem' must be a number, not NaN/],
  ['more than an exabyte of memory', [config('a', { mem: 1024 ** 4 + 1 })], /'guarantees.mem'.*1 exabyte/],
  ['more than an exabyte of disk', [config('a', {}, { disk: 1024 ** 4 + 1 })], /'limits.disk'.*1 exabyte/],
  ['more than a trillion of all else', [config('a', {}, { cpus: 1e12 + 1 })], /'limits.cpus'.*1 trillion/],
  [
    'a guarantee above the limit',
    [config('a', { cpus: 2 }, { cpus: 1 })],
    /the guarantee cpus:2 is above the limit cpus:1/,
  ],
  ['a guarantee above a limit of nothing', [config('a', { cpus: 2 }, { cpus: 0 })], /above the limit cpus:0/],
  ['one good and one bad', [config('a', {}, { cpus: 1 }), config('b', { cpus: 2 }, { cpus: 1 })], /cpus:2/],
  ['guarantees above all that there is', [config('a', { cpus: 5 })], /cpus:5.*exceed cluster capacity.*cpus:4.*force/],
  ['guarantees above it together', [config('a', { cpus: 3 }), config('b', { cpus: 2 })], /cpus:5.*exceed/],
];
for (const [what, configs, reason] of INVALID) {
  test(`UPDATE_QUOTA refuses ${what}, and changes nothing`, () => {
    const world = new World({ roleWhitelist: new Set(['*', 'a', 'b', 'a/b', 'a b', '']) });
    world.register();
    const { status, text } = update(world, configs);
    assert.equal(status, 400);
    assert.match(text ?? '', /^Invalid QuotaConfig: /);
    assert.match(text ?? '', reason);
    assert.equal(world.state.quotas.size, 0);
  });
}

test('force allows more guarantees than there is', () => {
  const world = new World();
  assert.equal(update(world, [config('a', { cpus: 5 })]).status, 400);
  assert.equal(update(world, [config('a', { cpus: 5 })], true).status, 200);
});

test('guarantees that are being stored count towards the capacity', () => {
  const world = new World();
  world.register();
  world.autoCommit = false;
  const call = (role: string) =>
    world.step({
      kind: 'operatorCall',
      request: 1,
      call: { type: 'UPDATE_QUOTA', update_quota: { quota_configs: [config(role, { cpus: 3 })] } },
    });
  assert.equal(call('a').filter((effect) => effect.kind === 'commit').length, 1);
  const [refusal] = call('b').filter((effect) => effect.kind === 'reply');
  assert.match(refusal?.text ?? '', /cpus:6.*exceed/);
});

test('limits below what a role consumes need force', () => {
  const world = new World();
  const scheduler = world.subscribe({ role: 'a' });
  world.register();
  const [offer] = world.offers(scheduler);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id, { resources: [scalar('cpus', 3)] })], 1000);
  const refused = update(world, [config('a', {}, { cpus: 2 })]);
  assert.equal(refused.status, 400);
  assert.match(refused.text ?? '', /'a' is already consuming 'cpus:3'.*'cpus:2'.*force/);
  assert.equal(update(world, [config('a', {}, { cpus: 2 })], true).status, 200);
  assert.equal(update(world, [config('a', {}, { cpus: 3 })]).status, 200);
});

test('what is reserved counts as consumed, used or not, and once', () => {
  const world = new World();
  const reserved: Resource = { ...scalar('cpus', 2), reservations: [{ type: 'STATIC', role: 'a/b' }] };
  world.register(5051, [reserved, scalar('cpus', 2), scalar('mem', 512)]);
  assert.match(update(world, [config('a', {}, { cpus: 1 })]).text ?? '', /consuming 'cpus:2'/);
  const scheduler = world.subscribe({ role: 'a/b' });
  const [offer] = world.offers(scheduler);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id, { resources: [reserved, scalar('cpus', 1)] })], 1000);
  assert.equal(scheduler && world.state.frameworks.get(scheduler.id)?.tasks.size, 1);
  assert.match(update(world, [config('a', {}, { cpus: 1 })]).text ?? '', /consuming 'cpus:3'/);
});

test('the default quota takes the quota out of the registry, and no limit is left', () => {
  const world = new World();
  const scheduler = world.subscribe({ role: 'a' });
  update(world, [config('a', {}, { cpus: 1 })]);
  world.register();
  assert.deepEqual(cpusOffered(world, scheduler), [1]);
  assert.equal(update(world, [config('a')]).status, 200);
  assert.deepEqual(cpusOffered(world, scheduler), [3]);
  const { guarantees, limits } = world.state.quotas.get('a') as QuotaRecord;
  assert.deepEqual([guarantees, limits], [{}, {}]);
});

function cpusOffered(world: World, scheduler: Parameters<World['offers']>[0]): (number | undefined)[] {
  return world
    .offers(scheduler)
    .map(({ resources }) => resources?.find(({ name }) => name === 'cpus')?.scalar?.value)
    .filter((value) => value !== undefined);
}

test('a limit takes back offers of the role and of roles below it, until it is kept', () => {
  const world = new World();
  const scheduler = world.subscribe({ role: 'a/b' });
  const other = world.subscribe({ role: 'c' });
  for (let port = 1; port <= 4; port++) world.register(5050 + port, [scalar('cpus', 2)]);
  world.sleep(1000);
  const offers = (id: string) => [...(world.state.frameworks.get(id)?.offers ?? [])].length;
  assert.deepEqual([offers(scheduler.id), offers(other.id)], [2, 2]);
  assert.equal(update(world, [config('a', {}, { cpus: 2 })]).status, 200);
  assert.equal(world.events(scheduler.stream, 'RESCIND').length, 1);
  assert.equal(world.events(other.stream, 'RESCIND').length, 0);
});

test('a guarantee takes back offers of others, until it is covered', () => {
  const world = new World();
  const other = world.subscribe({ role: 'c' });
  for (let port = 1; port <= 3; port++) world.register(5050 + port, [scalar('cpus', 2)]);
  assert.equal(world.offers(other).length, 3);
  assert.equal(update(world, [config('a', { cpus: 3 })]).status, 200);
  assert.equal(world.events(other.stream, 'RESCIND').length, 2);
  const scheduler = world.subscribe({ role: 'a' });
  assert.equal(world.offers(scheduler).length, 2);
});

test('SET_QUOTA guarantees and limits alike, once; REMOVE_QUOTA ends it', () => {
  const world = new World();
  world.register();
  assert.equal(set(world, 'a', [scalar('cpus', 1.5), scalar('mem', 64)]).status, 200);
  const amounts = { cpus: 1500, mem: 64_000 };
  assert.deepEqual(world.state.quotas.get('a'), { role: 'a', guarantees: amounts, limits: amounts });
  const again = set(world, 'a', [scalar('cpus', 1)], true);
  assert.equal(again.status, 400);
  assert.match(again.text ?? '', /'a' already has a quota.*UPDATE_QUOTA/);
  assert.equal(remove(world, 'a').status, 200);
  assert.equal(world.state.quotas.size, 0);
  const stored = world.effects.flatMap((effect) => (effect.kind === 'commit' ? [effect.operation] : []));
  assert.deepEqual(stored, [{ type: 'UPDATE_QUOTA', quotas: [{ role: 'a', guarantees: {}, limits: {} }] }]);
});

test('REMOVE_QUOTA of a role without quota is an error, and so is removing it twice', () => {
  const world = new World();
  assert.deepEqual(remove(world, 'a'), { status: 400, text: "Failed to remove quota: Role 'a' has no quota set" });
  set(world, 'a', [scalar('cpus', 1)], true);
  assert.equal(remove(world, 'a').status, 200);
  assert.equal(remove(world, 'a').status, 400);
});

const INVALID_REQUESTS: readonly [what: string, role: string, guarantee: readonly Resource[], reason: RegExp][] = [
  ['no role', '', [scalar('cpus', 1)], /invalid role/],
  ['a role out of bounds', '../a', [scalar('cpus', 1)], /invalid role.*"\.\."/],
  ['no guarantee', 'a', [], /empty 'guarantee'/],
  ['a negative guarantee', 'a', [scalar('cpus', -1)], /invalid resource/],
  ['a reservation in the old spelling', 'a', [{ ...scalar('cpus', 1), role: 'x' }], /reservation/],
  [
    'a reservation',
    'a',
    [{ ...scalar('cpus', 1), reservations: [{ type: 'STATIC', role: 'x' }] }],
    /contain a reservation: cpus/,
  ],
  ['a disk', 'a', [{ ...scalar('disk', 1), disk: { source: { type: 'MOUNT' } } }], /contain 'disk'/],
  ['revocable resources', 'a', [{ ...scalar('cpus', 1), revocable: {} }], /contain 'revocable'/],
  ['ranges', 'a', [{ name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 1, end: 2 }] } }], /type RANGES/],
  ['a name twice', 'a', [scalar('cpus', 1), scalar('cpus', 2)], /'cpus' twice/],
  ['more than there can be', 'a', [scalar('cpus', 1e12 + 1)], /1 trillion/],
  ['a nested role', 'a/b', [scalar('cpus', 1)], /nested role/],
  ['a role that --roles does not list', 'stranger', [scalar('cpus', 1)], /--roles/],
];
for (const [what, role, guarantee, reason] of INVALID_REQUESTS) {
  test(`SET_QUOTA refuses ${what}`, () => {
    const world = new World({ roleWhitelist: new Set(['*', 'a', 'a/b']) });
    const { status, text } = set(world, role, guarantee, true);
    assert.equal(status, 400);
    assert.match(text ?? '', /^Failed to validate set quota request: /);
    assert.match(text ?? '', reason);
    assert.equal(world.state.quotas.size, 0);
  });
}

test('SET_QUOTA above the capacity is a conflict', () => {
  const { status, text } = set(new World(), 'a', [scalar('cpus', 1)]);
  assert.equal(status, 409);
  assert.match(text ?? '', /overcommit.*cpus:1.*force/);
});

test('who may not change a quota is told so, and nothing changes', () => {
  const asked: AuthorizationQuestion[] = [];
  const world = new World({
    authorize: (question) => {
      asked.push(question);
      return question.principal === 'boss';
    },
  });
  const call = { type: 'UPDATE_QUOTA', update_quota: { quota_configs: [config('a', {}, { cpus: 1 })] } } as const;
  assert.equal(world.operate(call, 'clerk').status, 403);
  const quota = { role: 'a', guarantees: {}, limits: { cpus: 1000 } };
  assert.deepEqual(asked, [{ action: 'UPDATE_QUOTA_WITH_CONFIG', quota, principal: 'clerk' }]);
  assert.equal(world.operate(call, 'boss').status, 200);
  assert.equal(world.operate({ type: 'REMOVE_QUOTA', remove_quota: { role: 'a' } }).status, 403);
  const quota_request = { role: 'b', guarantee: [scalar('cpus', 1)], force: true };
  assert.equal(world.operate({ type: 'SET_QUOTA', set_quota: { quota_request } }, 'clerk').status, 403);
  assert.deepEqual([...world.state.quotas.keys()], ['a']);
});

test('no configs, no change', () => {
  const world = new World();
  assert.equal(update(world, []).status, 200);
  assert.equal(world.effects.filter((effect) => effect.kind === 'commit').length, 0);
});

const QUOTA: QuotaRecord = { role: 'a', guarantees: { cpus: 1000 }, limits: {} };

/** A master that was just elected, with five agents in its registry. */
function elected(quotas: readonly QuotaRecord[]): { world: World; scheduler: Scheduler } {
  const agents = [0, 1, 2, 3, 4].map((i) => ({ info: { hostname: `host-${6000 + i}`, id: { value: `old-S${i}` } } }));
  const world = new World({ registry: { ...EMPTY_REGISTRY, agents, quotas }, allocatorRecoveryTimeout: 60_000 });
  return { world, scheduler: world.subscribe({ role: 'b' }) };
}

function comeBack(world: World, i: number): void {
  world.reregister({ id: `old-S${i}`, pid: `slave(1)@127.0.0.1:${6000 + i}` });
}

test('with quota, offers wait after a failover until four fifths of the agents are back, once', () => {
  const { world, scheduler } = elected([QUOTA]);
  for (let i = 0; i < 3; i++) comeBack(world, i);
  assert.equal(world.offers(scheduler, 5000).length, 0);
  comeBack(world, 3);
  assert.notEqual(world.offers(scheduler).length, 0);
  world.step({ kind: 'exited', pid: 'slave(1)@127.0.0.1:6003' });
  world.register(7000);
  assert.notEqual(world.offers(scheduler).length, 0);
});

test('they do not wait longer than --allocator_recovery_timeout', () => {
  const { world, scheduler } = elected([QUOTA]);
  comeBack(world, 0);
  assert.equal(world.offers(scheduler, 59_000).length, 0);
  world.message('slave(1)@127.0.0.1:6000', 'mesos.internal.PongSlaveMessage', {}, 'slave-observer(1)');
  assert.equal(world.offers(scheduler, 2000).length, 1);
});

test('without quota nothing waits', () => {
  const { world, scheduler } = elected([]);
  comeBack(world, 0);
  assert.equal(world.offers(scheduler).length, 1);
});
