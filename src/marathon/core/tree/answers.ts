/** Answers that many changes have in common. */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Outcome, Refusal, Started } from '../outcome.ts';

type Done = Extract<Outcome, { readonly ok: true }>;

/** A deployment has begun. */
export function started(done: Result<Started, Refusal>): Result<Done, Refusal> {
  return done.ok ? ok({ ok: true, started: done.value }) : done;
}

function notFound(message: string): { readonly ok: false; readonly error: Refusal } {
  return err({ kind: 'notFound', message });
}

export const unknownApp = (id: string) => notFound(`App '${id}' does not exist`);
export const unknownPod = (id: string) => notFound(`Pod '${id}' does not exist`);
export const unknownGroup = (id: string) => notFound(`Group '${id}' does not exist`);
