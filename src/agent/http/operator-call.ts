/** The agent's operator API: `POST /api/v1`. */
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, badRequest, done, failure } from '../../http/answer.ts';
import type { Endpoint, Exchange, Principal, Request } from '../../http/endpoint.ts';
import type { FilesError } from '../../http/files/table.ts';
import {
  type MessageMedia,
  messageAnswer,
  parseMessage,
  RECORDIO_TYPE,
  type StreamMedia,
  streamMediaOf,
} from '../../http/media.ts';
import { buildInfo } from '../../http/version.ts';
import type { ResourceProviderInfo } from '../../wire/v1.ts';
import { Call, Response } from '../../wire/v1_agent.ts';
import { listContainers } from '../core/views/containers.ts';
import { getAgent, getExecutors, getFrameworks, getOperations, getState, getTasks } from '../core/views/operator.ts';
import { type TypedCall, validateCall } from './call-validation.ts';
import { attachInput, RecordSource } from './container-input.ts';
import {
  attachOutput,
  type CallContext,
  killContainer,
  launchContainer,
  launchSession,
  removeContainer,
  waitContainer,
} from './container-operations.ts';
import type { AgentHttpParts } from './parts.ts';

type Outcome = Answer | Response | undefined;
interface Context extends CallContext {
  readonly principal: Principal | undefined;
}
type Handler = (parts: AgentHttpParts, call: TypedCall, context: Context) => Outcome | Promise<Outcome>;

/** `POST /api/v1`. */
export function operatorEndpoint(parts: AgentHttpParts): Endpoint {
  return {
    process: parts.process,
    path: '/api/v1',
    match: 'exact',
    methods: ['POST'],
    realm: 'readwrite',
    summary: 'Endpoint for API calls against the agent.',
    description: 'Takes a mesos.v1.agent.Call as JSON or protobuf and answers with a mesos.v1.agent.Response.',
    streams: (request) => request.headers['content-type'] === RECORDIO_TYPE,
    handle: (request, exchange) => answerCall(parts, request, exchange),
  };
}

async function answerCall(parts: AgentHttpParts, request: Request, exchange: Exchange): Promise<Answer | undefined> {
  const media = streamMediaOf(request);
  if (!media.ok) return media.error;
  if (media.value.content === RECORDIO_TYPE) return answerStream(parts, request, media.value);
  const call = readCall(request.body, media.value.content);
  if (!call.ok) return badRequest(call.error);
  const misused = refuseStreaming(call.value, media.value);
  if (misused) return misused;
  const { type } = call.value;
  const context = { principal: request.principal, exchange, media: media.value };
  const outcome = await HANDLERS[type](parts, call.value, context);
  if (outcome === undefined || 'status' in outcome) return outcome;
  // Streaming accepts were refused above.
  const { accept } = media.value;
  return messageAnswer(Response, outcome, accept === RECORDIO_TYPE ? 'application/json' : accept);
}

/** A request of records: the first one is the call. */
async function answerStream(parts: AgentHttpParts, request: Request, media: StreamMedia): Promise<Answer> {
  const source = new RecordSource(request.stream);
  const kind = media.messageContent ?? 'application/json';
  const record = await source.first();
  if (!record.ok) return badRequest(record.error);
  if (record.value === undefined) return badRequest('Received EOF while reading request body');
  const call = readCall(record.value, kind);
  if (!call.ok) return badRequest(call.error);
  const misused = refuseStreaming(call.value, media);
  return misused ?? attachInput(parts, call.value, source, (bytes) => readCall(bytes, kind));
}

function readCall(bytes: Uint8Array, media: MessageMedia): Result<TypedCall> {
  const call = parseMessage(Call, media, bytes);
  if (!call.ok) return call;
  const valid = validateCall(call.value);
  return valid.ok ? ok(valid.value) : err(`Failed to validate agent::Call: ${valid.error}`);
}

const STREAMED_ANSWERS: ReadonlySet<string> = new Set(['LAUNCH_NESTED_CONTAINER_SESSION', 'ATTACH_CONTAINER_OUTPUT']);

function refuseStreaming(call: TypedCall, media: StreamMedia): Answer | undefined {
  const streamed = media.content === RECORDIO_TYPE;
  if (streamed && call.type !== 'ATTACH_CONTAINER_INPUT') {
    return failure(415, `Streaming 'Content-Type' ${RECORDIO_TYPE} is not supported for ${call.type} call`);
  }
  if (!streamed && call.type === 'ATTACH_CONTAINER_INPUT') {
    return failure(415, `Expecting 'Content-Type' to be ${RECORDIO_TYPE} for ${call.type} call`);
  }
  if (media.accept === RECORDIO_TYPE && !STREAMED_ANSWERS.has(call.type)) {
    return failure(406, `Streaming response is not supported for ${call.type} call`);
  }
  return undefined;
}

/** Upstream validates a provider before it looks for it; here no type of providers is known. */
function refuseProvider(info: ResourceProviderInfo | undefined): Answer {
  const { type = '', name = '', id } = info ?? {};
  const reason =
    id === undefined
      ? `the type '${type}' is unknown: this build of the agent serves no resource providers`
      : "'id' must not be set: the agent chooses it";
  return badRequest(`Failed to validate resource provider config with type '${type}' and name '${name}': ${reason}`);
}

function refused(error: FilesError): Answer {
  return failure(error.status, error.sentence);
}

const nanoseconds = (seconds: number): { nanoseconds: number } => ({ nanoseconds: seconds * 1e9 });

const listFiles: Handler = async (parts, call, { principal }) => {
  const entries = await parts.files.browse(call.list_files?.path ?? '', principal);
  if (!entries.ok) return refused(entries.error);
  const infos = entries.value.map((entry) => ({ ...entry, mtime: nanoseconds(entry.mtime) }));
  return { type: 'LIST_FILES', list_files: { file_infos: infos } };
};

const readFile: Handler = async (parts, call, { principal }) => {
  const { path = '', offset = 0, length } = call.read_file ?? {};
  const read = await parts.files.read(path, offset, length, principal);
  return read.ok ? { type: 'READ_FILE', read_file: read.value } : refused(read.error);
};

const getMetrics: Handler = (parts) => {
  const metrics = Object.entries(parts.metrics()).map(([name, value]) => ({ name, value }));
  return { type: 'GET_METRICS', get_metrics: { metrics } };
};

const getVersion: Handler = () => {
  const { meseta_version: _, ...info } = buildInfo;
  return { type: 'GET_VERSION', get_version: { version_info: info } };
};

const getContainers: Handler = (parts, call) => {
  const { show_nested: nested, show_standalone: standalone } = call.get_containers ?? {};
  const containers = listContainers(parts.state, parts.usage, parts.wall(), { nested, standalone });
  return { type: 'GET_CONTAINERS', ...(containers.length > 0 && { get_containers: { containers } }) };
};

const setLoggingLevel: Handler = (parts, call) => {
  const { level = 0, duration } = call.set_logging_level ?? {};
  parts.log.set(Math.max(level, parts.log.original), (duration?.nanoseconds ?? 0) / 1e6);
  return done;
};

/** The validation has seen to it that each call has its argument. */
const HANDLERS: Readonly<Record<TypedCall['type'], Handler>> = {
  UNKNOWN: () => failure(501, 'The call has the type UNKNOWN, which means nothing'),
  GET_HEALTH: () => ({ type: 'GET_HEALTH', get_health: { healthy: true } }),
  GET_FLAGS: (parts) => {
    const flags = Object.entries(parts.flags()).map(([name, value]) => ({ name, value }));
    return { type: 'GET_FLAGS', get_flags: { flags } };
  },
  GET_VERSION: getVersion,
  GET_METRICS: getMetrics,
  GET_LOGGING_LEVEL: (parts) => ({ type: 'GET_LOGGING_LEVEL', get_logging_level: { level: parts.log.get() } }),
  SET_LOGGING_LEVEL: setLoggingLevel,
  LIST_FILES: listFiles,
  READ_FILE: readFile,
  GET_STATE: ({ state }) => ({ type: 'GET_STATE', get_state: getState(state) }),
  GET_CONTAINERS: getContainers,
  GET_FRAMEWORKS: ({ state }) => ({ type: 'GET_FRAMEWORKS', get_frameworks: getFrameworks(state) }),
  GET_EXECUTORS: ({ state }) => ({ type: 'GET_EXECUTORS', get_executors: getExecutors(state) }),
  GET_OPERATIONS: ({ state }) => ({ type: 'GET_OPERATIONS', get_operations: getOperations(state) }),
  GET_TASKS: ({ state }) => ({ type: 'GET_TASKS', get_tasks: getTasks(state) }),
  GET_AGENT: ({ state }) => ({ type: 'GET_AGENT', get_agent: getAgent(state) }),
  GET_RESOURCE_PROVIDERS: () => ({ type: 'GET_RESOURCE_PROVIDERS', get_resource_providers: {} }),
  LAUNCH_NESTED_CONTAINER: (parts, call) => launchContainer(parts, call.launch_nested_container!),
  WAIT_NESTED_CONTAINER: (parts, call, context) =>
    waitContainer(parts, call.wait_nested_container!, context, 'WAIT_NESTED_CONTAINER'),
  KILL_NESTED_CONTAINER: (parts, call) => killContainer(parts, call.kill_nested_container!),
  REMOVE_NESTED_CONTAINER: (parts, call) => removeContainer(parts, call.remove_nested_container!),
  LAUNCH_NESTED_CONTAINER_SESSION: (parts, call, context) =>
    launchSession(parts, call.launch_nested_container_session!, context),
  // Its requests are streams, which never come here.
  ATTACH_CONTAINER_INPUT: () => failure(415, `Expecting 'Content-Type' to be ${RECORDIO_TYPE}`),
  ATTACH_CONTAINER_OUTPUT: (parts, call, context) => attachOutput(parts, call.attach_container_output!, context),
  LAUNCH_CONTAINER: (parts, call) => launchContainer(parts, call.launch_container!),
  WAIT_CONTAINER: (parts, call, context) => waitContainer(parts, call.wait_container!, context, 'WAIT_CONTAINER'),
  KILL_CONTAINER: (parts, call) => killContainer(parts, call.kill_container!),
  REMOVE_CONTAINER: (parts, call) => removeContainer(parts, call.remove_container!),
  ADD_RESOURCE_PROVIDER_CONFIG: (_parts, call) => refuseProvider(call.add_resource_provider_config?.info),
  UPDATE_RESOURCE_PROVIDER_CONFIG: (_parts, call) => refuseProvider(call.update_resource_provider_config?.info),
  // Upstream is content when there is nothing to remove, and so are we: there never is.
  REMOVE_RESOURCE_PROVIDER_CONFIG: () => done,
  MARK_RESOURCE_PROVIDER_GONE: () => done,
  PRUNE_IMAGES: () => done,
};
