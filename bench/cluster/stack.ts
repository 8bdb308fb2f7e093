/** A real master, a real Marathon and emulated agents, each a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentsProcess } from '../emulated/agents-process.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { BenchMarathon } from './marathon.ts';

export interface StackOptions {
  readonly agents: number;
  /** Of each agent. */
  readonly resources: string;
  readonly masterFlags?: readonly string[];
  readonly marathonFlags?: readonly string[];
}

export interface Stack {
  readonly cluster: Cluster;
  readonly agents: AgentsProcess;
  readonly marathon: BenchMarathon;
}

/** Listening ports that the agents share. */
const PORTS = 40;

/** Starts all, does the work, and stops all. */
export async function withStack<T>(options: StackOptions, work: (stack: Stack) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-bench-'));
  const stops: (() => Promise<void>)[] = [];
  try {
    const cluster = await startCluster({ agents: 0, masterFlags: options.masterFlags ?? [] });
    stops.unshift(() => cluster.stop());
    const agents = await AgentsProcess.start({
      master: cluster.masterPid,
      count: options.agents,
      ports: PORTS,
      resources: options.resources,
    });
    stops.unshift(() => agents.stop());
    const marathon = await BenchMarathon.start({
      master: cluster.master,
      folder,
      flags: options.marathonFlags ?? [],
    });
    stops.unshift(() => marathon.stop());
    return await work({ cluster, agents, marathon });
  } finally {
    for (const stop of stops) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
