/** `/v2/tasks`: the tasks of all apps. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import type { Condition, Instance } from '../core/model.ts';
import { allApps } from '../core/tree/groups.ts';
import { readTaskId } from '../definition/task-id.ts';
import { taskViews } from '../views/task.ts';
import { bodyOf, jsonAnswer, message, unknownUri, valuesOf, wrongMethod } from './answers.ts';
import { endpointsText, wantsText } from './endpoints-text.ts';
import { killInstances } from './kills.ts';
import type { MarathonService } from './service.ts';

const BY_STATUS: ReadonlyMap<string, readonly Condition[]> = new Map<string, readonly Condition[]>([
  ['running', ['Running']],
  ['staging', ['Staging', 'Starting', 'Provisioned']],
]);

/** Everything below `/v2/tasks`. */
export async function tasks(service: MarathonService, request: Request): Promise<Answer> {
  if (request.rest === '/delete') return request.method === 'POST' ? remove(service, request) : wrongMethod('POST');
  if (request.rest !== '') return unknownUri(request);
  if (request.method !== 'GET') return wrongMethod('GET');
  if (wantsText(request)) return endpointsText(service.state, [...allApps(service.state.root)]);
  const wanted = [...valuesOf(request, 'status'), ...valuesOf(request, 'status[]')];
  const conditions = new Set(wanted.flatMap((status) => BY_STATUS.get(status.toLowerCase()) ?? []));
  const found: object[] = [];
  for (const app of allApps(service.state.root)) {
    for (const instance of service.state.specs.get(app.id)?.instances.values() ?? []) {
      if (conditions.size > 0 && !conditions.has(instance.condition)) continue;
      found.push(...taskViews(service.state, instance, true));
    }
  }
  return jsonAnswer({ tasks: found });
}

async function remove(service: MarathonService, request: Request): Promise<Answer> {
  const body = bodyOf(request);
  if (!body.ok) return body.answer;
  const ids = (body.value as { readonly ids?: unknown } | null)?.ids;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    return message(400, 'Please name the tasks to kill as {"ids": ["TASK_ID", ...]}');
  }
  const found: Instance[] = [];
  for (const id of ids as readonly string[]) {
    const parsed = readTaskId(id);
    if (!parsed.ok) return message(400, parsed.error);
    const instance = service.state.instances.get(parsed.value.instanceId);
    if (instance?.tasks.some((task) => task.id === id) && !found.includes(instance)) found.push(instance);
  }
  return killInstances(service, request, found, 'tasks');
}
