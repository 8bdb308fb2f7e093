import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../http/endpoint.ts';
import type { RecordStream } from '../../http/stream.ts';
import { RecordReader } from '../../wire/recordio.ts';
import { Event } from '../../wire/v1_master.ts';
import type { TaskTable } from '../core/task-table.ts';
import type { Kept } from '../views/kept.ts';
import type { Parts } from '../views/parts.ts';
import { clusterState, FRAMEWORK_ID, task } from '../views/state.fixture.ts';
import { Answers } from './answers.ts';
import { Preparer } from './preparer.ts';
import { Slices } from './slices.ts';
import { Subscribers } from './subscribers.ts';

/** Something to write that takes as many turns of the event loop as there are parts, and says when it began. */
function slow(begun: string[], name: string, parts = 40): () => Parts {
  return () => {
    begun.push(name);
    return (function* (): Parts {
      for (let at = 0; at < parts; at++) {
        const until = performance.now() + 1;
        while (performance.now() < until);
        yield `${name} `;
      }
    })();
  };
}

const text = (list: readonly Uint8Array[]): string => Buffer.concat(list).toString();

test('who asks the same before anything happens gets the same answer', async () => {
  let version = 1;
  const begun: string[] = [];
  const answers = new Answers(() => version);
  const [first, second] = await Promise.all([
    answers.get('a', slow(begun, 'first')),
    answers.get('a', slow(begun, 'second')),
  ]);
  assert.equal(second, first);
  const third = await answers.get('a', slow(begun, 'third'));
  assert.equal(third, first);
  assert.equal(answers.hits, 2);
  await answers.get('b', slow(begun, 'other', 1));
  version++;
  const fresh = await answers.get('a', slow(begun, 'fresh', 1));
  assert.equal(text(fresh.list), 'fresh ');
  assert.deepEqual(begun, ['first', 'other', 'fresh']);
});

test('who comes later while something happens shares the next answer, which begins after all of them have come', async () => {
  let version = 1;
  const begun: string[] = [];
  const answers = new Answers(() => version);
  const first = answers.get('a', slow(begun, 'first'));
  version++;
  const second = answers.get('a', slow(begun, 'second'));
  version++;
  const third = answers.get('a', slow(begun, 'third'));
  assert.deepEqual(begun, ['first']);
  assert.ok(text((await first).list).startsWith('first'));
  assert.equal(await third, await second);
  assert.deepEqual(begun, ['first', 'second']);
  assert.equal(answers.hits, 1);
});

test('without a version nobody gets an answer that is older than the question', async () => {
  const begun: string[] = [];
  const answers = new Answers();
  await answers.get('a', slow(begun, 'first', 1));
  await answers.get('a', slow(begun, 'second', 1));
  assert.deepEqual(begun, ['first', 'second']);
});

test('an answer that cannot be written fails for those who asked, and for nobody after them', async () => {
  const answers = new Answers(() => 1);
  const broken = (): Parts => {
    throw new Error('broken');
  };
  await assert.rejects(answers.get('a', broken), /broken/);
  const pieces = await answers.get('a', () => ['fine']);
  assert.equal(text(pieces.list), 'fine');
});

test('what is not for all eyes is neither kept nor taken from what is kept', async () => {
  const answers = new Answers();
  const seen: Kept[] = [];
  const compose = (kept: Kept): Parts => {
    seen.push(kept);
    return [];
  };
  await answers.get('a', compose);
  await answers.get('b', compose, { task: () => false });
  assert.equal(seen[0], answers.kept);
  assert.notEqual(seen[1], answers.kept);
});

test('long work leaves the event loop to others in between', async () => {
  const slices = new Slices();
  let turns = 0;
  let going = true;
  const others = (): void => {
    turns++;
    if (going) setImmediate(others);
  };
  setImmediate(others);
  const work = function* (): Generator<undefined, string> {
    for (let at = 0; at < 60; at++) {
      const until = performance.now() + 1;
      while (performance.now() < until);
      yield;
    }
    return 'done';
  };
  assert.deepEqual(await Promise.all([slices.run(work()), slices.run(work())]), ['done', 'done']);
  going = false;
  assert.ok(turns >= 10, `others had only ${turns} turns`);
  assert.ok(slices.idle);
});

/** A stream that keeps what is written, in the order in which a client would see it. */
function memoryStream(): { readonly stream: RecordStream; records(): Event[] } {
  const written: Uint8Array[] = [];
  let held: Uint8Array[] | undefined;
  const stream: RecordStream = {
    write: (record) => void (held ?? written).push(record),
    reserve: () => {
      held = [];
      return (pieces) => {
        written.push(...pieces, ...(held ?? []));
        held = undefined;
      };
    },
    close: () => {},
    onClose: () => {},
    whenRead: () => {},
    queuedBytes: 0,
    closed: false,
  };
  const records = (): Event[] => {
    const read = new RecordReader().push(Buffer.concat(written));
    assert.ok(read.ok);
    return read.value.map((bytes) => {
      const event = Event.decode(bytes);
      assert.ok(event.ok);
      return event.value;
    });
  };
  return { stream, records };
}

test('a stream of events begins with the state of its first moment, and misses nothing that comes after it', async () => {
  const state = clusterState();
  const answers = new Answers();
  const busy = answers.get('busy', slow([], 'busy', 20));
  const subscribers = new Subscribers(10, answers);
  const { stream, records } = memoryStream();
  const exchange: Exchange = { reply: () => {}, openStream: () => stream, onClose: () => {} };
  subscribers.add(state, exchange, 'application/x-protobuf');
  const [present] = state.frameworks.values();
  assert.ok(present);
  (present.tasks as TaskTable).set('late', task('late', 'TASK_STAGING', 40));
  subscribers.tell(state, { type: 'TASK_ADDED', frameworkId: FRAMEWORK_ID, taskId: 'late' });
  await busy;
  while (!answers.idle) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const events = records();
  assert.deepEqual(
    events.map(({ type }) => type),
    ['SUBSCRIBED', 'HEARTBEAT', 'TASK_ADDED'],
  );
  const tasks = events[0]?.subscribed?.get_state?.get_tasks?.tasks ?? [];
  assert.deepEqual(
    tasks.map(({ name }) => name),
    ['run'],
  );
  assert.equal(events[2]?.task_added?.task.name, 'late');
});

test('of a large cluster the pieces are ready before anybody asks, and of one that has become small nothing is kept', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const state = clusterState();
  const [present] = state.frameworks.values();
  const tasks = present?.tasks as TaskTable;
  for (let at = 0; at < 3_000; at++) tasks.set(`t${at}`, task(`t${at}`, 'TASK_RUNNING', at));
  let version = 1;
  let utilization = 0.9;
  const answers = new Answers(() => version);
  const build = { version: '1.12.0', build_date: 'd', build_time: 1, build_user: 'u', git_sha: 'g' };
  const program = { build, flags: {} };
  const preparer = new Preparer({
    answers,
    program,
    state: () => state,
    version: () => version,
    utilization: () => () => utilization,
  });
  preparer.start();
  const pass = (): void => {
    for (let tick = 0; tick < 2_000; tick++) t.mock.timers.tick(10);
  };
  pass();
  assert.equal(answers.kept.bytes, 0, 'nothing yet: there is other work to do');
  utilization = 0.2;
  pass();
  const ready = answers.kept.bytes;
  assert.ok(ready > 3_000 * 3 * 200, `${ready} bytes are ready`);
  tasks.clear();
  version++;
  pass();
  assert.equal(answers.kept.bytes, 0);
  preparer.stop();
});
