import { formatDuration } from '../../base/duration.ts';
import { readUtf8 } from '../../wire/utf8.ts';
import type { CommandInfo } from '../../wire/v1.ts';
import { agentId } from './context.ts';
import type { AgentState, Executor, Framework } from './state.ts';

const LOOPBACK = '127.0.0.1';

/** `ip:port` of a pid. */
const addressOf = (pid: string): string => pid.slice(pid.indexOf('@') + 1);

/** The address part of a pid, without the port. */
export function ipOf(pid: string): string {
  const address = addressOf(pid);
  return address.slice(0, address.lastIndexOf(':')) || LOOPBACK;
}

/** What upstream's agent tells every executor, and through it every command task. */
export function executorEnvironment(
  state: AgentState,
  framework: Framework,
  executor: Executor,
): Record<string, string> {
  const { options } = state;
  const checkpoint = framework.info.checkpoint ?? false;
  const grace = executor.info.shutdown_grace_period;
  const shutdownGrace = grace ? grace.nanoseconds / 1e6 : options.executorShutdownGracePeriod;
  return {
    ...options.executorEnvironment,
    LIBPROCESS_PORT: '0',
    LIBPROCESS_IP: ipOf(options.pid),
    MESOS_FRAMEWORK_ID: framework.id,
    MESOS_EXECUTOR_ID: executor.id,
    MESOS_DIRECTORY: executor.directory,
    MESOS_SANDBOX: executor.directory,
    MESOS_SLAVE_ID: agentId(state) ?? '',
    MESOS_SLAVE_PID: options.pid,
    MESOS_AGENT_ENDPOINT: addressOf(options.pid),
    MESOS_CHECKPOINT: checkpoint ? '1' : '0',
    MESOS_HTTP_COMMAND_EXECUTOR: options.httpCommandExecutor ? '1' : '0',
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: formatDuration(shutdownGrace),
    ...(checkpoint && {
      MESOS_RECOVERY_TIMEOUT: formatDuration(options.recoveryTimeout),
      MESOS_SUBSCRIPTION_BACKOFF_MAX: formatDuration(options.executorReregistrationTimeout),
    }),
  };
}

/** The variables that a command asks for, which win over all others. Secrets come with their value. */
export function commandEnvironment(command: CommandInfo | undefined): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { name, value, secret } of command?.environment?.variables ?? []) {
    if (value !== undefined) variables[name] = value;
    else if (secret?.value !== undefined) variables[name] = readUtf8(secret.value.data, 0, secret.value.data.length);
  }
  return variables;
}

/** The first variable whose secret would have to be looked up somewhere: this agent cannot. */
export function unresolvedSecret(command: CommandInfo | undefined): string | undefined {
  const variables = command?.environment?.variables ?? [];
  return variables.find(({ type, secret }) => type === 'SECRET' && secret?.value === undefined)?.name;
}

/** What to execute: a line for the shell, or a program with its arguments. */
export function commandLine(command: CommandInfo | undefined): { file: string; argv: readonly string[] } | undefined {
  if (command?.value === undefined) return undefined;
  if (command.shell ?? true) return { file: 'sh', argv: ['sh', '-c', command.value] };
  const given = command.arguments ?? [];
  return { file: command.value, argv: given.length > 0 ? given : [command.value] };
}
