import type { TaskState } from '../../wire/v1.ts';
import { agentJson } from './agents.ts';
import { frameworkSummary, offeredTo, usedBy } from './frameworks.ts';
import type { Form, Kept, Steps } from './kept.ts';
import type { Parts } from './parts.ts';
import type { AgentShown, FrameworkShown, Snapshot } from './snapshot.ts';
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

type Counts = number[];
const PLACES: ReadonlyMap<string, number> = new Map(COUNTED.map((state, at) => [state, at]));
const NONE: Counts = COUNTED.map(() => 0);

function countIn(counts: Counts, state: TaskState): void {
  const place = PLACES.get(state);
  if (place !== undefined) counts[place]!++;
}

function countsText(counts: Counts): string {
  return COUNTED.map((state, at) => `"${state}":${counts[at]}`).join(',');
}

/** Tasks of one agent by state, and the frameworks that they are of, which come one after the other. */
interface AgentTally {
  readonly counts: Counts;
  readonly frameworkIds: string[];
}

/** Tasks of one framework by state, and where they are. */
interface FrameworkTally {
  readonly counts: Counts;
  readonly agentIds: Set<string>;
}

/** The text of each agent, without its last brace: what is counted is written behind it. */
const OPEN_AGENTS: Form<AgentShown, readonly string[]> = {
  name: 'agents, open',
  make: (agents) => agents.map((agent) => JSON.stringify(agentJson(agent)).slice(0, -1)),
};

/** `/state-summary`: agents and frameworks with how many tasks are in which state. One pass over all tasks. */
export function* summaryParts(kept: Kept, snapshot: Snapshot, cluster?: string): Parts {
  const byAgent = new Map<string, AgentTally>();
  const byFramework = yield* countTasks(snapshot, byAgent);
  const { info, agents } = snapshot;
  const head = JSON.stringify({ hostname: info.hostname ?? '', ...(cluster !== undefined && { cluster }) });
  yield `${head.slice(0, -1)},"slaves":[`;
  const texts = yield* kept.values(agents, OPEN_AGENTS);
  let at = 0;
  for (const stretch of texts) {
    let text = '';
    for (const open of stretch) {
      const { counts, frameworkIds } = byAgent.get(agents.items[at]!.id) ?? { counts: NONE, frameworkIds: [] };
      const ids = JSON.stringify(frameworkIds);
      text += `${at === 0 ? '' : ','}${open},${countsText(counts)},"framework_ids":${ids}}`;
      at++;
    }
    yield text;
  }
  yield '],"frameworks":[';
  for (const framework of snapshot.frameworks) {
    const { counts, agentIds } = byFramework.get(framework)!;
    const used = yield* usedBy(kept, framework);
    const shown = JSON.stringify(frameworkSummary(framework, used, yield* offeredTo(kept, framework)));
    const ids = JSON.stringify([...agentIds]);
    const text = `${shown.slice(0, -1)},${countsText(counts)},"slave_ids":${ids}}`;
    yield framework === snapshot.frameworks[0] ? text : `,${text}`;
  }
  yield ']}';
}

/** Tasks counted between two places to pause. */
const BREATH = 5_000;

function* countTasks(
  { frameworks }: Snapshot,
  byAgent: Map<string, AgentTally>,
): Steps<ReadonlyMap<FrameworkShown, FrameworkTally>> {
  const byFramework = new Map<FrameworkShown, FrameworkTally>();
  for (const framework of frameworks) {
    const own: FrameworkTally = { counts: [...NONE], agentIds: new Set() };
    byFramework.set(framework, own);
    for (const { items } of taskLists(framework)) {
      for (let at = 0; at < items.length; at++) {
        const { agent_id, state } = items[at]!;
        const agentId = agent_id.value;
        let tally = byAgent.get(agentId);
        if (tally === undefined) {
          tally = { counts: [...NONE], frameworkIds: [] };
          byAgent.set(agentId, tally);
        }
        countIn(tally.counts, state);
        if (tally.frameworkIds.at(-1) !== framework.id) tally.frameworkIds.push(framework.id);
        countIn(own.counts, state);
        own.agentIds.add(agentId);
        if (at % BREATH === 0) yield;
      }
    }
  }
  return byFramework;
}
