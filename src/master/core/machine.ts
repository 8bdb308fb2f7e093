import type { Allocator } from '../../allocator/allocator.ts';
import { createAllocator } from '../../allocator/hierarchical.ts';
import { invariant } from '../../base/invariant.ts';
import type { Env, Machine } from '../../base/machine.ts';
import { disconnectAgent } from './agents.ts';
import { requestAllocation } from './allocation.ts';
import { allocate, resumeAllocation, waitForAgents } from './allocation-run.ts';
import type { PendingCommit } from './commits.ts';
import { type Context, send } from './context.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import { drained, settleDrains } from './drain.ts';
import type { MasterEffect } from './effects.ts';
import type { CommitToken, FromFramework, InboundName, MasterEvent, MessageEvent } from './events.ts';
import { disconnectFramework, failoverTimedOut, heartbeatDue } from './frameworks.ts';
import { deactivateDriver, driverCall, unregisterFramework } from './handlers/driver-call.ts';
import { executorToFramework, exitedExecutor } from './handlers/executor-messages.ts';
import { commitGone, markedGone } from './handlers/mark-agent-gone.ts';
import { OLD_DRIVER_MESSAGES } from './handlers/old-driver.ts';
import { operationStatus } from './handlers/operation-status.ts';
import { agentDeactivated, agentReactivated } from './handlers/operator/deactivate.ts';
import { drainDecided } from './handlers/operator/drain.ts';
import { machinesUpdated } from './handlers/operator/maintenance.ts';
import { quotaUpdated } from './handlers/operator/quota.ts';
import { weightsUpdated } from './handlers/operator/weights.ts';
import { operatorCall } from './handlers/operator-call.ts';
import { goOnReconciling } from './handlers/reconcile.ts';
import { registerAgent, registered } from './handlers/register-agent.ts';
import { reregisterAgent, reregistered } from './handlers/reregister-agent.ts';
import { schedulerCall } from './handlers/scheduler-call.ts';
import { statusUpdate } from './handlers/status-update.ts';
import { unregisterAgent } from './handlers/unregister-agent.ts';
import { takeEarlyUpdate, updateAgent } from './handlers/update-agent.ts';
import { inverseOfferTimedOut } from './inverse-offers.ts';
import {
  markedUnreachable,
  markNextUnreachable,
  ping,
  pong,
  recoveredTimedOut,
  reregisterTimedOut,
} from './observers.ts';
import { rescindOffer } from './offers.ts';
import type { MasterOptions } from './options.ts';
import { newMasterState } from './records.ts';
import { awaitAgents, followRecovery, remindOfRecovery } from './recovery.ts';
import { collectRegistryGarbage, pruned } from './registry-gc.ts';
import type { MasterState } from './state.ts';
import { exitedInTurn, nextTurns, receive, throttlesFor } from './throttling.ts';

/** The only timer that the core keeps armed; all deadlines are behind it. */
export const WAKE = 'wake';

/** The master's core. `state` shows what it knows, as of the last step. */
export interface Master extends Machine<MasterEvent, MasterEffect> {
  readonly state: MasterState;
  /** For metrics and explanations; never call what changes it. */
  readonly allocator: Allocator;
}

type EventHandlers = {
  readonly [K in MasterEvent['kind']]: (ctx: Context, event: Extract<MasterEvent, { kind: K }>) => void;
};
type MessageHandlers = {
  readonly [N in InboundName]: (ctx: Context, event: Extract<MessageEvent, { name: N }>) => void;
};
type DeadlineHandlers = {
  readonly [T in Deadline['type']]: (ctx: Context, deadline: Extract<Deadline, { type: T }>) => void;
};
type CommitHandlers = {
  readonly [T in PendingCommit['type']]: (ctx: Context, pending: Extract<PendingCommit, { type: T }>) => void;
};

const MESSAGES: MessageHandlers = {
  'mesos.scheduler.Call': (ctx, { from, body, principal }) => driverCall(ctx, from, body, principal),
  ...OLD_DRIVER_MESSAGES,
  'mesos.internal.UnregisterFrameworkMessage': (ctx, { from, body }) =>
    unregisterFramework(ctx, from, body.framework_id.value),
  'mesos.internal.DeactivateFrameworkMessage': (ctx, { from, body }) =>
    deactivateDriver(ctx, from, body.framework_id.value),
  'mesos.internal.RegisterSlaveMessage': (ctx, { from, body, principal }) => registerAgent(ctx, from, body, principal),
  'mesos.internal.ReregisterSlaveMessage': (ctx, { from, body, principal }) =>
    reregisterAgent(ctx, from, body, principal),
  'mesos.internal.UnregisterSlaveMessage': (ctx, { from, body }) => unregisterAgent(ctx, from, body),
  'mesos.internal.UpdateSlaveMessage': (ctx, { body }) => updateAgent(ctx, body),
  'mesos.internal.StatusUpdateMessage': (ctx, { body }) => statusUpdate(ctx, body),
  'mesos.internal.ExecutorToFrameworkMessage': (ctx, { body }) => executorToFramework(ctx, body),
  'mesos.internal.ExitedExecutorMessage': (ctx, { body }) => exitedExecutor(ctx, body),
  'mesos.internal.UpdateOperationStatusMessage': (ctx, { body }) => operationStatus(ctx, body),
  'mesos.internal.PongSlaveMessage': (ctx, { to }) => {
    const agent = ctx.state.agents.get(ctx.agentByObserver.get(to) ?? '');
    if (agent !== undefined) pong(ctx, agent);
  },
};

const DEADLINES: DeadlineHandlers = {
  allocate: (ctx) => allocate(ctx),
  heartbeat: (ctx, { frameworkId }) => heartbeatDue(ctx, frameworkId),
  failover: (ctx, { frameworkId }) => failoverTimedOut(ctx, frameworkId),
  offer: (ctx, { offerId }) => {
    const offer = ctx.state.offers.get(offerId);
    if (offer !== undefined) rescindOffer(ctx, offer);
  },
  inverseOffer: (ctx, { offerId }) => inverseOfferTimedOut(ctx, offerId),
  ping: (ctx, { agentId }) => ping(ctx, agentId),
  agentReregister: (ctx, { agentId }) => reregisterTimedOut(ctx, agentId),
  markUnreachable: (ctx) => markNextUnreachable(ctx),
  recoveredAgents: (ctx) => recoveredTimedOut(ctx),
  recoveryReminder: (ctx) => remindOfRecovery(ctx),
  resumeAllocation: (ctx) => resumeAllocation(ctx),
  registryGc: (ctx) => collectRegistryGarbage(ctx),
  throttled: (ctx, { key }) => nextTurns(ctx, key, (event) => handleFromFramework(ctx, event)),
};

const COMMITS: CommitHandlers = {
  register: registered,
  reregister: (ctx, pending) => {
    reregistered(ctx, pending);
    takeEarlyUpdate(ctx, pending.agentId);
  },
  markUnreachable: markedUnreachable,
  unregister: (ctx, { agentId }) => {
    ctx.transitioning.delete(agentId);
  },
  markGone: markedGone,
  deactivateAgent: agentDeactivated,
  reactivateAgent: agentReactivated,
  drainAgent: drainDecided,
  markDrained: drained,
  updateMachines: machinesUpdated,
  prune: pruned,
  updateQuota: quotaUpdated,
  updateWeights: weightsUpdated,
};

const EVENTS: EventHandlers = {
  started: (ctx) => start(ctx),
  schedulerCall,
  streamClosed: (ctx, { stream }) => {
    const framework = ctx.state.frameworks.get(ctx.frameworkByStream.get(stream) ?? '');
    if (framework !== undefined) disconnectFramework(ctx, framework);
  },
  readerReady: (ctx, { stream }) => goOnReconciling(ctx, stream),
  message: (ctx, event) => receive(ctx, event, (turn) => handleFromFramework(ctx, turn)),
  exited: (ctx, event) => exitedInTurn(ctx, event, (turn) => handleFromFramework(ctx, turn)),
  whitelist: (ctx, { hostnames }) => {
    ctx.allocator.updateWhitelist(hostnames);
    requestAllocation(ctx);
  },
  // The wheel is looked at after every event; the timer only brings one about.
  timer: () => {},
  committed: (ctx, { token, error }) => committed(ctx, token, error),
  operatorCall,
};

function handleFromFramework(ctx: Context, event: FromFramework): void {
  if (event.kind === 'exited') {
    exited(ctx, event.pid);
    return;
  }
  const handle = MESSAGES[event.name] as (ctx: Context, event: MessageEvent) => void;
  handle(ctx, event);
}

function start(ctx: Context): void {
  const { now } = ctx.env;
  ctx.deadlines.set({ type: 'allocate' }, now + ctx.options.allocationInterval);
  ctx.deadlines.set({ type: 'registryGc' }, now + ctx.options.registryGcInterval);
  waitForAgents(ctx);
  awaitAgents(ctx);
}

function exited(ctx: Context, pid: string): void {
  const framework = ctx.state.frameworks.get(ctx.frameworkByPid.get(pid) ?? '');
  if (framework?.state === 'CONNECTED') {
    // The process may live on behind a broken link: its driver has to know that it must register again.
    send(ctx, pid, 'mesos.internal.FrameworkErrorMessage', { message: 'Framework disconnected' });
    disconnectFramework(ctx, framework);
  }
  const agent = ctx.state.agents.get(ctx.agentByPid.get(pid) ?? '');
  if (agent !== undefined) disconnectAgent(ctx, agent);
}

function committed(ctx: Context, token: CommitToken, error: string | undefined): void {
  const pending = ctx.commits.get(token);
  if (pending === undefined) return;
  ctx.commits.delete(token);
  if (error !== undefined) {
    // What this master holds to be true may not be: a standby that reads the registry anew knows better.
    ctx.emit({ kind: 'shutdown', reason: `Failed to update the registry (${pending.type}): ${error}` });
    return;
  }
  const handle = COMMITS[pending.type] as (ctx: Context, pending: PendingCommit) => void;
  handle(ctx, pending);
}

/** Deadlines that set themselves anew for the same instant would keep a step going for ever. */
const MAX_DEADLINES_PER_STEP = 100_000;

function runDeadlines(ctx: Context): void {
  for (let i = 0; ; i++) {
    const deadline = ctx.deadlines.take(ctx.env.now);
    if (deadline === undefined) return;
    invariant(i < MAX_DEADLINES_PER_STEP, `deadlines of one instant come to an end, not so ${deadline.type}`);
    const handle = DEADLINES[deadline.type] as (ctx: Context, deadline: Deadline) => void;
    handle(ctx, deadline);
  }
}

function createContext(options: MasterOptions): Context {
  const state = newMasterState(options);
  const allocator = createAllocator({
    roleSorter: options.roleSorter,
    frameworkSorter: options.frameworkSorter,
    filterGpuResources: options.filterGpuResources,
    fairSharingExcluded: options.fairSharingExcludedResources,
    allocationInterval: options.allocationInterval,
    ...(options.minAllocatableResources !== undefined && { minAllocatable: options.minAllocatableResources }),
    ...(options.info.domain !== undefined && { domain: options.info.domain }),
  });
  allocator.updateWeights(state.weights);
  for (const [role, quota] of state.quotas) allocator.updateQuota(role, quota);
  return {
    options,
    state,
    allocator,
    deadlines: new Deadlines(),
    env: undefined as unknown as Env,
    emit: () => {},
    frameworkByStream: new Map(),
    frameworkByPid: new Map(),
    agentByPid: new Map(),
    agentByObserver: new Map(),
    commits: new Map(),
    registering: new Set(),
    transitioning: new Map(),
    newerRegistrations: new Map(),
    newerReregistrations: new Map(),
    overtakenReregistrations: new Map(),
    earlyUpdates: new Map(),
    reconciling: new Map(),
    unreachableQueue: new Map(),
    drainChecks: new Set(),
    unreachableTasks: new Map(),
    unheardEnds: new Map(),
    next: { framework: 0, agent: 0, offer: 0, observer: 1, commit: 0 },
    lastAllocation: Number.NEGATIVE_INFINITY,
    allocationAsked: undefined,
    throttles: throttlesFor(options.rateLimits),
    lastUnreachableMark: Number.NEGATIVE_INFINITY,
    recoveryTold: { awaited: state.recovered.size, step: 0 },
  };
}

/** Makes the core of a master that was just elected. The first event must be `started`. */
export function createMaster(options: MasterOptions): Master {
  const ctx = createContext(options);
  let armed: number | undefined;
  return {
    state: ctx.state,
    allocator: ctx.allocator,
    step(event, env, emit) {
      ctx.env = env;
      ctx.emit = emit;
      // A timer that fired is not armed any more.
      if (event.kind === 'timer' && event.key === WAKE) armed = undefined;
      (EVENTS[event.kind] as (ctx: Context, event: MasterEvent) => void)(ctx, event);
      if (event.kind === 'timer') runDeadlines(ctx);
      if (ctx.drainChecks.size > 0) settleDrains(ctx, commitGone);
      followRecovery(ctx);
      const next = ctx.deadlines.next();
      if (next === armed) return;
      armed = next;
      if (next === undefined) emit({ kind: 'disarm', key: WAKE });
      else emit({ kind: 'arm', key: WAKE, after: Math.max(0, next - env.now) });
    },
  };
}
