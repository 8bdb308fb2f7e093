/** The parts of the agent's state that its operator API (v1) tells, as messages. */
import type { Task } from '../../../wire/v1.ts';
import type {
  Response_GetAgent,
  Response_GetExecutors,
  Response_GetFrameworks,
  Response_GetOperations,
  Response_GetState,
  Response_GetTasks,
} from '../../../wire/v1_agent.ts';
import type { AgentState, Executor, Framework, TaskRecord } from '../state.ts';

function* everyFramework(state: AgentState): Iterable<Framework> {
  yield* state.frameworks.values();
  yield* state.completedFrameworks;
}

function* everyExecutor(state: AgentState): Iterable<Executor> {
  for (const framework of everyFramework(state)) {
    yield* framework.executors.values();
    yield* framework.completedExecutors;
  }
}

export function getTasks(state: AgentState): Response_GetTasks {
  const collect = (part: (executor: Executor) => Iterable<TaskRecord>): Task[] => {
    const tasks: Task[] = [];
    for (const executor of everyExecutor(state)) for (const record of part(executor)) tasks.push(record.task);
    return tasks;
  };
  return {
    pending_tasks: [],
    queued_tasks: collect((executor) => executor.queued.values()),
    launched_tasks: collect((executor) => executor.launched.values()),
    terminated_tasks: collect((executor) => executor.terminated.values()),
    completed_tasks: collect((executor) => executor.completed),
  };
}

export function getExecutors(state: AgentState): Response_GetExecutors {
  const describe = ({ info }: Executor) => ({ executor_info: info });
  const executors = [...everyFramework(state)].flatMap((framework) => [...framework.executors.values()]);
  const completed = [...everyFramework(state)].flatMap((framework) => [...framework.completedExecutors]);
  return { executors: executors.map(describe), completed_executors: completed.map(describe) };
}

export function getFrameworks(state: AgentState): Response_GetFrameworks {
  const describe = ({ info }: Framework) => ({ framework_info: info });
  return {
    frameworks: [...state.frameworks.values()].map(describe),
    completed_frameworks: [...state.completedFrameworks].map(describe),
  };
}

export function getState(state: AgentState): Response_GetState {
  return {
    get_tasks: getTasks(state),
    get_executors: getExecutors(state),
    get_frameworks: getFrameworks(state),
  };
}

export function getOperations(state: AgentState): Response_GetOperations {
  const operations = [...state.operations.values()].map(({ operation }) => operation);
  return operations.length > 0 ? { operations } : {};
}

export function getAgent(state: AgentState): Response_GetAgent {
  const { drain } = state;
  // Version 1 has no field for it.
  const { checkpoint: _, ...info } = state.info;
  return {
    agent_info: info,
    ...(drain && {
      drain_config: drain.config,
      estimated_drain_start_time: { nanoseconds: Math.round(drain.startedAt * 1e6) },
    }),
  };
}
