import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Env, Machine, Millis } from '../base/machine.ts';
import { Driver, type DriverOptions } from './driver.ts';
import { Log } from './logger.ts';

type Event = { readonly kind: 'say'; readonly text: string } | { readonly kind: 'timer'; readonly key: string };
type Effect =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'arm'; readonly key: string; readonly after: Millis }
  | { readonly kind: 'disarm'; readonly key: string };

type Step = (event: Event, env: Env, emit: (effect: Effect) => void) => void;

function drive(step: Step, more: Partial<DriverOptions<Event, Effect>> = {}) {
  const printed: string[] = [];
  const logged: string[] = [];
  const machine: Machine<Event, Effect> = { step };
  const driver: Driver<Event, Effect> = new Driver({
    machine,
    performers: { print: (effect) => printed.push(effect.text) },
    timer: (key) => ({ kind: 'timer', key }),
    logger: new Log({ program: 'test', file: 'driver', write: (lines) => logged.push(lines) }).logger,
    ...more,
  });
  return { driver, printed, logged };
}

const say = (text: string): Event => ({ kind: 'say', text });
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const text = (event: Event): string => (event.kind === 'say' ? event.text : `timer ${event.key}`);

test('effects are performed after the step, in the order emitted, before the next event', async () => {
  const order: string[] = [];
  const { driver } = drive(
    (event, _env, emit) => {
      emit({ kind: 'print', text: `${text(event)}1` });
      emit({ kind: 'print', text: `${text(event)}2` });
      order.push(`step ${text(event)}`);
    },
    { performers: { print: (effect) => order.push(effect.text) } },
  );
  driver.post(say('a'));
  driver.post(say('b'));
  assert.deepEqual(order, [], 'nothing happens inside post');
  await later();
  assert.deepEqual(order, ['step a', 'a1', 'a2', 'step b', 'b1', 'b2']);
});

test('an event that a performer posts is stepped after those that wait already', async () => {
  const steps: string[] = [];
  const { driver } = drive(
    (event, _env, emit) => {
      steps.push(text(event));
      if (text(event) === 'first') emit({ kind: 'print', text: 'x' });
    },
    { performers: { print: () => driver.post(say('posted inside')) } },
  );
  driver.post(say('first'));
  driver.post(say('second'));
  await later();
  assert.deepEqual(steps, ['first', 'second', 'posted inside']);
});

test('timers of one key replace each other, can be disarmed, and fire in order', async () => {
  const steps: string[] = [];
  const finished = Promise.withResolvers<void>();
  const { driver } = drive((event, _env, emit) => {
    steps.push(text(event));
    if (event.kind === 'say') {
      emit({ kind: 'arm', key: 'replaced', after: 1 });
      emit({ kind: 'arm', key: 'replaced', after: 15 });
      emit({ kind: 'arm', key: 'dropped', after: 2 });
      emit({ kind: 'disarm', key: 'dropped' });
      emit({ kind: 'arm', key: 'early', after: 5 });
      emit({ kind: 'arm', key: 'twin a', after: 10 });
      emit({ kind: 'arm', key: 'twin b', after: 10 });
    } else if (event.key === 'replaced') finished.resolve();
  });
  driver.post(say('go'));
  await finished.promise;
  assert.deepEqual(steps, ['go', 'timer early', 'timer twin a', 'timer twin b', 'timer replaced']);
  assert.equal(driver.metrics().timers, 0);
});

test('a flood of events leaves room for input and output in between', async () => {
  let left = 10_000;
  const { driver } = drive(() => {
    if (left-- > 0) driver.post(say('again'));
  });
  driver.post(say('start'));
  await later();
  assert.ok(left > 0, 'setImmediate had its turn before the flood ended');
  while (driver.metrics().queued > 0) await later();
  assert.equal(driver.metrics().steps, 10_001);
});

test('a step that throws is logged with the kind of its event and is the last one', async () => {
  const fatal: unknown[] = [];
  const { driver, logged } = drive(
    () => {
      throw new Error('impossible');
    },
    { onFatal: (error) => fatal.push(error) },
  );
  driver.post(say('a'));
  driver.post(say('b'));
  await later();
  assert.equal(fatal.length, 1);
  assert.match(logged.join(''), /^F\d{4} .* driver\] The step for 'say' threw.*: impossible\n/);
  assert.equal(driver.metrics().steps, 0);
});

test('a performer that throws is logged and does not stop the others', async () => {
  const { driver, logged } = drive(
    (_event, _env, emit) => {
      emit({ kind: 'print', text: 'bad' });
      emit({ kind: 'print', text: 'good' });
    },
    {
      performers: {
        print: (effect) => {
          if (effect.text === 'bad') throw new Error('no paper');
          logged.push('printed good');
        },
      },
    },
  );
  driver.post(say('a'));
  await later();
  assert.match(logged[0] ?? '', /Performing 'print' failed: no paper/);
  assert.equal(logged[1], 'printed good');
  assert.equal(driver.metrics().failedEffects, 1);
});

test('a step is given fresh times, and random numbers in [0, 1) that differ', async () => {
  const seen: Env[] = [];
  const { driver } = drive((_event, env) => void seen.push(env));
  for (let i = 0; i < 3; i++) driver.post(say('x'));
  await later();
  const [a, b] = seen;
  assert.ok(a && b && b.now >= a.now && Math.abs(b.wall - Date.now()) < 60_000);
  const numbers = Array.from({ length: 2000 }, () => a.random());
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  assert.equal(new Set(numbers).size, numbers.length);
  assert.equal(a.chance('anywhere'), false);
});

test('after stop nothing is stepped, posted events and timers included', async () => {
  const { driver, printed } = drive((event, _env, emit) => {
    if (event.kind === 'say') emit({ kind: 'arm', key: 'k', after: 0 });
    emit({ kind: 'print', text: text(event) });
  });
  driver.post(say('a'));
  await later();
  driver.stop();
  driver.post(say('b'));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(printed, ['a']);
});
