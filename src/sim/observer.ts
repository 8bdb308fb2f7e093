import type { AgentEffect } from '../agent/core/effects.ts';
import type { AgentEvent } from '../agent/core/events.ts';
import type { MarathonEffect } from '../marathon/core/effects.ts';
import type { MarathonEvent } from '../marathon/core/events.ts';
import type { MarathonCore } from '../marathon/core/machine.ts';
import type { MasterEffect } from '../master/core/effects.ts';
import type { MasterEvent } from '../master/core/events.ts';
import type { Master } from '../master/core/machine.ts';
import type { EntityChange } from '../master/core/registry-book.ts';
import type { Resources } from '../resources/resources.ts';
import type { TaskStatus } from '../wire/v1.ts';
import type { Call as OperatorCall } from '../wire/v1_master.ts';
import type { LiveContainer } from './containers.ts';

/** A master, as those see it who watch. */
export interface SeenMaster {
  readonly name: string;
  readonly core: Master;
  /** Nobody has taken over from it, whether or not it knows. */
  readonly reigning: boolean;
  /** It has heard of everything that was written for it. */
  readonly informed: boolean;
}

/** One life of an agent. */
export interface SeenAgent {
  readonly name: string;
  /** The id that a master gave it. */
  readonly id: string | undefined;
  readonly total: Resources;
  /** Whether updates of the task outlive the agent. */
  keeps?(frameworkId: string, taskId: string): boolean;
}

/** One life of a Marathon, from when it has read its store. */
export interface SeenMarathon {
  readonly name: string;
  readonly core: MarathonCore;
  /** What is durable. */
  readonly stored: ReadonlyMap<string, string>;
}

/** Watches the world without touching it. Checkers are observers that throw a `Violation`. */
export interface Observer {
  /** After a step of the master, with what it decided, before anything of it is performed. */
  masterStepped?(master: SeenMaster, event: MasterEvent, effects: readonly MasterEffect[]): void;
  /** It has read the registry, and is about to begin. */
  masterStarted?(master: SeenMaster): void;
  masterEnded?(master: SeenMaster): void;
  /** Something has become durable. @param epoch which of the leaders wrote it */
  registryWritten?(epoch: number, changes: readonly EntityChange[]): void;
  /** An operator was told how a call ended. */
  operatorAnswered?(call: OperatorCall, status: number): void;
  agentStepped?(agent: SeenAgent, event: AgentEvent): void;
  /** Something that it decided happens now: what had to be durable before it is. */
  agentPerforms?(agent: SeenAgent, effect: AgentEffect): void;
  /** @param forgotten its disk is gone too */
  agentEnded?(agent: SeenAgent, forgotten: boolean): void;
  /** A container's process begins to run. */
  containerStarted?(agent: SeenAgent, container: LiveContainer): void;
  /** @param status as waitpid tells it; undefined where nobody will ever know it */
  containerEnded?(agent: SeenAgent, container: LiveContainer, status: number | undefined): void;
  /** A scheduler has taken note of a status, and is about to acknowledge it if it carries a uuid. */
  statusSeen?(frameworkId: string, status: TaskStatus): void;
  /** It has read its store, and is about to begin. */
  marathonStarted?(marathon: SeenMarathon): void;
  /** After a step, before anything of what it decided is performed. */
  marathonStepped?(marathon: SeenMarathon, event: MarathonEvent, effects: readonly MarathonEffect[]): void;
  /** Something that it decided happens now: what had to be durable before it is. */
  marathonPerforms?(marathon: SeenMarathon, effect: MarathonEffect): void;
}
