/** `/v2/apps`: apps, their tasks and their versions. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import type { App } from '../core/model.ts';
import { allApps, groupAt } from '../core/tree/groups.ts';
import { writeApp } from '../definition/app-form.ts';
import { readInstant, writeInstant } from '../definition/instant.ts';
import { canonicalPath } from '../definition/path-id.ts';
import { type AppEmbed, appEmbeds, appInfo, appText } from '../views/app-info.ts';
import {
  bodyOf,
  callerOf,
  flagOf,
  jsonAnswer,
  message,
  outcomeAnswer,
  parameterOf,
  refusalAnswer,
  startedAnswer,
  valuesOf,
  wrongMethod,
} from './answers.ts';
import { appListAnswer } from './app-list.ts';
import { endpointsText, wantsText } from './endpoints-text.ts';
import { killInstances, tasksOfApps } from './kills.ts';
import { readSelectors } from './selectors.ts';
import type { MarathonService } from './service.ts';

const PREFIXES = ['apps.', 'app.', 'group.apps.'];

/** Everything below `/v2/apps`. */
export async function apps(service: MarathonService, request: Request): Promise<Answer> {
  const path = request.rest.split('/').filter((segment) => segment !== '');
  if (path.length < 2) return path.length === 0 ? allAppsAnswer(service, request) : oneApp(service, request, path);
  const last = path.at(-1)!;
  const before = path.at(-2);
  if (last === 'restart') return restart(service, request, idOf(path, 1));
  if (last === 'tasks') return tasks(service, request, path.slice(0, -1));
  if (before === 'tasks' && path.length > 2) return oneTask(service, request, idOf(path, 2), last);
  if (last === 'versions') return versions(service, request, idOf(path, 1));
  if (before === 'versions' && path.length > 2) return oneVersion(service, request, idOf(path, 2), last);
  return oneApp(service, request, path);
}

function idOf(path: readonly string[], without: number): string {
  return canonicalPath(`/${path.slice(0, path.length - without).join('/')}`);
}

function appOf({ state }: MarathonService, id: string): App | undefined {
  const spec = state.current.get(id);
  return spec?.kind === 'app' ? spec : undefined;
}

const unknownApp = (id: string): Answer => message(404, `App '${id}' does not exist`);

async function allAppsAnswer(service: MarathonService, request: Request): Promise<Answer> {
  switch (request.method) {
    case 'GET':
      return list(service, request);
    case 'POST':
      return create(service, request);
    case 'PUT':
      return updateMany(service, request, flagOf(request, 'partialUpdate', true) ? 'merge' : 'replace');
    case 'PATCH':
      return updateMany(service, request, 'patch');
    default:
      return wrongMethod('GET', 'POST', 'PUT', 'PATCH');
  }
}

async function list(service: MarathonService, request: Request): Promise<Answer> {
  const { state } = service;
  const embeds = appEmbeds(valuesOf(request, 'embed'), PREFIXES).add('counts').add('deployments');
  const label = parameterOf(request, 'label');
  const selectors = readSelectors(label ?? '');
  if (!selectors.ok) return message(422, selectors.error);
  const id = parameterOf(request, 'id')?.toLowerCase();
  const cmd = parameterOf(request, 'cmd')?.toLowerCase();
  const found: App[] = [];
  for (const app of allApps(state.root)) {
    if (id !== undefined && !app.id.toLowerCase().includes(id)) continue;
    if (cmd !== undefined && !(app.cmd ?? '').toLowerCase().includes(cmd)) continue;
    if (!selectors.value.every((matches) => matches(app.labels))) continue;
    found.push(app);
  }
  const now = service.now();
  return appListAnswer(found, (app) => appText(state, app, embeds, now));
}

async function create(service: MarathonService, request: Request): Promise<Answer> {
  const body = bodyOf(request);
  if (!body.ok) return body.answer;
  const outcome = await service.ask({
    kind: 'change',
    change: { kind: 'createApp', document: body.value },
    force: flagOf(request, 'force'),
    caller: callerOf(request),
  });
  if (!outcome.ok) return refusalAnswer(outcome.refusal);
  if (!('created' in outcome) || outcome.created?.kind !== 'app' || !outcome.started) return outcomeAnswer(outcome);
  const { versionInfo: _, ...written } = writeApp(outcome.created) as { readonly versionInfo?: unknown };
  const counts = { tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 };
  return jsonAnswer({ ...written, ...counts, deployments: [{ id: outcome.started.deploymentId }] }, 201, {
    'marathon-deployment-id': outcome.started.deploymentId,
    location: locationOf(service, request, outcome.created.id),
  });
}

/** Where an object is said to be: its id below the root, as upstream has it. */
export function locationOf({ address, scheme }: MarathonService, { headers }: Request, id: string): string {
  return `${scheme}://${headers.host ?? address}${id}`;
}

async function updateMany(
  service: MarathonService,
  request: Request,
  mode: 'merge' | 'replace' | 'patch',
): Promise<Answer> {
  const body = bodyOf(request);
  if (!body.ok) return body.answer;
  return outcomeAnswer(
    await service.ask({
      kind: 'change',
      change: { kind: 'updateApps', document: body.value, mode },
      force: flagOf(request, 'force'),
      caller: callerOf(request),
    }),
  );
}

async function oneApp(service: MarathonService, request: Request, path: readonly string[]): Promise<Answer> {
  const id = idOf(path, 0);
  switch (request.method) {
    case 'GET':
      return path.at(-1) === '*' ? appsBelow(service, request, idOf(path, 1)) : showApp(service, request, id);
    case 'PUT':
      return update(service, request, id, flagOf(request, 'partialUpdate', true) ? 'merge' : 'replace');
    case 'PATCH':
      return update(service, request, id, 'patch');
    case 'DELETE':
      return outcomeAnswer(
        await service.ask({
          kind: 'change',
          change: { kind: 'deleteApp', id },
          force: flagOf(request, 'force', true),
          caller: callerOf(request),
        }),
      );
    default:
      return wrongMethod('GET', 'PUT', 'PATCH', 'DELETE');
  }
}

/** What is shown of apps that are asked for by id, or below a group: all that clients have come to expect there. */
function shownEmbeds(request: Request): ReadonlySet<AppEmbed> {
  const embeds = appEmbeds(valuesOf(request, 'embed'), PREFIXES);
  for (const always of ['counts', 'tasks', 'lastTaskFailure', 'deployments'] satisfies AppEmbed[]) embeds.add(always);
  return embeds;
}

function showApp(service: MarathonService, request: Request, id: string): Answer {
  const app = appOf(service, id);
  if (app === undefined) return unknownApp(id);
  const embeds = shownEmbeds(request);
  return jsonAnswer({ app: appInfo(service.state, app, embeds, service.now()) });
}

function appsBelow(service: MarathonService, request: Request, id: string): Answer {
  const group = groupAt(service.state.root, id);
  if (group === undefined) return message(404, `Group '${id}' does not exist`);
  const embeds = shownEmbeds(request);
  return jsonAnswer({ '*': [...allApps(group)].map((app) => appInfo(service.state, app, embeds, service.now())) });
}

async function update(
  service: MarathonService,
  request: Request,
  id: string,
  mode: 'merge' | 'replace' | 'patch',
): Promise<Answer> {
  const body = bodyOf(request);
  if (!body.ok) return body.answer;
  const outcome = await service.ask({
    kind: 'change',
    change: { kind: 'updateApp', id, document: body.value, mode },
    force: flagOf(request, 'force'),
    caller: callerOf(request),
  });
  if (!outcome.ok || !('started' in outcome) || !outcome.started) return outcomeAnswer(outcome);
  if (outcome.createdId === undefined) return startedAnswer(outcome.started);
  return startedAnswer(outcome.started, 201, { location: locationOf(service, request, outcome.createdId) });
}

async function restart(service: MarathonService, request: Request, id: string): Promise<Answer> {
  if (request.method !== 'POST') return wrongMethod('POST');
  return outcomeAnswer(
    await service.ask({
      kind: 'change',
      change: { kind: 'restartApp', id },
      force: flagOf(request, 'force'),
      caller: callerOf(request),
    }),
  );
}

async function tasks(service: MarathonService, request: Request, path: readonly string[]): Promise<Answer> {
  const { state } = service;
  const isGroup = path.at(-1) === '*';
  const id = idOf(path, isGroup ? 1 : 0);
  const group = isGroup ? groupAt(state.root, id) : undefined;
  if (isGroup && group === undefined) return message(404, `Group '${id}' does not exist`);
  const app = appOf(service, id);
  if (!isGroup && app === undefined) return unknownApp(id);
  if (wantsText(request) && request.method === 'GET') {
    return endpointsText(state, group ? [...allApps(group)] : [app!]);
  }
  const ids = group ? [...allApps(group)].map((each) => each.id) : [id];
  if (request.method === 'GET') return jsonAnswer({ tasks: tasksOfApps(state, ids) });
  if (request.method !== 'DELETE' || isGroup) return isGroup ? wrongMethod('GET') : wrongMethod('GET', 'DELETE');
  const host = parameterOf(request, 'host');
  const instances = [...(state.specs.get(id)?.instances.values() ?? [])].filter(
    ({ placement }) => host === undefined || host === '*' || placement?.host.includes(host),
  );
  return killInstances(service, request, instances, 'tasks');
}

async function oneTask(service: MarathonService, request: Request, id: string, taskId: string): Promise<Answer> {
  if (request.method !== 'DELETE') return wrongMethod('DELETE');
  if (appOf(service, id) === undefined) return unknownApp(id);
  const instance = [...(service.state.specs.get(id)?.instances.values() ?? [])].find(
    (each) => each.id === taskId || each.tasks.some((task) => task.id === taskId),
  );
  if (instance === undefined) return message(404, `Task '${taskId}' does not exist`);
  return killInstances(service, request, [instance], 'task');
}

function versions(service: MarathonService, request: Request, id: string): Answer {
  if (request.method !== 'GET') return wrongMethod('GET');
  const known = service.state.history.get(id);
  if (appOf(service, id) === undefined || known === undefined) return unknownApp(id);
  const sorted = [...known.keys()].sort((a, b) => b - a);
  return jsonAnswer({ versions: sorted.map(writeInstant) });
}

function oneVersion(service: MarathonService, request: Request, id: string, text: string): Answer {
  if (request.method !== 'GET') return wrongMethod('GET');
  const version = readInstant(text);
  if (version === undefined) return message(422, `'${text}' is no version: those look like 2015-09-25T15:13:48.343Z`);
  const app = service.state.history.get(id)?.get(version);
  if (app?.kind !== 'app') return message(404, `App '${id}' does not exist in version ${text}`);
  return jsonAnswer(writeApp(app));
}
