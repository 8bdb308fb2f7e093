import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, ok } from '../base/result.ts';
import { MemoryStore } from '../coordination/store/memory.ts';
import type { Store } from '../coordination/store/store.ts';
import type { AgentInfo } from '../wire/v1.ts';
import type { RegistryOperation, RegistrySnapshot } from './core/registry.ts';
import type { Machine } from './core/state.ts';
import { Registrar } from './registrar.ts';

const agent = (id: string): AgentInfo => ({ id: { value: id }, hostname: `${id}.example` });

function registrar(store: Store, weights: RegistrySnapshot['weights'] = []): Registrar {
  return new Registrar({ store, fetchTimeout: 1_000, storeTimeout: 1_000, weights });
}

async function recovered(of: Registrar): Promise<RegistrySnapshot> {
  const snapshot = await of.recover();
  assert.ok(snapshot.ok, snapshot.ok ? '' : snapshot.error);
  return snapshot.value;
}

test('a new leader begins with what the last one has stored', async () => {
  const place = new Map<string, Uint8Array>();
  const first = registrar(new MemoryStore(place), [{ role: 'ads', weight: 2.5 }]);
  assert.deepEqual((await recovered(first)).agents, []);
  const operations: RegistryOperation[] = [
    { type: 'ADMIT_AGENT', agent: agent('a') },
    { type: 'ADMIT_AGENT', agent: agent('b') },
    { type: 'ADMIT_AGENT', agent: agent('c') },
    { type: 'MARK_UNREACHABLE', agentId: 'b', time: 1_700_000_000_123 },
    { type: 'MARK_GONE', agentId: 'c', time: 5_000 },
    { type: 'UPDATE_QUOTA', quotas: [{ role: 'ads', guarantees: { cpus: 1_500 }, limits: { cpus: 2_000, mem: 1 } }] },
    { type: 'UPDATE_QUOTA', quotas: [{ role: 'web', guarantees: { cpus: 1_000 }, limits: {} }] },
    { type: 'UPDATE_QUOTA', quotas: [{ role: 'web', guarantees: {}, limits: {} }] },
  ];
  for (const operation of operations) assert.ok((await first.commit(operation)).ok);
  const { agents, unreachable, gone, weights, quotas } = await recovered(registrar(new MemoryStore(place)));
  assert.deepEqual(
    agents.map(({ info }) => info.id?.value),
    ['a'],
  );
  assert.deepEqual(unreachable, [{ id: 'b', time: 1_700_000_000_123 }]);
  assert.deepEqual(gone, [{ id: 'c', time: 5_000 }]);
  assert.deepEqual(weights, [{ role: 'ads', weight: 2.5 }]);
  assert.deepEqual(quotas, [{ role: 'ads', guarantees: { cpus: 1_500 }, limits: { cpus: 2_000, mem: 1 } }]);
});

test('weights of the flags count only where there is no registry yet', async () => {
  const place = new Map<string, Uint8Array>();
  await recovered(registrar(new MemoryStore(place)));
  const { weights } = await recovered(registrar(new MemoryStore(place), [{ role: 'ads', weight: 2 }]));
  assert.deepEqual(weights, []);
});

test('a reachable agent is admitted again, and forgotten when it is pruned or removed', async () => {
  const place = new Map<string, Uint8Array>();
  const first = registrar(new MemoryStore(place));
  await recovered(first);
  for (const id of ['a', 'b']) {
    await first.commit({ type: 'ADMIT_AGENT', agent: agent(id) });
    await first.commit({ type: 'MARK_UNREACHABLE', agentId: id, time: 1 });
  }
  await first.commit({ type: 'MARK_REACHABLE', agent: agent('a') });
  await first.commit({ type: 'PRUNE', unreachable: ['b'], gone: [] });
  const second = await recovered(registrar(new MemoryStore(place)));
  assert.deepEqual([second.agents.length, second.unreachable.length], [1, 0]);
  await first.commit({ type: 'REMOVE_AGENT', agentId: 'a' });
  assert.deepEqual([...place.keys()], ['meta/format']);
});

test('what is decided about an agent goes with it, until it is reactivated or gone', async () => {
  const place = new Map<string, Uint8Array>();
  const first = registrar(new MemoryStore(place));
  await recovered(first);
  const drain = { state: 'DRAINING', config: { max_grace_period: { nanoseconds: 5e9 }, mark_gone: false } } as const;
  const operations: RegistryOperation[] = [
    { type: 'ADMIT_AGENT', agent: agent('a') },
    { type: 'ADMIT_AGENT', agent: agent('b') },
    { type: 'DRAIN_AGENT', agentId: 'a', drain },
    { type: 'DEACTIVATE_AGENT', agentId: 'b' },
    { type: 'DEACTIVATE_AGENT', agentId: 'nobody' },
    { type: 'MARK_UNREACHABLE', agentId: 'a', time: 1 },
    { type: 'MARK_DRAINED', agentId: 'a' },
    { type: 'MARK_DRAINED', agentId: 'b' },
  ];
  for (const operation of operations) {
    // Twice: operations are idempotent.
    for (let i = 0; i < 2; i++) assert.ok((await first.commit(operation)).ok);
  }
  const away = await recovered(registrar(new MemoryStore(place)));
  assert.deepEqual(away.unreachable, [{ id: 'a', time: 1, deactivated: true, drain: { ...drain, state: 'DRAINED' } }]);
  assert.deepEqual(away.agents, [{ info: agent('b'), deactivated: true }]);
  await first.commit({ type: 'MARK_REACHABLE', agent: agent('a') });
  await first.commit({ type: 'REACTIVATE_AGENT', agentId: 'b' });
  const back = await recovered(registrar(new MemoryStore(place)));
  assert.deepEqual(
    back.agents.map(({ info, deactivated, drain: decided }) => [info.id?.value, deactivated, decided?.state]).sort(),
    [
      ['a', true, 'DRAINED'],
      ['b', undefined, undefined],
    ],
  );
  await first.commit({ type: 'MARK_GONE', agentId: 'a', time: 2 });
  await first.commit({ type: 'REACTIVATE_AGENT', agentId: 'a' });
  assert.deepEqual([...place.keys()].sort(), ['agents/b', 'gone/a', 'meta/format']);
});

test('machines under maintenance are kept by name and address', async () => {
  const place = new Map<string, Uint8Array>();
  const first = registrar(new MemoryStore(place));
  await recovered(first);
  const unavailability = { start: { nanoseconds: 5 }, duration: { nanoseconds: 7 } };
  const one: Machine = { id: { hostname: 'One', ip: '10.0.0.1' }, mode: 'DRAINING', unavailability };
  const two: Machine = { id: { hostname: 'two' }, mode: 'DRAINING', unavailability };
  await first.commit({ type: 'UPDATE_MACHINES', set: [one, two], forget: [] });
  const down: Machine = { ...one, mode: 'DOWN' };
  await first.commit({ type: 'UPDATE_MACHINES', set: [down], forget: [{ hostname: 'TWO' }] });
  assert.deepEqual((await recovered(registrar(new MemoryStore(place)))).machines, [down]);
});

for (const [what, place, complaint] of [
  ['a later format', { 'meta/format': '2' }, /format 2.*knows only format 1.*nothing was changed/],
  ['an entity that is garbled', { 'meta/format': '1', 'agents/a': '\xff\xff' }, /'agents\/a' cannot be read/],
  [
    'a capability that this master lacks',
    { 'capabilities/FLYING': '\x0a\x06FLYING' },
    /capability FLYING, which this one lacks/,
  ],
  ['an entity of an unknown kind', { 'meta/format': '1', 'wishes/a': '' }, /'wishes\/a', which is nothing/],
] as const) {
  test(`${what} is refused, and the sentence says so`, async () => {
    const values = new Map(Object.entries(place).map(([key, value]) => [key, Buffer.from(value, 'latin1')]));
    const snapshot = await registrar(new MemoryStore(values)).recover();
    assert.ok(!snapshot.ok);
    assert.match(snapshot.error, complaint);
  });
}

test('a store may be given more time than Node can sleep', async () => {
  const store = new MemoryStore();
  const patient = 35 * 86_400_000;
  const first = new Registrar({ store, fetchTimeout: patient, storeTimeout: patient, weights: [] });
  await recovered(first);
  const apply = store.apply.bind(store);
  store.apply = async (...batch) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return apply(...batch);
  };
  assert.deepEqual(await first.commit({ type: 'ADMIT_AGENT', agent: agent('a') }), ok(undefined));
});

test('a store that fails, or does not answer in time, is an error that names it', async () => {
  const store = new MemoryStore();
  const first = new Registrar({ store, fetchTimeout: 1_000, storeTimeout: 20, weights: [] });
  await recovered(first);
  store.apply = async () => err({ kind: 'unavailable', message: 'the disk of /x is full' });
  const full = await first.commit({ type: 'ADMIT_AGENT', agent: agent('a') });
  assert.deepEqual(full, err('the disk of /x is full'));
  store.apply = () => new Promise(() => {});
  const late = await first.commit({ type: 'ADMIT_AGENT', agent: agent('b') });
  assert.ok(!late.ok);
  assert.match(late.error, /writing the registry \(memory\) took longer than --registry_store_timeout=0.02secs/);
});

test('what an older master would not honour is demanded for as long as it is there', async () => {
  const place = new Map<string, Uint8Array>();
  const first = registrar(new MemoryStore(place));
  await recovered(first);
  const demands = (): string[] => [...place.keys()].filter((key) => key.startsWith('capabilities/')).sort();
  await first.commit({ type: 'ADMIT_AGENT', agent: agent('a') });
  assert.deepEqual(demands(), []);
  await first.commit({ type: 'DEACTIVATE_AGENT', agentId: 'a' });
  await first.commit({ type: 'MARK_UNREACHABLE', agentId: 'a', time: 1 });
  await first.commit({ type: 'UPDATE_QUOTA', quotas: [{ role: 'ads', guarantees: { cpus: 1 }, limits: {} }] });
  assert.deepEqual(demands(), ['capabilities/AGENT_DRAINING', 'capabilities/QUOTA_V2']);
  const second = registrar(new MemoryStore(place));
  await recovered(second);
  await second.commit({ type: 'REACTIVATE_AGENT', agentId: 'a' });
  await second.commit({ type: 'UPDATE_QUOTA', quotas: [{ role: 'ads', guarantees: {}, limits: {} }] });
  assert.deepEqual(demands(), []);
});

test('what was read ahead is recovered if the store says that it is current, and else what is there', async () => {
  const place = new Map<string, Uint8Array>();
  const leader = registrar(new MemoryStore(place));
  await recovered(leader);
  await leader.commit({ type: 'ADMIT_AGENT', agent: agent('a') });
  /** A store that hands out what it has read ahead as long as it is told that nothing has changed. */
  class Ahead extends MemoryStore {
    isCurrent = true;
    #read: ReadonlyMap<string, Uint8Array> | undefined;
    async readAhead() {
      if (this.#read === undefined || !this.isCurrent) this.#read = new Map(place);
      this.isCurrent = true;
      return ok(this.#read);
    }
    override async load() {
      return this.isCurrent && this.#read !== undefined ? ok(this.#read) : super.load();
    }
  }
  const ids = ({ agents }: RegistrySnapshot): unknown => agents.map(({ info }) => info.id?.value);
  const current = registrar(new Ahead(place));
  for (let look = 0; look < 2; look++) assert.ok((await current.readAhead()).ok);
  assert.deepEqual(ids(await recovered(current)), ['a']);

  const store = new Ahead(place);
  const behind = registrar(store);
  await behind.readAhead();
  await leader.commit({ type: 'ADMIT_AGENT', agent: agent('b') });
  store.isCurrent = false;
  assert.deepEqual(ids(await recovered(behind)), ['a', 'b']);
  await behind.commit({ type: 'REMOVE_AGENT', agentId: 'a' });
  assert.deepEqual(ids(await recovered(registrar(new MemoryStore(place)))), ['b']);
});

test('a registry that cannot be read ahead is a reason, and may be read all the same when it is time', async () => {
  const broken = new MemoryStore();
  const bad = Object.assign(broken, {
    readAhead: async () => err({ kind: 'unavailable' as const, message: 'nobody answers' }),
  });
  const one = registrar(bad);
  const read = await one.readAhead();
  assert.ok(!read.ok);
  assert.equal(read.error, 'nobody answers');
  assert.deepEqual((await recovered(one)).agents, []);
  assert.ok((await registrar(new MemoryStore()).readAhead()).ok, 'nothing to be done for a store of this machine');
});
