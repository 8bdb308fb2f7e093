import { startCluster } from '../cluster/cluster.ts';
import { registerSocketAgents } from '../emulated/sockets.ts';
import type { Sample, Scenario } from '../scenario.ts';

const AGENTS = 2000;
const PORTS = 8;
const SIZE = `${AGENTS / 1000}k agents`;

async function run(): Promise<Sample[]> {
  const cluster = await startCluster({ agents: 0 });
  try {
    const emulated = await registerSocketAgents(cluster.masterPid, { count: AGENTS, ports: PORTS });
    await emulated.close();
    const { took } = emulated;
    const rssBytes = cluster.masterMemory().peak;
    return [
      { metric: `all registered, ${SIZE} on sockets`, unit: 'ms', value: took, rssBytes },
      { metric: `registrations, ${SIZE} on sockets`, unit: 'agents/s', value: (AGENTS * 1000) / took, rssBytes },
    ];
  } finally {
    await cluster.stop();
  }
}

export const scenario: Scenario = {
  name: 'emulated-register',
  about: `${AGENTS} emulated agents on ${PORTS} ports register at once with a real, freshly started master: time until all have.`,
  run,
};
