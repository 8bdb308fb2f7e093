import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { seededRandom } from '../../src/base/random.ts';
import type { Result } from '../../src/base/result.ts';
import type { Store } from '../../src/coordination/store/store.ts';
import { ZooKeeperStore } from '../../src/coordination/store/zookeeper.ts';
import { ZooKeeper } from '../../src/coordination/zookeeper/client.ts';
import { OPEN_ACL } from '../../src/coordination/zookeeper/core/protocol.ts';
import { TestEnsemble, withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import type { RegistryOperation } from '../../src/master/core/registry.ts';
import type { Registrar } from '../../src/master/registrar.ts';
import { startCluster } from '../cluster/cluster.ts';
import { reconcileAll } from '../emulated/reconciling.ts';
import { openLmdb, registrarOf } from '../emulated/recovered-master.ts';
import { agentInfoOf } from '../emulated/reregistration.ts';
import type { Sample, Scenario } from '../scenario.ts';

const AGENTS = 50_000;
const TASKS = 100_000;
/** A master that leads has run for a while. */
const WARM_UP = 2;
const TURN = 256;
const IDS = Array.from({ length: AGENTS }, (_, at) => at);

let folder = '';
let runs = 0;

async function prepare(): Promise<() => Promise<void>> {
  folder = mkdtempSync(join(tmpdir(), 'meseta-bench-'));
  return async () => rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<Sample[]> {
  runs++;
  const path = join(folder, String(runs));
  const samples = await measure(async () => openLmdb(path), 'LMDB');
  rmSync(path, { recursive: true });
  if (withoutZooKeeper === false) samples.push(...(await inZooKeeper()));
  return [...samples, ...(await reconcile())];
}

/** On a server of its own: what earlier runs left there would slow it down. */
async function inZooKeeper(): Promise<Sample[]> {
  const ensemble = await TestEnsemble.start(1, 2048);
  const client = new ZooKeeper({ servers: ensemble.servers, timeout: 4_000 });
  try {
    client.start();
    return await measure(async () => new ZooKeeperStore({ client, path: '/bench', acl: OPEN_ACL }), 'ZooKeeper');
  } finally {
    await client.close();
    await ensemble.stop();
  }
}

/** All agents are admitted, marked unreachable, come back in another order, and are removed. */
async function measure(open: () => Promise<Store>, where: string): Promise<Sample[]> {
  const registrar = registrarOf(await open());
  await registrar.recover();
  const holds = monitorEventLoopDelay({ resolution: 1 });
  holds.enable();
  const perSecond = async (what: string, operations: readonly RegistryOperation[]): Promise<Sample> => {
    const start = performance.now();
    const outcomes = await Promise.all(await commitInTurns(registrar, operations));
    const took = performance.now() - start;
    for (const outcome of outcomes) if (!outcome.ok) throw new Error(outcome.error);
    return { metric: `${what}, ${where}`, unit: 'records/s', value: (operations.length * 1000) / took };
  };
  const shuffled = shuffle(IDS);
  const samples = [
    await perSecond(
      'admit 50k',
      IDS.map((at) => ({ type: 'ADMIT_AGENT', agent: agentInfoOf(at) })),
    ),
    await perSecond(
      'mark unreachable',
      shuffled.map((at) => ({ type: 'MARK_UNREACHABLE', agentId: `agent${at}`, time: 1 })),
    ),
    await perSecond(
      'mark reachable',
      shuffle(IDS).map((at) => ({ type: 'MARK_REACHABLE', agent: agentInfoOf(at) })),
    ),
  ];
  holds.disable();
  await registrar.close();
  const again = registrarOf(await open());
  const start = performance.now();
  const registry = await again.recover();
  const took = performance.now() - start;
  if (!registry.ok || registry.value.agents.length !== AGENTS) throw new Error('the registry does not have all agents');
  await again.close();
  return [
    ...samples,
    { metric: `recover 50k, ${where}`, unit: 'ms', value: took },
    { metric: `longest event loop hold, ${where}`, unit: 'ms', value: holds.max / 1e6 },
  ];
}

/** As a master's steps bring them about: so many at a time, and others have their turn in between. */
async function commitInTurns(
  registrar: Registrar,
  operations: readonly RegistryOperation[],
): Promise<Promise<Result<void>>[]> {
  const outcomes: Promise<Result<void>>[] = [];
  for (const [at, operation] of operations.entries()) {
    outcomes.push(registrar.commit(operation));
    if (at % TURN === TURN - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return outcomes;
}

function shuffle(list: readonly number[]): number[] {
  const random = seededRandom(1);
  return list
    .map((at) => [random(), at] as const)
    .sort(([a], [b]) => a - b)
    .map(([, at]) => at);
}

/** A scheduler asks a real master about tasks, by name. */
async function reconcile(): Promise<Sample[]> {
  const cluster = await startCluster({ agents: 0 });
  try {
    for (let at = 0; at < WARM_UP; at++) await reconcileAll(cluster.master, TASKS);
    const took = await reconcileAll(cluster.master, TASKS);
    const rssBytes = cluster.masterMemory().peak;
    return [{ metric: 'RECONCILE 100k, explicit', unit: 'updates/s', value: (TASKS * 1000) / took, rssBytes }];
  } finally {
    await cluster.stop();
  }
}

export const scenario: Scenario = {
  name: 'registrar',
  about: `The registry: ${AGENTS} agents admitted, unreachable and back, each an operation of its own, durable in LMDB and in a real ZooKeeper; and a scheduler that asks a real master about ${TASKS} tasks over its event stream.`,
  prepare,
  run,
};
