import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Archive_Framework } from './internal.ts';
import { Pool } from './pool.ts';
import { splitField } from './split.ts';
import { ExecutorInfo, type Resource, Task } from './v1.ts';

const cpus = (value: number): Resource => ({ name: 'cpus', type: 'SCALAR', scalar: { value } });

function task(id: string, ...resources: Resource[]): Task {
  return {
    name: 't',
    task_id: { value: id },
    framework_id: { value: 'f' },
    agent_id: { value: 'a' },
    state: 'TASK_RUNNING',
    resources,
    labels: { labels: [{ key: 'k', value: 'v' }] },
  };
}

function read(pool: Pool, ...tasks: Task[]): Task[] {
  return tasks.map((each) => {
    const decoded = Task.decode(Task.encode(each), pool);
    assert.ok(decoded.ok);
    return decoded.value;
  });
}

test('what was read before is there once, and reads as it does without a pool', () => {
  const sent = [
    task('1', cpus(1), cpus(2)),
    task('2', cpus(1), cpus(2)),
    task('3', cpus(2), cpus(1)),
    task('4', cpus(2)),
  ];
  const [first, second, third, fourth] = read(new Pool(), ...sent);
  assert.deepEqual([first, second, third, fourth], sent);
  assert.equal(first?.resources, second?.resources, 'the same list');
  assert.equal(first?.labels, second?.labels);
  assert.equal(first?.framework_id, fourth?.framework_id);
  assert.equal(first?.resources?.[0], third?.resources?.[1], 'the same resource');
  assert.notEqual(first?.agent_id, first?.framework_id, 'of another type');
});

test('a message that comes in two parts is put together without changing what others hold', () => {
  const pool = new Pool();
  const executor = (value: number): Uint8Array =>
    ExecutorInfo.encode({ executor_id: { value: 'e' }, framework_id: { value: 'f' }, resources: [cpus(value)] });
  const twice = Uint8Array.from([...executor(1), ...executor(2)]);
  const [before] = read(pool, task('1', cpus(1)));
  const merged = ExecutorInfo.decode(twice, pool);
  assert.deepEqual(merged.ok && merged.value.resources, [cpus(1), cpus(2)]);
  const [after] = read(pool, task('2', cpus(1)));
  assert.deepEqual([before?.resources, after?.resources], [[cpus(1)], [cpus(1)]]);
  assert.deepEqual(after?.framework_id, { value: 'f' });
});

test('a pool keeps no view of the buffer that a message came in', () => {
  const pool = new Pool();
  const buffer = Buffer.from(Task.encode(task('1', cpus(1))));
  assert.ok(Task.decode(buffer, pool).ok);
  buffer.fill(0);
  assert.deepEqual(read(pool, task('2', cpus(1))), [task('2', cpus(1))]);
});

test('a field is taken out of a message without being read', () => {
  const framework_info = { user: 'u', name: 'n', id: { value: 'f' } };
  const tasks = [task('1'), task('2')];
  const { rest, parts } = splitField(Archive_Framework.encode({ framework_info, pid: 'p', tasks }), 3);
  assert.deepEqual(Archive_Framework.decode(rest), { ok: true, value: { framework_info, pid: 'p' } });
  assert.deepEqual(
    parts,
    tasks.map((each) => Task.encode(each)),
  );
});

test('bytes that are no message are left as they are', () => {
  const broken = Uint8Array.from([26, 200, 1]);
  assert.deepEqual(splitField(broken, 3), { rest: broken, parts: [] });
});

test('what was written over is not found any more', () => {
  const pool = new Pool();
  const [first] = read(pool, task('1', cpus(1)));
  const labels = (at: number): Task => ({
    ...task('1'),
    labels: { labels: [{ key: `${at}`.padEnd(900, 'x'), value: 'v' }] },
  });
  for (let at = 0; at < 3_000; at++) {
    const [other] = read(pool, labels(at));
    assert.equal(other?.labels?.labels?.[0]?.key, `${at}`.padEnd(900, 'x'));
  }
  const [again] = read(pool, task('1', cpus(1)));
  assert.deepEqual(again, first);
  assert.notEqual(again?.resources?.[0], first?.resources?.[0]);
});
