import { setTimeout as sleep } from 'node:timers/promises';
import { parseResources } from '../../src/resources/parse.ts';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import { ElectedMasters } from '../cluster/elected.ts';
import { EmulatedFramework, frameworkInfo } from '../emulated/framework.ts';
import { assertLoopback } from '../emulated/loopback.ts';
import { AGENT_RESOURCES, createSocketAgents, type SocketAgents } from '../emulated/sockets.ts';
import type { Sample, Scenario } from '../scenario.ts';

const AGENTS = 4_000;
const PORTS = 40;
const FRAMEWORKS = 200;
const TASKS = 40;
/** Of the masters in ZooKeeper: how long they may be silent. Upstream's default is 10 s. */
const SESSION = 4_000;
/** Agents ask at once, and again after so long: upstream waits up to a second before the first time, and longer after that. */
const RETRY = 1_000;
const GIVE_UP = 60_000;

interface World {
  readonly masters: ElectedMasters;
  readonly emulated: SocketAgents;
  readonly schedulers: Scheduler[];
  readonly frameworks: EmulatedFramework[];
  /** Who is connected to the present leader. */
  readonly agentsIn: Set<object>;
  readonly frameworksIn: Set<object>;
}

let world: World | undefined;
/** Roles for which no framework wants offers: filled when all have what they want, as frameworks say when they subscribe again. */
const suppressedRoles: string[] = [];

function milli(text: string) {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

async function prepare(): Promise<() => Promise<void>> {
  const masters = await ElectedMasters.start(SESSION);
  const agentsIn = new Set<object>();
  const frameworksIn = new Set<object>();
  const resources = milli(AGENT_RESOURCES).toProto();
  const emulated = await createSocketAgents({
    count: AGENTS,
    ports: PORTS,
    info: (index) => ({ hostname: `agent-${index}`, port: 5051, resources }),
    script: { runsFor: () => Number.POSITIVE_INFINITY, starting: false },
    registered: (agent) => agentsIn.add(agent),
  });
  for (const agent of emulated.agents) agent.insist(masters.leaderPid, RETRY);
  await until('all agents are in', () => agentsIn.size === AGENTS);
  const schedulers: Scheduler[] = [];
  const frameworks: EmulatedFramework[] = [];
  world = { masters, emulated, schedulers, frameworks, agentsIn, frameworksIn };
  for (let at = 0; at < FRAMEWORKS; at++) addFramework(world, at);
  await until('all tasks run', () => running(world!) === FRAMEWORKS * TASKS);
  suppressedRoles.push('*');
  return async () => {
    for (const scheduler of schedulers) scheduler.stop();
    await emulated.close();
    await masters.stop();
  };
}

function addFramework({ masters, schedulers, frameworks, frameworksIn }: World, at: number): void {
  for (const address of masters.addresses) assertLoopback(address.slice(0, address.lastIndexOf(':')));
  const info = { ...frameworkInfo(`framework-${at}`), failover_timeout: 3600 };
  const scheduler = new Scheduler({
    master: masters.addresses.join(','),
    framework: info,
    suppressedRoles,
    acknowledge: 'manual',
    reconnect: { minimum: 20, maximum: 200 },
    handlers: {
      event: (event) => {
        if (event.subscribed !== undefined) frameworksIn.add(scheduler);
        framework.take(event);
      },
    },
  });
  // What is on its way when the leader dies is lost, as it is in life.
  const framework = new EmulatedFramework(
    { info, tasks: TASKS, resources: milli('cpus:0.1;mem:5'), perOffer: 1 },
    (call) => void scheduler.call(call).catch(() => {}),
  );
  schedulers.push(scheduler);
  frameworks.push(framework);
  void scheduler.run();
}

function running({ frameworks }: World): number {
  return frameworks.reduce((sum, framework) => sum + framework.running, 0);
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + GIVE_UP;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(2);
  }
}

async function run(): Promise<Sample[]> {
  if (world === undefined) throw new Error('the cluster is not prepared');
  const { masters, emulated, agentsIn, frameworksIn } = world;
  const elected = masters.nextLeader();
  agentsIn.clear();
  frameworksIn.clear();
  const killed = masters.killLeader();
  const { since } = await elected;
  const leader = masters.leaderPid;
  for (const agent of emulated.agents) agent.insist(masters.leaderPid, RETRY);
  let agentsAt = 0;
  await until('all agents and frameworks are back', () => {
    if (masters.leaderPid !== leader) throw new Error('the new leader lost its session: this machine is too busy');
    if (agentsAt === 0 && agentsIn.size === AGENTS) agentsAt = performance.now();
    return agentsAt > 0 && frameworksIn.size === FRAMEWORKS;
  });
  const end = performance.now();
  const rssBytes = masters.leaderMemory().peak;
  masters.revive();
  // The other one is to stand for election again before the next leader dies.
  await sleep(3_000);
  const ms = (metric: string, value: number): Sample => ({ metric, unit: 'ms', value, rssBytes });
  return [
    ms('kill to election', since - killed),
    ms('after election', end - since),
    ms('after election, all agents', agentsAt - since),
    ms('kill to all connected', end - killed),
  ];
}

export const scenario: Scenario = {
  name: 'mttr',
  about: `${AGENTS} emulated agents and ${FRAMEWORKS} frameworks with ${TASKS} tasks each on sockets, two real masters, a real ZooKeeper (sessions of ${SESSION / 1000} s): the leader is killed with SIGKILL; time to the election of the other, and from there until all are connected to it.`,
  prepare,
  run,
};
