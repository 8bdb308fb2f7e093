import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enumType } from './enum.ts';
import { TaskState, TaskStatus_Reason } from './v1.ts';

test('an enum goes from name to number and back, and knows what it does not know', () => {
  assert.equal(TaskState.numbers.TASK_STAGING, 6);
  assert.equal(TaskState.of(6), 'TASK_STAGING');
  assert.equal(TaskState.of(99), undefined);
  assert.ok(TaskState.has('TASK_LOST'));
  assert.ok(!TaskState.has('toString'));
  assert.deepEqual(TaskState.values.slice(0, 2), ['TASK_STAGING', 'TASK_STARTING']);
});

test('of two names for one number the first is read', () => {
  const colour = enumType('Colour', { RED: 1, ROUGE: 1, BLUE: 2 });
  assert.equal(colour.of(1), 'RED');
  assert.equal(colour.numbers.ROUGE, 1);
});

test('version 0 knows only its own spelling', () => {
  assert.equal(TaskStatus_Reason.toV0('REASON_AGENT_REMOVED'), 'REASON_SLAVE_REMOVED');
  assert.equal(TaskStatus_Reason.fromV0('REASON_SLAVE_REMOVED'), 'REASON_AGENT_REMOVED');
  assert.equal(TaskStatus_Reason.fromV0('REASON_AGENT_REMOVED'), undefined);
  assert.equal(TaskStatus_Reason.fromV0('REASON_TASK_INVALID'), 'REASON_TASK_INVALID');
});
