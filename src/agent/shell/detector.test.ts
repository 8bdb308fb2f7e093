import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Elector } from '../../coordination/election/elect.ts';
import { until } from '../../coordination/zookeeper/client.fixture.ts';
import { TestEnsemble, withoutZooKeeper } from '../../coordination/zookeeper/server.fixture.ts';
import type { MasterInfo } from '../../wire/v1.ts';
import { fixedDetector, zooDetector } from './detector.ts';

test('a master at a fixed address is told by its pid, each time it is asked for', async () => {
  const told: (string | undefined)[] = [];
  const detector = fixedDetector('127.0.0.1:5050', (pid) => told.push(pid), assert.fail);
  for (let round = 1; round <= 2; round++) {
    detector.detect();
    while (told.length < round) await new Promise(setImmediate);
  }
  assert.deepEqual(told, ['master@127.0.0.1:5050', 'master@127.0.0.1:5050']);
});

test('a name that cannot be resolved is tried again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: (string | undefined)[] = [];
  const warnings: string[] = [];
  let works = false;
  const detector = fixedDetector(
    'm.example:5050',
    (pid) => told.push(pid),
    (text) => warnings.push(text),
    () => (works ? Promise.resolve('10.0.0.9') : Promise.reject(new Error('not found'))),
  );
  detector.detect();
  while (told.length < 1) await new Promise(setImmediate);
  assert.match(warnings[0] ?? '', /--master=m.example:5050.*trying again in 5 s/);
  works = true;
  t.mock.timers.tick(5000);
  while (told.length < 2) await new Promise(setImmediate);
  assert.deepEqual(told, [undefined, 'master@10.0.0.9:5050']);
});

test('a detector that was stopped says nothing more', async () => {
  const detector = fixedDetector('127.0.0.1:1', assert.fail, assert.fail);
  detector.detect();
  detector.stop();
  await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a master that leads anew at the same address is told anew: agents must introduce themselves to it', {
  skip: withoutZooKeeper,
}, async (t) => {
  const ensemble = await TestEnsemble.start();
  t.after(() => ensemble.stop());
  const url = { servers: ensemble.servers, credentials: undefined, path: '/again/mesos' };
  const seen: string[] = [];
  const candidate = (id: string): Elector => {
    const info = { id, ip: 16777343, port: 5050, pid: 'master@127.0.0.1:5050' };
    const onLeader = (leader: MasterInfo | undefined): void => void seen.push(`${id} sees ${leader?.id}`);
    return new Elector({ url, sessionTimeout: 2_000, candidate: info, onLeader, onFailed: assert.fail, log: () => {} });
  };
  const told: (string | undefined)[] = [];
  const tell = (pid: string | undefined): void => void told.push(pid);
  const [before, after] = [candidate('before'), candidate('after')];
  before.start();
  await until('the first leads', () => seen.includes('before sees before'));
  const detector = zooDetector({ url, sessionTimeout: 2_000, tell, fail: assert.fail, logger: { log: () => {} } });
  t.after(() => {
    detector.stop();
    after.stop();
  });
  await until('the first is known', () => told.length === 1);
  after.start();
  await until('the second waits', () => seen.includes('after sees before'));
  before.stop();
  await until('the second is known', () => told.length === 2);
  assert.deepEqual(told, ['master@127.0.0.1:5050', 'master@127.0.0.1:5050']);
});
