/** Checks and health checks of the tasks of built-in executors: when to look, and what follows from what is seen. */
import type { Millis } from '../../base/machine.ts';
import type { CheckInfo, CheckStatusInfo, CommandInfo, HealthCheck } from '../../wire/v1.ts';
import { taskContainerStatus } from './container-status.ts';
import { type Context, log } from './context.ts';
import type { CheckKind, Probe } from './effects.ts';
import { commandEnvironment, commandLine } from './environment.ts';
import type { AgentEvent, ProbeOutcome } from './events.ts';
import { graceOf, stopTask } from './kill.ts';
import { taskEnvironment, taskSandbox, userOf } from './launch.ts';
import type { Checker, Executor, Framework, TaskRecord } from './state.ts';
import { report } from './status.ts';

/** Upstream's defaults, in seconds; the health check's are the same. */
const DEFAULTS = { delay: 15, interval: 10, timeout: 20, grace: 10, failures: 3 };

const timerOf = (containerId: string, kind: CheckKind): string => `check/${containerId}/${kind}`;

/** The task runs: begin to look at it. */
export function startCheckers(context: Context, framework: Framework, executor: Executor, record: TaskRecord): void {
  const { check, health_check: health } = record.info;
  const checkers: Checker[] = [];
  const add = (kind: CheckKind, definition: CheckInfo | HealthCheck, target: Probe | undefined): void => {
    if (!target) {
      log(context, 'warning', `The ${kind} of task ${record.info.task_id.value} is incomplete: it is not done`);
      return;
    }
    checkers.push(makeChecker(context, kind, definition, target));
    schedule(context, record, kind, seconds(definition.delay_seconds, DEFAULTS.delay));
  };
  if (check) add('check', check, probeOf(context, framework, executor, record, checkTarget(check)));
  if (health) add('health', health, probeOf(context, framework, executor, record, healthTarget(health)));
  record.checkers = checkers;
}

/** The task has ended. */
export function stopCheckers(context: Context, record: TaskRecord): void {
  const containerId = record.containerId?.value;
  for (const { kind } of record.checkers) {
    if (containerId !== undefined) context.emit({ kind: 'disarm', key: timerOf(containerId, kind) });
  }
  record.checkers = [];
}

/** It is time to look. */
export function checkDue(context: Context, containerId: string, kind: string): void {
  const found = find(context, containerId, kind);
  if (!found) return;
  const { probe, timeout } = found.checker;
  context.emit({ kind: 'probe', containerId, check: found.checker.kind, probe, timeout });
}

/** Somebody has looked. */
export function probeDone(context: Context, event: Extract<AgentEvent, { kind: 'probeDone' }>): void {
  const found = find(context, event.containerId, event.check);
  if (!found) return;
  const { record, checker } = found;
  schedule(context, record, checker.kind, checker.interval);
  if (record.kill) return;
  if (checker.kind === 'check') reportCheck(context, found, event.outcome);
  else judge(context, found, event.outcome);
}

interface Found {
  readonly framework: Framework;
  readonly executor: Executor;
  readonly record: TaskRecord;
  readonly checker: Checker;
}

function find(context: Context, containerId: string, kind: string): Found | undefined {
  const use = context.state.containers.get(containerId);
  const framework = use && context.state.frameworks.get(use.frameworkId);
  const record = use?.taskId === undefined ? undefined : use.executor.launched.get(use.taskId);
  const checker = record?.checkers.find((one) => one.kind === kind);
  return use && framework && record && checker ? { framework, executor: use.executor, record, checker } : undefined;
}

/** A check tells what it found whenever that is something new. */
function reportCheck(context: Context, found: Found, outcome: ProbeOutcome): void {
  const { record } = found;
  const status = checkStatus(record.info.check?.type, outcome);
  if (JSON.stringify(status) === JSON.stringify(record.checkStatus)) return;
  record.checkStatus = status;
  tell(context, found, 'REASON_TASK_CHECK_STATUS_UPDATED');
}

function checkStatus(type: CheckInfo['type'], outcome: ProbeOutcome): CheckStatusInfo {
  switch (type) {
    case 'HTTP':
      return { type, http: outcome.type === 'http' ? { status_code: outcome.status } : {} };
    case 'TCP':
      return { type, tcp: outcome.type === 'tcp' ? { succeeded: outcome.connected } : {} };
    default:
      return { type: 'COMMAND', command: outcome.type === 'command' ? { exit_code: outcome.exitCode } : {} };
  }
}

/** A health check tells the first success, every failure, and the success after it; too many failures end the task. */
function judge(context: Context, found: Found, outcome: ProbeOutcome): void {
  const { framework, executor, record, checker } = found;
  if (isHealthy(outcome)) {
    const news = checker.initializing || checker.failures > 0;
    checker.initializing = false;
    checker.failures = 0;
    record.healthy = true;
    if (news) tell(context, found, 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED');
    return;
  }
  const age = context.env.now - checker.startedAt;
  if (checker.initializing && checker.gracePeriod > 0 && age <= checker.gracePeriod) return;
  checker.failures++;
  record.healthy = false;
  const taskId = record.info.task_id.value;
  log(context, 'warning', `The health check of task ${taskId} failed ${checker.failures} times in a row`);
  tell(context, found, 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED');
  if (checker.failures < checker.failuresToKill) return;
  stopTask(context, framework, executor, record, { grace: graceOf(record.info, undefined), healthy: false });
}

function isHealthy(outcome: ProbeOutcome): boolean {
  switch (outcome.type) {
    case 'command':
      return outcome.exitCode === 0;
    case 'http':
      return outcome.status >= 200 && outcome.status < 400;
    case 'tcp':
      return outcome.connected;
    case 'failed':
      return false;
  }
}

function tell(
  context: Context,
  { framework, executor, record }: Found,
  reason: 'REASON_TASK_CHECK_STATUS_UPDATED' | 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
): void {
  report(context, framework, executor, record.info.task_id.value, {
    state: 'TASK_RUNNING',
    source: 'SOURCE_EXECUTOR',
    reason,
    healthy: record.healthy,
    checkStatus: record.checkStatus,
    container: taskContainerStatus(context.state, executor, record),
  });
}

function schedule(context: Context, record: TaskRecord, kind: CheckKind, after: Millis): void {
  if (record.containerId) context.emit({ kind: 'arm', key: timerOf(record.containerId.value, kind), after });
}

function makeChecker(context: Context, kind: CheckKind, definition: CheckInfo | HealthCheck, probe: Probe): Checker {
  const health: HealthCheck | undefined = kind === 'health' ? (definition as HealthCheck) : undefined;
  const timeout = seconds(definition.timeout_seconds, DEFAULTS.timeout);
  return {
    kind,
    probe,
    interval: seconds(definition.interval_seconds, DEFAULTS.interval),
    // Zero means: wait for ever.
    timeout: timeout === 0 ? undefined : timeout,
    startedAt: context.env.now,
    gracePeriod: seconds(health?.grace_period_seconds, DEFAULTS.grace),
    failuresToKill: health?.consecutive_failures ?? DEFAULTS.failures,
    failures: 0,
    initializing: true,
  };
}

const seconds = (given: number | undefined, otherwise: number): Millis => Math.max(0, given ?? otherwise) * 1000;

/** Both definitions say what to look at; only their spelling differs. */
type Target =
  | { readonly command: CommandInfo }
  | { readonly url: string }
  | { readonly ip: string; readonly port: number }
  | undefined;

function checkTarget({ type, command, http, tcp }: CheckInfo): Target {
  if (type === 'HTTP') return http && { url: `http://127.0.0.1:${http.port}${http.path ?? '/'}` };
  if (type === 'TCP') return tcp && { ip: '127.0.0.1', port: tcp.port };
  return command && { command: command.command };
}

function healthTarget({ type, command, http, tcp }: HealthCheck): Target {
  const loopback = (protocol: string | undefined): string => (protocol === 'IPv6' ? '::1' : '127.0.0.1');
  if (type === 'HTTP' || (type === undefined && http)) {
    if (!http) return undefined;
    const host = http.protocol === 'IPv6' ? '[::1]' : '127.0.0.1';
    return { url: `${http.scheme ?? 'http'}://${host}:${http.port}${http.path ?? '/'}` };
  }
  if (type === 'TCP') return tcp && { ip: loopback(tcp.protocol), port: tcp.port };
  return command && { command };
}

function probeOf(
  context: Context,
  framework: Framework,
  executor: Executor,
  record: TaskRecord,
  target: Target,
): Probe | undefined {
  if (!target) return undefined;
  if ('url' in target) return { type: 'http', url: target.url };
  if ('ip' in target) return { type: 'tcp', ...target };
  const line = commandLine(target.command);
  if (!line) return undefined;
  const { state } = context;
  return {
    type: 'command',
    ...line,
    environment: {
      ...taskEnvironment(state, framework, executor, record),
      ...commandEnvironment(target.command),
    },
    user: userOf(state, record.info.command, executor.user),
    directory: taskSandbox(executor, record),
  };
}
