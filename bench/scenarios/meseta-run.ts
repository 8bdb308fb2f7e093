import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { runTasks } from '../cluster/tasks.ts';
import type { Sample, Scenario } from '../scenario.ts';

const COMMAND = fileURLToPath(new URL('../../bin/meseta', import.meta.url));
/** How often each thing is done in one run: they are short. */
const REPEATS = 4;
let cluster: Cluster | undefined;

/** From start to exit of `meseta run -- true`, in ms. */
function runCommand(master: string): Promise<number> {
  const start = performance.now();
  const child = spawn(COMMAND, ['run', '--master', master, '--', 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => {
      const took = performance.now() - start;
      if (status === 0) resolve(took);
      else reject(new Error(`meseta run ended with status ${status}: ${said}`));
    });
  });
}

async function run(): Promise<Sample[]> {
  if (cluster === undefined) throw new Error('the cluster is not prepared');
  const rssBytes = cluster.masterMemory().peak;
  const samples: Sample[] = [];
  const add = (metric: string, value: number): void => {
    samples.push({ metric, unit: 'ms', value, rssBytes });
  };
  for (let i = 0; i < REPEATS; i++) add('meseta run -- true: start to exit', await runCommand(cluster.master));
  for (let i = 0; i < REPEATS; i++) {
    const { subscribed, offered, running, finished } = await runTasks(cluster.master, 1);
    add("the cluster's part: subscribe to TASK_FINISHED", finished);
    add('- subscribe to SUBSCRIBED', subscribed);
    add('- SUBSCRIBED to offer', offered - subscribed);
    add('- launch to TASK_RUNNING', running[0] ?? Number.NaN);
    add('- TASK_RUNNING to TASK_FINISHED', finished - offered - (running[0] ?? Number.NaN));
  }
  return samples;
}

export const scenario: Scenario = {
  name: 'meseta-run',
  about:
    'One task on a warm cluster of a master and an agent: by command line from start to exit, and what the cluster alone takes.',
  prepare: async () => {
    const started = await startCluster({ agents: 1 });
    cluster = started;
    return () => started.stop();
  },
  run,
};
