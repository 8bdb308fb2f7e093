import type { StatusUpdate } from '../../wire/internal.ts';
import { rememberAcknowledgement, rememberUpdate } from './checkpoints.ts';
import { type Context, log, send } from './context.ts';
import type { UpdateStream } from './state.ts';
import { isTerminal } from './task-state.ts';

/** Upstream's retry: 10 s after the first sending, then doubling, never more than 10 minutes. */
const RETRY_MIN = 10_000;
const RETRY_MAX = 600_000;

const streamKey = (frameworkId: string, taskId: string): string => `${frameworkId}/${taskId}`;
const timerKey = (stream: UpdateStream): string => `update/${streamKey(stream.frameworkId, stream.taskId)}`;

export function hex(bytes: Uint8Array | undefined): string {
  let text = '';
  for (const byte of bytes ?? []) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function newStream(frameworkId: string, taskId: string): UpdateStream {
  return { frameworkId, taskId, pending: [], backoff: RETRY_MIN, received: new Set(), terminal: false };
}

/**
 * Takes a status update into its task's stream; it is sent as soon as those before it are acknowledged.
 * @returns false when it was there already, or comes after the task's end
 */
export function submitUpdate(context: Context, update: StatusUpdate): boolean {
  const frameworkId = update.framework_id.value;
  const taskId = update.status.task_id.value;
  const key = streamKey(frameworkId, taskId);
  let stream = context.state.streams.get(key);
  if (!stream) {
    stream = newStream(frameworkId, taskId);
    context.state.streams.set(key, stream);
  }
  const uuid = hex(update.uuid);
  if (stream.received.has(uuid) || stream.terminal) return false;
  stream.received.add(uuid);
  stream.terminal = isTerminal(update.status.state);
  stream.pending.push(update);
  rememberUpdate(context, update);
  if (stream.pending.length === 1) forwardFirst(context, stream, RETRY_MIN);
  return true;
}

/**
 * The scheduler has seen the update.
 * @returns that update, or undefined when it is not the one on its way
 */
export function acknowledgeUpdate(
  context: Context,
  frameworkId: string,
  taskId: string,
  uuid: Uint8Array,
): StatusUpdate | undefined {
  const key = streamKey(frameworkId, taskId);
  const stream = context.state.streams.get(key);
  const first = stream?.pending[0];
  if (!stream || !first || hex(first.uuid) !== hex(uuid)) {
    log(context, 'warning', `Ignoring an acknowledgement for task ${taskId} of framework ${frameworkId}: not awaited`);
    return undefined;
  }
  context.emit({ kind: 'disarm', key: timerKey(stream) });
  stream.pending.shift();
  rememberAcknowledgement(context, frameworkId, taskId, first.uuid);
  if (isTerminal(first.status.state)) context.state.streams.delete(key);
  else if (stream.pending.length > 0) forwardFirst(context, stream, RETRY_MIN);
  return first;
}

/** The retry timer of this stream has fired. */
export function retryUpdate(context: Context, frameworkId: string, taskId: string): void {
  const stream = context.state.streams.get(streamKey(frameworkId, taskId));
  if (stream && stream.pending.length > 0) forwardFirst(context, stream, Math.min(stream.backoff * 2, RETRY_MAX));
}

/** A master has admitted the agent (again): whatever is unacknowledged goes out at once. */
export function resumeUpdates(context: Context): void {
  for (const stream of context.state.streams.values()) {
    if (stream.pending.length > 0) forwardFirst(context, stream, RETRY_MIN);
  }
}

/** The framework's scheduler has moved: what it has not acknowledged goes out at once. */
export function resumeFrameworkUpdates(context: Context, frameworkId: string): void {
  for (const stream of context.state.streams.values()) {
    if (stream.frameworkId === frameworkId && stream.pending.length > 0) forwardFirst(context, stream, RETRY_MIN);
  }
}

/** Nobody is left to acknowledge this framework's updates. */
export function forgetUpdates(context: Context, frameworkId: string): void {
  for (const [key, stream] of context.state.streams) {
    if (stream.frameworkId !== frameworkId) continue;
    context.emit({ kind: 'disarm', key: timerKey(stream) });
    context.state.streams.delete(key);
  }
}

/** Sends the first update of the stream, unless no master would take it now: then `resumeUpdates` will. */
function forwardFirst(context: Context, stream: UpdateStream, backoff: number): void {
  const { state } = context;
  const update = stream.pending[0];
  if (!update || state.phase !== 'running' || state.master === undefined) return;
  stream.backoff = backoff;
  context.emit({ kind: 'arm', key: timerKey(stream), after: backoff });
  send(context, state.master, 'mesos.internal.StatusUpdateMessage', {
    update: withLatestState(context, update),
    pid: state.options.pid,
  });
}

/** Notes on the task what its scheduler is about to know, and tells the master where the task really is by now. */
function withLatestState(context: Context, update: StatusUpdate): StatusUpdate {
  const framework = context.state.frameworks.get(update.framework_id.value);
  const taskId = update.status.task_id.value;
  const executor = framework?.tasks.get(taskId);
  const record = executor?.launched.get(taskId) ?? executor?.terminated.get(taskId);
  if (!record) return update;
  record.task = {
    ...record.task,
    status_update_state: update.status.state,
    ...(update.uuid && { status_update_uuid: update.uuid }),
  };
  return { ...update, latest_state: record.task.state };
}
