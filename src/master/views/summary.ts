import type { TaskState } from '../../wire/v1.ts';
import { agentJson } from './agents.ts';
import { frameworkSummary, offeredTo, usedBy } from './frameworks.ts';
import type { Form, Kept, Steps } from './kept.ts';
import type { Parts } from './parts.ts';
import type { AgentShown, Snapshot } from './snapshot.ts';
import { taskLists } from './tasks.ts';

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

/** The text of each agent, without its last brace: what is counted is written behind it. */
const OPEN_AGENTS: Form<AgentShown, readonly string[]> = {
  name: 'agents, open',
  make: (agents) => agents.map((agent) => JSON.stringify(agentJson(agent)).slice(0, -1)),
};

/** `/state-summary`: agents and frameworks with how many tasks are in which state. One pass over all tasks. */
export function* summaryParts(kept: Kept, snapshot: Snapshot, cluster?: string): Parts {
  const byAgent = new Map<string, Tally>();
  const byFramework = new Map<string, Tally>();
  yield* countTasks(snapshot, byAgent, byFramework);
  const { info, agents } = snapshot;
  const head = JSON.stringify({ hostname: info.hostname ?? '', ...(cluster !== undefined && { cluster }) });
  yield `${head.slice(0, -1)},"slaves":[`;
  const texts = yield* kept.values(agents, OPEN_AGENTS);
  let at = 0;
  for (const stretch of texts) {
    let text = '';
    for (const open of stretch) {
      const { counts, ids } = byAgent.get(agents.items[at]!.id) ?? NOTHING;
      const counted = JSON.stringify({ ...counts, framework_ids: [...ids] });
      text += `${at === 0 ? '' : ','}${open},${counted.slice(1)}`;
      at++;
    }
    yield text;
  }
  yield '],"frameworks":[';
  for (const framework of snapshot.frameworks) {
    const { counts, ids } = byFramework.get(framework.id) ?? NOTHING;
    const used = yield* usedBy(kept, framework);
    const shown = frameworkSummary(framework, used, yield* offeredTo(kept, framework));
    const text = JSON.stringify({ ...shown, ...counts, slave_ids: [...ids] });
    yield framework === snapshot.frameworks[0] ? text : `,${text}`;
  }
  yield ']}';
}

const NOTHING = new Tally();
/** Tasks counted between two places to pause. */
const BREATH = 10_000;

function* countTasks(snapshot: Snapshot, byAgent: Map<string, Tally>, byFramework: Map<string, Tally>): Steps<void> {
  for (const framework of snapshot.frameworks) {
    const own = new Tally();
    byFramework.set(framework.id, own);
    for (const { items } of taskLists(framework)) {
      for (let at = 0; at < items.length; at++) {
        const { agent_id, state } = items[at]!;
        let tally = byAgent.get(agent_id.value);
        if (tally === undefined) {
          tally = new Tally();
          byAgent.set(agent_id.value, tally);
        }
        tally.add(state, framework.id);
        own.add(state, agent_id.value);
        if (at % BREATH === 0) yield;
      }
    }
  }
}
