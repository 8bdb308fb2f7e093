/** A promise that the cluster broke: thrown where it shows, so that the transcript ends there. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Throws unless what must hold does. @param what read only when it does not */
export function demand(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Violation(what());
}
