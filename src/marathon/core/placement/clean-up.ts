/** Gives back what was reserved for instances that are no more. */
import { withoutVolume } from '../../../resources/operations.ts';
import type { Offer_Operation } from '../../../wire/v1.ts';
import { isTerminal } from '../condition.ts';
import { type Context, log } from '../context.ts';
import { expunge } from '../instances.ts';
import type { Instance } from '../model.ts';
import { type Left, type OpenOffer, takeAll } from './open-offer.ts';
import { byProvider, persistenceOf } from './reserved.ts';

/**
 * Destroys volumes and unreserves resources that this framework has once reserved for an instance that nobody knows any
 * more, that has its volumes elsewhere, or that is not wanted and has ended: such an instance is forgotten now.
 */
export function cleanUp(ctx: Context, open: OpenOffer): readonly Offer_Operation[] {
  const operations: Offer_Operation[] = [];
  for (const [id, parts] of open.reserved) {
    const instance = ctx.state.instances.get(id);
    const why = whyLeftOver(ctx, instance, open, parts);
    if (why === undefined) continue;
    log(ctx, 'info', `Giving back what is reserved for ${id} on ${open.placement.host}: ${why}`);
    operations.push(...release(parts));
    if (instance?.reservation && isOver(ctx, instance)) expunge(ctx, instance);
  }
  return operations;
}

function whyLeftOver(
  ctx: Context,
  instance: Instance | undefined,
  open: OpenOffer,
  parts: readonly Left[],
): string | undefined {
  if (instance === undefined) return 'there is no such instance';
  if (isOver(ctx, instance)) return 'it is not wanted any more';
  const { reservation, placement } = instance;
  const own = new Set(reservation?.volumes.map(({ persistenceId }) => persistenceId));
  const isThere =
    placement?.agentId === open.agentId || parts.some(({ resource }) => own.has(persistenceOf(resource) ?? ''));
  return reservation !== undefined && isThere ? undefined : 'it has nothing on this agent';
}

/** Nothing of it runs, and nothing of it ever will. */
function isOver({ state }: Context, { goal, tasks, specId }: Instance): boolean {
  const isUnwanted = goal === 'Decommissioned' || !(state.current.has(specId) || state.locks.has(specId));
  return isUnwanted && tasks.every(({ condition }) => isTerminal(condition));
}

function release(parts: readonly Left[]): readonly Offer_Operation[] {
  const resources = parts.map(takeAll);
  const volumes = resources.filter((resource) => persistenceOf(resource) !== undefined);
  return [
    ...byProvider(volumes, (all) => ({ type: 'DESTROY', destroy: { volumes: all } })),
    ...byProvider(resources.map(withoutVolume), (all) => ({ type: 'UNRESERVE', unreserve: { resources: all } })),
  ];
}
