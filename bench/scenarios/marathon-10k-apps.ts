import type { BenchMarathon } from '../cluster/marathon.ts';
import { withStack } from '../cluster/stack.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

const AGENTS = 1_000;
const RESOURCES = 'cpus:8;mem:8192;disk:8192;ports:[31000-32000]';
const APPS = 10_000;
/** As many as Marathon takes at the same time by default. */
const PARALLEL = 100;
const LISTS = 5;

async function run(): Promise<Sample[]> {
  return withStack({ agents: AGENTS, resources: RESOURCES }, async ({ marathon }) => {
    const start = performance.now();
    await deployAll(marathon);
    const deployed = performance.now() - start;
    const deployedRss = marathon.memory().peak;
    const first = await list(marathon);
    const again: number[] = [];
    for (let at = 0; at < LISTS; at++) again.push(await list(marathon));
    const restart = await marathon.restart();
    const listed = await list(marathon);
    const rssBytes = Math.max(deployedRss, marathon.memory().peak);
    const ms = (metric: string, value: number): Sample => ({ metric, unit: 'ms', value, rssBytes });
    return [
      ms(`${APPS} apps`, deployed),
      ms('list', first),
      ms('list again', median(again)),
      ms('restart', restart),
      ms('list after restart', listed),
    ];
  });
}

/** Each of those who deploy waits for its app to run before it goes on with the next one. */
async function deployAll(marathon: BenchMarathon): Promise<void> {
  const over = new Set<unknown>();
  const waiting = new Map<unknown, () => void>();
  const end = await marathon.listen(['deployment_success'], (_, { id }) => {
    over.add(id);
    waiting.get(id)?.();
  });
  let next = 0;
  const deployer = async (): Promise<void> => {
    while (next < APPS) {
      const app = { id: `/app-${next++}`, instances: 1, cmd: 'sleep 100000', cpus: 0.1, mem: 32 };
      const answer = (await marathon.call('POST', '/v2/apps', app)) as {
        readonly deployments: readonly { readonly id: string }[];
      };
      const { id } = answer.deployments[0]!;
      if (!over.has(id)) await new Promise<void>((resolve) => waiting.set(id, resolve));
      waiting.delete(id);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, deployer));
  end();
}

async function list(marathon: BenchMarathon): Promise<number> {
  const start = performance.now();
  const { status, body } = await marathon.ask('GET', '/v2/apps');
  const took = performance.now() - start;
  const { apps } = JSON.parse(body.toString('utf8')) as { readonly apps: readonly unknown[] };
  if (status !== 200 || apps.length !== APPS) throw new Error(`/v2/apps: ${status}, ${apps.length} apps`);
  return took;
}

export const scenario: Scenario = {
  name: 'marathon-10k-apps',
  about: `${APPS} apps of one instance each, deployed by ${PARALLEL} clients in parallel over a real master and ${AGENTS} emulated agents; then the list of all of them, and Marathon killed and started again.`,
  run,
};
