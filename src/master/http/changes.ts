/** The older endpoints that change something: each is a spelling of an operator call. */
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, badRequest } from '../../http/answer.ts';
import type { Endpoint, Exchange, Request } from '../../http/endpoint.ts';
import { MachineID, Resource, WeightInfo } from '../../wire/v1.ts';
import { Schedule } from '../../wire/v1_maintenance.ts';
import type { Call } from '../../wire/v1_master.ts';
import { QuotaRequest } from '../../wire/v1_quota.ts';
import type { MasterState } from '../core/state.ts';
import { schedule } from '../views/maintenance.ts';
import { weightsJson } from '../views/roles.ts';
import { noLeader } from './pages.ts';
import { quotaText, viewAnswer } from './reading.ts';
import { type MasterService, PROCESS } from './service.ts';

/** Hands a call that changes something to the core, which answers through the exchange. */
export function perform(
  service: MasterService,
  call: Call,
  principal: string | undefined,
  exchange: Exchange,
): Answer | undefined {
  if (service.state === undefined) return noLeader;
  service.operatorCall(call, principal, exchange);
  return undefined;
}

type Reader = (request: Request) => Result<Call, Answer>;

/** One of these endpoints: how each method's request is read, and what GET shows. */
interface Change {
  readonly path: string;
  readonly summary: string;
  readonly authorization: string;
  readonly read: Readonly<Partial<Record<'POST' | 'PUT' | 'DELETE', Reader>>>;
  readonly view?: (state: MasterState) => string;
}

export function changingEndpoints(service: MasterService): readonly Endpoint[] {
  return changes().map(({ path, summary, authorization, read, view }) => ({
    process: PROCESS,
    path,
    methods: [...(view === undefined ? [] : ['GET']), ...Object.keys(read)],
    realm: 'readwrite',
    leader: 'leading',
    jsonp: view !== undefined,
    summary,
    authorization: [authorization],
    handle: (request, exchange) => {
      const reader = read[request.method as keyof typeof read];
      if (reader !== undefined) return change(service, reader, request, exchange);
      return viewAnswer(service, view ?? (() => ''));
    },
  }));
}

function changes(): readonly Change[] {
  return [
    {
      path: '/teardown',
      summary: 'Tears down a running framework by shutting down all tasks/executors.',
      authorization: 'TEARDOWN_FRAMEWORK',
      read: { POST: teardown },
    },
    {
      path: '/reserve',
      summary: 'Reserves resources dynamically on a specific agent.',
      authorization: 'RESERVE_RESOURCES',
      read: { POST: reserve },
    },
    {
      path: '/unreserve',
      summary: 'Unreserves resources dynamically on a specific agent.',
      authorization: 'UNRESERVE_RESOURCES',
      read: { POST: unreserve },
    },
    {
      path: '/create-volumes',
      summary: 'Creates persistent volumes on reserved resources.',
      authorization: 'CREATE_VOLUME',
      read: { POST: createVolumes },
    },
    {
      path: '/destroy-volumes',
      summary: 'Destroys persistent volumes.',
      authorization: 'DESTROY_VOLUME',
      read: { POST: destroyVolumes },
    },
    ...maintenanceChanges(),
    {
      path: '/weights',
      summary: 'Shows or updates the weights of roles.',
      authorization: 'UPDATE_WEIGHT',
      read: { PUT: newWeights },
      view: weightsJson,
    },
    {
      path: '/quota',
      summary: 'Shows, sets or removes the quota of a role.',
      authorization: 'UPDATE_QUOTA',
      read: { POST: setQuota, DELETE: removeQuota },
      view: quotaText,
    },
  ];
}

function maintenanceChanges(): readonly Change[] {
  return [
    {
      path: '/machine/down',
      summary: 'Brings a set of machines down.',
      authorization: 'START_MAINTENANCE',
      read: { POST: machinesOf('down') },
    },
    {
      path: '/machine/up',
      summary: 'Brings a set of machines back up.',
      authorization: 'STOP_MAINTENANCE',
      read: { POST: machinesOf('up') },
    },
    {
      path: '/maintenance/schedule',
      summary: "Returns or updates the cluster's maintenance schedule.",
      authorization: 'UPDATE_MAINTENANCE_SCHEDULE',
      read: { POST: newSchedule },
      view: (state) => Schedule.v0.stringify(schedule(state)),
    },
  ];
}

function change(service: MasterService, read: Reader, request: Request, exchange: Exchange): Answer | undefined {
  const call = read(request);
  return call.ok ? perform(service, call.value, request.principal?.value, exchange) : call.error;
}

const teardown: Reader = (request) => {
  const form = formOf(request);
  if (!form.ok) return form;
  const id = form.value.get('frameworkId');
  if (id === undefined) return err(missing('frameworkId'));
  return ok({ type: 'TEARDOWN', teardown: { framework_id: { value: id } } });
};

const reserve: Reader = (request) => {
  const resources = resourcesOf(request, 'resources', ['source']);
  if (!resources.ok) return resources;
  const { agent_id, lists } = resources.value;
  const [wanted, source] = lists;
  return ok({
    type: 'RESERVE_RESOURCES',
    reserve_resources: { agent_id, resources: wanted, ...(source && { source }) },
  });
};

const unreserve: Reader = (request) => {
  const resources = resourcesOf(request, 'resources');
  if (!resources.ok) return resources;
  const { agent_id, lists } = resources.value;
  return ok({ type: 'UNRESERVE_RESOURCES', unreserve_resources: { agent_id, resources: lists[0] } });
};

const createVolumes: Reader = (request) => {
  const volumes = resourcesOf(request, 'volumes');
  if (!volumes.ok) return volumes;
  const { agent_id, lists } = volumes.value;
  return ok({ type: 'CREATE_VOLUMES', create_volumes: { agent_id, volumes: lists[0] } });
};

const destroyVolumes: Reader = (request) => {
  const volumes = resourcesOf(request, 'volumes');
  if (!volumes.ok) return volumes;
  const { agent_id, lists } = volumes.value;
  return ok({ type: 'DESTROY_VOLUMES', destroy_volumes: { agent_id, volumes: lists[0] } });
};

function machinesOf(direction: 'up' | 'down'): Reader {
  return (request) => {
    const machines = listOf(bodyText(request), MachineID.v0, '');
    if (!machines.ok) return machines;
    return direction === 'down'
      ? ok({ type: 'START_MAINTENANCE', start_maintenance: { machines: machines.value } })
      : ok({ type: 'STOP_MAINTENANCE', stop_maintenance: { machines: machines.value } });
  };
}

const newSchedule: Reader = (request) => {
  const value = jsonOf(bodyText(request), '');
  if (!value.ok) return value;
  if (Array.isArray(value.value))
    return err(badRequest('Unexpected JSON type parsed: a list; write {"windows": [...]}'));
  const read = Schedule.v0.fromJson(value.value);
  return read.ok
    ? ok({ type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule: read.value } })
    : err(badRequest(read.error));
};

const newWeights: Reader = (request) => {
  const weights = listOf(bodyText(request), WeightInfo.v0, 'Failed to parse update weights request JSON: ');
  if (!weights.ok) return weights;
  return ok({ type: 'UPDATE_WEIGHTS', update_weights: { weight_infos: weights.value } });
};

const setQuota: Reader = (request) => {
  const prefix = 'Failed to parse set quota request JSON: ';
  const value = jsonOf(bodyText(request), prefix);
  if (!value.ok) return value;
  const read = QuotaRequest.v0.fromJson(value.value);
  return read.ok
    ? ok({ type: 'SET_QUOTA', set_quota: { quota_request: read.value } })
    : err(badRequest(`${prefix}${read.error}`));
};

const removeQuota: Reader = ({ path, rest }) => {
  const role = rest.slice(1);
  if (role === '')
    return err(badRequest(`Failed to parse remove quota request for path '${path}': expected /quota/<role>`));
  return ok({ type: 'REMOVE_QUOTA', remove_quota: { role } });
};

interface ResourceForm {
  readonly agent_id: { readonly value: string };
  readonly lists: readonly (readonly Resource[] | undefined)[];
}

/** An agent and lists of resources out of a form. @param name of the list that must be there, before the optional ones */
function resourcesOf(request: Request, name: string, optional: readonly string[] = []): Result<ResourceForm, Answer> {
  const form = formOf(request);
  if (!form.ok) return form;
  const agentId = form.value.get('slaveId');
  if (agentId === undefined) return err(missing('slaveId'));
  if (!form.value.has(name)) return err(missing(name));
  const lists: (readonly Resource[] | undefined)[] = [];
  for (const key of [name, ...optional]) {
    const text = form.value.get(key);
    if (text === undefined) {
      lists.push(undefined);
      continue;
    }
    const list = listOf(text, Resource.v0, `Error in parsing '${key}' query parameter in the request body: `);
    if (!list.ok) return list;
    lists.push(list.value);
  }
  return ok({ agent_id: { value: agentId }, lists });
}

function missing(name: string): Answer {
  return badRequest(`Missing '${name}' query parameter in the request body`);
}

function listOf<T>(text: string, type: { fromJson(value: unknown): Result<T> }, prefix: string): Result<T[], Answer> {
  const value = jsonOf(text, prefix);
  if (!value.ok) return value;
  if (!Array.isArray(value.value)) return err(badRequest(`${prefix}Unexpected JSON type parsed: it must be a list`));
  const items: T[] = [];
  for (const [index, item] of value.value.entries()) {
    const read = type.fromJson(item);
    if (!read.ok) return err(badRequest(`${prefix}[${index}]: ${read.error}`));
    items.push(read.value);
  }
  return ok(items);
}

function jsonOf(text: string, prefix: string): Result<unknown, Answer> {
  try {
    return ok(JSON.parse(text) as unknown);
  } catch (error) {
    return err(badRequest(`${prefix}${error instanceof Error ? error.message : String(error)}`));
  }
}

function bodyText({ body }: Request): string {
  return new TextDecoder().decode(body);
}

/** `a=1&b=2`, percent-encoded; a broken escape is an error, as it is upstream. */
function formOf(request: Request): Result<ReadonlyMap<string, string>, Answer> {
  const form = new Map<string, string>();
  for (const pair of bodyText(request).split('&')) {
    if (pair === '') continue;
    const [key, ...value] = pair.split('=');
    try {
      form.set(decode(key ?? ''), decode(value.join('=')));
    } catch {
      return err(badRequest(`Unable to decode query string: Malformed % escape in '${pair}'`));
    }
  }
  return ok(form);
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
