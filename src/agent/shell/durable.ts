/** Puts what is to be persisted between the core's effects and those who perform them. */
import type { Performers } from '../../runtime/driver.ts';
import { OutputCommit } from '../../runtime/output-commit.ts';
import { writeCheckpoints } from '../checkpoint/writer.ts';
import type { AgentEffect } from '../core/effects.ts';
import type { Persist } from '../core/persist.ts';

/** Who performs effects that write nothing. */
export type DirectPerformers = Omit<Performers<AgentEffect>, 'persist'>;

/**
 * The same performers, each of which waits until what was to be persisted before is durable.
 * @param fail something cannot be written: nothing gets out any more, and the agent must end
 */
export function durable(direct: DirectPerformers, fail: (error: unknown) => void): Performers<AgentEffect> {
  const table = direct as unknown as Readonly<Record<string, (effect: AgentEffect) => void>>;
  const commit = new OutputCommit<AgentEffect, Persist>({
    persistOf: (effect) => (effect.kind === 'persist' ? effect.operation : undefined),
    perform: (effect) => table[effect.kind]?.(effect),
    write: writeCheckpoints,
    fail,
  });
  const kinds = ['persist', ...Object.keys(direct)];
  const submit = (effect: AgentEffect): void => commit.submit(effect);
  return Object.fromEntries(kinds.map((kind) => [kind, submit])) as unknown as Performers<AgentEffect>;
}
