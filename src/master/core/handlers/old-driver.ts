import type { LaunchTasksMessage } from '../../../wire/internal.ts';
import { type Context, send } from '../context.ts';
import type { InboundName, MessageEvent } from '../events.ts';
import type { FrameworkRecord } from '../records.ts';
import type { Pid } from '../state.ts';
import { accept } from './accept.ts';
import { acknowledge } from './acknowledge.ts';
import { decline } from './decline.ts';
import { ownFramework } from './driver-call.ts';
import { kill } from './kill.ts';
import { message } from './message.ts';
import { reconcile } from './reconcile.ts';
import { revive } from './revive.ts';
import { SCHEDULER_CALLS } from './scheduler-call.ts';
import { subscribeDriver } from './subscribe-driver.ts';

/*
 * What drivers said before there was `mesos.scheduler.Call`: a message for each call. Bindings for other languages that were
 * never brought up to date still do, and upstream's master still listens.
 */

type Handlers<Name extends InboundName> = {
  readonly [N in Name]: (ctx: Context, event: Extract<MessageEvent, { name: N }>) => void;
};

export const OLD_DRIVER_MESSAGES: Handlers<
  | 'mesos.internal.SubmitSchedulerRequest'
  | 'mesos.internal.RegisterFrameworkMessage'
  | 'mesos.internal.ReregisterFrameworkMessage'
  | 'mesos.internal.ResourceRequestMessage'
  | 'mesos.internal.LaunchTasksMessage'
  | 'mesos.internal.ReviveOffersMessage'
  | 'mesos.internal.KillTaskMessage'
  | 'mesos.internal.StatusUpdateAcknowledgementMessage'
  | 'mesos.internal.FrameworkToExecutorMessage'
  | 'mesos.internal.ReconcileTasksMessage'
> = {
  // Schedulers are never run by the master, and nothing else was ever answered.
  'mesos.internal.SubmitSchedulerRequest': (ctx, { from }) =>
    send(ctx, from, 'mesos.internal.SubmitSchedulerResponse', { okay: false }),
  'mesos.internal.RegisterFrameworkMessage': (ctx, { from, body, principal }) => {
    if ((body.framework.id?.value ?? '') !== '') refuse(ctx, from, "Registering with 'id' already set");
    else subscribeDriver(ctx, from, { framework_info: body.framework }, principal);
  },
  'mesos.internal.ReregisterFrameworkMessage': (ctx, { from, body, principal }) => {
    if ((body.framework.id?.value ?? '') === '') refuse(ctx, from, "Re-registering without an 'id'");
    else subscribeDriver(ctx, from, { framework_info: body.framework, force: body.failover }, principal);
  },
  'mesos.internal.ResourceRequestMessage': (ctx, { from, body }) =>
    as(ctx, from, body, (framework) => {
      SCHEDULER_CALLS.REQUEST(ctx, framework, { type: 'REQUEST', request: { requests: body.requests ?? [] } });
    }),
  'mesos.internal.LaunchTasksMessage': (ctx, { from, body }) =>
    as(ctx, from, body, (framework) => launchTasks(ctx, framework, body)),
  'mesos.internal.ReviveOffersMessage': (ctx, { from, body }) =>
    as(ctx, from, body, (framework) => revive(ctx, framework, { roles: body.roles ?? [] })),
  'mesos.internal.KillTaskMessage': (ctx, { from, body }) =>
    as(ctx, from, body, (framework) => kill(ctx, framework, { task_id: body.task_id })),
  'mesos.internal.StatusUpdateAcknowledgementMessage': (ctx, { from, body }) =>
    as(ctx, from, body, (framework) =>
      acknowledge(ctx, framework, { agent_id: body.slave_id, task_id: body.task_id, uuid: body.uuid }),
    ),
  'mesos.internal.FrameworkToExecutorMessage': (ctx, { from, body }) =>
    as(ctx, from, body, (framework) =>
      message(ctx, framework, { agent_id: body.slave_id, executor_id: body.executor_id, data: body.data }),
    ),
  'mesos.internal.ReconcileTasksMessage': (ctx, { from, body }) =>
    as(ctx, from, body, (framework) => reconcile(ctx, framework, { tasks: body.statuses ?? [] })),
};

/** Does something for the framework that this driver speaks for. */
function as(
  ctx: Context,
  pid: Pid,
  { framework_id }: { readonly framework_id: { readonly value: string } },
  act: (framework: FrameworkRecord) => void,
): void {
  const framework = ownFramework(ctx, pid, framework_id.value);
  if (framework !== undefined) act(framework);
}

/** To launch nothing is to decline. */
function launchTasks(ctx: Context, framework: FrameworkRecord, body: LaunchTasksMessage): void {
  const answer = { offer_ids: body.offer_ids ?? [], filters: body.filters };
  const tasks = body.tasks ?? [];
  if (tasks.length === 0) decline(ctx, framework, answer);
  else accept(ctx, framework, { ...answer, operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }] });
}

function refuse(ctx: Context, pid: Pid, reason: string): void {
  send(ctx, pid, 'mesos.internal.FrameworkErrorMessage', { message: reason });
}
