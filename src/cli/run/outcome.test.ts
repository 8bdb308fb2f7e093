import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskState, TaskStatus } from '../../wire/v1.ts';
import { describeStatus, exitStatusOf, isTerminal } from './outcome.ts';

function status(state: TaskState, message?: string, more: Partial<TaskStatus> = {}): TaskStatus {
  return { task_id: { value: 't' }, state, ...(message !== undefined && { message }), ...more };
}

test('a finished task gives 0, a failed one its own status', () => {
  assert.equal(exitStatusOf(status('TASK_FINISHED', 'Command exited with status 0')), 0);
  assert.equal(exitStatusOf(status('TASK_FAILED', 'Command exited with status 3')), 3);
  assert.equal(exitStatusOf(status('TASK_FAILED', 'Command exited with status 127')), 127);
});

test('a task that a signal ended gives 128 and the signal, as a shell does', () => {
  assert.equal(exitStatusOf(status('TASK_FAILED', 'Command terminated with signal Killed')), 137);
  assert.equal(
    exitStatusOf(status('TASK_FAILED', 'Command terminated with signal Segmentation fault (core dumped)')),
    139,
  );
  assert.equal(exitStatusOf(status('TASK_KILLED', 'Command terminated with signal Terminated')), 143);
  assert.equal(exitStatusOf(status('TASK_KILLED')), 143);
});

test('a task that never ran gives 1', () => {
  for (const state of ['TASK_ERROR', 'TASK_LOST', 'TASK_DROPPED', 'TASK_GONE', 'TASK_FAILED'] as const) {
    assert.equal(exitStatusOf(status(state, 'no such user')), 1, state);
  }
});

test('only states that cannot change are terminal', () => {
  for (const state of [
    'TASK_STAGING',
    'TASK_STARTING',
    'TASK_RUNNING',
    'TASK_KILLING',
    'TASK_UNREACHABLE',
    'TASK_UNKNOWN',
  ] as const) {
    assert.equal(isTerminal(state), false, state);
  }
  assert.equal(isTerminal('TASK_GONE_BY_OPERATOR'), true);
  assert.equal(isTerminal(undefined), false);
});

test('a status is described with its reason and message', () => {
  assert.equal(describeStatus(status('TASK_RUNNING')), 'running');
  assert.equal(
    describeStatus(
      status('TASK_GONE_BY_OPERATOR', 'the agent is gone', { reason: 'REASON_AGENT_REMOVED_BY_OPERATOR' }),
    ),
    'gone by operator (REASON_AGENT_REMOVED_BY_OPERATOR): the agent is gone',
  );
});
