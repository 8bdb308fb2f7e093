import { parseResources } from '../../src/resources/parse.ts';
import type { Resources } from '../../src/resources/resources.ts';
import { frameworkInfo } from '../emulated/framework.ts';
import { InProcessCluster } from '../emulated/in-process.ts';
import type { Sample, Scenario } from '../scenario.ts';

const AGENTS = 1000;
const TASKS_PER_AGENT = 10;
const SIZE = `${AGENTS / 1000}k agents x ${TASKS_PER_AGENT} tasks`;

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

function run(): Sample[] {
  const cluster = new InProcessCluster();
  const offered = resources('cpus:24;mem:4096;disk:4096;ports:[31000-32000]').toProto();
  const before = performance.now();
  cluster.addAgents(AGENTS, (index) => ({ hostname: `agent-${index}`, port: 5051, resources: offered }));
  cluster.run(() => cluster.agents.every((agent) => agent.id !== undefined));
  const registered = performance.now();
  const steps = cluster.steps;
  const inMaster = cluster.masterTime;
  const tasks = AGENTS * TASKS_PER_AGENT;
  const framework = cluster.addFramework({
    info: frameworkInfo('bench'),
    tasks,
    resources: resources('cpus:0.1;mem:32'),
    perOffer: TASKS_PER_AGENT,
  });
  cluster.run(() => framework.done);
  const finished = performance.now();
  if (framework.finished !== tasks) throw new Error(`${framework.failed} of ${tasks} tasks did not finish`);
  const master = cluster.masterTime - inMaster;
  return [
    { metric: `register ${AGENTS / 1000}k agents`, unit: 'ms', value: registered - before },
    { metric: `launch to finished ${SIZE}`, unit: 'ms', value: finished - registered },
    { metric: `launch to finished ${SIZE}, master's part`, unit: 'ms', value: master },
    { metric: `launches ${SIZE}`, unit: 'tasks/s', value: (tasks * 1000) / (finished - registered) },
    { metric: `launches ${SIZE}, master's part`, unit: 'tasks/s', value: (tasks * 1000) / master },
    { metric: `steps ${SIZE}, master's part`, unit: 'steps/s', value: ((cluster.steps - steps) * 1000) / master },
  ];
}

export const scenario: Scenario = {
  name: 'master-core',
  about: `The master's core without sockets: ${AGENTS} emulated agents register, then one framework launches ${TASKS_PER_AGENT} tasks on each, all run, finish and are acknowledged.`,
  run,
};
