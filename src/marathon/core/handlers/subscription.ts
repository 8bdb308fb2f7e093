import type { MasterInfo } from '../../../wire/v1.ts';
import { type Context, log, publish } from '../context.ts';
import { keepFramework } from '../framework.ts';
import { resendKills } from '../kills.ts';
import { sweep } from '../launch/asking.ts';
import { forgetHeld } from '../launch/held.ts';

/** The master knows this framework, anew or again. */
export function subscribed(
  ctx: Context,
  { frameworkId, master }: { readonly frameworkId: string; readonly master?: MasterInfo },
): void {
  const { state, emit } = ctx;
  const isNew = state.frameworkId !== frameworkId;
  state.frameworkId = frameworkId;
  state.isSubscribed = true;
  if (master) state.master = master;
  const name = master ? `${master.hostname ?? master.address?.hostname ?? ''}:${master.port ?? ''}` : '';
  // Each time: nothing is said to the master before this is durable, and it never is for one whose place another has taken.
  // It would take the tasks of that other one for nobody's, and kill them.
  keepFramework(ctx);
  if (isNew) {
    publish(ctx, 'scheduler_registered_event', { frameworkId, master: name });
  } else {
    publish(ctx, 'scheduler_reregistered_event', { master: name });
  }
  log(ctx, 'info', `Registered as framework ${frameworkId} with ${name}`);
  state.launching.offersAsked = undefined;
  state.launching.areRolesTold = false;
  sweep(ctx, state.residentRoles);
  resendKills(ctx);
  emit({ kind: 'arm', key: 'reconcile', after: ctx.options.reconciliationInitialDelay });
}

/** Nothing is sent until it is subscribed again; offers that were held are void. */
export function disconnected(ctx: Context, { reason }: { readonly reason: string }): void {
  if (!ctx.state.isSubscribed) return;
  ctx.state.isSubscribed = false;
  forgetHeld(ctx);
  log(ctx, 'warning', `Lost the connection to the master: ${reason}`);
  publish(ctx, 'scheduler_disconnected_event', {});
}
