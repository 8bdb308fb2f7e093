/**
 * Thrown when a program finds its own state impossible. Nobody catches it: the process ends and a standby takes over,
 * because going on from a broken state loses more than a restart does.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Asserts what only a bug could break. Never use it on input from outside: that is a `Result`. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${what}`);
}

/** The end of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never, what: string): never {
  throw new InvariantError(`invariant broken: unexpected ${what}: ${JSON.stringify(value)}`);
}
