import type { FrameworkInfo } from '../../wire/v1.ts';
import type { AgentState } from './state.ts';
import type { News } from './status.ts';
import { droppedState, isTerminal } from './task-state.ts';

/**
 * What to say when the master asks about a task that no executor has. If it ran here and ended, the question is older than
 * the acknowledgement of its end, and the answer must be that end once more: a task has one end.
 * @param framework as far as it is known, here or to the master
 * @param otherwise why it is gone, when it never ran here as far as anybody remembers
 */
export function fateOf(
  state: AgentState,
  task: { readonly frameworkId: string; readonly taskId: string },
  framework: FrameworkInfo | undefined,
  otherwise: Required<Pick<News, 'reason' | 'message'>>,
): News {
  const end = endOf(state, task.frameworkId, task.taskId);
  if (end !== undefined) {
    return { source: 'SOURCE_AGENT', state: end, reason: 'REASON_RECONCILIATION', message: 'The task has ended' };
  }
  return { source: 'SOURCE_AGENT', state: framework ? droppedState(framework) : 'TASK_LOST', ...otherwise };
}

function endOf(state: AgentState, frameworkId: string, taskId: string): News['state'] | undefined {
  for (const framework of [...state.frameworks.values(), ...state.completedFrameworks]) {
    if (framework.id !== frameworkId) continue;
    for (const executor of [...framework.executors.values(), ...framework.completedExecutors]) {
      for (const { task } of executor.completed) {
        if (task.task_id.value === taskId && isTerminal(task.state)) return task.state;
      }
    }
  }
  return undefined;
}
