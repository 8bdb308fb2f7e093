import type { ContainerStatus } from '../../wire/v1.ts';
import { ipOf } from './environment.ts';
import type { AgentState, Executor, TaskRecord } from './state.ts';

/**
 * Where a task runs, as its statuses tell it: container, address, process. A task of a group has its address and
 * process only while its container lives, as upstream's nested containers do.
 */
export function taskContainerStatus(state: AgentState, executor: Executor, record: TaskRecord): ContainerStatus {
  const container_id = record.containerId ?? executor.containerId;
  const living = record.processId !== undefined && state.containers.has(container_id.value);
  if (executor.kind === 'default' && !living) return { container_id };
  return {
    container_id,
    network_infos: [{ ip_addresses: [{ protocol: 'IPv4', ip_address: ipOf(state.options.pid) }] }],
    ...(record.processId !== undefined && { executor_pid: record.processId }),
  };
}
