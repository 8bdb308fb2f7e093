import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StartOrder } from './protocol.ts';
import { spawnTask } from './spawn.ts';

const NOBODY = { uid: 65534, gid: 65534 };
const root = process.getuid?.() === 0;
const setpriv = existsSync('/usr/bin/setpriv') || existsSync('/bin/setpriv');

function orderFor(t: TestContext, order: Partial<StartOrder>): StartOrder {
  const directory = mkdtempSync(join(tmpdir(), 'meseta-spawn-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const environment = { PATH: '/usr/bin:/bin' };
  return { containerId: 'c', file: 'id', argv: ['id'], environment, directory, ...order };
}

async function run(order: StartOrder): Promise<string> {
  const { child } = spawnTask(order);
  await once(child, 'exit');
  return readFileSync(`${order.directory}/stdout`, 'utf8');
}

test('a user has its supplementary groups', {
  skip: (!root && 'only root can become somebody else') || (!setpriv && 'there is no setpriv (util-linux) here'),
}, async (t) => {
  const argv = ['id', '-G'];
  assert.equal(await run(orderFor(t, { argv, user: { ...NOBODY, groups: [4, 27] } })), '65534 4 27\n');
  assert.equal(await run(orderFor(t, { argv, user: { ...NOBODY, groups: [] } })), '65534\n');
});

test('a missing program is found out in spite of the groups', {
  skip: !root && 'only root can become somebody else',
}, (t) => {
  const order = orderFor(t, { file: 'no-such-program', user: { ...NOBODY, groups: [4] } });
  assert.throws(() => spawnTask(order), /no program 'no-such-program'/);
});

test('a process leads a session of its own and reads nothing', async (t) => {
  const script = 'set -- $(sed "s/.*) //" /proc/$$/stat); echo $(( $3 == $$ )) $(( $4 == $$ )); cat';
  assert.equal(await run(orderFor(t, { file: 'sh', argv: ['sh', '-c', script] })), '1 1\n');
});

test('a link in the place of the output is refused, so that nothing outside the sandbox is written', (t) => {
  const order = orderFor(t, {});
  writeFileSync(`${order.directory}/victim`, 'untouched');
  symlinkSync(`${order.directory}/victim`, `${order.directory}/stdout`);
  assert.throws(() => spawnTask(order), /ELOOP/);
  assert.equal(readFileSync(`${order.directory}/victim`, 'utf8'), 'untouched');
});

test('a sandbox that is gone is told as that', (t) => {
  const order = orderFor(t, {});
  assert.throws(() => spawnTask({ ...order, directory: `${order.directory}/gone` }), /ENOENT.*gone/);
});
