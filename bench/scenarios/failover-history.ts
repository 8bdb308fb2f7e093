import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failOver } from '../emulated/failover.ts';
import { writeRegistry } from '../emulated/recovered-master.ts';
import { type ClusterSize, type History, reregistration } from '../emulated/reregistration.ts';
import type { Sample, Scenario } from '../scenario.ts';

const PER_AGENT = { frameworks: 5, tasksPerFramework: 2, completedFrameworks: 5, tasksPerCompletedFramework: 20 };
/** Upstream's benchmark has ended frameworks that the new master does not know. */
const SIZES: readonly (ClusterSize & { readonly label: string; readonly history: History })[] = [
  { label: '10k with history', agents: 10_000, ...PER_AGENT, history: 'of unknown frameworks' },
  { label: '20k with history', agents: 20_000, ...PER_AGENT, history: 'of unknown frameworks' },
  { label: '40k with history', agents: 40_000, ...PER_AGENT, history: 'of unknown frameworks' },
  { label: '10k with history of running frameworks', agents: 10_000, ...PER_AGENT, history: 'of running frameworks' },
];

let folder = '';

async function prepare(): Promise<() => Promise<void>> {
  folder = mkdtempSync(join(tmpdir(), 'meseta-bench-'));
  for (const { label, agents } of SIZES) await writeRegistry(join(folder, label), agents);
  return async () => rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { label, history, ...size } of SIZES) {
    // Made anew each time: those of all sizes together are 2.5 GB.
    const messages = Array.from({ length: size.agents }, (_, at) => reregistration(at, size, history));
    globalThis.gc?.();
    samples.push(...(await failOver(join(folder, label), messages, size, label)));
  }
  return samples;
}

export const scenario: Scenario = {
  name: 'failover-history',
  about:
    'As failover-40k, and each agent tells of 100 tasks that have ended besides its 10 that run: 10,000, 20,000 and 40,000 agents.',
  prepare,
  run,
};
