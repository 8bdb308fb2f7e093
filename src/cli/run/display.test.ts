import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskState, TaskStatus } from '../../wire/v1.ts';
import { labelled, Progress, type Terminal } from './display.ts';

function capture(live: boolean): { terminal: Terminal; shown: () => string } {
  let text = '';
  const add = (bytes: Uint8Array | string): void => {
    text += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString();
  };
  return { terminal: { out: add, error: add, live }, shown: () => text };
}

function status(state: TaskState): TaskStatus {
  return { task_id: { value: 't' }, state };
}

test('lines of tasks carry their label and do not mix, however the bytes arrive', () => {
  const { terminal, shown } = capture(false);
  const [a, b] = [labelled('[a] ', terminal.out), labelled('[b] ', terminal.out)];
  a.write(Buffer.from('one\ntw'));
  b.write(Buffer.from('alpha\n'));
  a.write(Buffer.from('o\nthree'));
  a.end();
  b.end();
  assert.equal(shown(), '[a] one\n[b] alpha\n[a] two\n[a] three\n');
});

test('one instance shows no progress: the output speaks', () => {
  const { terminal, shown } = capture(true);
  new Progress(terminal, 1).update('t', status('TASK_FINISHED'));
  assert.equal(shown(), '');
});

test('on a terminal one line counts the instances and is drawn over', () => {
  const { terminal, shown } = capture(true);
  const progress = new Progress(terminal, 3);
  progress.update('t.0', status('TASK_RUNNING'));
  progress.update('t.1', status('TASK_RUNNING'));
  progress.clear();
  assert.equal(shown(), '2 waiting, 1 running of 3\r\u001b[K1 waiting, 2 running of 3\r\u001b[K');
});

test('without a terminal each end is a line of its own', () => {
  const { terminal, shown } = capture(false);
  const progress = new Progress(terminal, 2);
  progress.update('t.0', status('TASK_RUNNING'));
  progress.update('t.0', status('TASK_FINISHED'));
  assert.equal(shown(), 'meseta: t.0: finished; 1 waiting, 1 finished of 2\n');
});
