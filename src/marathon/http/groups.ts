/** `/v2/groups`: the tree that apps and pods hang in. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { allApps, groupAt } from '../core/tree/groups.ts';
import { readInstant, writeInstant } from '../definition/instant.ts';
import { canonicalPath } from '../definition/path-id.ts';
import { appEmbeds, appInfo } from '../views/app-info.ts';
import { stepsView } from '../views/deployment.ts';
import { groupEmbeds, groupInfo } from '../views/group-info.ts';
import {
  bodyOf,
  callerOf,
  flagOf,
  jsonAnswer,
  message,
  outcomeAnswer,
  startedAnswer,
  valuesOf,
  wrongMethod,
} from './answers.ts';
import { locationOf } from './apps.ts';
import type { MarathonService } from './service.ts';

const APP_PREFIXES = ['group.apps.', 'apps.', 'app.'];

/** Everything below `/v2/groups`. */
export async function groups(service: MarathonService, request: Request): Promise<Answer> {
  const path = request.rest.split('/').filter((segment) => segment !== '');
  if (request.method === 'GET') {
    if (path.at(-1) === 'apps') return appsOf(service, request, idOf(path, 1));
    if (path.at(-1) === 'versions') return versions(service, idOf(path, 1));
    if (path.at(-2) === 'versions') return oneVersion(service, request, idOf(path, 2), path.at(-1)!);
    return show(service, request, idOf(path, 0));
  }
  const id = idOf(path, 0);
  if (request.method === 'DELETE') return change(service, request, { kind: 'deleteGroup', id });
  if (request.method === 'POST')
    return withBody(service, request, (document) => ({ kind: 'createGroup', id, document }));
  if (request.method === 'PUT') {
    const dryRun = flagOf(request, 'dryRun');
    return withBody(service, request, (document) => ({ kind: 'updateGroup', id, document, dryRun }));
  }
  if (request.method === 'PATCH')
    return withBody(service, request, (document) => ({ kind: 'patchGroup', id, document }));
  return wrongMethod('GET', 'POST', 'PUT', 'PATCH', 'DELETE');
}

type Wanted = Parameters<MarathonService['ask']>[0] extends infer Question
  ? Question extends { readonly change: infer Change }
    ? Change
    : never
  : never;

async function withBody(
  service: MarathonService,
  request: Request,
  wanted: (document: unknown) => Wanted,
): Promise<Answer> {
  const body = bodyOf(request);
  return body.ok ? change(service, request, wanted(body.value)) : body.answer;
}

async function change(service: MarathonService, request: Request, wanted: Wanted): Promise<Answer> {
  const outcome = await service.ask({
    kind: 'change',
    change: wanted,
    force: flagOf(request, 'force'),
    caller: callerOf(request),
  });
  if (outcome.ok && 'dryRun' in outcome) return jsonAnswer({ steps: stepsView(outcome.dryRun) });
  if (!outcome.ok || !('started' in outcome) || !outcome.started) return outcomeAnswer(outcome);
  if (outcome.createdId === undefined) return startedAnswer(outcome.started);
  return startedAnswer(outcome.started, 201, { location: locationOf(service, request, outcome.createdId) });
}

function idOf(path: readonly string[], without: number): string {
  return canonicalPath(`/${path.slice(0, path.length - without).join('/')}`);
}

const unknownGroup = (id: string): Answer => message(404, `Group '${id}' does not exist`);

function show(service: MarathonService, request: Request, id: string): Answer {
  const group = groupAt(service.state.root, id);
  if (group === undefined) return unknownGroup(id);
  const embeds = valuesOf(request, 'embed');
  return jsonAnswer(
    groupInfo(service.state, group, groupEmbeds(embeds), appEmbeds(embeds, APP_PREFIXES), service.now()),
  );
}

function appsOf(service: MarathonService, request: Request, id: string): Answer {
  const group = groupAt(service.state.root, id);
  if (group === undefined) return unknownGroup(id);
  const embeds = appEmbeds(valuesOf(request, 'embed'), APP_PREFIXES);
  return jsonAnswer([...allApps(group)].map((app) => appInfo(service.state, app, embeds, service.now())));
}

function versions({ state }: MarathonService, id: string): Answer {
  const known = state.rootVersions.filter(({ root }) => groupAt(root, id) !== undefined);
  if (known.length === 0) return unknownGroup(id);
  return jsonAnswer(known.map(({ version }) => writeInstant(version)));
}

function oneVersion(service: MarathonService, request: Request, id: string, text: string): Answer {
  const version = readInstant(text);
  if (version === undefined) return message(422, `'${text}' is no version: those look like 2015-09-25T15:13:48.343Z`);
  const root = service.state.rootVersions.find((each) => each.version === version)?.root;
  const group = root && groupAt(root, id);
  if (group === undefined) return message(404, `Group '${id}' does not exist in version ${text}`);
  const embeds = valuesOf(request, 'embed');
  return jsonAnswer(
    groupInfo(service.state, group, groupEmbeds(embeds), appEmbeds(embeds, APP_PREFIXES), service.now()),
  );
}
