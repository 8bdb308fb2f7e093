/**
 * What earlier versions have written must be read by later ones. The files beside this one were written by the version
 * that their names tell; they never change. A new format brings files of its own.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCheckpoints } from '../../src/agent/checkpoint/reader.ts';
import { importRegistry } from '../../src/cli/registry.ts';
import { LmdbStore } from '../../src/coordination/store/lmdb.ts';
import { Registrar } from '../../src/master/registrar.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'golden-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a registry of format 1 is read', async () => {
  const folder = join(root, 'registry');
  await importRegistry(`lmdb:${folder}`, { file: here('registry-1.json') });
  const store = LmdbStore.open(folder);
  assert.ok(store.ok);
  const registrar = new Registrar({ store: store.value, fetchTimeout: 5_000, storeTimeout: 5_000, weights: [] });
  const registry = await registrar.recover();
  await registrar.close();
  assert.ok(registry.ok, registry.ok ? '' : registry.error);
  const { agents, unreachable, gone, quotas, weights, machines } = registry.value;
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
