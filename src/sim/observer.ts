import type { AgentEffect } from '../agent/core/effects.ts';
import type { AgentEvent } from '../agent/core/events.ts';
import type { MasterEffect } from '../master/core/effects.ts';
import type { MasterEvent } from '../master/core/events.ts';
import type { TaskStatus } from '../wire/v1.ts';
import type { AgentProcess } from './agent-process.ts';
import type { LiveContainer } from './containers.ts';
import type { MasterProcess } from './master-process.ts';

/** Watches the world without touching it. Checkers are observers that throw a `Violation`. */
export interface Observer {
  /** After a step of the master, with what it decided, before anything of it is performed. */
  masterStepped?(master: MasterProcess, event: MasterEvent, effects: readonly MasterEffect[]): void;
  agentStepped?(agent: AgentProcess, event: AgentEvent, effects: readonly AgentEffect[]): void;
  /** A container's process begins to run. */
  containerStarted?(agent: AgentProcess, container: LiveContainer): void;
  containerEnded?(agent: AgentProcess, container: LiveContainer): void;
  /** A scheduler has taken note of a status, and is about to acknowledge it if it carries a uuid. */
  statusSeen?(frameworkId: string, status: TaskStatus): void;
}
