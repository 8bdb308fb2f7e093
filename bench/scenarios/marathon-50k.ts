import { Asking } from '../cluster/asking.ts';
import { withStack } from '../cluster/stack.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';

const AGENTS = 1_000;
const RESOURCES = 'cpus:64;mem:65536;disk:65536;ports:[31000-32000]';
const APPS = 4;
const INSTANCES = 50_000;
const SMALL = 500;
/** Between two questions to the API, in ms. */
const ASK_EVERY = 10;

const SLEEP = { cmd: 'sleep 100000', cpus: 0.1, mem: 32 };

async function run(): Promise<Sample[]> {
  return withStack({ agents: AGENTS, resources: RESOURCES }, async ({ marathon }) => {
    const deploySmall = async (id: string): Promise<number> => {
      const begin = performance.now();
      await marathon.deploy({ id, instances: SMALL, ...SLEEP } as { id: string }, true);
      return performance.now() - begin;
    };
    // All code of three processes is new to their compilers the first time.
    const small = await deploySmall('/small');
    const again = await deploySmall('/small-again');
    const ids = Array.from({ length: APPS }, (_, at) => `/big-${at}`);
    for (const id of ids) await marathon.deploy({ id, instances: 0, ...SLEEP } as { id: string }, true);
    const asking = new Asking(marathon, ASK_EVERY);
    const start = performance.now();
    const instances = INSTANCES / APPS;
    await Promise.all(ids.map((id) => marathon.deploy({ id, instances } as { id: string }, false)));
    const big = performance.now() - start;
    const took = await asking.end();
    const rssBytes = marathon.memory().peak;
    const ms = (metric: string, value: number): Sample => ({ metric, unit: 'ms', value, rssBytes });
    return [
      ms(`${INSTANCES} instances`, big),
      ms(`${SMALL} instances`, small),
      ms(`${SMALL} instances, again`, again),
      ms('api p99', percentile(took, 0.99)),
      ms('api median', percentile(took, 0.5)),
      ms('api max', percentile(took, 1)),
    ];
  });
}

export const scenario: Scenario = {
  name: 'marathon-50k',
  about: `Marathon over a real master and ${AGENTS} emulated agents: one app of ${SMALL} instances, another one, then ${APPS} apps scaled to ${INSTANCES} instances in all; time until all run, and what the API takes to answer meanwhile.`,
  run,
};
