import type { Answer } from '../../http/answer.ts';
import { json } from '../../http/answer.ts';
import type { Endpoint, Parameter, Request } from '../../http/endpoint.ts';
import { AgentInfo, MasterInfo } from '../../wire/v1.ts';
import { ClusterStatus } from '../../wire/v1_maintenance.ts';
import { QuotaStatus } from '../../wire/v1_quota.ts';
import type { MasterState } from '../core/state.ts';
import { agentsJson } from '../views/agents.ts';
import { frameworksJson } from '../views/frameworks.ts';
import { clusterStatus } from '../views/maintenance.ts';
import { quotaStatus } from '../views/quota.ts';
import { rolesJson } from '../views/roles.ts';
import { stateJson } from '../views/state.ts';
import { summaryJson } from '../views/summary.ts';
import { tasksJson } from '../views/tasks.ts';
import { noLeader } from './pages.ts';
import { type MasterService, PROCESS } from './service.ts';

const AGENT: Parameter = { name: 'slave_id', description: 'Only this agent' };
const FRAMEWORK: Parameter = { name: 'framework_id', description: 'Only this framework' };

/** The older endpoints that read the state. They answer every method alike, as upstream does. */
export function readingEndpoints(service: MasterService): readonly Endpoint[] {
  const reading = (
    path: string,
    summary: string,
    view: (state: MasterState, request: Request) => string,
    more: Partial<Endpoint> = {},
  ): Endpoint => ({
    process: PROCESS,
    path,
    realm: 'readonly',
    leader: 'leading',
    jsonp: true,
    summary,
    authorization: ['VIEW_FRAMEWORK', 'VIEW_TASK', 'VIEW_EXECUTOR', 'VIEW_ROLE'],
    handle: (request) => (service.state === undefined ? noLeader : json(view(service.state, request))),
    ...more,
  });
  const { flags } = service.program;
  return [
    reading('/state', 'Information about state of master.', (state) => stateJson(state, service.program), {
      // Version 1.12 dropped this name, but clients of older ones still ask for it.
      aliases: ['/state.json'],
    }),
    reading('/state-summary', 'Summary of agents, tasks, and registered frameworks in cluster.', (state) =>
      summaryJson(state, flags.cluster),
    ),
    reading(
      '/frameworks',
      'Exposes the frameworks info.',
      (state, { query }) => frameworksJson(state, query.get('framework_id')),
      { parameters: [FRAMEWORK] },
    ),
    reading('/slaves', 'Information about agents.', (state, { query }) => agentsJson(state, query.get('slave_id')), {
      parameters: [AGENT],
      authorization: ['VIEW_ROLE'],
    }),
    reading('/tasks', 'Lists tasks from all active frameworks.', tasksOf, { parameters: TASK_PARAMETERS }),
    reading('/roles', 'Information about roles.', (state) => rolesJson(state, service.roleWhitelist), {
      authorization: ['VIEW_ROLE'],
    }),
    reading(
      '/maintenance/status',
      'Retrieves the maintenance status of the cluster.',
      (state) => ClusterStatus.v0.stringify(clusterStatus(state)),
      {
        methods: ['GET'],
        authorization: ['GET_MAINTENANCE_STATUS'],
      },
    ),
    registryEndpoint(service),
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

function tasksOf(state: MasterState, { query }: Request): string {
  return tasksJson(state, {
    frameworkId: query.get('framework_id'),
    taskId: query.get('task_id'),
    limit: wholeNumber(query.get('limit')),
    offset: wholeNumber(query.get('offset')),
    ascending: query.get('order') === 'asc',
  });
}

/** As upstream: what is no number counts as absent. */
function wholeNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^[+-]?\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** `/registrar(1)/registry`: what would survive this master, for people who look into a cluster. */
function registryEndpoint(service: MasterService): Endpoint {
  return {
    process: 'registrar(1)',
    path: '/registry',
    realm: 'readonly',
    jsonp: true,
    summary: 'Returns the current contents of the Registry in JSON.',
    handle: () => (service.state === undefined ? json('{}') : json(registryText(service.state))),
  };
}

function registryText(state: MasterState): string {
  const agents = [...state.agents.values()].map(({ info }) => info).concat([...state.recovered.values()]);
  const registry = {
    master: { info: MasterInfo.v0.toJson(state.info) },
    ...(agents.length > 0 && { slaves: { slaves: agents.map((info) => ({ info: AgentInfo.v0.toJson(info) })) } }),
  };
  return JSON.stringify(registry);
}

/** For `/weights` and `/quota`, whose GET is a view. */
export function viewAnswer(service: MasterService, view: (state: MasterState) => string): Answer {
  return service.state === undefined ? noLeader : json(view(service.state));
}
