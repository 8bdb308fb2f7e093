import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { runTasks } from '../cluster/tasks.ts';
import { registerSocketAgents } from '../emulated/sockets.ts';
import type { Sample, Scenario } from '../scenario.ts';

const AGENTS = 100;
const REPEATS = 10;
let cluster: Cluster | undefined;

/** A real master with emulated agents, all registered. @returns what ends it */
async function prepare(): Promise<() => Promise<void>> {
  const started = await startCluster({ agents: 0 });
  const emulated = await registerSocketAgents(started.masterPid, { count: AGENTS, ports: 2 });
  cluster = started;
  return async () => {
    await emulated.close();
    await started.stop();
  };
}

async function run(): Promise<Sample[]> {
  if (cluster === undefined) throw new Error('the cluster is not prepared');
  const rssBytes = cluster.masterMemory().peak;
  const sample = (metric: string, value: number): Sample => ({ metric, unit: 'ms', value, rssBytes });
  const samples: Sample[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const { subscribed, offered, finished } = await runTasks(cluster.master, 1);
    samples.push(
      sample('subscribe to SUBSCRIBED', subscribed),
      sample(`subscribe to first offers, ${AGENTS} agents`, offered),
      sample(`subscribe to TASK_FINISHED of one emulated task, ${AGENTS} agents`, finished),
    );
  }
  return samples;
}

export const scenario: Scenario = {
  name: 'subscribe-to-offer',
  about: `A new framework on an idle real master with ${AGENTS} emulated agents: time to its first offers, and to the end of one task.`,
  prepare,
  run,
};
