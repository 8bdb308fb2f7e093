import { setTimeout as sleep } from 'node:timers/promises';
import { parseAddresses } from '../../src/sdk/address.ts';
import { getFromMaster } from '../../src/sdk/master-get.ts';
import type { BenchMarathon } from '../cluster/marathon.ts';
import { withStack } from '../cluster/stack.ts';
import type { Sample, Scenario } from '../scenario.ts';

const AGENTS = 100;
const RESOURCES = 'cpus:64;mem:65536;disk:65536;ports:[31000-32000]';
const INSTANCES = 2_000;
/** How often the master is asked whether it has given the agent up, in ms. */
const POLL = 5;
/** Upstream waits for more than a minute until it gives an agent up, which is not what is measured here. */
const MASTER_FLAGS = ['--agent_ping_timeout=1secs', '--max_agent_ping_timeouts=1'];
const GIVE_UP = 60_000;

interface TaskView {
  readonly slaveId: string;
}

async function run(): Promise<Sample[]> {
  const options = { agents: AGENTS, resources: RESOURCES, masterFlags: MASTER_FLAGS };
  return withStack(options, async ({ cluster, agents, marathon }) => {
    const app = { id: '/app', instances: INSTANCES, cmd: 'sleep 100000', cpus: 0.1, mem: 32 };
    await marathon.deploy(app, true);
    const { agentId, count } = await fullestAgent(marathon);
    const isBack = await whenBack(marathon, count);
    await agents.silence(agentId);
    await declared(cluster.master);
    const start = performance.now();
    const value = (await isBack()) - start;
    return [{ metric: `${count} instances elsewhere`, unit: 'ms', value, rssBytes: marathon.memory().peak }];
  });
}

async function fullestAgent(marathon: BenchMarathon): Promise<{ readonly agentId: string; readonly count: number }> {
  const { tasks } = (await marathon.call('GET', '/v2/tasks')) as { readonly tasks: readonly TaskView[] };
  const counts = new Map<string, number>();
  for (const { slaveId } of tasks) counts.set(slaveId, (counts.get(slaveId) ?? 0) + 1);
  const [agentId, count] = [...counts].sort(([, a], [, b]) => b - a)[0]!;
  return { agentId, count };
}

/** @returns once it listens, what waits for the moment at which so many instances more run */
async function whenBack(marathon: BenchMarathon, count: number): Promise<() => Promise<number>> {
  let done = (_: number): void => {};
  const back = new Promise<number>((resolve) => {
    done = resolve;
  });
  let left = count;
  const end = await marathon.listen(['instance_changed_event'], (_, { condition }) => {
    if (condition === 'Running') left--;
    if (left > 0) return;
    end();
    done(performance.now());
  });
  return () => back;
}

/** Returns once the master says that an agent cannot be reached. */
async function declared(master: string): Promise<void> {
  const address = parseAddresses(master, 0);
  if (!address.ok) throw new Error(address.error);
  const deadline = performance.now() + GIVE_UP;
  for (;;) {
    const metrics = (await getFromMaster(address.value[0]!, '/metrics/snapshot')) as Record<string, number>;
    if ((metrics['master/slaves_unreachable'] ?? 0) > 0) return;
    if (performance.now() > deadline) throw new Error('the master does not notice that an agent is gone');
    await sleep(POLL);
  }
}

export const scenario: Scenario = {
  name: 'marathon-lost-agent',
  about: `${INSTANCES} instances on ${AGENTS} emulated agents, of which one falls silent: from the moment at which the master gives it up until as many instances more run elsewhere.`,
  run,
};
