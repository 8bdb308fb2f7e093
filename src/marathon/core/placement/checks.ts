/** Checks that Mesos runs beside the task. */
import type { CheckInfo, CommandInfo, HealthCheck as MesosHealthCheck } from '../../../wire/v1.ts';
import type { App, Command, PodCheck, PodHealthCheck } from '../../definition/types.ts';
import { isOwnCheck } from '../health.ts';
import type { PortFacts } from './environment.ts';

/** The health check of an app that is not Marathon's own; Mesos takes one. */
export function healthCheckInfo(app: App, ports: readonly PortFacts[]): MesosHealthCheck | undefined {
  const check = app.healthChecks.find((each) => !isOwnCheck(each));
  if (check === undefined) return undefined;
  const timing = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  if (check.protocol === 'COMMAND') {
    return { ...timing, type: 'COMMAND', command: { shell: true, value: check.command?.value ?? '' } };
  }
  const port = check.port ?? ports[check.portIndex ?? 0]?.effective ?? 0;
  if (check.protocol === 'MESOS_TCP') return { ...timing, type: 'TCP', tcp: { port, protocol: check.ipProtocol } };
  return {
    ...timing,
    type: 'HTTP',
    http: {
      port,
      scheme: check.protocol === 'MESOS_HTTPS' ? 'https' : 'http',
      path: check.path ?? '/',
      protocol: check.ipProtocol,
    },
  };
}

/** The check of an app that ends nothing. */
export function checkInfo({ check }: App, ports: readonly PortFacts[]): CheckInfo | undefined {
  if (check === undefined) return undefined;
  const timing = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
  };
  const portOf = (target: { readonly port?: number; readonly portIndex?: number }): number =>
    target.port ?? ports[target.portIndex ?? 0]?.effective ?? 0;
  if (check.http) return { ...timing, type: 'HTTP', http: { port: portOf(check.http), path: check.http.path ?? '/' } };
  if (check.tcp) return { ...timing, type: 'TCP', tcp: { port: portOf(check.tcp) } };
  if (check.exec) return { ...timing, type: 'COMMAND', command: { command: commandOf(check.exec.command) } };
  return undefined;
}

/** A command of a definition as Mesos has it. */
export function commandOf(command: Command): CommandInfo {
  return 'shell' in command
    ? { shell: true, value: command.shell }
    : { shell: false, value: command.argv[0] ?? '', arguments: command.argv };
}

type PortOf = (endpoint: string) => number;

/** The health check of a pod's container. */
export function podHealthCheckInfo(check: PodHealthCheck | undefined, portOf: PortOf): MesosHealthCheck | undefined {
  if (check === undefined) return undefined;
  const timing = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  const { http, tcp, exec } = check;
  if (http) {
    const scheme = http.scheme === 'HTTPS' ? 'https' : 'http';
    return { ...timing, type: 'HTTP', http: { port: portOf(http.endpoint), scheme, path: http.path ?? '/' } };
  }
  if (tcp) return { ...timing, type: 'TCP', tcp: { port: portOf(tcp.endpoint) } };
  return { ...timing, type: 'COMMAND', command: commandOf(exec!.command) };
}

/** The check of a pod's container that ends nothing. */
export function podCheckInfo(check: PodCheck | undefined, portOf: PortOf): CheckInfo | undefined {
  if (check === undefined) return undefined;
  const timing = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
  };
  const { http, tcp, exec } = check;
  if (http) return { ...timing, type: 'HTTP', http: { port: portOf(http.endpoint), path: http.path ?? '/' } };
  if (tcp) return { ...timing, type: 'TCP', tcp: { port: portOf(tcp.endpoint) } };
  return { ...timing, type: 'COMMAND', command: { command: commandOf(exec!.command) } };
}
