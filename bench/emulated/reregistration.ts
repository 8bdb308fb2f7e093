/** Messages of agents that register again, with tasks and history, as upstream's benchmarks of failover and state have them. */
import { randomUUID } from 'node:crypto';
import { parseResources } from '../../src/resources/parse.ts';
import { type Archive_Framework, internalMessages, type ReregisterSlaveMessage } from '../../src/wire/internal.ts';
import type { AgentInfo, FrameworkInfo, Resource, Task, TaskState } from '../../src/wire/v1.ts';

export const REREGISTER = 'mesos.internal.ReregisterSlaveMessage';

/** Upstream's benchmarks of the state name these numbers (per agent, but for the frameworks, which are the same on all). */
export interface ClusterSize {
  readonly agents: number;
  readonly frameworks: number;
  readonly tasksPerFramework: number;
  readonly completedFrameworks: number;
  readonly tasksPerCompletedFramework: number;
}

const LABELS = Array.from({ length: 10 }, (_, at) => ({ key: `key${at}`, value: `value${at}` }));

function resources(text: string): readonly Resource[] {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value.toProto();
}

/** A framework as upstream's benchmarks have it. */
export function frameworkInfoOf(id: string): FrameworkInfo {
  return {
    user: 'root',
    name: 'default',
    id: { value: id },
    roles: ['*'],
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
  };
}

const OWN = resources('cpus:20;mem:10240');
const USED = resources('cpus:0.1;mem:5').map((resource) => ({ ...resource, allocation_info: { role: '*' } }));

/** A task of 10 labels, as upstream's benchmarks have it. */
export function taskOf(agentId: string, frameworkId: string, state: TaskState): Task {
  const id = randomUUID();
  return {
    name: 'test-task',
    task_id: { value: id },
    framework_id: { value: frameworkId },
    agent_id: { value: agentId },
    state,
    resources: USED,
    labels: { labels: LABELS },
  };
}

/** Whether agents tell of ended tasks: of frameworks that no master knows, as in upstream's benchmark, or of those that run. */
export type History = 'none' | 'of unknown frameworks' | 'of running frameworks';

/** The info of agent number so-and-so, which has an id. */
export function agentInfoOf(agent: number): AgentInfo {
  const name = `agent${agent}`;
  return { id: { value: name }, hostname: name, port: 5051, resources: OWN };
}

/** What an agent with an id says when it registers again, in its bytes. */
export function reregistration(agent: number, size: ClusterSize, history: History = 'none'): Uint8Array {
  const slave = agentInfoOf(agent);
  const ids = Array.from({ length: size.frameworks }, (_, at) => `framework${at}`);
  const tasks = (id: string, count: number, state: TaskState): Task[] =>
    Array.from({ length: count }, () => taskOf(slave.hostname, id, state));
  const ended = (at: number): Archive_Framework => {
    const id = `framework${history === 'of running frameworks' ? at : size.frameworks + at}`;
    return { framework_info: frameworkInfoOf(id), tasks: tasks(id, size.tasksPerCompletedFramework, 'TASK_FINISHED') };
  };
  const message: ReregisterSlaveMessage = {
    slave,
    version: '1.12.0',
    agent_capabilities: [{ type: 'MULTI_ROLE' }, { type: 'HIERARCHICAL_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
    frameworks: ids.map(frameworkInfoOf),
    tasks: ids.flatMap((id) => tasks(id, size.tasksPerFramework, 'TASK_RUNNING')),
    ...(history !== 'none' && {
      completed_frameworks: Array.from({ length: size.completedFrameworks }, (_, at) => ended(at)),
    }),
  };
  return internalMessages[REREGISTER]!.encode(message as never);
}
