/** Executors that are processes of the framework's own, speaking upstream's version 0 messages. */
import { type Context, log, send } from './context.ts';
import type { Pid } from './effects.ts';
import { registrationTimer } from './executors.ts';
import type { Executor, Framework } from './state.ts';

/** The executor's driver has introduced itself. */
export function executorRegistered(context: Context, framework: Framework, executor: Executor, pid: Pid): void {
  const { state } = context;
  if (executor.kind !== 'custom' || executor.phase !== 'registering' || !state.info.id) {
    log(context, 'warning', `Shutting down executor ${executor.id} at ${pid}: it is not awaited`);
    send(context, pid, 'mesos.internal.ShutdownExecutorMessage', {});
    return;
  }
  executor.phase = 'running';
  executor.pid = pid;
  context.emit({ kind: 'disarm', key: registrationTimer(executor) });
  context.emit({ kind: 'link', pid, reconnect: false });
  send(context, pid, 'mesos.internal.ExecutorRegisteredMessage', {
    executor_info: executor.info,
    framework_id: { value: framework.id },
    framework_info: framework.info,
    slave_id: state.info.id,
    slave_info: state.info,
  });
  deliverTasks(context, framework, executor);
}

/** Hands what is queued to an executor that has registered. */
export function deliverTasks(context: Context, framework: Framework, executor: Executor): void {
  if (executor.phase !== 'running' || executor.pid === undefined) return;
  for (const [taskId, record] of [...executor.queued]) {
    executor.queued.delete(taskId);
    executor.launched.set(taskId, record);
    send(context, executor.pid, 'mesos.internal.RunTaskMessage', {
      framework: framework.info,
      task: record.info,
      pid: framework.pid ?? '',
    });
  }
}

/** It did not register in time: whatever it is doing, it is not what it was started for. */
export function registrationTimedOut(context: Context, executor: Executor): void {
  if (executor.phase !== 'registering') return;
  const seconds = context.state.options.executorRegistrationTimeout / 1000;
  executor.phase = 'terminating';
  executor.pendingTermination = {
    state: 'TASK_FAILED',
    reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
    message: `Executor did not register within ${seconds}secs`,
  };
  context.emit({ kind: 'destroyContainer', containerId: executor.containerId.value });
}
