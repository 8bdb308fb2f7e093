/** A framework on an agent, for tests of what may be launched. */
import { Resources } from '../../../resources/resources.ts';
import type { AgentInfo, FrameworkInfo, Resource, TaskInfo } from '../../../wire/v1.ts';
import { masterOptions } from '../options.ts';
import { type AgentRecord, type FrameworkRecord, newAgent, newFramework } from '../records.ts';

export const AGENT_ID = { value: 'm-S0' };

export interface Launchpad {
  readonly framework: FrameworkRecord;
  readonly agent: AgentRecord;
  readonly available: Resources;
}

export function launchpad(capabilities: readonly string[] = ['TASK_RESOURCE_LIMITS']): Launchpad {
  const total = Resources.of([
    ...[amount('cpus', 4), amount('mem', 4096), amount('disk', 1000), amount('gpus', 2), ports(1000, 2000)],
    { ...amount('cpus', 2), revocable: {} },
    { ...amount('mem', 64), revocable: {} },
  ]);
  const info: AgentInfo = { id: AGENT_ID, hostname: 'h', resources: total.toProto() };
  const options = masterOptions({ info: { id: 'm', ip: 0, port: 0 } });
  const framework: FrameworkInfo = { user: 'u', name: 'n', id: { value: 'f' } };
  const arrival = { id: AGENT_ID.value, info, pid: 'slave(1)@127.0.0.1:5051', version: '1.12.0', total };
  const more = { capabilities: new Set(capabilities), checkpointed: Resources.EMPTY, resourceVersion: undefined };
  return {
    framework: newFramework(framework, 'f', 0, options),
    agent: newAgent({ ...arrival, ...more }, 'slave-observer(0)', 0),
    available: total,
  };
}

/** Allocated, as all that is offered. */
export function amount(name: string, value: number, role = '*'): Resource {
  return { name, type: 'SCALAR', scalar: { value }, allocation_info: { role } };
}

export function ports(begin: number, end: number): Resource {
  return { name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] }, allocation_info: { role: '*' } };
}

/** A persistent volume of the role `r`. */
export function volume(id: string, more: Partial<Resource> = {}): Resource {
  return {
    ...amount('disk', 10),
    reservations: [{ type: 'DYNAMIC', role: 'r' }],
    disk: { persistence: { id }, volume: { container_path: 'p', mode: 'RW' } },
    ...more,
  };
}

export function validTask(more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: 't',
    task_id: { value: 't' },
    agent_id: AGENT_ID,
    resources: [amount('cpus', 1), amount('mem', 64)],
    command: { value: 'true' },
    ...more,
  };
}
