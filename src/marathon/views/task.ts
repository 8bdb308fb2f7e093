/** Tasks as the API shows them. */
import { isActive, taskStateOf } from '../core/condition.ts';
import { isAlive } from '../core/health.ts';
import type { Instance, TaskRecord } from '../core/model.ts';
import type { Health, MarathonState } from '../core/state.ts';
import { servicePortsOf } from '../core/tree/service-ports.ts';
import { addressesOf } from '../core/updates.ts';
import { writeInstant } from '../definition/instant.ts';

/** All tasks of an app's instances that have been placed on an agent. */
export function tasksOf(state: MarathonState, appId: string, withServicePorts = false): readonly object[] {
  const instances = state.specs.get(appId)?.instances.values() ?? [];
  return [...instances].flatMap((instance) => taskViews(state, instance, withServicePorts));
}

/** The tasks of one instance; none before it is placed. */
export function taskViews(state: MarathonState, instance: Instance, withServicePorts = false): readonly object[] {
  if (instance.placement === undefined) return [];
  return instance.tasks.map((task) => taskView(state, instance, task, withServicePorts));
}

function taskView(state: MarathonState, instance: Instance, task: TaskRecord, withServicePorts: boolean): object {
  const { placement, spec } = instance;
  const active = isActive(task.condition);
  const health = state.health.get(instance.id) ?? [];
  const isApp = spec.kind === 'app';
  return {
    appId: instance.specId,
    healthCheckResults: isApp ? spec.healthChecks.flatMap((_, at) => healthView(instance, health[at])) : [],
    ...checkResult(task),
    host: placement?.host ?? '',
    id: task.id,
    ipAddresses: task.status ? addressesOf(task.status) : [],
    ports: active ? task.hostPorts.filter((port) => port !== null) : [],
    servicePorts: withServicePorts && isApp ? servicePortsOf(spec) : [],
    slaveId: placement?.agentId,
    state: taskStateOf(task.condition),
    ...(active && {
      stagedAt: writeInstant(task.stagedAt),
      ...(task.startedAt !== undefined && { startedAt: writeInstant(task.startedAt) }),
      version: writeInstant(spec.version),
    }),
    localVolumes: (instance.reservation?.volumes ?? []).map(({ name, persistenceId, uuid }) => ({
      runSpecId: instance.specId,
      containerPath: name,
      uuid,
      persistenceId,
    })),
    ...(placement?.region !== undefined && { region: placement.region }),
    ...(placement?.zone !== undefined && { zone: placement.zone }),
    role: spec.role,
  };
}

function healthView({ id }: Instance, health: Health | undefined): readonly object[] {
  if (health === undefined) return [];
  const { firstSuccess, lastSuccess, lastFailure, lastFailureCause, consecutiveFailures } = health;
  return [
    {
      alive: isAlive(health),
      consecutiveFailures,
      firstSuccess: firstSuccess === undefined ? null : writeInstant(firstSuccess),
      lastFailure: lastFailure === undefined ? null : writeInstant(lastFailure),
      lastSuccess: lastSuccess === undefined ? null : writeInstant(lastSuccess),
      lastFailureCause: lastFailureCause ?? null,
      instanceId: id,
    },
  ];
}

function checkResult({ status }: TaskRecord): object {
  const check = status?.check_status;
  if (check?.http) return { checkResult: { http: { statusCode: check.http.status_code } } };
  if (check?.tcp) return { checkResult: { tcp: { succeeded: check.tcp.succeeded } } };
  if (check?.command) return { checkResult: { command: { exitCode: check.command.exit_code } } };
  return {};
}
