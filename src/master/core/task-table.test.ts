import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Task, TaskState } from '../../wire/v1.ts';
import { TaskTable } from './task-table.ts';

const STATES = ['TASK_STAGING', 'TASK_RUNNING', 'TASK_FINISHED'] as const satisfies readonly TaskState[];

function task(id: string, state: TaskState): Task {
  return { name: id, task_id: { value: id }, framework_id: { value: 'f' }, agent_id: { value: 'a' }, state };
}

test('counts and list are those that looking at every task would give, whatever came, changed and went', () => {
  const change = fc.tuple(fc.constantFrom('set', 'delete', 'clear', 'list'), fc.nat(4), fc.constantFrom(...STATES));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const table = new TaskTable();
      for (const [what, id, state] of changes) {
        if (what === 'set') table.set(`t${id}`, task(`t${id}`, state));
        else if (what === 'delete') assert.equal(table.has(`t${id}`), table.delete(`t${id}`));
        else if (what === 'clear') table.clear();
        else assert.equal(table.toArray(), table.toArray());
        assert.deepEqual(table.toArray(), [...table.values()]);
        for (const each of STATES) {
          assert.equal(table.countOf(each), [...table.values()].filter((own) => own.state === each).length);
        }
      }
    }),
  );
});

test('a list that was taken stays as it was', () => {
  const table = new TaskTable().set('t', task('t', 'TASK_STAGING'));
  const before = table.toArray();
  table.set('t', task('t', 'TASK_RUNNING'));
  assert.equal(before[0]?.state, 'TASK_STAGING');
  assert.equal(table.toArray()[0]?.state, 'TASK_RUNNING');
});
