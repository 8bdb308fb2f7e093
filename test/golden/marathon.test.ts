/** What an earlier Marathon has stored must be read by later ones. The file never changes; a new format brings one of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/base/random.ts';
import { restoreBackup } from '../../src/cli/marathon/backup.ts';
import { LmdbStore } from '../../src/coordination/store/lmdb.ts';
import type { MarathonEffect } from '../../src/marathon/core/effects.ts';
import { MarathonCore } from '../../src/marathon/core/machine.ts';
import { Rig } from '../../src/marathon/core/rig.fixture.ts';
import type { MarathonState } from '../../src/marathon/core/state.ts';
import { groupAt } from '../../src/marathon/core/tree/groups.ts';
import { loadState } from '../../src/marathon/load-state.ts';

const file = fileURLToPath(new URL('marathon-1.json', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'golden-marathon-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** As a leader has it that was given the backup. */
async function restored(): Promise<MarathonState> {
  const folder = mkdtempSync(join(root, 'state-'));
  await restoreBackup(`lmdb:${folder}`, { file });
  const store = LmdbStore.open(folder);
  assert.ok(store.ok);
  const state = await loadState({ store: store.value, tell: () => {} });
  await store.value.close();
  assert.ok(state.ok, state.ok ? '' : state.error);
  return state.value;
}

test('a state of format 1 is read: the tree, its versions, definitions, instances, deployments and failures', async () => {
  const state = await restored();
  assert.equal(state.frameworkId, 'f');
  assert.deepEqual([...state.current.keys()].sort(), ['/prod/db', '/prod/pod', '/prod/web']);
  assert.deepEqual(groupAt(state.root, '/prod/batch')?.dependencies, ['/prod/db']);
  assert.deepEqual(
    state.rootVersions.map((each) => groupAt(each.root, '/prod')?.apps.size ?? 0),
    [2, 2, 2, 2, 2],
  );
  assert.deepEqual(
    state.rootVersions.map((each) => each.root.apps.has('/gone')),
    [false, false, true, false, false],
  );
  const web = state.current.get('/prod/web');
  assert.ok(web?.kind === 'app');
  assert.deepEqual(web.upgradeStrategy, { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.2 });
  assert.deepEqual(web.constraints.length, 1);
  assert.deepEqual(
    [...(state.history.get('/prod/db')?.values() ?? [])].map((each) => each.kind === 'app' && each.cmd),
    ['sleep 1000', 'sleep 2000'],
  );
  const db = state.current.get('/prod/db');
  assert.deepEqual([db?.env.PASSWORD, db?.secrets], [{ secret: 'pw' }, { pw: { source: 'db/password' } }]);
  assert.deepEqual(
    [...state.instances.values()]
      .map(({ specId, condition, placement, tasks }) => [specId, condition, placement?.host, tasks.length])
      .sort(),
    [
      ['/prod/db', 'Scheduled', undefined, 0],
      ['/prod/pod', 'Provisioned', 'a', 1],
      ['/prod/web', 'Running', 'b', 1],
      ['/prod/web', 'Unreachable', 'a', 1],
    ],
  );
  assert.deepEqual([...state.deployments.values()].flatMap(({ plan }) => plan.changes.map(({ id }) => id)).sort(), [
    '/prod/db',
    '/prod/pod',
  ]);
  assert.equal(state.specs.get('/prod/db')?.lastFailure?.message, 'Command exited with status 1');
});

test('a Marathon leads with a state of format 1 and goes on with what was under way', async () => {
  const core = new MarathonCore(new Rig().options, await restored());
  const effects: MarathonEffect[] = [];
  const env = { now: 0, wall: 1_700_000_100_000, random: seededRandom(1), chance: () => false };
  for (const event of [{ kind: 'start' }, { kind: 'subscribed', frameworkId: 'f' }] as const) {
    core.step(event, env, (effect) => effects.push(effect));
  }
  assert.equal(core.state.deployments.size, 2);
  assert.ok(effects.some((effect) => effect.kind === 'publish' && effect.event.eventType === 'deployment_info'));
});

test('the golden state holds every kind of record that there is', () => {
  const { entities } = JSON.parse(readFileSync(file, 'utf8')) as { readonly entities: object };
  const kinds = new Set(Object.keys(entities).map((key) => key.slice(0, key.indexOf('/'))));
  assert.deepEqual([...kinds].sort(), [
    'deployment',
    'failure',
    'framework',
    'group',
    'instance',
    'meta',
    'root',
    'spec',
    'version',
  ]);
});
