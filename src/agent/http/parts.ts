import type { DaemonParts } from '../../http/endpoints/daemon.ts';
import type { AgentState } from '../core/state.ts';
import type { Usage } from '../core/views/containers.ts';
import type { About } from '../core/views/state.ts';
import type { ExecutorConnections } from './executor.ts';

/** What the agent's endpoints need to know of the program around them. */
export interface AgentHttpParts extends DaemonParts {
  /** Read only: the core owns it. */
  readonly state: AgentState;
  readonly usage: Usage;
  /** Streams of executors of version 1. */
  readonly executors: ExecutorConnections;
  /** Milliseconds since the Unix epoch. */
  readonly wall: () => number;
  /** What the state endpoint says of the program, without the flags. */
  readonly about: () => Omit<About, 'flags'>;
}
