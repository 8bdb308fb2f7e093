import { unreachable } from '../../base/invariant.ts';
import type { Event } from '../../wire/v1_master.ts';
import type { OperatorNotice } from '../core/effects.ts';
import type { MasterState } from '../core/state.ts';
import { agentMessage, frameworkAlone } from './operator.ts';

/** What a notice of the core says to operators. @returns undefined where what it speaks of has gone meanwhile */
export function eventOf(state: MasterState, notice: OperatorNotice): Event | undefined {
  const { type } = notice;
  switch (type) {
    case 'TASK_ADDED': {
      const task = state.frameworks.get(notice.frameworkId)?.tasks.get(notice.taskId);
      return task && { type, task_added: { task } };
    }
    case 'TASK_UPDATED': {
      const framework_id = { value: notice.frameworkId };
      return { type, task_updated: { framework_id, status: notice.status, state: notice.state } };
    }
    case 'AGENT_ADDED':
      return { type, agent_added: { agent: agentMessage(notice.agent) } };
    case 'AGENT_REMOVED':
      return { type, agent_removed: { agent_id: notice.agentId } };
    case 'FRAMEWORK_ADDED':
      return { type, framework_added: { framework: frameworkAlone(notice.framework) } };
    case 'FRAMEWORK_UPDATED':
      return { type, framework_updated: { framework: frameworkAlone(notice.framework) } };
    case 'FRAMEWORK_REMOVED':
      return { type, framework_removed: { framework_info: notice.framework.info } };
    default:
      return unreachable(type, 'operator notice');
  }
}
