import { startCluster } from '../cluster/cluster.ts';
import { runTasks } from '../cluster/tasks.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';

const TASKS = 1000;
const SIZE = `${TASKS / 1000}k tasks x 1 agent`;
/** Tasks that a fresh agent runs before it is measured. */
const WARM_UP = 50;
const MIB = 2 ** 20;

/** Room for all tasks at once, executors included. */
const RESOURCES = 'cpus:2000;mem:2000000;disk:2000000';

async function run(): Promise<Sample[]> {
  const cluster = await startCluster({ agents: 1, resources: RESOURCES });
  try {
    await runTasks(cluster.master, WARM_UP);
    const { offered, running, finished } = await runTasks(cluster.master, TASKS);
    const agent = cluster.agentMemory(0);
    const launcher = cluster.childrenMemory(0);
    const master = cluster.masterMemory();
    const rssBytes = agent.peak + launcher.peak;
    const sample = (metric: string, unit: string, value: number): Sample => ({ metric, unit, value, rssBytes });
    return [
      sample(`launch to all TASK_FINISHED, ${SIZE}`, 'ms', finished - offered),
      sample(`launches, ${SIZE}`, 'tasks/s', (TASKS * 1000) / (finished - offered)),
      sample(`launch to TASK_RUNNING p50, ${SIZE}`, 'ms', percentile(running, 0.5)),
      sample(`launch to TASK_RUNNING p99, ${SIZE}`, 'ms', percentile(running, 0.99)),
      sample('agent resident afterwards', 'MiB', agent.resident / MIB),
      sample('launcher resident afterwards', 'MiB', launcher.resident / MIB),
      sample('agent and launcher resident afterwards', 'MiB', (agent.resident + launcher.resident) / MIB),
      sample('master resident afterwards', 'MiB', master.resident / MIB),
    ];
  } finally {
    await cluster.stop();
  }
}

export const scenario: Scenario = {
  name: 'agent-churn',
  about: `${TASKS} tasks \`true\` launched at once on one real agent, freshly started: time until all have finished, time to TASK_RUNNING, and memory.`,
  run,
};
