import type { TaskState } from '../../wire/v1.ts';
import type { MasterState } from '../core/state.ts';
import { agentJson } from './agents.ts';
import { frameworkSummary } from './frameworks.ts';
import { everyTask } from './tasks.ts';

/** The states that `/state-summary` counts; upstream leaves out the newer ones. */
const COUNTED = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_KILLED',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_UNREACHABLE',
] as const satisfies readonly TaskState[];

/** Tasks of one framework or agent by state, and where they are. */
class Tally {
  readonly #counts = new Map<TaskState, number>();
  readonly ids = new Set<string>();

  add(state: TaskState, id: string): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
    this.ids.add(id);
  }

  get counts(): Record<string, number> {
    return Object.fromEntries(COUNTED.map((state) => [state, this.#counts.get(state) ?? 0]));
  }
}

/** `/state-summary`: agents and frameworks with how many tasks are in which state. One pass over all tasks. */
export function summaryJson(state: MasterState, cluster?: string): string {
  const byAgent = new Map<string, Tally>();
  const byFramework = new Map<string, Tally>();
  const tallyOf = (map: Map<string, Tally>, id: string): Tally => {
    const tally = map.get(id) ?? new Tally();
    map.set(id, tally);
    return tally;
  };
  for (const framework of state.frameworks.values()) {
    for (const task of everyTask(framework)) {
      tallyOf(byAgent, task.agent_id.value).add(task.state, framework.id);
      tallyOf(byFramework, framework.id).add(task.state, task.agent_id.value);
    }
  }
  const slaves = Array.from(state.agents.values(), (agent) => {
    const { counts, ids } = tallyOf(byAgent, agent.id);
    return JSON.stringify({ ...agentJson(agent), ...counts, framework_ids: [...ids] });
  });
  const frameworks = Array.from(state.frameworks.values(), (framework) => {
    const { counts, ids } = tallyOf(byFramework, framework.id);
    return JSON.stringify({ ...frameworkSummary(state, framework), ...counts, slave_ids: [...ids] });
  });
  const head = JSON.stringify({ hostname: state.info.hostname ?? '', ...(cluster !== undefined && { cluster }) });
  return `${head.slice(0, -1)},"slaves":[${slaves.join(',')}],"frameworks":[${frameworks.join(',')}]}`;
}
