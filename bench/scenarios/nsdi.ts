/** A small form of the scalability experiment in section 6.5 of the Mesos paper (NSDI 2011). */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseResources } from '../../src/resources/parse.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { runTasks } from '../cluster/tasks.ts';
import type { TaskScript } from '../emulated/agent.ts';
import { frameworkInfo } from '../emulated/framework.ts';
import { type SocketFramework, startSocketFramework } from '../emulated/socket-framework.ts';
import { registerSocketAgents } from '../emulated/sockets.ts';
import type { Sample, Scenario } from '../scenario.ts';

const AGENTS = 5000;
const FRAMEWORKS = 200;
const TASKS_PER_AGENT = 2;
/** Mean and standard deviation of how long tasks run, in ms. */
const MEAN = 6_000;
const DEVIATION = 2_000;
const PORTS = 16;
/** Of one run. */
const WINDOW = 4_000;
const PROBES = 3;
/** The cluster must be full within this time. */
const RAMP = 60_000;
const SIZE = `${AGENTS / 1000}k agents x ${FRAMEWORKS} frameworks`;

/** Normal by the method of Box and Muller; the probe's task, alone in its name, ends at once. */
const script: TaskScript = {
  starting: false,
  runsFor: (random, task) => {
    if (task.name.startsWith('true-')) return 0;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(1, MEAN + DEVIATION * normal);
  },
};

interface World {
  readonly cluster: Cluster;
  readonly frameworks: readonly SocketFramework[];
  failure: Error | undefined;
}
let world: World | undefined;

async function prepare(): Promise<() => Promise<void>> {
  const cluster = await startCluster({ agents: 0 });
  const resources = parseResources('cpus:1;mem:1024');
  if (!resources.ok) throw new Error(resources.error);
  const emulated = await registerSocketAgents(cluster.masterPid, {
    count: AGENTS,
    ports: PORTS,
    script,
    resources: `cpus:${TASKS_PER_AGENT};mem:${TASKS_PER_AGENT * 1024}`,
  });
  const frameworks: SocketFramework[] = [];
  const made: World = { cluster, frameworks, failure: undefined };
  world = made;
  for (let i = 0; i < FRAMEWORKS; i++) {
    const options = {
      info: frameworkInfo(`framework-${i}`),
      tasks: Number.POSITIVE_INFINITY,
      resources: resources.value,
      perOffer: 1,
    };
    const fail = (error: Error): void => {
      made.failure ??= error;
    };
    frameworks.push(startSocketFramework(cluster.master, options, fail));
  }
  await whenFull(made);
  return async () => {
    await Promise.all(frameworks.map((framework) => framework.stop()));
    await emulated.close();
    await cluster.stop();
  };
}

function total(from: World, count: 'launched' | 'running' | 'finished'): number {
  return from.frameworks.reduce((sum, { framework }) => sum + framework[count], 0);
}

async function whenFull(of: World): Promise<void> {
  const deadline = performance.now() + RAMP;
  const slots = AGENTS * TASKS_PER_AGENT;
  while (total(of, 'running') - total(of, 'finished') < 0.9 * slots) {
    if (of.failure !== undefined) throw of.failure;
    if (performance.now() > deadline) {
      throw new Error(
        `${total(of, 'running') - total(of, 'finished')} of ${slots} slots were taken after ${RAMP / 1000} s`,
      );
    }
    await sleep(50);
  }
}

async function run(): Promise<Sample[]> {
  if (world === undefined) throw new Error('the cluster is not prepared');
  const { cluster } = world;
  const start = performance.now();
  const before = { launched: total(world, 'launched'), finished: total(world, 'finished') };
  const probes: number[] = [];
  for (let i = 0; i < PROBES; i++) probes.push((await runTasks(cluster.master, 1)).finished);
  await sleep(Math.max(0, WINDOW - (performance.now() - start)));
  if (world.failure !== undefined) throw world.failure;
  const seconds = (performance.now() - start) / 1000;
  const rssBytes = cluster.masterMemory().peak;
  const sample = (metric: string, unit: string, value: number): Sample => ({ metric, unit, value, rssBytes });
  return [
    ...probes.map((value) => sample(`probe framework's overhead, ${SIZE}`, 'ms', value)),
    sample(`launches, ${SIZE}`, 'tasks/s', (total(world, 'launched') - before.launched) / seconds),
    sample(`finishes, ${SIZE}`, 'tasks/s', (total(world, 'finished') - before.finished) / seconds),
    sample(`slots in use, ${SIZE}`, 'tasks', total(world, 'running') - total(world, 'finished')),
  ];
}

export const scenario: Scenario = {
  name: 'nsdi',
  about: `The Mesos paper's scalability test in small: ${AGENTS} emulated agents of ${TASKS_PER_AGENT} slots kept busy by ${FRAMEWORKS} frameworks with tasks of ${MEAN / 1000} s; what a probe framework with one empty task waits.`,
  prepare,
  run,
};
