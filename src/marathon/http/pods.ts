/** `/v2/pods`: pods, their status, versions and instances. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { isActive } from '../core/condition.ts';
import type { Instance, Pod } from '../core/model.ts';
import { allPods } from '../core/tree/groups.ts';
import { readInstant, writeInstant } from '../definition/instant.ts';
import { canonicalPath } from '../definition/path-id.ts';
import { writePod } from '../definition/pod-form.ts';
import { readInstanceId } from '../definition/task-id.ts';
import { podStatus } from '../views/pod-status.ts';
import {
  bodyOf,
  callerOf,
  flagOf,
  jsonAnswer,
  message,
  outcomeAnswer,
  refusalAnswer,
  unknownUri,
  wrongMethod,
} from './answers.ts';
import { locationOf } from './apps.ts';
import type { MarathonService } from './service.ts';

/** What is known of pods besides their definition. */
const ABOUT: ReadonlySet<string> = new Set(['status', 'versions', 'instances']);

/** Everything below `/v2/pods`. What follows `::` is about the pod and not part of its id. */
export async function pods(service: MarathonService, request: Request): Promise<Answer> {
  const at = request.rest.indexOf('::');
  const id = canonicalPath(at < 0 ? request.rest : request.rest.slice(0, at) || '/');
  const [about, argument] = at < 0 ? [] : request.rest.slice(at + 2).split('/');
  if (about !== undefined) return aboutPod(service, request, id, about, argument);
  return id === '/' ? allPodsAnswer(service, request) : onePod(service, request, id);
}

function podOf({ state }: MarathonService, id: string): Pod | undefined {
  const spec = state.current.get(id);
  return spec?.kind === 'pod' ? spec : undefined;
}

const unknownPod = (id: string): Answer => message(404, `Pod '${id}' does not exist`);

async function allPodsAnswer(service: MarathonService, request: Request): Promise<Answer> {
  if (request.method === 'GET') return jsonAnswer([...allPods(service.state.root)].map(writePod));
  if (request.method !== 'POST') return wrongMethod('GET', 'POST');
  const body = bodyOf(request);
  if (!body.ok) return body.answer;
  return written(service, request, { kind: 'createPod', document: body.value }, 201);
}

async function written(
  service: MarathonService,
  request: Request,
  change:
    | { readonly kind: 'createPod'; readonly document: unknown }
    | { readonly kind: 'updatePod'; readonly id: string; readonly document: unknown },
  status: number,
): Promise<Answer> {
  const outcome = await service.ask({
    kind: 'change',
    change,
    force: flagOf(request, 'force'),
    caller: callerOf(request),
  });
  if (!outcome.ok) return refusalAnswer(outcome.refusal);
  if (!('created' in outcome) || outcome.created?.kind !== 'pod' || !outcome.started) return outcomeAnswer(outcome);
  return jsonAnswer(writePod(outcome.created), status, {
    'marathon-deployment-id': outcome.started.deploymentId,
    ...(status === 201 && { location: locationOf(service, request, outcome.created.id) }),
  });
}

async function onePod(service: MarathonService, request: Request, id: string): Promise<Answer> {
  const pod = podOf(service, id);
  switch (request.method) {
    case 'GET':
      return pod === undefined ? unknownPod(id) : jsonAnswer(writePod(pod));
    case 'PUT': {
      const body = bodyOf(request);
      return body.ok ? written(service, request, { kind: 'updatePod', id, document: body.value }, 200) : body.answer;
    }
    case 'DELETE':
      return remove(service, request, id);
    default:
      return wrongMethod('GET', 'PUT', 'DELETE');
  }
}

async function remove(service: MarathonService, request: Request, id: string): Promise<Answer> {
  const outcome = await service.ask({
    kind: 'change',
    change: { kind: 'deletePod', id },
    force: flagOf(request, 'force'),
    caller: callerOf(request),
  });
  if (!outcome.ok || !('started' in outcome) || !outcome.started) return outcomeAnswer(outcome);
  const { deploymentId } = outcome.started;
  return { status: 202, headers: { location: deploymentId, 'marathon-deployment-id': deploymentId } };
}

async function aboutPod(
  service: MarathonService,
  request: Request,
  id: string,
  about: string,
  argument: string | undefined,
): Promise<Answer> {
  const { state } = service;
  const pod = podOf(service, id);
  if (!ABOUT.has(about) || (argument !== undefined && about === 'status')) return unknownUri(request);
  if (about !== 'instances' && request.method !== 'GET') return wrongMethod('GET');
  if (about === 'status' && id === '/') {
    return jsonAnswer([...allPods(state.root)].map((each) => podStatus(state, each, service.now())));
  }
  if (pod === undefined) return unknownPod(id);
  if (about === 'status') return jsonAnswer(podStatus(state, pod, service.now()));
  if (about === 'versions') return argument === undefined ? versions(service, id) : oneVersion(service, id, argument);
  if (request.method !== 'DELETE') return wrongMethod('DELETE');
  return killOf(service, request, id, argument);
}

function versions({ state }: MarathonService, id: string): Answer {
  return jsonAnswer([...(state.history.get(id)?.keys() ?? [])].sort((a, b) => b - a).map(writeInstant));
}

function oneVersion({ state }: MarathonService, id: string, text: string): Answer {
  const version = readInstant(text);
  if (version === undefined) return message(422, `'${text}' is no version: those look like 2015-09-25T15:13:48.343Z`);
  const pod = state.history.get(id)?.get(version);
  return pod?.kind === 'pod'
    ? jsonAnswer(writePod(pod))
    : message(404, `Pod '${id}' does not exist in version ${text}`);
}

async function killOf(
  service: MarathonService,
  request: Request,
  id: string,
  one: string | undefined,
): Promise<Answer> {
  const ids = one === undefined ? idsIn(request) : [one];
  if (!Array.isArray(ids)) return ids as Answer;
  for (const each of ids) {
    const parsed = readInstanceId(each);
    if (!parsed.ok) return message(422, parsed.error);
  }
  const instances = ids.flatMap((each) => service.state.specs.get(id)?.instances.get(each) ?? []);
  if (one !== undefined && instances.length === 0) return message(404, `Task '${one}' does not exist`);
  const views = instances.map(killedView);
  const outcome = await service.ask({
    kind: 'kill',
    instances: instances.map((each) => each.id),
    wipe: flagOf(request, 'wipe'),
  });
  if (!outcome.ok) return outcomeAnswer(outcome);
  return jsonAnswer(one === undefined ? views : views[0]);
}

function idsIn(request: Request): readonly string[] | Answer {
  const body = bodyOf(request);
  if (!body.ok) return body.answer;
  const ids = body.value;
  if (Array.isArray(ids) && ids.every((each) => typeof each === 'string')) return ids;
  return message(400, 'Please give the ids of the instances to kill as a JSON array of strings');
}

/** An instance as it was before it was killed. */
function killedView(instance: Instance): object {
  const { placement, unreachable } = instance;
  return {
    instanceId: { idString: instance.id },
    agentInfo: placement && {
      host: placement.host,
      agentId: placement.agentId,
      region: placement.region,
      zone: placement.zone,
      attributes: [],
    },
    state: {
      condition: { str: instance.condition },
      since: writeInstant(instance.since),
      ...(instance.activeSince !== undefined && { activeSince: writeInstant(instance.activeSince) }),
      ...(instance.healthy !== undefined && { healthy: instance.healthy }),
      goal: instance.goal,
      active: isActive(instance.condition),
    },
    runSpecVersion: writeInstant(instance.spec.version),
    unreachableStrategy: unreachable,
    role: instance.spec.role,
  };
}
