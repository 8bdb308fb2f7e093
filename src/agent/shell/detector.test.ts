import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixedDetector } from './detector.ts';

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
