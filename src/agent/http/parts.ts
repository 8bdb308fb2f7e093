import type { DaemonParts } from '../../http/endpoints/daemon.ts';
import type { AgentState } from '../core/state.ts';
import type { Usage } from '../core/views/containers.ts';
import type { About } from '../core/views/state.ts';
import type { ContainerCalls } from './container-calls.ts';
import type { ExecutorConnections } from './executor.ts';

/** What the agent's endpoints need to know of the program around them. */
export interface AgentHttpParts extends DaemonParts {
  /** Read only: the core owns it. */
  readonly state: AgentState;
  readonly usage: Usage;
  /** Streams of executors of version 1. */
  readonly executors: ExecutorConnections;
  /** Calls about containers. */
  readonly calls: ContainerCalls;
  /** Writes to the first process of a container; see `Containers.write`. */
  readonly write: (containerId: string, data: Uint8Array | undefined) => Promise<string | undefined>;
  /** Milliseconds between heartbeats on the streams of containers. */
  readonly heartbeatInterval: number;
  /** Milliseconds since the Unix epoch. */
  readonly wall: () => number;
  /** What the state endpoint says of the program, without the flags. */
  readonly about: () => Omit<About, 'flags'>;
}
