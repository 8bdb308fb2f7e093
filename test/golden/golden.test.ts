/**
 * What earlier versions have written must be read by later ones. The files beside this one were written by the version
 * that their names tell; they never change. A new format brings files of its own.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { readCheckpoints } from '../../src/agent/checkpoint/reader.ts';
import { World } from '../../src/agent/core/fake-world.ts';
import { importRegistry } from '../../src/cli/registry.ts';
import { LmdbStore } from '../../src/coordination/store/lmdb.ts';
import type { Store } from '../../src/coordination/store/store.ts';
import { ZooKeeperStore } from '../../src/coordination/store/zookeeper.ts';
import { ZooKeeper } from '../../src/coordination/zookeeper/client.ts';
import { OPEN_ACL } from '../../src/coordination/zookeeper/core/protocol.ts';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import type { RegistrySnapshot } from '../../src/master/core/registry.ts';
import { noEntities, readEntities } from '../../src/master/core/registry-entities.ts';
import { Registrar } from '../../src/master/registrar.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'golden-'));
after(() => rmSync(root, { recursive: true, force: true }));

function lmdb(folder: string): Store {
  const store = LmdbStore.open(folder);
  assert.ok(store.ok);
  return store.value;
}

/** What a master begins with that is elected over this store. */
async function recover(store: Store): Promise<RegistrySnapshot> {
  const registrar = new Registrar({ store, fetchTimeout: 5_000, storeTimeout: 5_000, weights: [] });
  const registry = await registrar.recover();
  await registrar.close();
  assert.ok(registry.ok, registry.ok ? '' : registry.error);
  return registry.value;
}

test('a registry of format 1 is read', async () => {
  const folder = join(root, 'registry');
  await importRegistry(`lmdb:${folder}`, { file: here('registry-1.json') });
  const registry = await recover(lmdb(folder));
  const { agents, unreachable, gone, quotas, weights, machines } = registry;
  assert.deepEqual(
    agents.map(({ info, drain, deactivated }) => [info.id?.value, info.hostname, drain?.state, deactivated]).sort(),
    [
      ['m-Sa', 'm-Sa.example', undefined, undefined],
      ['m-Sb', 'm-Sb.example', 'DRAINING', true],
    ],
  );
  assert.deepEqual(unreachable, [{ id: 'm-Sc', time: 1_700_000_000_000 }]);
  assert.deepEqual(gone, [{ id: 'm-Sd', time: 1_700_000_001_000 }]);
  assert.deepEqual(quotas, [{ role: 'ads', guarantees: { cpus: 1500 }, limits: { cpus: 4000, mem: 1_024_000 } }]);
  assert.deepEqual(weights, [{ role: 'ads', weight: 2.5 }]);
  assert.deepEqual(
    machines.map(({ id, mode }) => [id.hostname, mode]),
    [['a.example', 'DRAINING']],
  );
});

/** What registry-1-every-kind.json, registry-1.mdb.gz and registry-1-znodes.json hold: the same. */
function holdsEveryKind(registry: RegistrySnapshot): void {
  const agents = registry.agents.map(({ info, ...decided }) => [info.id?.value, decided]);
  assert.deepEqual(new Map(agents as [string, unknown][]), new Map(Object.entries(AGENTS)));
  const plain = registry.agents.find(({ info }) => info.id?.value === 'm-Plain')?.info;
  assert.deepEqual(
    [plain?.hostname, plain?.port, plain?.domain?.fault_domain?.zone.name, plain?.attributes?.[0]?.text?.value],
    ['plain.example', 5051, 'a', 'r1'],
  );
  assert.deepEqual(
    plain?.resources?.map(({ name, reservations }) => [name, reservations?.[0]?.role]),
    [
      ['cpus', undefined],
      ['ports', undefined],
      ['mem', 'ads'],
    ],
  );
  const away = registry.unreachable.map(({ id, time, ...decided }) => [id, Math.round(time), decided]);
  assert.deepEqual(away.sort(), [
    ['m-Away', 1_700_000_000_000, {}],
    ['m-AwayDraining', 1_700_000_000_002, AWAY_DRAINING],
    ['m-AwayOff', 1_700_000_000_001, { deactivated: true }],
  ]);
  assert.deepEqual(
    registry.gone.map(({ id, time }) => [id, Math.round(time)]),
    [['m-Gone', 1_700_000_000_003]],
  );
  assert.deepEqual([...registry.quotas].sort(byRole), [
    { role: 'ads', guarantees: { cpus: 1500 }, limits: { cpus: 4000, mem: 1_024_000 } },
    { role: 'ops', guarantees: {}, limits: { gpus: 2000 } },
  ]);
  assert.deepEqual([...registry.weights].sort(byRole), [
    { role: 'ads', weight: 2.5 },
    { role: 'ads/night', weight: 0.5 },
  ]);
  const start = { nanoseconds: 1_800_000_000_000_000_000 };
  assert.deepEqual(
    registry.machines.map(({ id, mode, unavailability }) => [id.hostname, id.ip, mode, unavailability]).sort(),
    [
      ['down.example', '192.0.2.7', 'DOWN', { start }],
      ['plain.example', undefined, 'DRAINING', { start, duration: { nanoseconds: 3.6e12 } }],
    ],
  );
}

const byRole = (a: { role: string }, b: { role: string }): number => (a.role < b.role ? -1 : 1);
const draining = (config: object) => ({ deactivated: true, drain: { state: 'DRAINING', config } });
const AWAY_DRAINING = draining({ max_grace_period: { nanoseconds: 5e9 } });
const AGENTS = {
  'm-Plain': {},
  'm-Off': { deactivated: true },
  'm-Draining': draining({ max_grace_period: { nanoseconds: 30e9 }, mark_gone: true }),
  'm-Drained': { deactivated: true, drain: { state: 'DRAINED', config: {} } },
};

test('every kind of entity of format 1 is read from a backup', async () => {
  const folder = join(root, 'every-kind');
  await importRegistry(`lmdb:${folder}`, { file: here('registry-1-every-kind.json') });
  holdsEveryKind(await recover(lmdb(folder)));
});

test('every kind of entity of format 1 is read from a database of LMDB', async () => {
  const folder = join(root, 'lmdb');
  mkdirSync(folder);
  writeFileSync(join(folder, 'data.mdb'), gunzipSync(readFileSync(here('registry-1.mdb.gz'))));
  holdsEveryKind(await recover(lmdb(folder)));
});

test('every kind of entity of format 1 is read from nodes in ZooKeeper', { skip: withoutZooKeeper }, async () => {
  const nodes: Record<string, string> = JSON.parse(readFileSync(here('registry-1-znodes.json'), 'utf8'));
  const ensemble = await TestEnsemble.start();
  const client = new ZooKeeper({ servers: ensemble.servers, credentials: undefined, timeout: 4_000 });
  client.start();
  try {
    for (const path of Object.keys(nodes).sort())
      await client.create(path, Buffer.from(nodes[path] ?? '', 'base64'), { acl: OPEN_ACL });
    holdsEveryKind(await recover(new ZooKeeperStore({ client, path: '/mesos/registry', acl: OPEN_ACL })));
  } finally {
    client.close();
    await ensemble.stop();
  }
});

test('the golden registries hold every kind of entity that there is, and what a master must know to lead with them', () => {
  const { entities } = JSON.parse(readFileSync(here('registry-1-every-kind.json'), 'utf8'));
  const values = Object.entries<string>(entities).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
  const read = readEntities(new Map(values));
  assert.ok(read.ok);
  for (const kind of Object.keys(noEntities()) as (keyof typeof read.value)[])
    assert.ok(read.value[kind].size > 0, kind);
  assert.deepEqual([...read.value.capabilities.keys()].sort(), ['AGENT_DRAINING', 'QUOTA_V2']);
});

for (const [what, key, value, reason] of [
  ['a later format', 'meta/format', '2', /format 2, and this program knows only format 1.*nothing was changed/],
  ['an unknown kind', 'tenants/a', 'x', /holds 'tenants\/a', which is nothing that this program knows/],
  ['an unknown capability', 'capabilities/FLY', '\n\x03FLY', /capability FLY, which this one lacks/],
] as const) {
  test(`a registry with ${what} is refused, and nothing is changed`, async () => {
    const folder = join(root, key.replace('/', '-'));
    await importRegistry(`lmdb:${folder}`, { file: here('registry-1-every-kind.json') });
    const store = lmdb(folder);
    await store.load();
    await store.apply([{ key, value: Buffer.from(value) }]);
    const before = await store.read();
    const registrar = new Registrar({ store, fetchTimeout: 5_000, storeTimeout: 5_000, weights: [] });
    const refused = await registrar.recover();
    assert.match(refused.ok ? '' : refused.error, reason);
    assert.deepEqual(await store.read(), before);
    await registrar.close();
  });
}

test('checkpoints of format 1 are read', () => {
  const read = readCheckpoints({ workDir: here('checkpoints-1'), strict: true, warn: (text) => assert.fail(text) });
  assert.ok(read.ok, read.ok ? '' : read.error);
  assert.equal(read.value.info?.id?.value, 'm-S0');
  const [framework, ...others] = read.value.frameworks;
  assert.equal(others.length, 0);
  assert.deepEqual([framework?.info.id?.value, framework?.info.checkpoint], ['f1', true]);
  const runs = (framework?.runs ?? []).map(({ info, kind, isCompleted, processId, tasks }) => {
    const states = tasks.flatMap(({ records }) => records.map(({ type, update }) => update?.status.state ?? type));
    return [info.executor_id.value, kind, isCompleted, processId, states.join(' ')];
  });
  assert.deepEqual(runs.sort(), [
    ['ended', 'command', false, 102, 'TASK_STARTING TASK_RUNNING TASK_FAILED'],
    ['over', 'command', true, 103, 'TASK_STARTING TASK_RUNNING TASK_FINISHED ACK ACK ACK'],
    ['own', 'custom', false, 104, ''],
    ['running', 'command', false, 101, 'TASK_STARTING TASK_RUNNING ACK ACK'],
  ]);
});

test('every other kind of checkpoint of format 1 is read, and an agent goes on from there', () => {
  const workDir = here('checkpoints-1-every-kind');
  const read = readCheckpoints({ workDir, strict: true, warn: (text) => assert.fail(text) });
  assert.ok(read.ok && read.value, read.ok ? 'nothing' : read.error);
  const { drain, resources, frameworks } = read.value;
  assert.deepEqual(drain, { max_grace_period: { nanoseconds: 30e9 }, mark_gone: true });
  const runs = new Map(frameworks[0]?.runs.map((run) => [run.info.executor_id.value, run]));
  const { group, old, http } = Object.fromEntries(runs);
  assert.deepEqual([group?.kind, group?.isHttp, group?.pid], ['default', false, undefined]);
  assert.deepEqual([old?.kind, old?.isHttp, old?.pid], ['custom', false, 'executor(1)@127.0.0.1:9']);
  assert.deepEqual([http?.kind, http?.isHttp, http?.pid], ['custom', true, undefined]);
  for (const { launch } of group?.tasks ?? []) {
    assert.deepEqual(launch.group, ['a', 'b']);
    assert.match(launch.container ?? '', /^[0-9a-f-]{36}$/);
  }
  assert.deepEqual(
    resources.resources?.map(({ name, scalar, disk }) => [name, scalar?.value, disk?.persistence?.id]),
    [
      ['disk', 20, undefined],
      ['disk', 10, 'v'],
    ],
  );
  assert.deepEqual(
    resources.operations?.map(({ info, latest_status }) => [info.type, latest_status.state]),
    [
      ['RESERVE', 'OPERATION_FINISHED'],
      ['CREATE', 'OPERATION_FINISHED'],
    ],
  );
  const nested = (group?.tasks ?? []).map(({ launch }) => launch.container ?? '');
  const containers = new Set([...[...runs.values()].map(({ containerId }) => containerId), ...nested]);
  const { state } = new World({ workDir }, 1, { ...read.value, containers }).agent;
  assert.deepEqual(state.drain?.config, drain);
  assert.deepEqual([...(state.frameworks.get('f1')?.executors.keys() ?? [])].sort(), ['group', 'http', 'old']);
  assert.deepEqual([...(state.frameworks.get('f1')?.tasks.keys() ?? [])].sort(), ['a', 'b', 'of-http', 'of-old']);
});

test('checkpoints of a later format are refused, and nothing is changed', () => {
  const workDir = join(root, 'later');
  cpSync(here('checkpoints-1'), workDir, { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(workDir, 'meta/meseta.format'), '2');
  const read = readCheckpoints({ workDir, strict: false, warn: () => {} });
  assert.ok(!read.ok);
  assert.match(
    read.error,
    /later\/meta was written in format 2, and this agent knows only format 1.*nothing was changed/,
  );
});
