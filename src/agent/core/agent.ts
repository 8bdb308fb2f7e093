import type { Env, Machine } from '../../base/machine.ts';
import { randomUuidBytes } from '../../base/random.ts';
import { Resources } from '../../resources/resources.ts';
import type { AgentInfo } from '../../wire/v1.ts';
import { probeDone } from './checks.ts';
import { containerCall } from './container-calls.ts';
import { containerExited, containerFailed, containerStarted } from './containers.ts';
import { type Context, log } from './context.ts';
import type { AgentEffect, InboundMessages, Pid } from './effects.ts';
import type { AgentEvent, MessageEvent } from './events.ts';
import { executorCall, executorStreamClosed } from './executor-api.ts';
import { collectGarbage } from './garbage.ts';
import { acknowledgeStatus } from './handlers/acknowledge-status.ts';
import { drainSlave, finishDrain } from './handlers/drain-slave.ts';
import { executorToFramework } from './handlers/executor-to-framework.ts';
import { frameworkToExecutor } from './handlers/framework-to-executor.ts';
import { killTask } from './handlers/kill-task.ts';
import {
  acknowledgeOperation,
  applyOperation,
  checkpointResources,
  reconcileOperations,
} from './handlers/operations.ts';
import { pingSlave } from './handlers/ping-slave.ts';
import { registerExecutor } from './handlers/register-executor.ts';
import { reregisterExecutor } from './handlers/reregister-executor.ts';
import { runTask } from './handlers/run-task.ts';
import { runTaskGroup } from './handlers/run-task-group.ts';
import { shutdown } from './handlers/shutdown.ts';
import { shutdownExecutor } from './handlers/shutdown-executor.ts';
import { shutdownFramework } from './handlers/shutdown-framework.ts';
import { slaveRegistered } from './handlers/slave-registered.ts';
import { slaveReregistered } from './handlers/slave-reregistered.ts';
import { statusUpdate } from './handlers/status-update.ts';
import { updateFramework } from './handlers/update-framework.ts';
import { createMetrics } from './metrics.ts';
import { volumesChanged } from './operations.ts';
import { isRecovering } from './reconnecting.ts';
import type { Recovered } from './recovered.ts';
import { resume } from './recovery.ts';
import { masterDetected, masterLost } from './registration.ts';
import { restore } from './restore.ts';
import { Ring } from './ring.ts';
import { endAgent, leaveAgent } from './shutdown.ts';
import type { AgentOptions, AgentState } from './state.ts';
import { timerFired } from './timers.ts';

type Handler<M> = (context: Context, message: M, from: Pid) => void;

const HANDLERS: { readonly [N in keyof InboundMessages]: Handler<InboundMessages[N]> } = {
  'mesos.internal.SlaveRegisteredMessage': slaveRegistered,
  'mesos.internal.SlaveReregisteredMessage': slaveReregistered,
  'mesos.internal.PingSlaveMessage': pingSlave,
  'mesos.internal.RunTaskMessage': runTask,
  'mesos.internal.RunTaskGroupMessage': runTaskGroup,
  'mesos.internal.KillTaskMessage': killTask,
  'mesos.internal.ShutdownExecutorMessage': shutdownExecutor,
  'mesos.internal.ShutdownFrameworkMessage': shutdownFramework,
  'mesos.internal.FrameworkToExecutorMessage': frameworkToExecutor,
  'mesos.internal.UpdateFrameworkMessage': updateFramework,
  'mesos.internal.CheckpointResourcesMessage': checkpointResources,
  'mesos.internal.ApplyOperationMessage': applyOperation,
  'mesos.internal.ReconcileOperationsMessage': reconcileOperations,
  'mesos.internal.AcknowledgeOperationStatusMessage': acknowledgeOperation,
  'mesos.internal.StatusUpdateAcknowledgementMessage': acknowledgeStatus,
  'mesos.internal.StatusUpdateMessage': statusUpdate,
  'mesos.internal.RegisterExecutorMessage': registerExecutor,
  'mesos.internal.ReregisterExecutorMessage': reregisterExecutor,
  'mesos.internal.ExecutorToFrameworkMessage': executorToFramework,
  'mesos.internal.ShutdownMessage': shutdown,
  'mesos.internal.DrainSlaveMessage': drainSlave,
};

/** Whether the agent understands messages of this name; others are dropped by whoever receives them. */
export function isInbound(name: string): name is keyof InboundMessages {
  return Object.hasOwn(HANDLERS, name);
}

/** Upstream's ring of completed frameworks, and its silence after which a master is thought lost. */
const COMPLETED_FRAMEWORKS = 50;
const DEFAULT_PING_TIMEOUT = 75_000;

/** The agent's core: what it knows, and the step that changes it. */
export interface Agent extends Machine<AgentEvent, AgentEffect> {
  /** Read only: views are functions of it. */
  readonly state: AgentState;
}

/** What an agent with these options says of itself before it has an id. */
export function agentInfo(options: AgentOptions): AgentInfo {
  return {
    hostname: options.hostname,
    port: options.port,
    resources: options.resources,
    ...(options.attributes && { attributes: options.attributes }),
    ...(options.domain && { domain: options.domain }),
    checkpoint: options.checkpoint,
  };
}

/**
 * @param env the world at the start: names the resources' version, and tells when the agent started
 * @param recovered what an agent of before has left; then the first event must be `resume`
 */
export function createAgent(options: AgentOptions, env: Env, recovered?: Recovered): Agent {
  const state: AgentState = {
    options,
    startTime: env.wall,
    phase: 'disconnected',
    info: agentInfo(options),
    isLeaving: false,
    isForGood: false,
    master: undefined,
    oversubscribed: undefined,
    total: Resources.of(options.resources),
    operations: new Map(),
    resourceVersion: randomUuidBytes(env.random),
    isInventoryStale: false,
    unansweredInventories: 0,
    registrationBackoff: 0,
    pingTimeout: DEFAULT_PING_TIMEOUT,
    drain: undefined,
    frameworks: new Map(),
    completedFrameworks: new Ring(COMPLETED_FRAMEWORKS),
    containers: new Map(),
    operatorContainers: new Map(),
    endedContainers: new Set(),
    streams: new Map(),
    departed: [],
    garbage: new Map(),
    latestRuns: new Map(),
    lastTimestamp: 0,
    diskUsage: 0,
    metrics: createMetrics(),
  };
  if (recovered !== undefined) restore(state, recovered);
  return {
    state,
    step(event, now, emit) {
      const context = { state, env: now, emit };
      dispatch(context, event);
      if (state.drain !== undefined) finishDrain(context);
      if (state.metrics.recoveryTime === undefined && !isRecovering(context))
        state.metrics.recoveryTime = now.wall - state.startTime;
    },
  };
}

const EVENTS: {
  readonly [K in AgentEvent['kind']]: (context: Context, event: Extract<AgentEvent, { kind: K }>) => void;
} = {
  message: receive,
  timer: (context, event) => timerFired(context, event.key),
  containerStarted,
  containerExited,
  containerFailed,
  containerCall,
  probeDone,
  executorCall,
  executorStreamClosed,
  volumesChanged,
  masterDetected: (context, event) => masterDetected(context, event.pid),
  exited: (context, event) => {
    if (event.pid === context.state.master) masterLost(context);
    else log(context, 'info', `${event.pid} has exited`);
  },
  diskUsage: (context, event) => {
    context.state.diskUsage = event.fraction;
    collectGarbage(context);
  },
  resume: (context, event) => resume(context, event.recovered, event.cleanup),
  leave: (context) => leaveAgent(context),
  directoryRemoved: ({ state }, { ok }) => {
    if (ok) state.metrics.pathRemovals++;
    else state.metrics.failedPathRemovals++;
  },
  stop: (context, event) =>
    endAgent(context, 'asked to stop', { unregister: event.unregister, forGood: event.unregister }),
};

function dispatch(context: Context, event: AgentEvent): void {
  // Kind and event belong together by the table's type, which an indexed call does not see.
  const handler = EVENTS[event.kind] as (context: Context, event: AgentEvent) => void;
  handler(context, event);
}

function receive(context: Context, event: MessageEvent): void {
  // Name and body belong together by the type of the event, which an indexed call does not see.
  const handler = HANDLERS[event.name] as Handler<unknown>;
  handler(context, event.body, event.from);
}
