import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failOver } from '../emulated/failover.ts';
import { failOverOnSockets } from '../emulated/failover-sockets.ts';
import { writeRegistry } from '../emulated/recovered-master.ts';
import { type ClusterSize, reregistration } from '../emulated/reregistration.ts';
import type { Sample, Scenario } from '../scenario.ts';

const NO_HISTORY = { completedFrameworks: 0, tasksPerCompletedFramework: 0 };
/** The first as in upstream's published graphs, the others as in its benchmark. */
const SIZES: readonly (ClusterSize & { readonly label: string })[] = [
  { label: '40k', agents: 40_000, frameworks: 5, tasksPerFramework: 2, ...NO_HISTORY },
  { label: '2k x 100 tasks', agents: 2_000, frameworks: 5, tasksPerFramework: 20, ...NO_HISTORY },
  { label: '20k x 5 tasks', agents: 20_000, frameworks: 1, tasksPerFramework: 5, ...NO_HISTORY },
];

interface Case {
  readonly size: ClusterSize;
  readonly label: string;
  readonly folder: string;
  readonly messages: readonly Uint8Array[];
}
const cases: Case[] = [];

async function prepare(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-bench-'));
  for (const { label, ...size } of SIZES) {
    const registry = join(folder, label);
    await writeRegistry(registry, size.agents);
    const messages = Array.from({ length: size.agents }, (_, at) => reregistration(at, size));
    cases.push({ size, label, folder: registry, messages });
  }
  return async () => rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { folder, messages, size, label } of cases) {
    globalThis.gc?.();
    samples.push(...(await failOver(folder, messages, size, label)));
  }
  const [{ folder, messages, label }] = cases as [Case];
  samples.push(...(await failOverOnSockets(folder, messages, label)));
  return samples;
}

export const scenario: Scenario = {
  name: 'failover-40k',
  about:
    'A master with its registry on disk has just been elected: 40,000 agents with 10 tasks each (10 labels) register again, from the first message in bytes to the last answer; also the sizes of upstream’s benchmark.',
  prepare,
  run,
};
