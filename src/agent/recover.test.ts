import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ResourceState } from '../wire/internal_slave.ts';
import type { AgentInfo } from '../wire/v1.ts';
import { readCheckpoints } from './checkpoint/reader.ts';
import { writeCheckpoints } from './checkpoint/writer.ts';
import { record } from './core/checkpoints.ts';
import { type RecoverOptions, recoverCheckpoints } from './recover.ts';

const RECORDED = fileURLToPath(new URL('../../test/golden/checkpoints-1', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'recover-'));
after(() => rmSync(root, { recursive: true, force: true }));
let places = 0;

/** An agent that was here, on a machine that has been started once. */
async function place() {
  const workDir = join(root, String(places++));
  cpSync(RECORDED, workDir, { recursive: true, verbatimSymlinks: true });
  const bootId = join(workDir, 'boot');
  writeFileSync(bootId, 'first\n');
  const read = readCheckpoints({ workDir, strict: true, warn: () => {} });
  assert.ok(read.ok && read.value.info !== undefined);
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const base: RecoverOptions = {
    workDir,
    strict: true,
    policy: 'equal',
    info: read.value.info,
    logger: { info: say, warning: say } as RecoverOptions['logger'],
    bootId,
  };
  const recover = (more: Partial<RecoverOptions> = {}) => recoverCheckpoints({ ...base, ...more });
  assert.ok((await recover()).ok);
  const other: AgentInfo = { ...base.info, hostname: 'other' };
  return { workDir, recover, said, other, reboot: () => writeFileSync(bootId, 'other\n') };
}

const latest = (workDir: string): string => join(workDir, 'meta/slaves/latest');

test('after a restart of the machine the agent is who it was, and its tasks are for it to declare ended', async () => {
  const { recover, reboot, said, workDir } = await place();
  reboot();
  const again = await recover();
  assert.ok(again.ok);
  assert.equal(again.value.info?.id?.value, 'm-S0');
  assert.equal(again.value.frameworks.length, 1);
  assert.match(said.join(), /The machine was restarted/);
  assert.equal(readFileSync(join(workDir, 'meta/boot_id'), 'utf8'), 'other');
});

test('an agent that has changed is refused; after a restart of the machine it begins as a new one, for good', async () => {
  const { recover, reboot, said, workDir, other } = await place();
  const refused = await recover({ info: other });
  assert.match(
    refused.ok ? '' : refused.error,
    /hostname changed from .* to 'other', which --reconfiguration_policy=equal does not allow.*remove .*meta\/slaves\/latest/,
  );
  assert.equal(existsSync(latest(workDir)), true);
  reboot();
  const fresh = await recover({ info: other });
  assert.ok(fresh.ok);
  assert.deepEqual([fresh.value.info, fresh.value.frameworks], [undefined, []]);
  assert.deepEqual(
    fresh.value.leftovers.map(({ path }) => path),
    [join(workDir, 'meta/slaves/m-S0')],
  );
  assert.match(said.join(), /The machine was restarted and .*hostname changed.*beginning as a new agent/);
  // An agent that is killed here decides the same again.
  assert.equal(existsSync(latest(workDir)), false);
  const second = await recover({ info: other });
  assert.ok(second.ok && second.value.info === undefined);
});

test('a garbled note of the last restart is no restart: nothing is given up, and the note is made anew', async () => {
  for (const garbage of ['', 'fir', 'first, and what is this?']) {
    const { recover, said, workDir, other } = await place();
    const path = join(workDir, 'meta/boot_id');
    writeFileSync(path, garbage);
    const refused = await recover({ info: other });
    assert.ok(!refused.ok && refused.error.includes('hostname changed'), garbage);
    assert.ok((await recover()).ok);
    assert.ok(said.some((line) => line.includes(`${path} is garbled`)));
    assert.ok(!said.some((line) => line.startsWith('The machine was restarted')));
    assert.equal(readFileSync(path, 'utf8'), 'first');
  }
});

test('reservations that do not fit any more are refused, whoever the agent is, and can be given up', async () => {
  const { recover, workDir, other } = await place();
  const path = join(workDir, 'meta/resources/resources_and_operations.state');
  const reservations = [{ type: 'DYNAMIC', role: 'ads', principal: 'p' }] as const;
  const reserved = { name: 'cpus', type: 'SCALAR', scalar: { value: 4000 }, reservations } as const;
  const bytes = record(ResourceState.encode({ resources: [reserved] }));
  await writeCheckpoints([{ how: 'replace', path, bytes }]);
  const refused = await recover();
  assert.match(
    refused.ok ? '' : refused.error,
    /resources_and_operations\.state do not fit into --resources: .*Start it with the resources of before.*--no-strict/,
  );
  assert.ok((await recover({ strict: false })).ok);
  rmSync(latest(workDir));
  assert.equal((await recover({ info: other })).ok, false);
});

test('torn records are cut off on disk', async () => {
  const { recover, workDir } = await place();
  const read = readCheckpoints({ workDir, strict: true, warn: () => {} });
  const [framework] = read.ok ? read.value.frameworks : [];
  const run = framework?.runs.find(({ info }) => info.executor_id.value === 'running');
  const executor = join(workDir, 'meta/slaves/m-S0/frameworks/f1/executors/running');
  const path = join(executor, 'runs', run?.containerId ?? '', 'tasks/running/task.updates');
  const whole = readFileSync(path);
  truncateSync(path, whole.length - 1);
  assert.ok((await recover()).ok);
  const left = readFileSync(path);
  assert.ok(left.length < whole.length - 1 && whole.subarray(0, left.length).equals(left));
  const next = await recover();
  assert.deepEqual(next.ok && next.value.torn, []);
});

test('nothing at all is what a new agent finds', async () => {
  const { recover } = await place();
  const workDir = join(root, 'empty');
  const found = await recover({ workDir });
  assert.ok(found.ok);
  assert.deepEqual(found.value, {
    info: undefined,
    drain: undefined,
    frameworks: [],
    leftovers: [],
    operatorContainers: [],
    resources: {},
    torn: [],
    errors: 0,
  });
});
