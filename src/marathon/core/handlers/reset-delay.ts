import type { Context } from '../context.ts';
import type { RequestId } from '../events.ts';

/** Forgets the delay of an app or pod that waits to be launched. */
export function resetDelay(
  { state, emit }: Context,
  { request, specId }: { readonly request: RequestId; readonly specId: string },
): void {
  const record = state.specs.get(specId);
  if (record === undefined || record.scheduled.size === 0) {
    const message = `Application ${specId} not found in tasks queue.`;
    emit({ kind: 'answer', request, outcome: { ok: false, refusal: { kind: 'notFound', message } } });
    return;
  }
  delete record.delay;
  state.delayed.delete(specId);
  emit({ kind: 'answer', request, outcome: { ok: true, killed: [] } });
}
