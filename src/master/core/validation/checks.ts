import { err, ok, type Result } from '../../../base/result.ts';
import type { CheckInfo, CommandInfo, HealthCheck } from '../../../wire/v1.ts';
import { validateCommand } from './command.ts';

const VALID: Result<void> = ok(undefined);

export function validateHealthCheck(check: HealthCheck): Result<void> {
  const type = validateHealthCheckType(check);
  if (!type.ok) return type;
  return validateTimes(check, ['delay_seconds', 'grace_period_seconds', 'interval_seconds', 'timeout_seconds']);
}

function validateHealthCheckType(check: HealthCheck): Result<void> {
  switch (check.type) {
    case 'COMMAND':
      if (check.command === undefined) return err("Expecting 'command' to be set for COMMAND health check");
      return validateProbe(check.command, 'health check');
    case 'HTTP': {
      if (check.http === undefined) return err("Expecting 'http' to be set for HTTP health check");
      const { scheme, path } = check.http;
      if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
        return err(`Unsupported HTTP health check scheme: '${scheme}'; use http or https`);
      }
      return validatePath(path, 'health check');
    }
    case 'TCP':
      return check.tcp === undefined ? err("Expecting 'tcp' to be set for TCP health check") : VALID;
    default:
      return err(
        check.type === undefined
          ? "HealthCheck must specify 'type'"
          : `'${check.type}' is not a valid health check type; use COMMAND, HTTP or TCP`,
      );
  }
}

export function validateCheck(check: CheckInfo): Result<void> {
  const type = validateCheckType(check);
  return type.ok ? validateTimes(check, ['delay_seconds', 'interval_seconds', 'timeout_seconds']) : type;
}

function validateCheckType(check: CheckInfo): Result<void> {
  switch (check.type) {
    case 'COMMAND':
      if (check.command === undefined) return err("Expecting 'command' to be set for COMMAND check");
      return validateProbe(check.command.command, 'check');
    case 'HTTP':
      if (check.http === undefined) return err("Expecting 'http' to be set for HTTP check");
      return validatePath(check.http.path, 'check');
    case 'TCP':
      return check.tcp === undefined ? err("Expecting 'tcp' to be set for TCP check") : VALID;
    default:
      return err(
        check.type === undefined
          ? "CheckInfo must specify 'type'"
          : `'${check.type}' is not a valid check type; use COMMAND, HTTP or TCP`,
      );
  }
}

function validateProbe(command: CommandInfo, what: string): Result<void> {
  if (command.value === undefined) {
    return err(`Command ${what} must contain ${(command.shell ?? true) ? "'shell command'" : "'executable path'"}`);
  }
  const valid = validateCommand(command);
  return valid.ok ? VALID : err(`The ${what}'s 'CommandInfo' is invalid: ${valid.error}`);
}

function validatePath(path: string | undefined, what: string): Result<void> {
  if (path === undefined || path.startsWith('/')) return VALID;
  return err(`The path '${path}' of HTTP ${what} must start with '/'`);
}

function validateTimes<K extends string>(check: { readonly [key in K]?: number }, names: readonly K[]): Result<void> {
  for (const name of names) {
    if ((check[name] ?? 0) < 0) return err(`Expecting '${name}' to be non-negative, not ${check[name]}`);
  }
  return VALID;
}
