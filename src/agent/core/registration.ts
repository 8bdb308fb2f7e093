import { randomUuidBytes } from '../../base/random.ts';
import type { Archive_Framework, ReregisterSlaveMessage, SlaveRegisteredMessage } from '../../wire/internal.ts';
import type { ExecutorInfo, FrameworkInfo, Task } from '../../wire/v1.ts';
import { latestAgentLink, rememberAgent } from './checkpoints.ts';
import { type Context, log, send } from './context.ts';
import type { Pid } from './effects.ts';
import { resumeOperations } from './operation-updates.ts';
import { beginEstimates } from './oversubscription.ts';
import { agentDirectory } from './paths.ts';
import { isRecovering } from './reconnecting.ts';
import { checkpointedResources } from './resources.ts';
import type { AgentState, Framework } from './state.ts';
import { resumeUpdates } from './updates.ts';

export const REGISTRATION_TIMER = 'registration';
export const PING_TIMER = 'ping';
/** Upstream's cap on the delay between two attempts to register. */
const MAX_BACKOFF = 60_000;
/** How often an agent that waits for its executors looks whether it may register. */
const RECOVERY_POLL = 50;

/** The detector says who leads. */
export function masterDetected(context: Context, pid: Pid | undefined): void {
  const { state } = context;
  state.master = pid;
  context.emit({ kind: 'disarm', key: PING_TIMER });
  context.emit({ kind: 'disarm', key: REGISTRATION_TIMER });
  if (state.phase === 'terminating') return;
  state.phase = 'disconnected';
  beAnotherLife(context);
  if (pid === undefined) {
    log(context, 'info', 'No master leads: waiting for one');
    return;
  }
  log(context, 'info', `New master detected at ${pid}`);
  context.emit({ kind: 'link', pid, reconnect: true });
  startRegistering(context);
}

/**
 * While it has no id: a master may have given it one, and tasks, in messages that were lost or passed over. For whoever did
 * so it is another agent from now on, which has none of them; launches that are still on their way are refused.
 */
function beAnotherLife({ state, env }: Context): void {
  if (state.info.id === undefined) state.resourceVersion = randomUuidBytes(env.random);
}

/** The connection to the master broke: it may have restarted, so the agent introduces itself again. */
export function masterLost(context: Context): void {
  const { state } = context;
  log(context, 'warning', `The connection to the master ${state.master} broke`);
  beAnotherLife(context);
  if (state.phase !== 'running') return;
  state.phase = 'disconnected';
  context.emit({ kind: 'disarm', key: PING_TIMER });
  startRegistering(context);
}

/** The master's books of this agent are wrong: introducing itself anew puts them right. */
export function registerAgain(context: Context, why: string): void {
  const { state } = context;
  if (state.phase === 'disconnected') {
    // An attempt may be on its way, or be taken for good right now: its answer must not be the last word.
    state.isInventoryStale = true;
    return;
  }
  if (state.phase !== 'running') return;
  log(context, 'warning', `Registering again: ${why}`);
  state.phase = 'disconnected';
  context.emit({ kind: 'disarm', key: PING_TIMER });
  state.registrationBackoff = state.options.registrationBackoffFactor * 2;
  attemptRegistration(context);
}

function startRegistering(context: Context): void {
  context.state.unansweredInventories = 0;
  const factor = context.state.options.registrationBackoffFactor;
  context.state.registrationBackoff = factor * 2;
  context.emit({ kind: 'arm', key: REGISTRATION_TIMER, after: context.env.random() * factor });
}

/** It is time to (try to) register, and to think about when to try again. */
export function attemptRegistration(context: Context): void {
  const { state } = context;
  if (state.phase !== 'disconnected' || state.master === undefined) return;
  if (isRecovering(context)) {
    context.emit({ kind: 'arm', key: REGISTRATION_TIMER, after: RECOVERY_POLL });
    return;
  }
  context.emit({ kind: 'link', pid: state.master, reconnect: false });
  // Without an id it tells of nothing.
  if (state.info.id) state.isInventoryStale = false;
  // Launches that this inventory does not show count on an older version: they are refused when they arrive, because the
  // master may enter the agent from this inventory, and give what they were to use away. Before an id there are none.
  if (state.info.id) state.resourceVersion = randomUuidBytes(context.env.random);
  const checkpointed = checkpointedResources(state);
  const base = {
    version: state.options.version,
    agent_capabilities: state.options.capabilities,
    resource_version_uuid: { value: state.resourceVersion },
    ...(checkpointed.length > 0 && { checkpointed_resources: checkpointed }),
  };
  if (state.info.id) {
    state.unansweredInventories++;
    send(context, state.master, 'mesos.internal.ReregisterSlaveMessage', { ...base, ...inventory(state) });
  } else {
    send(context, state.master, 'mesos.internal.RegisterSlaveMessage', { ...base, slave: state.info });
  }
  const after = context.env.random() * state.registrationBackoff;
  state.registrationBackoff = Math.min(state.registrationBackoff * 2, MAX_BACKOFF);
  context.emit({ kind: 'arm', key: REGISTRATION_TIMER, after });
}

/** Everything that a master which may know nothing of this agent has to know. */
function inventory(state: AgentState): Omit<ReregisterSlaveMessage, 'version'> {
  const tasks: Task[] = [];
  const executors: ExecutorInfo[] = [];
  const frameworks: FrameworkInfo[] = [];
  for (const framework of state.frameworks.values()) {
    frameworks.push(framework.info);
    for (const executor of framework.executors.values()) {
      for (const part of [executor.queued, executor.launched, executor.terminated]) {
        for (const record of part.values()) tasks.push(record.task);
      }
      // A terminated executor is no executor to the master; command executors it does not know at all.
      if (executor.kind !== 'command' && executor.phase !== 'terminated') {
        executors.push({ ...executor.info, framework_id: { value: framework.id } });
      }
    }
  }
  const completed = [...state.completedFrameworks].map(archive);
  return {
    slave: state.info,
    ...(tasks.length > 0 && { tasks }),
    ...(executors.length > 0 && { executor_infos: executors }),
    ...(frameworks.length > 0 && { frameworks }),
    ...(completed.length > 0 && { completed_frameworks: completed }),
  };
}

function archive(framework: Framework): Archive_Framework {
  const tasks = [...framework.completedExecutors].flatMap((executor) =>
    [...executor.completed].map((record) => record.task),
  );
  return { framework_info: framework.info, ...(tasks.length > 0 && { tasks }) };
}

/** A master has admitted the agent under this id. @returns false when that cannot be meant for this agent */
export function admitted(
  context: Context,
  id: SlaveRegisteredMessage['slave_id'],
  connection: SlaveRegisteredMessage['connection'],
): boolean {
  const { state } = context;
  if (state.phase === 'terminating') return false;
  const known = state.info.id?.value;
  if (known !== undefined && known !== id.value) {
    const reason = `the master calls this agent ${id.value}, but its id is ${known}`;
    log(
      context,
      'error',
      `Ending: ${reason}. To begin as a new agent, remove ${latestAgentLink(state)} and start it again`,
    );
    context.emit({ kind: 'terminate', status: 1, reason });
    return false;
  }
  if (state.phase === 'running') return true;
  log(
    context,
    'info',
    `${known === undefined ? 'Registered' : 'Re-registered'} with master ${state.master}; agent id ${id.value}`,
  );
  state.phase = 'running';
  state.info = { ...state.info, id };
  context.emit({ kind: 'disarm', key: REGISTRATION_TIMER });
  if (known === undefined) {
    rememberAgent(context);
    showAgentDirectory(context, id.value);
  }
  const seconds = connection?.total_ping_timeout_seconds;
  if (seconds !== undefined && seconds > 0) state.pingTimeout = seconds * 1000;
  armPingTimer(context);
  resumeUpdates(context);
  beginEstimates(context);
  tellResources(context);
  // After those: a new master learns from them that there are such operations.
  resumeOperations(context);
  // An inventory that was on its way when they ended had them still.
  for (const exited of state.departed.splice(0)) {
    if (state.master !== undefined) send(context, state.master, 'mesos.internal.ExitedExecutorMessage', exited);
  }
  if (state.isInventoryStale) registerAgain(context, 'its resources have changed while it registered');
  return true;
}

/** Makes the folder of this agent's sandboxes, and lets `slaves/latest` lead there. */
export function showAgentDirectory(context: Context, id: string): void {
  const { workDir } = context.state.options;
  const link = { link: `${workDir}/slaves/latest`, target: id };
  context.emit({ kind: 'agentDirectory', path: agentDirectory(workDir, id), link });
}

/** Tells the master which version of the resources a launch has to count on, and which operations were made here. */
export function tellResources(context: Context): void {
  const { state } = context;
  if (state.master === undefined || state.info.id === undefined) return;
  const operations = [...state.operations.values()].map(({ operation }) => operation);
  send(context, state.master, 'mesos.internal.UpdateSlaveMessage', {
    slave_id: state.info.id,
    update_oversubscribed_resources: state.oversubscribed !== undefined,
    ...(state.oversubscribed !== undefined && { oversubscribed_resources: state.oversubscribed.toProto() }),
    operations: operations.length > 0 ? { operations } : {},
    resource_version_uuid: { value: state.resourceVersion },
    resource_providers: {},
  });
}

export function armPingTimer(context: Context): void {
  context.emit({ kind: 'arm', key: PING_TIMER, after: context.state.pingTimeout });
}

/** No ping for so long means that the master has given this agent up, or that it is not there any more. */
export function pingMissed(context: Context): void {
  if (context.state.phase !== 'running') return;
  log(context, 'warning', `No ping from the master for ${context.state.pingTimeout / 1000} s: asking who leads`);
  context.emit({ kind: 'detectMaster' });
}
