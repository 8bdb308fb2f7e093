import type { Answer } from '../../http/answer.ts';
import { inPieces, json } from '../../http/answer.ts';
import type { Endpoint, Parameter, Request } from '../../http/endpoint.ts';
import { JSON_TYPE } from '../../http/media.ts';
import { ClusterStatus } from '../../wire/v1_maintenance.ts';
import { QuotaStatus } from '../../wire/v1_quota.ts';
import { visibleTo } from '../authorization.ts';
import type { MasterState } from '../core/state.ts';
import { agentsParts } from '../views/agents.ts';
import { frameworksParts } from '../views/frameworks.ts';
import type { Kept } from '../views/kept.ts';
import { clusterStatus } from '../views/maintenance.ts';
import type { Parts } from '../views/parts.ts';
import { quotaStatus } from '../views/quota.ts';
import { registryParts, takeRegistry } from '../views/registry.ts';
import { rolesParts, takeRoles } from '../views/roles.ts';
import { ALL, type Snapshot, takeSnapshot, type Wanted } from '../views/snapshot.ts';
import type { Program } from '../views/state.ts';
import { stateParts } from '../views/state.ts';
import { summaryParts } from '../views/summary.ts';
import { type TaskSelection, tasksParts } from '../views/tasks.ts';
import { type Compose, keyOf } from './answers.ts';
import { noLeader } from './pages.ts';
import { type MasterService, PROCESS } from './service.ts';

const AGENT: Parameter = { name: 'slave_id', description: 'Only this agent' };
const FRAMEWORK: Parameter = { name: 'framework_id', description: 'Only this framework' };

type ReadingView = (state: MasterState, request: Request) => string;
type ListingView = (kept: Kept, snapshot: Snapshot, request: Request) => Parts;

/** An endpoint whose answer is short enough to be made at once. */
function reading(
  service: MasterService,
  path: string,
  summary: string,
  view: ReadingView,
  more: Partial<Endpoint> = {},
): Endpoint {
  return {
    process: PROCESS,
    path,
    realm: 'readonly',
    leader: 'leading',
    jsonp: true,
    summary,
    authorization: ['VIEW_FRAMEWORK', 'VIEW_TASK', 'VIEW_EXECUTOR', 'VIEW_ROLE'],
    handle: (request) => (service.state === undefined ? noLeader : json(view(service.state, request))),
    ...more,
  };
}

/** An endpoint whose answer may be long. @param compose says how it is written, of the state as it is when the answer begins */
function sliced(
  service: MasterService,
  path: string,
  summary: string,
  compose: (state: MasterState) => Compose,
  more: Partial<Endpoint>,
): Endpoint {
  return {
    ...reading(service, path, summary, () => ''),
    handle: async (request) => {
      const { state, answers } = service;
      if (state === undefined) return noLeader;
      return inPieces(JSON_TYPE, await answers.get(keyOf(request), compose(state)));
    },
    ...more,
  };
}

interface Listing extends Partial<Endpoint> {
  readonly path: string;
  readonly summary: string;
  readonly wanted: Wanted;
  readonly view: ListingView;
}

/** An endpoint whose answer may be long: it is made in slices, out of a snapshot. */
function listing(service: MasterService, { path, summary, wanted, view, ...more }: Listing): Endpoint {
  return {
    ...reading(service, path, summary, () => ''),
    handle: async (request) => {
      const { state, answers } = service;
      if (state === undefined) return noLeader;
      const visible = visibleTo(request.principal?.value);
      const compose: Compose = (kept) => view(kept, takeSnapshot(state, wanted, visible), request);
      return inPieces(JSON_TYPE, await answers.get(keyOf(request), compose, visible));
    },
    ...more,
  };
}

/** The older endpoints that read the state. They answer every method alike, as upstream does. */
export function readingEndpoints(service: MasterService): readonly Endpoint[] {
  return [
    ...listings(service.program).map((one) => listing(service, one)),
    sliced(
      service,
      '/roles',
      'Information about roles.',
      (state) => (kept) => rolesParts(kept, takeRoles(state, service.roleWhitelist)),
      { authorization: ['VIEW_ROLE'] },
    ),
    reading(
      service,
      '/maintenance/status',
      'Retrieves the maintenance status of the cluster.',
      (state) => ClusterStatus.v0.stringify(clusterStatus(state, service.inverseOfferStatuses)),
      { methods: ['GET'], authorization: ['GET_MAINTENANCE_STATUS'] },
    ),
    registryEndpoint(service),
  ];
}

function listings(program: Program): readonly Listing[] {
  return [
    {
      path: '/state',
      // Version 1.12 dropped this name, but clients of older ones still ask for it.
      aliases: ['/state.json'],
      summary: 'Information about state of master.',
      wanted: ALL,
      view: (kept, snapshot) => stateParts(kept, snapshot, program),
    },
    {
      path: '/state-summary',
      summary: 'Summary of agents, tasks, and registered frameworks in cluster.',
      wanted: { agents: true, tasks: true, holdings: true },
      view: (kept, snapshot) => summaryParts(kept, snapshot, program.flags.cluster),
    },
    {
      path: '/frameworks',
      summary: 'Exposes the frameworks info.',
      parameters: [FRAMEWORK],
      wanted: { tasks: true, executors: true, holdings: true },
      view: (kept, snapshot, { query }) => frameworksParts(kept, snapshot, query.get('framework_id')),
    },
    {
      path: '/slaves',
      summary: 'Information about agents.',
      parameters: [AGENT],
      authorization: ['VIEW_ROLE'],
      wanted: { agents: true },
      view: (kept, snapshot, { query }) => agentsParts(kept, snapshot, query.get('slave_id')),
    },
    {
      path: '/tasks',
      summary: 'Lists tasks from all active frameworks.',
      parameters: TASK_PARAMETERS,
      wanted: { tasks: true },
      view: (kept, snapshot, request) => tasksParts(kept, snapshot, selectionOf(request)),
    },
  ];
}

/** `/quota` and others answer GET with a view, and other methods with a change. */
export function quotaText(state: MasterState): string {
  return QuotaStatus.v0.stringify(quotaStatus(state));
}

const TASK_PARAMETERS: readonly Parameter[] = [
  FRAMEWORK,
  { name: 'task_id', description: 'Only this task' },
  { name: 'limit', description: 'How many at most (default 100)' },
  { name: 'offset', description: 'How many to pass over (default 0)' },
  { name: 'order', description: 'asc: the oldest first; else the newest first' },
];

function selectionOf({ query }: Request): TaskSelection {
  return {
    frameworkId: query.get('framework_id'),
    taskId: query.get('task_id'),
    limit: wholeNumber(query.get('limit')),
    offset: wholeNumber(query.get('offset')),
    ascending: query.get('order') === 'asc',
  };
}

/** As upstream: what is no number counts as absent. */
function wholeNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^[+-]?\d{1,9}$/.test(value) ? Number(value) : undefined;
}

function registryEndpoint(service: MasterService): Endpoint {
  return {
    process: 'registrar(1)',
    path: '/registry',
    realm: 'readonly',
    jsonp: true,
    summary: 'Returns the current contents of the Registry in JSON.',
    handle: async (request) => {
      const { state, answers } = service;
      if (state === undefined) return json('{}');
      return inPieces(JSON_TYPE, await answers.get(keyOf(request), () => registryParts(takeRegistry(state))));
    },
  };
}

/** For `/weights` and `/quota`, whose GET is a view. */
export function viewAnswer(service: MasterService, view: (state: MasterState) => string): Answer {
  return service.state === undefined ? noLeader : json(view(service.state));
}
