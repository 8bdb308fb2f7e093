import { setImmediate } from 'node:timers/promises';
import { badRequest, json } from '../../http/answer.ts';
import type { Endpoint, Request } from '../../http/endpoint.ts';
import { monotonicTime, wallTime } from '../../runtime/clock.ts';
import { frameworksAsked, type WhyQuestion, type WhyWorld, whyFramework, whyNobody, whyTask } from '../views/why.ts';
import { noLeader } from './pages.ts';
import { type MasterService, PROCESS } from './service.ts';

const DEFAULT_LIMIT = 100;

/** `/allocator/why`, beside the allocator's metrics. It is not of upstream. */
export function whyEndpoint(service: MasterService): Endpoint {
  return {
    process: PROCESS,
    path: '/allocator/why',
    match: 'exact',
    methods: ['GET'],
    realm: 'readonly',
    leader: 'leading',
    jsonp: true,
    summary: 'Says why frameworks are offered nothing.',
    description:
      'For each role of each framework: how it stands, and for which reasons it is offered nothing on how many agents. ' +
      'With framework_id or agent_id agents are also listed one by one.',
    parameters: [
      { name: 'framework_id', description: 'Only this framework' },
      { name: 'role', description: 'Only this role' },
      { name: 'agent_id', description: 'Only this agent' },
      { name: 'task_id', description: 'What became of this task' },
      { name: 'limit', description: `How many agents and frameworks to list (default ${DEFAULT_LIMIT})` },
    ],
    authorization: ['VIEW_FRAMEWORK', 'VIEW_TASK', 'VIEW_ROLE'],
    handle: async (request) => {
      const limit = limitOf(request);
      if (limit === undefined) {
        return badRequest(`limit: '${request.query.get('limit')}' is not a whole number from 0 to 100000`);
      }
      return answer(service, { ...questionOf(request), limit });
    },
  };
}

/** Frameworks are looked at one by one, with pauses in which others get their turn. */
async function answer(service: MasterService, question: WhyQuestion) {
  const { state } = service;
  if (state === undefined) return noLeader;
  const asked = frameworksAsked(state, question);
  if (!asked.ok) return badRequest(asked.error);
  const ids = question.frameworkId === undefined ? asked.value.slice(0, question.limit) : asked.value;
  const frameworks: object[] = [];
  for (const id of ids) {
    if (frameworks.length > 0) await setImmediate();
    const world = worldOf(service);
    if (world === undefined) return noLeader;
    const framework = whyFramework(world, id, question);
    if (framework !== undefined) frameworks.push(framework);
  }
  const more = asked.value.length - ids.length;
  const task = question.taskId === undefined ? {} : await service.answers.work(whyTask(state, question));
  const answer = { ...task, ...whyNobody(state), frameworks, ...(more > 0 && { more_frameworks: more }) };
  return json(JSON.stringify(answer));
}

function worldOf({ state, allocator }: MasterService): WhyWorld | undefined {
  if (state === undefined || allocator === undefined) return undefined;
  return { state, allocator, now: monotonicTime(), wall: wallTime() };
}

function questionOf({ query }: Request): Omit<WhyQuestion, 'limit'> {
  return {
    frameworkId: query.get('framework_id'),
    role: query.get('role'),
    agentId: query.get('agent_id'),
    taskId: query.get('task_id'),
  };
}

function limitOf({ query }: Request): number | undefined {
  const text = query.get('limit');
  if (text === undefined) return DEFAULT_LIMIT;
  return /^\d{1,6}$/.test(text) && Number(text) <= 100_000 ? Number(text) : undefined;
}
