import { type Answer, badRequest, done, failure, inPieces, json, protobuf } from '../../http/answer.ts';
import type { Endpoint, Exchange, Request } from '../../http/endpoint.ts';
import type { FilesError } from '../../http/files/table.ts';
import { acceptOf, JSON_TYPE, type MessageMedia, readCall } from '../../http/media.ts';
import { Call, Response } from '../../wire/v1_master.ts';
import { visibleTo } from '../authorization.ts';
import type { MasterState } from '../core/state.ts';
import { answerOf, type Beside, READING_CALLS, type ReadingCall } from '../views/operator.ts';
import { LISTING_CALLS, type ListingCall, listingJson, listingProtobuf, WANTED } from '../views/operator-lists.ts';
import { getRolesJson, getRolesProtobuf, takeRoles } from '../views/roles.ts';
import { takeSnapshot } from '../views/snapshot.ts';
import { type Compose, keyOf } from './answers.ts';
import { perform } from './changes.ts';
import { noLeader } from './pages.ts';
import { type MasterService, PROCESS } from './service.ts';

type CallType = NonNullable<Call['type']>;

/** Calls that need no argument; every other one has its own, named like the call. */
const BARE: ReadonlySet<CallType> = new Set<CallType>([
  'UNKNOWN',
  'GET_HEALTH',
  'GET_FLAGS',
  'GET_VERSION',
  'GET_LOGGING_LEVEL',
  'SUBSCRIBE',
  'GET_ROLES',
  ...READING_CALLS,
  ...LISTING_CALLS,
]);
const READING: ReadonlySet<string> = new Set(READING_CALLS);
const LISTING: ReadonlySet<string> = new Set(LISTING_CALLS);

/** `POST /api/v1` (facts: http-endpoints, 2). Checks come in upstream's order. */
export function operatorEndpoint(service: MasterService): Endpoint {
  return {
    process: PROCESS,
    path: '/api/v1',
    methods: ['POST'],
    realm: 'readwrite',
    leader: 'recovered',
    summary: 'Endpoint for API calls against the master.',
    description: 'One call each, in JSON or protobuf; SUBSCRIBE answers with a stream of events that stays open.',
    handle: (request, exchange) => {
      if (service.state === undefined) return noLeader;
      const call = readCall(request, Call);
      if (!call.ok) return call.error;
      const { type } = call.value;
      if (type === undefined) return invalid('type');
      const argument = type.toLowerCase();
      if (!BARE.has(type) && call.value[argument as keyof Call] === undefined) return invalid(argument);
      const media = acceptOf(request);
      if (!media.ok) return media.error;
      return dispatch(service, call.value, type, { request, exchange, media: media.value });
    },
  };
}

function invalid(field: string): Answer {
  return badRequest(`Failed to validate master::Call: Expecting '${field}' to be present`);
}

function besideState({ inverseOfferStatuses }: MasterService): Beside {
  return { inverseOfferStatuses };
}

interface Caller {
  readonly request: Request;
  readonly exchange: Exchange;
  readonly media: MessageMedia;
}

function dispatch(
  service: MasterService,
  call: Call,
  type: CallType,
  caller: Caller,
): Answer | Promise<Answer> | undefined {
  const { state } = service;
  if (state === undefined) return noLeader;
  const { request, exchange, media } = caller;
  if (READING.has(type)) return respond(answerOf(state, type as ReadingCall, besideState(service)), media);
  if (LISTING.has(type)) return list(service, type as ListingCall, caller);
  switch (type) {
    case 'UNKNOWN':
      return failure(501);
    case 'SUBSCRIBE':
      service.subscribe(exchange, media);
      return undefined;
    case 'SET_LOGGING_LEVEL':
      return setLoggingLevel(service, call);
    case 'GET_ROLES':
      return roles(service, state, caller);
    case 'GET_METRICS':
      return metrics(service, media);
    case 'LIST_FILES':
    case 'READ_FILE':
      return aboutFiles(service, call, caller);
    default:
      return aboutProgram(service, type, media) ?? perform(service, call, request.principal?.value, exchange);
  }
}

async function roles(
  { answers, roleWhitelist }: MasterService,
  state: MasterState,
  { request, media }: Caller,
): Promise<Answer> {
  const write = media === JSON_TYPE ? getRolesJson : getRolesProtobuf;
  const compose: Compose = (kept) => write(kept, takeRoles(state, roleWhitelist));
  return inPieces(media, await answers.get(keyOf(request, `GET_ROLES ${media}`), compose));
}

/** Answers that may be long. */
async function list(service: MasterService, type: ListingCall, { request, media }: Caller): Promise<Answer> {
  const { answers, state } = service;
  if (state === undefined) return noLeader;
  const visible = visibleTo(request.principal?.value);
  const write = media === JSON_TYPE ? listingJson : listingProtobuf;
  const compose: Compose = (kept) => write(kept, takeSnapshot(state, WANTED[type], visible), type);
  return inPieces(media, await answers.get(keyOf(request, `${type} ${media}`), compose, visible));
}

async function metrics(service: MasterService, media: MessageMedia): Promise<Answer> {
  const metrics = Object.entries(await service.metrics()).map(([name, value]) => ({ name, value }));
  return respond({ type: 'GET_METRICS', get_metrics: { metrics } }, media);
}

/** Calls that ask about the program rather than the cluster. */
function aboutProgram(service: MasterService, type: CallType, media: MessageMedia): Answer | undefined {
  switch (type) {
    case 'GET_HEALTH':
      return respond({ type, get_health: { healthy: true } }, media);
    case 'GET_FLAGS': {
      const flags = Object.entries(service.program.flags).map(([name, value]) => ({ name, value }));
      return respond({ type, get_flags: { flags } }, media);
    }
    case 'GET_VERSION': {
      const { version, build_date, build_time, build_user, git_sha } = service.program.build;
      const info = { version, build_date, build_time, build_user, git_sha };
      return respond({ type, get_version: { version_info: info } }, media);
    }
    case 'GET_LOGGING_LEVEL':
      return respond({ type, get_logging_level: { level: service.log.get() } }, media);
    default:
      return undefined;
  }
}

/** Upstream takes any level here; ours is never set below what the program was started with. */
function setLoggingLevel({ log }: MasterService, { set_logging_level: wanted }: Call): Answer {
  if (wanted === undefined) return invalid('set_logging_level');
  log.set(Math.max(wanted.level, log.original), wanted.duration.nanoseconds / 1e6);
  return done;
}

async function aboutFiles(service: MasterService, call: Call, { request, media }: Caller): Promise<Answer> {
  const { files } = service;
  if (call.type === 'LIST_FILES') {
    const entries = await files.browse(call.list_files?.path ?? '', request.principal);
    if (!entries.ok) return refused(entries.error, call.list_files?.path);
    const infos = entries.value.map((entry) => ({ ...entry, mtime: { nanoseconds: entry.mtime * 1e9 } }));
    return respond({ type: 'LIST_FILES', list_files: { file_infos: infos } }, media);
  }
  const { path, offset, length } = call.read_file ?? { path: '', offset: 0 };
  const read = await files.read(path, offset, length, request.principal);
  if (!read.ok) return refused(read.error, path);
  return respond({ type: 'READ_FILE', read_file: read.value }, media);
}

/** What is not there has no sentence: `/files` answers as upstream does, with nothing. A call gets a reason. */
function refused({ status, sentence }: FilesError, path = ''): Answer {
  return failure(status, sentence === '' ? `There is no file or folder '${path}'` : sentence);
}

function respond(response: Response, media: MessageMedia): Answer {
  return media === JSON_TYPE ? json(Response.stringify(response)) : protobuf(Response.encode(response));
}
