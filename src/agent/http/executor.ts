/** The executor API of version 1: `POST /api/v1/executor` (facts: http-endpoints, 6). */
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, accepted, badRequest, failure, forbidden } from '../../http/answer.ts';
import type { Endpoint, Exchange } from '../../http/endpoint.ts';
import { acceptOf, type MessageMedia, messageBytes, readCall } from '../../http/media.ts';
import type { RecordStream } from '../../http/stream.ts';
import { encodeRecord } from '../../wire/recordio.ts';
import type { TaskStatus } from '../../wire/v1.ts';
import { Call, Event } from '../../wire/v1_executor.ts';
import type { ExecutorStream } from '../core/effects.ts';
import type { AgentEvent } from '../core/events.ts';
import type { AgentState } from '../core/state.ts';

/** Upstream's: an executor's stream may be silent for long, so this only keeps connections from looking dead. */
const HEARTBEAT_INTERVAL = 30 * 60_000;

type Post = (event: Extract<AgentEvent, { kind: 'executorCall' | 'executorStreamClosed' }>) => void;

interface Open {
  readonly stream: RecordStream;
  readonly media: MessageMedia;
  readonly heartbeat: NodeJS.Timeout;
}

/** The streams of executors that are connected: the core tells them things by number. */
export class ExecutorConnections {
  private readonly open = new Map<ExecutorStream, Open>();
  private readonly post: Post;
  private last = 0;

  /** @param post gives an event to the core */
  constructor(post: Post) {
    this.post = post;
  }

  /** Opens the answer of a SUBSCRIBE as a stream and gives the call to the core with it. */
  subscribe(call: Call, exchange: Exchange, media: MessageMedia): void {
    const id = ++this.last;
    const stream = exchange.openStream({ contentType: media });
    const heartbeat = setInterval(() => this.tell(id, { type: 'HEARTBEAT' }), HEARTBEAT_INTERVAL).unref();
    this.open.set(id, { stream, media, heartbeat });
    this.post({ kind: 'executorCall', call, stream: id });
    stream.onClose(() => {
      clearInterval(heartbeat);
      if (this.open.delete(id)) this.post({ kind: 'executorStreamClosed', stream: id });
    });
  }

  call(call: Call): void {
    this.post({ kind: 'executorCall', call });
  }

  tell(id: ExecutorStream, event: Event): void {
    const open = this.open.get(id);
    open?.stream.write(encodeRecord(messageBytes(Event, event, open.media)));
  }

  close(id: ExecutorStream): void {
    const open = this.open.get(id);
    if (!open) return;
    this.open.delete(id);
    clearInterval(open.heartbeat);
    open.stream.close();
  }
}

/** `POST /api/v1/executor`. */
export function executorEndpoint(process: string, state: AgentState, connections: ExecutorConnections): Endpoint {
  return {
    process,
    path: '/api/v1/executor',
    methods: ['POST'],
    realm: 'executor',
    summary: 'Endpoint for executors to make calls against the agent.',
    description: 'SUBSCRIBE answers with a stream of events that stays open; every other call answers 202.',
    handle: (request, exchange) => {
      const read = readCall(request, Call);
      if (!read.ok) return read.error;
      const call = read.value;
      const valid = validateCall(call);
      if (!valid.ok) return badRequest(`Failed to validate Executor::Call: ${valid.error}`);
      if (call.type === 'UNKNOWN') return failure(501, 'The call has the type UNKNOWN, which means nothing');
      if (call.type === 'HEARTBEAT') return accepted;
      const media = acceptOf(request);
      if (call.type === 'SUBSCRIBE' && !media.ok) return media.error;
      const stranger = refuseStranger(state, call);
      if (stranger) return stranger;
      if (call.type === 'SUBSCRIBE' && media.ok) {
        connections.subscribe(call, exchange, media.value);
        return undefined;
      }
      connections.call(call);
      return accepted;
    },
  };
}

/** Executors call the agent that started them, after they have subscribed. */
function refuseStranger(state: AgentState, call: Call): Answer | undefined {
  const framework = state.frameworks.get(call.framework_id.value);
  if (!framework) return badRequest('Framework cannot be found');
  const executor = framework.executors.get(call.executor_id.value);
  if (!executor) return badRequest('Executor cannot be found');
  if (executor.phase === 'registering' && call.type !== 'SUBSCRIBE') return forbidden('Executor is not subscribed');
  return undefined;
}

function validateCall(call: Call): Result<void> {
  switch (call.type) {
    case undefined:
      return err("Expecting 'type' to be present");
    case 'SUBSCRIBE':
      return call.subscribe ? ok(undefined) : err("Expecting 'subscribe' to be present");
    case 'UPDATE':
      return call.update ? validateStatus(call, call.update.status) : err("Expecting 'update' to be present");
    case 'MESSAGE':
      return call.message ? ok(undefined) : err("Expecting 'message' to be present");
    default:
      return ok(undefined);
  }
}

function validateStatus(call: Call, status: TaskStatus): Result<void> {
  if (status.uuid === undefined) return err("Expecting 'uuid' to be present");
  if (!isUuid(status.uuid)) return err('Not a valid UUID');
  const named = status.executor_id?.value;
  if (named !== undefined && named !== call.executor_id.value) {
    return err(`ExecutorID in Call: ${call.executor_id.value} does not match ExecutorID in TaskStatus: ${named}`);
  }
  if (status.source !== 'SOURCE_EXECUTOR') {
    return err(`Received Call from executor ${call.executor_id.value} with invalid source, expecting SOURCE_EXECUTOR`);
  }
  if (status.state === 'TASK_STAGING') {
    return err(`Received TASK_STAGING from executor ${call.executor_id.value}, which only the agent may say`);
  }
  return ok(undefined);
}

/** 16 bytes of the variant that RFC 4122 describes, as upstream demands. */
function isUuid(bytes: Uint8Array): boolean {
  return bytes.length === 16 && (bytes[8]! & 0xc0) === 0x80;
}
