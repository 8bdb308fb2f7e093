/**
 * Ten thousand spoiled definitions of apps, pods and groups, to Marathon's API over its real core. Each is answered 2xx, or
 * 4xx with a reason; none that was refused leaves anything behind; what was taken is launched and shown; memory does not
 * grow. A failure names its seed and request: FUZZ_SEED and FUZZ_CALLS set both.
 */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom } from '../../src/base/random.ts';
import { asker, type Served, serve, type Told } from '../../src/marathon/http/serving.fixture.ts';
import { BASE, BASE_POD, FEATURES, WISHES, type Wish } from './documents.fixture.ts';
import { mutateJson, mutateText, pick, type Random } from './mutate.fixture.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const CALLS = Number(process.env.FUZZ_CALLS ?? 10_000);
/** So many are taken before all is made anew. */
const FRESH_AFTER = 20;
const WARM_UP = 0.3;
/** Far above what stays of answers and compiled code, and below 6 KiB for each request. */
const MAX_GROWTH_MIB = 40;

/** Words that JSON has, and no document ought to. */
const ODD_NUMBERS = [
  '1e400',
  '-1e400',
  '1e-400',
  '123456789012345678901234567890',
  '0.1e1',
  '-0',
  'NaN',
  'Infinity',
  '01',
];

function spoil({ body }: Wish, random: Random): string {
  const kind = random();
  const text = JSON.stringify(body);
  if (kind < 0.06) return mutateText(text, random);
  if (kind < 0.1) return text.replace(/(?<=:)[\d.]+(?=[,}])/, pick(ODD_NUMBERS, random));
  if (kind < 0.12) return text.replace('{', `{"id":${pick(['5', 'null', '"/other"', '"a b"'], random)},`);
  if (kind < 0.14) return text.replace('{', '{"__proto__":{"cmd":"x","instances":"x"},"constructor":1,');
  if (kind < 0.15) return `${'[{"a":'.repeat(1000)}1${'}]'.repeat(1000)}`;
  return JSON.stringify(mutateJson(body, random));
}

/** What is kept, by the API and by the store. */
async function kept({ rig }: Served, ask: Served['ask']): Promise<readonly unknown[]> {
  const { body } = await ask('GET', '/v2/groups?embed=group.groups&embed=group.apps');
  const { state } = rig.core;
  return [body, state.root, rig.stored.size, state.instances.size, state.deployments.size, state.current.size];
}

function memory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

async function freshen({ rig }: Served, ask: Served['ask']): Promise<void> {
  assert.equal((await ask('DELETE', '/v2/groups?force=true')).status, 200);
  rig.advance(400_000);
  assert.equal((await ask('PUT', '/v2/groups/base', BASE)).status, 200);
  assert.equal((await ask('PUT', '/v2/pods/base/pod', BASE_POD)).status, 200);
  rig.advance(1_000);
  rig.published.length = 0;
  rig.calls.length = 0;
  rig.log.length = 0;
  rig.probes.length = 0;
}

function isRefusal({ status, json }: Told): boolean {
  return status >= 400 && status < 500 && typeof json?.message === 'string' && json.message !== '';
}

test(`${CALLS} spoiled definitions are taken, or refused with a reason and without a trace`, async (t) => {
  const definitions = {
    defaultRole: '*',
    features: FEATURES,
    mesosBridgeName: 'b',
    acceptedResourceRolesDefault: 'any',
  } as const;
  const served = await serve(t, { core: { definitions, features: FEATURES } });
  const ask = asker(served.port, undefined, new Agent({ keepAlive: true, maxSockets: 1 }));
  const { rig } = served;
  const resources = 'cpus:1000;mem:100000;disk:100000;ports:[31000-32000]';
  rig.addAgent('host1', { resources, attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'r1' } }] });
  await freshen(served, ask);
  const counts = { taken: 0, refused: 0 };
  let before = await kept(served, ask);
  let warm = 0;
  for (let index = 0; index < CALLS; index++) {
    const random = seededRandom(SEED * 1_000_003 + index);
    const wish = pick(WISHES, random);
    const body = spoil(wish, random);
    const label = `FUZZ_SEED=${SEED}, request ${index}: ${wish.method} ${wish.path} ${body.slice(0, 3_000)}`;
    const told = await ask(wish.method, wish.path, body);
    if (told.status >= 200 && told.status < 300) {
      counts.taken++;
      rig.advance(500);
      if (counts.taken % FRESH_AFTER === 0) await freshen(served, ask);
      before = await kept(served, ask);
    } else {
      counts.refused++;
      assert.ok(
        isRefusal(told),
        `${label} is answered ${told.status} ${told.body.slice(0, 500)}\n${served.errors.join('\n')}`,
      );
      const after = await kept(served, ask);
      assert.deepEqual(after.slice(2), before.slice(2), label);
      assert.equal(after[0], before[0], label);
      assert.equal(after[1], before[1], label);
    }
    if (index === Math.floor(CALLS * WARM_UP)) warm = memory();
  }
  assert.deepEqual(served.errors, []);
  await freshen(served, ask);
  const grown = memory() - warm;
  t.diagnostic(`${counts.taken} taken, ${counts.refused} refused, memory +${grown.toFixed(1)} MiB`);
  assert.ok(counts.taken > CALLS / 20, 'some are still right');
  assert.ok(counts.refused > CALLS / 4, 'most are not');
  assert.ok(grown < MAX_GROWTH_MIB, `memory grew by ${grown} MiB`);
  for (const path of [
    '/v2/apps',
    '/v2/pods',
    '/v2/tasks',
    '/v2/queue?embed=lastUnusedOffers',
    '/v2/deployments',
    '/v2/pods::status',
  ]) {
    assert.equal((await ask('GET', path)).status, 200, path);
  }
});
