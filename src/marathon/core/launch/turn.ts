/** Who comes first when an offer is shared out. */
import type { Launching } from './launching.ts';

/** All that wait, beginning with another one each time. */
export function* orderedTurn(launching: Launching): Generator<string> {
  const { waiting } = launching;
  if (waiting.size === 0) return;
  const start = launching.turn++ % waiting.size;
  let at = 0;
  for (const id of waiting) if (at++ >= start) yield id;
  at = 0;
  for (const id of waiting) {
    if (at++ >= start) return;
    yield id;
  }
}
