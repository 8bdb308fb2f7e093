import type { V0SchedulerCall_Subscribe } from '../../../wire/internal.ts';
import { type Context, log, nameFramework, send } from '../context.ts';
import { announceFramework, connectFramework, supersede } from '../frameworks.ts';
import { takeBackInverseOffers } from '../inverse-offers.ts';
import { offersOf, rescindOffer } from '../offers.ts';
import { count, type FrameworkRecord } from '../records.ts';
import type { Pid } from '../state.ts';
import { admit, enter, FAILED_OVER } from './subscribe.ts';

/**
 * SUBSCRIBE of a v0 driver. A driver that repeats itself is told again; one that names a framework which another driver
 * speaks for needs `force`, which drivers set when they are started to take over.
 */
export function subscribeDriver(
  ctx: Context,
  pid: Pid,
  subscribe: V0SchedulerCall_Subscribe,
  principal: string | undefined,
): void {
  const valid = admit(ctx, subscribe, principal);
  if (!valid.ok) {
    refuse(ctx, pid, valid.error);
    return;
  }
  const id = subscribe.framework_info.id?.value ?? '';
  const own = ctx.state.frameworks.get(ctx.frameworkByPid.get(pid) ?? '');
  if (own !== undefined && own.id !== id) {
    if (id === '') greet(ctx, own, pid, 'Registered');
    else log(ctx, 'error', `Dropping a SUBSCRIBE of ${pid} for ${id}: it speaks for ${nameFramework(own)}`);
    return;
  }
  const known = ctx.state.frameworks.get(id);
  const force = subscribe.force === true;
  if (known !== undefined && known.state !== 'RECOVERED' && own === undefined && !force) {
    refuse(ctx, pid, FAILED_OVER);
    return;
  }
  const { framework, isNew, isRecovered } = enter(ctx, valid.value);
  if (isNew || isRecovered) greet(ctx, framework, pid, 'Registered');
  else takeOver(ctx, framework, pid, force);
  count(framework.counters.calls, 'SUBSCRIBE');
  connectFramework(ctx, framework, { kind: 'pid', pid });
  if (!isNew) announceFramework(ctx, framework);
}

/** The framework is known, and it is this driver's, or the driver may have it. */
function takeOver(ctx: Context, framework: FrameworkRecord, pid: Pid, force: boolean): void {
  if (force) {
    supersede(ctx, framework, FAILED_OVER, pid);
    greet(ctx, framework, pid, 'Registered');
    return;
  }
  for (const offer of offersOf(ctx, framework)) rescindOffer(ctx, offer);
  takeBackInverseOffers(ctx, framework, true);
  greet(ctx, framework, pid, 'Reregistered');
}

function greet(ctx: Context, framework: FrameworkRecord, pid: Pid, how: 'Registered' | 'Reregistered'): void {
  const greeting = { framework_id: { value: framework.id }, master_info: ctx.state.info };
  send(ctx, pid, `mesos.internal.Framework${how}Message`, greeting);
}

function refuse(ctx: Context, pid: Pid, message: string): void {
  log(ctx, 'info', `Refusing subscription of ${pid}: ${message}`);
  send(ctx, pid, 'mesos.internal.FrameworkErrorMessage', { message });
}
