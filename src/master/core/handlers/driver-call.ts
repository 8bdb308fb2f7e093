import type { V0SchedulerCall } from '../../../wire/internal.ts';
import { type Context, countUp, log, nameFramework, send } from '../context.ts';
import type { CounterName } from '../counters.ts';
import { deactivateFramework, removeFramework } from '../frameworks.ts';
import { count, type FrameworkRecord } from '../records.ts';
import type { Pid } from '../state.ts';
import { validateCall } from '../validation/calls.ts';
import { SCHEDULER_CALLS } from './scheduler-call.ts';
import { subscribeDriver } from './subscribe-driver.ts';

/** Calls about operations with ids, which only v1 has. */
const ONLY_V1: ReadonlySet<string> = new Set(['ACKNOWLEDGE_OPERATION_STATUS', 'RECONCILE_OPERATIONS', 'UNKNOWN']);

/** Of invalid calls these are counted. */
const INVALID: Partial<Record<string, CounterName>> = {
  ACKNOWLEDGE: 'invalid_status_update_acknowledgements',
  ACKNOWLEDGE_OPERATION_STATUS: 'invalid_operation_status_update_acknowledgements',
  MESSAGE: 'invalid_framework_to_executor_messages',
};

/** `mesos.scheduler.Call` of a v0 driver. There is no answer: a call that is wrong is dropped. */
export function driverCall(ctx: Context, pid: Pid, call: V0SchedulerCall, principal: string | undefined): void {
  const type = validateCall(call, principal);
  if (!type.ok) {
    log(ctx, 'warning', `Dropping a call of ${pid}: ${type.error}`);
    const counter = INVALID[call.type ?? ''];
    if (counter !== undefined) countUp(ctx, counter);
    return;
  }
  if (type.value === 'SUBSCRIBE') {
    if (call.subscribe !== undefined) subscribeDriver(ctx, pid, call.subscribe, principal);
    return;
  }
  const framework = ownFramework(ctx, pid, call.framework_id?.value);
  if (framework === undefined) return;
  count(framework.counters.calls, type.value);
  const tell = (message: string): void => send(ctx, pid, 'mesos.internal.FrameworkErrorMessage', { message });
  if (framework.state !== 'CONNECTED') {
    tell('Framework disconnected');
    return;
  }
  if (ONLY_V1.has(type.value)) {
    log(ctx, 'warning', `Dropping a call of ${pid}: ${type.value} is not supported by the v0 API`);
    return;
  }
  const answer: { status: number; text?: string } | undefined = SCHEDULER_CALLS[type.value](
    ctx,
    framework,
    call,
    principal,
  );
  if (answer?.text !== undefined) tell(answer.text);
}

/** The framework, if it is this driver that speaks for it. */
export function ownFramework(ctx: Context, pid: Pid, id: string | undefined): FrameworkRecord | undefined {
  const framework = ctx.state.frameworks.get(id ?? '');
  if (framework?.connection?.kind === 'pid' && framework.connection.pid === pid) return framework;
  log(ctx, 'warning', `Dropping a call of ${pid}: it does not speak for framework '${id ?? ''}'`);
  return undefined;
}

/** UnregisterFrameworkMessage: the driver stops, without failover. */
export function unregisterFramework(ctx: Context, pid: Pid, frameworkId: string): void {
  const framework = ownFramework(ctx, pid, frameworkId);
  if (framework === undefined) return;
  countUp(ctx, 'messages_unregister_framework');
  removeFramework(ctx, framework);
}

/** DeactivateFrameworkMessage: the driver aborted. It keeps its tasks, and gets no more offers. */
export function deactivateDriver(ctx: Context, pid: Pid, frameworkId: string): void {
  countUp(ctx, 'messages_deactivate_framework');
  const framework = ownFramework(ctx, pid, frameworkId);
  if (framework?.state !== 'CONNECTED') return;
  log(ctx, 'info', `Deactivating framework ${nameFramework(framework)}`);
  deactivateFramework(ctx, framework, true);
}
