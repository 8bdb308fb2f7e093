import { err, ok, type Result } from '../../../base/result.ts';
import type { CommandInfo, Environment_Variable, Secret } from '../../../wire/v1.ts';

const VALID: Result<void> = ok(undefined);

export function validateCommand(command: CommandInfo): Result<void> {
  for (const variable of command.environment?.variables ?? []) {
    const valid = validateVariable(variable);
    if (!valid.ok) return valid;
  }
  return VALID;
}

function validateVariable({ name, type = 'VALUE', value, secret }: Environment_Variable): Result<void> {
  const named = `Environment variable '${name}' of type '${type}'`;
  switch (type) {
    case 'VALUE':
      if (value === undefined) return err(`${named} must have a value set`);
      return secret === undefined ? VALID : err(`${named} must not have a secret set`);
    case 'SECRET': {
      if (secret === undefined) return err(`${named} must have a secret set`);
      if (value !== undefined) return err(`${named} must not have a value set`);
      const valid = validateSecret(secret);
      if (!valid.ok) return err(`${named} specifies an invalid secret: ${valid.error}`);
      if (secret.value?.data.includes(0)) {
        return err(`${named} specifies a secret containing null bytes, which an environment cannot hold`);
      }
      return VALID;
    }
    default:
      return err(`Environment variable of type '${type}' is not allowed; use VALUE or SECRET`);
  }
}

export function validateSecret(secret: Secret): Result<void> {
  switch (secret.type) {
    case 'REFERENCE':
      if (secret.reference === undefined) return err("Secret of type REFERENCE must have the 'reference' field set");
      return secret.value === undefined ? VALID : err("Secret of type REFERENCE must not have the 'value' field set");
    case 'VALUE':
      if (secret.value === undefined) return err("Secret of type VALUE must have the 'value' field set");
      return secret.reference === undefined ? VALID : err("Secret of type VALUE must not have 'reference' set");
    default:
      return VALID;
  }
}
