import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, ok } from '../base/result.ts';
import { until } from '../coordination/zookeeper/client.fixture.ts';
import { Log } from '../runtime/logger.ts';
import type { Registrar } from './registrar.ts';
import { Standby } from './standby.ts';

const { logger } = new Log({ program: 'mesos-master', file: 'master', quiet: true });

test('a standby reads again and again, whatever goes wrong, and hands over what it has read with', async () => {
  let reads = 0;
  let opens = 0;
  const readAhead = async () => (reads++ === 1 ? err('nobody answers') : ok(undefined));
  const registrar = { readAhead } as unknown as Registrar;
  const open = async () => (opens++ === 0 ? err('not yet') : ok(registrar));
  const standby = new Standby({ open, logger, interval: 1 });
  await until('it has read', () => reads >= 4);
  assert.equal(standby.end(), registrar);
  assert.equal(opens, 2);
  const before = reads;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(reads <= before + 1, 'it has ended');
});

test('a standby that has not begun has nothing to hand over', () => {
  const standby = new Standby({ open: async () => assert.fail('it has ended'), logger, interval: 1 });
  assert.equal(standby.end(), undefined);
});
