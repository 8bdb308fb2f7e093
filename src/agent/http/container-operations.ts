/** The operator calls on containers: launch, wait, kill, remove, sessions, and what they write. */
import { type Answer, failure, notFound } from '../../http/answer.ts';
import type { Exchange } from '../../http/endpoint.ts';
import { JSON_TYPE, type MessageMedia, messageBytes, RECORDIO_TYPE, type StreamMedia } from '../../http/media.ts';
import type { RecordStream } from '../../http/stream.ts';
import { sleepable } from '../../runtime/timers.ts';
import { encodeRecord } from '../../wire/recordio.ts';
import type { CommandInfo, ContainerID, ContainerInfo, Resource } from '../../wire/v1.ts';
import { ProcessIO, type Response } from '../../wire/v1_agent.ts';
import { formatContainerId } from '../core/container-id.ts';
import type { Termination } from '../core/effects.ts';
import { fateOfContainer, findLiving, isRootKnown, sandboxOf } from '../core/parents.ts';
import { OutputTail } from './output-tail.ts';
import type { AgentHttpParts } from './parts.ts';

const SIGKILL = 9;
/** What may wait for a reader: the rest waits in the files. */
const ROOM = 1024 * 1024;

/** What a call was made with. */
export interface CallContext {
  readonly exchange: Exchange;
  readonly media: StreamMedia;
}

type Outcome = Answer | Response | undefined;

interface Launch {
  readonly container_id: ContainerID;
  readonly command?: CommandInfo;
  readonly container?: ContainerInfo;
  readonly resources?: readonly Resource[];
}

/** LAUNCH_CONTAINER and LAUNCH_NESTED_CONTAINER. */
export function launchContainer(parts: AgentHttpParts, launch: Launch): Promise<Answer> {
  return parts.calls.ask({ do: 'launch', ...asked(launch), session: false });
}

function asked({ container_id: id, command, container, resources }: Launch) {
  return { id, command, container, resources };
}

/** KILL_CONTAINER and KILL_NESTED_CONTAINER. */
export function killContainer(
  parts: AgentHttpParts,
  { container_id: id, signal = SIGKILL }: { readonly container_id: ContainerID; readonly signal?: number },
): Promise<Answer> {
  return parts.calls.ask({ do: 'kill', id, signal });
}

/** REMOVE_CONTAINER and REMOVE_NESTED_CONTAINER. */
export function removeContainer(
  parts: AgentHttpParts,
  { container_id: id }: { readonly container_id: ContainerID },
): Promise<Answer> {
  return parts.calls.ask({ do: 'remove', id });
}

/** WAIT_CONTAINER and WAIT_NESTED_CONTAINER: answered when the container is over. */
export function waitContainer(
  { state, calls }: AgentHttpParts,
  { container_id: id }: { readonly container_id: ContainerID },
  { exchange }: CallContext,
  type: 'WAIT_CONTAINER' | 'WAIT_NESTED_CONTAINER',
): Outcome | Promise<Outcome> {
  const key = formatContainerId(id);
  const fate = fateOfContainer(state, id);
  if (fate === 'unknown') return notFound(`Container ${key} cannot be found`);
  if (fate !== undefined) return terminated(type, fate);
  return new Promise((resolve) => {
    exchange.onClose(calls.whenOver(key, (termination) => resolve(terminated(type, termination))));
  });
}

function terminated(type: 'WAIT_CONTAINER' | 'WAIT_NESTED_CONTAINER', termination: Termination): Response {
  const { status, reason, message } = termination;
  const told = { ...(status !== undefined && { exit_status: status }), ...(reason && { reason, message }) };
  return type === 'WAIT_CONTAINER' ? { type, wait_container: told } : { type, wait_nested_container: told };
}

/** LAUNCH_NESTED_CONTAINER_SESSION: the answer is what it writes, and when nobody reads that any more it ends. */
export async function launchSession(parts: AgentHttpParts, launch: Launch, context: CallContext): Promise<Outcome> {
  const { calls, state } = parts;
  const id = launch.container_id;
  let tail: OutputTail | undefined;
  let isOver = false;
  // A short one may be over before its launch is answered.
  const cancel = calls.whenOver(formatContainerId(id), () => {
    isOver = true;
    tail?.finish();
  });
  const answer = await calls.ask({ do: 'launch', ...asked(launch), session: true });
  const folder = sandboxOf(state, id);
  if (answer.status !== 200 || folder === undefined) {
    cancel();
    return answer;
  }
  const stream = openOutput(parts, context);
  tail = follow(stream, context.media, folder, 'start');
  if (isOver) tail.finish();
  stream.onClose((end) => {
    cancel();
    if (end !== 'closed by us') void calls.ask({ do: 'destroy', id });
  });
  return undefined;
}

/** ATTACH_CONTAINER_OUTPUT: what it writes from now on. */
export function attachOutput(
  parts: AgentHttpParts,
  { container_id: id }: { readonly container_id: ContainerID },
  context: CallContext,
): Outcome {
  const { state, calls } = parts;
  const key = formatContainerId(id);
  if (!isRootKnown(state, id)) return notFound(`Container ${key} cannot be found`);
  const found = findLiving(state, id);
  if (found === undefined) return failure(500, `Unknown container ${key}`);
  if (found.launcherId === undefined) {
    return failure(500, `Container ${key} has no process of its own: attach to the containers of its tasks`);
  }
  const stream = openOutput(parts, context);
  const tail = follow(stream, context.media, found.sandbox, 'end');
  stream.onClose(calls.whenOver(key, () => tail.finish()));
  return undefined;
}

function openOutput({ heartbeatInterval }: AgentHttpParts, { exchange, media }: CallContext): RecordStream {
  const stream = exchange.openStream({ contentType: media.accept });
  const interval = { nanoseconds: heartbeatInterval * 1e6 };
  const beat: ProcessIO = { type: 'CONTROL', control: { type: 'HEARTBEAT', heartbeat: { interval } } };
  const timer = setInterval(() => stream.write(recordOf(beat, media)), sleepable(heartbeatInterval)).unref();
  stream.onClose(() => clearInterval(timer));
  return stream;
}

function follow(stream: RecordStream, media: StreamMedia, folder: string, from: 'start' | 'end'): OutputTail {
  const tail = new OutputTail({
    folder,
    from,
    hasRoom: () => stream.queuedBytes < ROOM,
    data: (type, data) => stream.write(recordOf({ type: 'DATA', data: { type, data } }, media)),
    ended: () => stream.close(),
  });
  stream.onClose(() => tail.stop());
  return tail;
}

function recordOf(message: ProcessIO, { accept, messageAccept }: StreamMedia): Uint8Array {
  const media: MessageMedia = accept === RECORDIO_TYPE ? (messageAccept ?? JSON_TYPE) : accept;
  return encodeRecord(messageBytes(ProcessIO, message, media));
}
