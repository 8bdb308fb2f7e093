import { type Answer, badRequest, json, unavailable } from '../../http/answer.ts';
import type { Endpoint, Request } from '../../http/endpoint.ts';
import { daemonEndpoints } from '../../http/endpoints/daemon.ts';
import { type ContainerSelection, containersJson, statisticsJson } from '../core/views/containers.ts';
import { stateJson } from '../core/views/state.ts';
import { executorEndpoint } from './executor.ts';
import { operatorEndpoint } from './operator-call.ts';
import type { AgentHttpParts } from './parts.ts';

/** Everything that the agent's HTTP server answers. */
export function agentEndpoints(parts: AgentHttpParts): readonly Endpoint[] {
  return daemonEndpoints(parts, [
    stateEndpoint(parts),
    containersEndpoint(parts),
    statisticsEndpoint(parts),
    debugEndpoint(parts),
    operatorEndpoint(parts),
    executorEndpoint(parts.process, parts.state, parts.executors),
    providerEndpoint(parts),
  ]);
}

function stateEndpoint(parts: AgentHttpParts): Endpoint {
  return {
    process: parts.process,
    path: '/state',
    aliases: ['/state.json'],
    realm: 'readonly',
    jsonp: true,
    summary: "Information about the agent's frameworks, executors and tasks.",
    authorization: ['VIEW_FRAMEWORK', 'VIEW_TASK', 'VIEW_EXECUTOR', 'VIEW_FLAGS', 'VIEW_ROLE'],
    handle: () => json(JSON.stringify(stateJson(parts.state, { ...parts.about(), flags: parts.flags() }))),
  };
}

function containersEndpoint(parts: AgentHttpParts): Endpoint {
  return {
    process: parts.process,
    path: '/containers',
    methods: ['GET'],
    realm: 'readonly',
    jsonp: true,
    parameters: [
      { name: 'container_id', description: 'Only this container' },
      { name: 'framework_id', description: 'Only containers of this framework' },
      { name: 'executor_id', description: 'Only the container of this executor; needs framework_id' },
    ],
    summary: 'Current resource use and status of the containers of executors.',
    authorization: ['GET_ENDPOINT_WITH_PATH', 'VIEW_CONTAINER', 'VIEW_STANDALONE_CONTAINER'],
    handle: (request) => {
      const selection = selectionOf(request);
      if ('status' in selection) return selection;
      return json(JSON.stringify(containersJson(parts.state, parts.usage, parts.wall(), selection)));
    },
  };
}

function selectionOf({ query }: Request): ContainerSelection | Answer {
  const [containerId, frameworkId, executorId] = ['container_id', 'framework_id', 'executor_id'].map((name) =>
    query.get(name),
  );
  if (containerId !== undefined && (frameworkId !== undefined || executorId !== undefined)) {
    return badRequest("'container_id' stands alone: leave out 'framework_id' and 'executor_id'");
  }
  if (executorId !== undefined && frameworkId === undefined) {
    return badRequest("'executor_id' needs 'framework_id': executors of two frameworks may have the same id");
  }
  return { containerId, frameworkId, executorId };
}

function statisticsEndpoint(parts: AgentHttpParts): Endpoint {
  return {
    process: parts.process,
    path: '/monitor/statistics',
    methods: ['GET'],
    realm: 'readonly',
    jsonp: true,
    summary: 'Resource use of the containers of executors.',
    authorization: ['GET_ENDPOINT_WITH_PATH'],
    handle: () => json(JSON.stringify(statisticsJson(parts.state, parts.usage, parts.wall()))),
  };
}

/** Resource providers are not in this build; upstream answers 503 where it has no manager for them. */
function providerEndpoint(parts: AgentHttpParts): Endpoint {
  return {
    process: parts.process,
    path: '/api/v1/resource_provider',
    methods: ['POST'],
    realm: 'resource-provider',
    summary: 'Endpoint for resource providers to make calls against the agent.',
    handle: () => unavailable('Resource providers are not in this build of the agent'),
  };
}

/** Upstream lists operations of its containerizer that hang; ours has none that it waits for. */
function debugEndpoint(parts: AgentHttpParts): Endpoint {
  return {
    process: parts.process,
    path: '/containerizer/debug',
    methods: ['GET'],
    realm: 'readonly',
    jsonp: true,
    summary: 'Operations on containers that have not finished.',
    authorization: ['GET_ENDPOINT_WITH_PATH'],
    handle: () => json('{"pending":[]}'),
  };
}
