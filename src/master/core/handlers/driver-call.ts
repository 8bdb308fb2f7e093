import type { V0SchedulerCall } from '../../../wire/internal.ts';
import { type Context, countUp, log, nameFramework, send } from '../context.ts';
import { deactivateFramework, removeFramework } from '../frameworks.ts';
import { count, type FrameworkRecord } from '../records.ts';
import type { Pid } from '../state.ts';
import { validateCall } from '../validation/calls.ts';
import { SCHEDULER_CALLS } from './scheduler-call.ts';
import { subscribeDriver } from './subscribe.ts';

/** `mesos.scheduler.Call` of a v0 driver. There is no answer; what is wrong is dropped, or said as an error message. */
export function driverCall(ctx: Context, pid: Pid, call: V0SchedulerCall, principal: string | undefined): void {
  const type = validateCall(call, principal);
  if (!type.ok) {
    send(ctx, pid, 'mesos.internal.FrameworkErrorMessage', {
      message: `Failed to validate scheduler::Call: ${type.error}`,
    });
    countUp(ctx, 'dropped_messages');
    return;
  }
  if (type.value === 'SUBSCRIBE') {
    if (call.subscribe !== undefined) subscribeDriver(ctx, pid, call.subscribe, principal);
    return;
  }
  const framework = ownFramework(ctx, pid, call.framework_id?.value);
  if (framework === undefined) {
    countUp(ctx, 'dropped_messages');
    return;
  }
  count(framework.counters.calls, type.value);
  SCHEDULER_CALLS[type.value](ctx, framework, call, principal);
}

/** The framework, if it is this driver that speaks for it. */
function ownFramework(ctx: Context, pid: Pid, id: string | undefined): FrameworkRecord | undefined {
  const framework = ctx.state.frameworks.get(id ?? '');
  if (framework?.connection?.kind === 'pid' && framework.connection.pid === pid) return framework;
  log(ctx, 'warning', `Dropping a call of ${pid}: it does not speak for framework '${id ?? ''}'`);
  return undefined;
}

/** UnregisterFrameworkMessage: the driver stops, without failover. */
export function unregisterFramework(ctx: Context, pid: Pid, frameworkId: string): void {
  countUp(ctx, 'messages_unregister_framework');
  const framework = ownFramework(ctx, pid, frameworkId);
  if (framework !== undefined) removeFramework(ctx, framework);
}

/** DeactivateFrameworkMessage: the driver aborted. It keeps its tasks, and gets no more offers. */
export function deactivateDriver(ctx: Context, pid: Pid, frameworkId: string): void {
  countUp(ctx, 'messages_deactivate_framework');
  const framework = ownFramework(ctx, pid, frameworkId);
  if (framework === undefined) return;
  log(ctx, 'info', `Deactivating framework ${nameFramework(framework)}`);
  deactivateFramework(ctx, framework, true);
}
