/** The agent's operator API: `POST /api/v1`. */
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, badRequest, done, failure } from '../../http/answer.ts';
import type { Endpoint, Principal, Request } from '../../http/endpoint.ts';
import type { FilesError } from '../../http/files/table.ts';
import { messageAnswer, parseMessage, RECORDIO_TYPE, type StreamMedia, streamMediaOf } from '../../http/media.ts';
import { buildInfo } from '../../http/version.ts';
import { RecordReader } from '../../wire/recordio.ts';
import type { ContainerID, ResourceProviderInfo } from '../../wire/v1.ts';
import { Call, Response } from '../../wire/v1_agent.ts';
import { listContainers } from '../core/views/containers.ts';
import { getAgent, getExecutors, getFrameworks, getOperations, getState, getTasks } from '../core/views/operator.ts';
import { formatContainerId, type TypedCall, validateCall } from './call-validation.ts';
import type { AgentHttpParts } from './parts.ts';

type Outcome = Answer | Response;
type Handler = (parts: AgentHttpParts, call: TypedCall, principal: Principal | undefined) => Outcome | Promise<Outcome>;

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
    handle: (request) => answerCall(parts, request),
  };
}

async function answerCall(parts: AgentHttpParts, request: Request): Promise<Answer> {
  const media = streamMediaOf(request);
  if (!media.ok) return media.error;
  const call = readCall(request, media.value);
  if (!call.ok) return badRequest(call.error);
  const misused = refuseStreaming(call.value, media.value);
  if (misused) return misused;
  const outcome = await HANDLERS[call.value.type](parts, call.value, request.principal);
  if ('status' in outcome) return outcome;
  // Streaming accepts were refused above.
  const { accept } = media.value;
  return messageAnswer(Response, outcome, accept === RECORDIO_TYPE ? 'application/json' : accept);
}

/** The call in the body, or in the first record of it. */
function readCall(request: Request, media: StreamMedia): Result<TypedCall> {
  let bytes = request.body;
  if (media.content === RECORDIO_TYPE) {
    const records = new RecordReader().push(bytes);
    if (!records.ok) return records;
    const [first] = records.value;
    if (!first) return err('Received EOF while reading request body');
    bytes = first;
  }
  const kind = media.content === RECORDIO_TYPE ? (media.messageContent ?? 'application/json') : media.content;
  const call = parseMessage(Call, kind, bytes);
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

/** Container calls that this build cannot do yet: the container is looked up first, as upstream does. */
function containerCall(pick: (call: TypedCall) => ContainerID | undefined, unknown: number): Handler {
  return (parts, call) => {
    const id = pick(call);
    if (id && !knows(parts, id)) return failure(unknown, `Container ${formatContainerId(id)} cannot be found`);
    return notInThisBuild(call);
  };
}

function knows(parts: AgentHttpParts, id: ContainerID): boolean {
  const [found] = listContainers(parts.state, parts.usage, parts.wall(), { containerId: (id.parent ?? id).value });
  return found !== undefined && (id.parent === undefined || parts.state.containers.has(id.value));
}

function notInThisBuild(call: TypedCall): Answer {
  return failure(501, `${call.type} is not in this build of the agent`);
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

const listFiles: Handler = async (parts, call, principal) => {
  const entries = await parts.files.browse(call.list_files?.path ?? '', principal);
  if (!entries.ok) return refused(entries.error);
  const infos = entries.value.map((entry) => ({ ...entry, mtime: nanoseconds(entry.mtime) }));
  return { type: 'LIST_FILES', list_files: { file_infos: infos } };
};

const readFile: Handler = async (parts, call, principal) => {
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
  const nested = call.get_containers?.show_nested ?? false;
  const containers = listContainers(parts.state, parts.usage, parts.wall(), { nested });
  return { type: 'GET_CONTAINERS', ...(containers.length > 0 && { get_containers: { containers } }) };
};

const setLoggingLevel: Handler = (parts, call) => {
  const { level = 0, duration } = call.set_logging_level ?? {};
  parts.log.set(Math.max(level, parts.log.original), (duration?.nanoseconds ?? 0) / 1e6);
  return done;
};

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
  LAUNCH_NESTED_CONTAINER: (_parts, call) => notInThisBuild(call),
  WAIT_NESTED_CONTAINER: containerCall((call) => call.wait_nested_container?.container_id, 404),
  KILL_NESTED_CONTAINER: containerCall((call) => call.kill_nested_container?.container_id, 404),
  REMOVE_NESTED_CONTAINER: containerCall((call) => call.remove_nested_container?.container_id, 500),
  LAUNCH_NESTED_CONTAINER_SESSION: (_parts, call) => notInThisBuild(call),
  ATTACH_CONTAINER_INPUT: containerCall((call) => call.attach_container_input?.container_id, 404),
  ATTACH_CONTAINER_OUTPUT: containerCall((call) => call.attach_container_output?.container_id, 404),
  LAUNCH_CONTAINER: (_parts, call) => notInThisBuild(call),
  WAIT_CONTAINER: containerCall((call) => call.wait_container?.container_id, 404),
  KILL_CONTAINER: containerCall((call) => call.kill_container?.container_id, 404),
  REMOVE_CONTAINER: containerCall((call) => call.remove_container?.container_id, 404),
  ADD_RESOURCE_PROVIDER_CONFIG: (_parts, call) => refuseProvider(call.add_resource_provider_config?.info),
  UPDATE_RESOURCE_PROVIDER_CONFIG: (_parts, call) => refuseProvider(call.update_resource_provider_config?.info),
  // Upstream is content when there is nothing to remove, and so are we: there never is.
  REMOVE_RESOURCE_PROVIDER_CONFIG: () => done,
  MARK_RESOURCE_PROVIDER_GONE: () => done,
  PRUNE_IMAGES: () => done,
};
