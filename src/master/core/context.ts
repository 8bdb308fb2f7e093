import type { Allocator } from '../../allocator/allocator.ts';
import { invariant } from '../../base/invariant.ts';
import type { Env } from '../../base/machine.ts';
import type { RegisterSlaveMessage, UpdateSlaveMessage } from '../../wire/internal.ts';
import type { AgentID, TaskID } from '../../wire/v1.ts';
import type { PendingCommit } from './commits.ts';
import type { CounterName } from './counters.ts';
import type { Deadlines } from './deadlines.ts';
import type { LogLevel, MasterEffect, OperatorNotice, OutboundMessages, OutboundName, SendEffect } from './effects.ts';
import type { CommitToken, FromFramework, RequestId } from './events.ts';
import type { MasterOptions } from './options.ts';
import type { UnheardEnds } from './passed-on.ts';
import type { Throttle } from './rate-limits.ts';
import type { AgentRecord, FrameworkRecord, MasterRecord } from './records.ts';
import type { RegistryOperation } from './registry.ts';
import type { Reregistration } from './reregistration.ts';
import type { Pid, StreamId } from './state.ts';

/** The libprocess id under which the master is reached. */
export const MASTER_PROCESS = 'master';

/** Tasks that a scheduler asked about. */
export interface Reconciliation {
  readonly tasks: readonly { readonly task_id: TaskID; readonly agent_id?: AgentID }[];
  /** It named them; else they are all that it had, and only of those that it still has there is something to be said. */
  readonly named: boolean;
  /** How many were answered. */
  done: number;
}

/** All that a handler works with during one step. */
/** A repeated registration, perhaps of another agent at the same address. */
interface NewerRegistration {
  readonly message: RegisterSlaveMessage;
  readonly principal: string | undefined;
}

export interface Context {
  readonly options: MasterOptions;
  readonly state: MasterRecord;
  readonly allocator: Allocator;
  readonly deadlines: Deadlines;
  env: Env;
  emit: (effect: MasterEffect) => void;

  // Indexes over the state, and what is in transition.
  readonly frameworkByStream: Map<StreamId, string>;
  readonly frameworkByPid: Map<Pid, string>;
  readonly agentByPid: Map<Pid, string>;
  readonly agentByObserver: Map<string, string>;
  readonly commits: Map<CommitToken, PendingCommit>;
  /** Pids of agents whose admission is being committed. */
  readonly registering: Set<Pid>;
  /** What agents that are registering have said since, by their address. */
  readonly newerRegistrations: Map<Pid, NewerRegistration>;
  /** Ids of agents about which something is being committed; what else they say meanwhile is ignored, they repeat it. */
  readonly transitioning: Map<string, 'reregistering' | 'markingUnreachable' | 'markingGone' | 'removing'>;
  /** What agents that are reregistering have said since: it counts instead of what they said first. */
  /** What agents said of their operations while it was being made durable that they are back. By agent. */
  readonly earlyUpdates: Map<string, UpdateSlaveMessage>;
  /** How many registrations of an agent have made way for newer ones, and are to be answered with these. */
  readonly overtakenReregistrations: Map<string, number>;
  readonly newerReregistrations: Map<string, { readonly pid: Pid; readonly message: Reregistration }>;
  /** Agents that wait for their turn under the removal rate limit, and why they are to be marked unreachable. */
  readonly unreachableQueue: Map<string, string>;
  /** Draining agents that may have become empty during this step. */
  readonly drainChecks: Set<string>;
  /** agent id -> framework id -> tasks that were there when it became unreachable. */
  readonly unreachableTasks: Map<string, ReadonlyMap<string, ReadonlySet<string>>>;
  /** agent id -> ends that were acknowledged, of which it may not have heard when it became unreachable. */
  readonly unheardEnds: Map<string, UnheardEnds>;
  readonly next: { framework: number; agent: number; offer: number; observer: number; commit: number };
  /** Reconciliations that were not yet answered to the end, by the stream that is told, in order. */
  readonly reconciling: Map<StreamId, Reconciliation[]>;
  lastAllocation: number;
  /** What slows the messages of frameworks down. */
  readonly throttles: ReadonlyMap<string, Throttle<FromFramework>>;
  /** Since when somebody has been waiting for an allocation. */
  allocationAsked: number | undefined;
  lastUnreachableMark: number;
  /** What the log was told last of the agents that are awaited after a failover. */
  recoveryTold: { awaited: number; step: number };
}

export function log(ctx: Context, level: LogLevel, text: string): void {
  ctx.emit({ kind: 'log', level, text });
}

export function countUp(ctx: Context, counter: CounterName): void {
  ctx.state.counters[counter]++;
}

export function reply(ctx: Context, request: RequestId, status: number, text?: string): void {
  ctx.emit(text === undefined ? { kind: 'reply', request, status } : { kind: 'reply', request, status, text });
}

/** Sends a libprocess message from the master's own process, or from the one given. */
export function send<Name extends OutboundName>(
  ctx: Context,
  to: Pid,
  name: Name,
  message: OutboundMessages[Name],
  from: string = MASTER_PROCESS,
): void {
  ctx.emit({ kind: 'send', from, to, name, message } as SendEffect);
}

export function tellOperators(ctx: Context, notice: OperatorNotice): void {
  ctx.emit({ kind: 'operatorEvent', notice });
}

/** Starts a registry operation; `pending` says how to go on when it is durable. */
export function commit(ctx: Context, operation: RegistryOperation, pending: PendingCommit): void {
  const token = ctx.next.commit++;
  ctx.commits.set(token, pending);
  ctx.emit({ kind: 'commit', token, operation });
}

/** Wall-clock time in seconds, as task statuses carry it. */
export function seconds(ctx: Context): number {
  return ctx.env.wall / 1000;
}

export function frameworkOf(ctx: Context, id: string): FrameworkRecord {
  const framework = ctx.state.frameworks.get(id);
  invariant(framework !== undefined, `framework ${id} is known`);
  return framework;
}

export function agentOf(ctx: Context, id: string): AgentRecord {
  const agent = ctx.state.agents.get(id);
  invariant(agent !== undefined, `agent ${id} is known`);
  return agent;
}

/** How logs name a framework. */
export function nameFramework(framework: FrameworkRecord): string {
  return `${framework.id} (${framework.info.name})`;
}

/** How logs name an agent. */
export function nameAgent(agent: AgentRecord): string {
  return `${agent.id} at ${agent.pid} (${agent.info.hostname})`;
}
