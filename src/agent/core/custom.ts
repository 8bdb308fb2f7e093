/**
 * Executors that are processes of the framework's own. They speak version 0 (libprocess messages, `pid`) or version 1
 * (a stream of events, `stream`); what they are told is the same.
 */
import type { Event } from '../../wire/v1_executor.ts';
import { rememberConnection } from './checkpoints.ts';
import { type Context, log, send } from './context.ts';
import type { ExecutorStream, Pid } from './effects.ts';
import { registrationTimer } from './executors.ts';
import type { Executor, Framework, TaskRecord } from './state.ts';
import { goneState } from './task-state.ts';

/** A version 0 driver has introduced itself. */
export function executorRegistered(context: Context, framework: Framework, executor: Executor, pid: Pid): void {
  const { state } = context;
  if (executor.kind !== 'custom' || executor.phase !== 'registering' || !state.info.id) {
    log(context, 'warning', `Shutting down executor ${executor.id} at ${pid}: it is not awaited`);
    send(context, pid, 'mesos.internal.ShutdownExecutorMessage', {});
    return;
  }
  executor.pid = pid;
  rememberConnection(context, framework, executor, pid);
  context.emit({ kind: 'link', pid, reconnect: false });
  send(context, pid, 'mesos.internal.ExecutorRegisteredMessage', {
    executor_info: executor.info,
    framework_id: { value: framework.id },
    framework_info: framework.info,
    slave_id: state.info.id,
    slave_info: state.info,
  });
  connected(context, framework, executor);
}

/** A version 0 driver that an agent of before had started has introduced itself to this one. */
export function executorReregistered(context: Context, framework: Framework, executor: Executor, pid: Pid): void {
  const { state } = context;
  if (!state.info.id) return;
  executor.pid = pid;
  rememberConnection(context, framework, executor, pid);
  context.emit({ kind: 'link', pid, reconnect: false });
  send(context, pid, 'mesos.internal.ExecutorReregisteredMessage', { slave_id: state.info.id, slave_info: state.info });
  connected(context, framework, executor);
}

/** A version 1 executor has opened its stream; a second one takes the place of the first. */
export function executorSubscribed(
  context: Context,
  framework: Framework,
  executor: Executor,
  stream: ExecutorStream,
): void {
  if (executor.stream !== undefined) context.emit({ kind: 'closeExecutorStream', stream: executor.stream });
  if (executor.kind !== 'custom' || executor.phase === 'terminating' || executor.phase === 'terminated') {
    context.emit({ kind: 'executorEvent', stream, event: { type: 'SHUTDOWN' } });
    context.emit({ kind: 'closeExecutorStream', stream });
    return;
  }
  executor.stream = stream;
  executor.pid = undefined;
  rememberConnection(context, framework, executor, undefined);
  tell(context, framework, executor, {
    type: 'SUBSCRIBED',
    subscribed: {
      executor_info: executor.info,
      framework_info: framework.info,
      agent_info: context.state.info,
      container_id: executor.containerId,
    },
  });
  connected(context, framework, executor);
}

function connected(context: Context, framework: Framework, executor: Executor): void {
  executor.phase = 'running';
  context.emit({ kind: 'disarm', key: registrationTimer(executor) });
  deliverTasks(context, framework, executor);
}

/** Whether anything can be told to the executor now. */
export function isConnected(executor: Executor): boolean {
  return executor.pid !== undefined || executor.stream !== undefined;
}

/** Hands what is queued to an executor that has introduced itself: single tasks one by one, groups as groups. */
export function deliverTasks(context: Context, framework: Framework, executor: Executor): void {
  if (executor.phase !== 'running' || !isConnected(executor)) return;
  for (const record of [...executor.queued.values()]) {
    if (!executor.queued.has(record.info.task_id.value)) continue;
    const members = record.group ? groupOf(executor, record) : [record];
    for (const { info } of members) {
      const member = executor.queued.get(info.task_id.value);
      executor.queued.delete(info.task_id.value);
      if (member) executor.launched.set(info.task_id.value, member);
    }
    const tasks = members.map((member) => member.info);
    tell(
      context,
      framework,
      executor,
      record.group
        ? { type: 'LAUNCH_GROUP', launch_group: { task_group: { tasks } } }
        : { type: 'LAUNCH', launch: { task: record.info } },
    );
  }
}

function groupOf(executor: Executor, { group }: TaskRecord): TaskRecord[] {
  return (group?.taskIds ?? []).flatMap((taskId) => executor.queued.get(taskId) ?? []);
}

/** Tells an executor something, in the version that it speaks; nothing happens while it is not connected. */
export function tell(context: Context, framework: Framework, executor: Executor, event: Event): void {
  if (executor.stream !== undefined) context.emit({ kind: 'executorEvent', stream: executor.stream, event });
  else if (executor.pid !== undefined) tellVersion0(context, framework, executor, executor.pid, event);
}

function tellVersion0(context: Context, framework: Framework, executor: Executor, pid: Pid, event: Event): void {
  const framework_id = { value: framework.id };
  const slave_id = context.state.info.id;
  const tasks = event.launch ? [event.launch.task] : (event.launch_group?.task_group.tasks ?? []);
  for (const task of tasks) {
    const message = { framework: framework.info, task, pid: framework.pid ?? '' };
    send(context, pid, 'mesos.internal.RunTaskMessage', message);
  }
  if (event.kill) send(context, pid, 'mesos.internal.KillTaskMessage', { framework_id, ...event.kill });
  if (event.type === 'SHUTDOWN') send(context, pid, 'mesos.internal.ShutdownExecutorMessage', {});
  if (!slave_id) return;
  if (event.acknowledged) {
    const message = { slave_id, framework_id, ...event.acknowledged };
    send(context, pid, 'mesos.internal.StatusUpdateAcknowledgementMessage', message);
  }
  if (event.message) {
    const message = { slave_id, framework_id, executor_id: { value: executor.id }, data: event.message.data };
    send(context, pid, 'mesos.internal.FrameworkToExecutorMessage', message);
  }
}

/** It did not register in time: whatever it is doing, it is not what it was started for. */
export function registrationTimedOut(context: Context, framework: Framework, executor: Executor): void {
  if (executor.phase !== 'registering') return;
  const { executorRegistrationTimeout, executorReregistrationTimeout } = context.state.options;
  executor.phase = 'terminating';
  executor.pendingTermination = executor.isReconnecting
    ? {
        state: goneState(framework.info),
        reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
        message: `Executor did not reregister within ${executorReregistrationTimeout / 1000}secs`,
      }
    : {
        state: 'TASK_FAILED',
        reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
        message: `Executor did not register within ${executorRegistrationTimeout / 1000}secs`,
      };
  executor.isReconnecting = false;
  context.emit({ kind: 'destroyContainer', containerId: executor.containerId.value });
}
