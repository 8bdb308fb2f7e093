/** The process that holds emulated agents, so that they cost whoever measures nothing. Started by agents-process.ts. */
import type { TaskScript } from './agent.ts';
import { registerSocketAgents, type SocketAgents } from './sockets.ts';

/** What it is told. */
export type AgentsOrder =
  | {
      readonly kind: 'register';
      readonly master: string;
      readonly count: number;
      readonly ports: number;
      readonly resources: string;
    }
  /** This agent says nothing more, as if its machine were gone. */
  | { readonly kind: 'silence'; readonly id: string };

const RUNS: TaskScript = { runsFor: () => Number.POSITIVE_INFINITY, starting: false };

let emulated: SocketAgents | undefined;

process.on('message', (order: AgentsOrder) => void obey(order));
process.on('disconnect', () => process.exit(0));

async function obey(order: AgentsOrder): Promise<void> {
  if (order.kind === 'register') {
    emulated = await registerSocketAgents(order.master, { ...order, script: RUNS });
    process.send?.('registered');
    return;
  }
  const agent = emulated?.agents.find(({ id }) => id === order.id);
  agent?.receive('', 'mesos.internal.ShutdownMessage', {});
  process.send?.('silent');
}
