import type { JsonCodec } from '../../wire/message-type.ts';
import { AgentInfo, Task } from '../../wire/v1.ts';
import {
  Response,
  type Response_GetAgents,
  Response_GetAgents_Agent,
  type Response_GetExecutors,
  Response_GetExecutors_Executor,
  type Response_GetFrameworks,
  Response_GetFrameworks_Framework,
  type Response_GetState,
  type Response_GetTasks,
} from '../../wire/v1_master.ts';

/**
 * A response as JSON text. Upstream writes the lists of agents, frameworks, executors and tasks by hand, so these are
 * there even when empty, which other lists are not; here they are also written item by item, since they may be long.
 */
export function responseJson(response: Response): string {
  const { get_state, get_tasks, get_executors, get_frameworks, get_agents } = response;
  const type = JSON.stringify(response.type);
  if (get_state !== undefined) return `{"type":${type},"get_state":${stateText(get_state)}}`;
  if (get_tasks !== undefined) return `{"type":${type},"get_tasks":${tasksText(get_tasks)}}`;
  if (get_executors !== undefined) return `{"type":${type},"get_executors":${executorsText(get_executors)}}`;
  if (get_frameworks !== undefined) return `{"type":${type},"get_frameworks":${frameworksText(get_frameworks)}}`;
  if (get_agents !== undefined) return `{"type":${type},"get_agents":${agentsText(get_agents)}}`;
  return Response.stringify(response);
}

/** The snapshot of everything, also as the first event of a stream has it. */
export function stateText(state: Response_GetState): string {
  return (
    `{"get_tasks":${tasksText(state.get_tasks ?? {})},"get_executors":${executorsText(state.get_executors ?? {})},` +
    `"get_frameworks":${frameworksText(state.get_frameworks ?? {})},"get_agents":${agentsText(state.get_agents ?? {})}}`
  );
}

function tasksText(tasks: Response_GetTasks): string {
  return (
    `{"tasks":${listText(Task, tasks.tasks)},"unreachable_tasks":${listText(Task, tasks.unreachable_tasks)},` +
    `"completed_tasks":${listText(Task, tasks.completed_tasks)}}`
  );
}

function executorsText({ executors }: Response_GetExecutors): string {
  return `{"executors":${listText(Response_GetExecutors_Executor, executors)}}`;
}

function frameworksText(frameworks: Response_GetFrameworks): string {
  return (
    `{"frameworks":${listText(Response_GetFrameworks_Framework, frameworks.frameworks)},` +
    `"completed_frameworks":${listText(Response_GetFrameworks_Framework, frameworks.completed_frameworks)}}`
  );
}

function agentsText(agents: Response_GetAgents): string {
  return (
    `{"agents":${listText(Response_GetAgents_Agent, agents.agents)},` +
    `"recovered_agents":${listText(AgentInfo, agents.recovered_agents)}}`
  );
}

function listText<T>(type: JsonCodec<T>, items: readonly T[] | undefined): string {
  return `[${(items ?? []).map((item) => type.stringify(item)).join(',')}]`;
}
