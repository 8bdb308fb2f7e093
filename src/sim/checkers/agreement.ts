import type { AgentMachine } from '../agent-machine.ts';
import type { MasterProcess } from '../master-process.ts';
import type { Masters } from '../masters.ts';
import type { SchedulerProcess } from '../scheduler.ts';
import type { InstancesChecker } from './instances.ts';
import type { UpdatesChecker } from './updates.ts';

/** Everybody who has an opinion. */
export interface Cluster {
  readonly masters: Masters;
  readonly machines: readonly AgentMachine[];
  readonly schedulers: readonly SchedulerProcess[];
  readonly instances: InstancesChecker;
  readonly updates: UpdatesChecker;
}

/** What still stands between the cluster and its rest; nothing when all is done and all agree. */
export function* unsettled(cluster: Cluster): Iterable<string> {
  const { leader } = cluster.masters;
  if (leader?.reigning !== true) {
    yield 'no master leads';
    return;
  }
  yield* agentsAtWork(cluster, leader);
  for (const scheduler of cluster.schedulers) yield* schedulerAtWork(cluster, leader, scheduler);
  for (const [taskId, where] of cluster.instances.running) yield `task ${taskId} runs on ${where}`;
}

function* agentsAtWork({ machines }: Cluster, master: MasterProcess): Iterable<string> {
  for (const { agent, containers } of machines) {
    const { name, id, core } = agent;
    if (!agent.alive) yield `${name} is down`;
    const known = master.core.state.agents.get(id ?? '');
    if (core.state.phase !== 'running') yield `${name} is ${core.state.phase}`;
    if (!known?.connected || !known.active) yield `${name} (${id}) is not an active agent of the master`;
    if (core.state.frameworks.size > 0) yield `${name} has frameworks: ${[...core.state.frameworks.keys()]}`;
    if (core.state.streams.size > 0) yield `${name} has updates to send: ${[...core.state.streams.keys()]}`;
    if (containers.size > 0) yield `${name} has containers`;
    if (core.state.operations.size + (known?.operations.size ?? 0) > 0) yield `${name} has operations to tell of`;
    if (known && !known.total.equals(core.state.total)) {
      yield `${name} has ${core.state.total}, the master thinks that it has ${known.total}`;
    }
    if (known && !known.used.isEmpty) yield `the master thinks that ${known.used} is used on ${name}`;
  }
  if (master.core.state.recovered.size > 0) yield `the master waits for ${[...master.core.state.recovered.keys()]}`;
  const alive = new Set(machines.map(({ agent }) => agent.id));
  for (const id of master.core.state.agents.keys()) {
    if (!alive.has(id)) yield `the master has agent ${id}, which is no more`;
  }
}

function* schedulerAtWork({ updates }: Cluster, master: MasterProcess, scheduler: SchedulerProcess): Iterable<string> {
  const { name, id, workload } = scheduler;
  if (!scheduler.subscribed) yield `${name} is not subscribed`;
  if (!workload.done) yield `${name} has work left, open tasks: ${workload.open().map(({ id: task }) => task)}`;
  const framework = master.core.state.frameworks.get(id ?? '');
  if (framework?.state !== 'CONNECTED') yield `${name} (${id}) is not a connected framework of the master`;
  for (const task of framework?.tasks.values() ?? []) {
    yield `the master has task ${task.task_id.value} of ${name} as ${task.state}`;
  }
  for (const completed of framework?.completedTasks ?? []) {
    const taskId = completed.task_id.value;
    const end = updates.end(id ?? '', taskId);
    if (end !== undefined && completed.state !== end && completed.state !== 'TASK_LOST') {
      yield `the master has task ${taskId} of ${name} as ${completed.state}, its agent said ${end}`;
    }
  }
}
