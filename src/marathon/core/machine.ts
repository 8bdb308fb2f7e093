/** Marathon's core: one event, one synchronous step, and the effects that follow from it. */
import type { Env, Machine } from '../../base/machine.ts';
import type { Context, CoreOptions } from './context.ts';
import { advanceDeployments } from './deploy/deployments.ts';
import type { MarathonEffect } from './effects.ts';
import type { MarathonEvent } from './events.ts';
import { cancelOnRequest } from './handlers/cancel.ts';
import { change } from './handlers/change.ts';
import { kill } from './handlers/kill.ts';
import { publishMessage } from './handlers/message.ts';
import { takeProbe } from './handlers/probed.ts';
import { resetDelay } from './handlers/reset-delay.ts';
import { start } from './handlers/start.ts';
import { disconnected, subscribed } from './handlers/subscription.ts';
import { takeTimer } from './handlers/timer.ts';
import { askForOffers } from './launch/asking.ts';
import { forgetOffer, watchHeld } from './launch/held.ts';
import { takeOffers } from './launch/offers.ts';
import { takeSecrets } from './launch/secrets.ts';
import type { MarathonState } from './state.ts';
import { takeUpdate } from './updates.ts';

type Handlers = {
  readonly [Kind in MarathonEvent['kind']]: (
    ctx: Context,
    event: Extract<MarathonEvent, { readonly kind: Kind }>,
  ) => void;
};

const HANDLERS: Handlers = {
  start,
  change,
  kill,
  cancelDeployment: cancelOnRequest,
  resetDelay,
  subscribed,
  disconnected,
  offers: (ctx, { offers }) => takeOffers(ctx, offers),
  rescind: (ctx, { offerId }) => forgetOffer(ctx, offerId),
  update: (ctx, { status }) => takeUpdate(ctx, status),
  message: publishMessage,
  probed: takeProbe,
  secrets: (ctx, { names }) => takeSecrets(ctx, names),
  timer: takeTimer,
};

export class MarathonCore implements Machine<MarathonEvent, MarathonEffect> {
  readonly state: MarathonState;
  readonly #options: CoreOptions;

  /** @param state as it was made anew or read from the store */
  constructor(options: CoreOptions, state: MarathonState) {
    this.#options = options;
    this.state = state;
  }

  step(event: MarathonEvent, env: Env, emit: (effect: MarathonEffect) => void): void {
    const ctx: Context = { state: this.state, env, options: this.#options, emit };
    const handle = HANDLERS[event.kind] as (ctx: Context, event: MarathonEvent) => void;
    handle(ctx, event);
    advanceDeployments(ctx);
    watchHeld(ctx);
    askForOffers(ctx);
  }
}
