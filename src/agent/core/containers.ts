import { taskExited, taskNotLaunched, taskStarted } from './built-in.ts';
import { rememberProcess } from './checkpoints.ts';
import { type Context, log } from './context.ts';
import type { Termination } from './effects.ts';
import type { AgentEvent } from './events.ts';
import { executorEnded, showSandbox } from './executors.ts';
import { discardNested } from './garbage.ts';
import {
  endNested,
  nestedKey,
  operatorContainerExited,
  operatorContainerFailed,
  operatorContainerStarted,
} from './operator-containers.ts';
import { nestedSandbox } from './paths.ts';
import type { ContainerUse, Framework } from './state.ts';

type Started = Extract<AgentEvent, { kind: 'containerStarted' }>;
type Exited = Extract<AgentEvent, { kind: 'containerExited' }>;
type Failed = Extract<AgentEvent, { kind: 'containerFailed' }>;

export function containerStarted(context: Context, event: Started): void {
  if (operatorContainerStarted(context, event.containerId, event.pid)) return;
  const use = context.state.containers.get(event.containerId);
  const framework = use && context.state.frameworks.get(use.frameworkId);
  if (!use || !framework) {
    log(context, 'warning', `Destroying container ${event.containerId}: nobody wants it`);
    context.emit({ kind: 'destroyContainer', containerId: event.containerId });
    return;
  }
  showSandbox(context, use.executor);
  if (use.executor.kind !== 'default') rememberProcess(context, framework, use.executor, event.pid);
  if (use.taskId === undefined) use.executor.processId = event.pid;
  else taskStarted(context, framework, use.executor, use.taskId, event.pid);
}

export function containerExited(context: Context, event: Exited): void {
  if (operatorContainerExited(context, event)) return;
  const use = take(context, event.containerId);
  const framework = use && context.state.frameworks.get(use.frameworkId);
  if (use && framework) tellEnd(context, framework, use, event);
  // What the first process left behind must not outlive it. This also makes the launcher forget how it ended: not before
  // that is remembered here.
  context.emit({ kind: 'destroyContainer', containerId: event.containerId });
}

function tellEnd(context: Context, framework: Framework, use: ContainerUse, event: Exited): void {
  const { executor, taskId } = use;
  taskContainerOver(context, use, event.containerId, { status: event.status, ...event.limitation });
  if (taskId !== undefined) {
    taskExited(context, framework, executor, taskId, event.status, event.limitation);
    return;
  }
  const { limitation } = event;
  executorEnded(context, framework, executor, { status: event.status, ...limitation });
}

export function containerFailed(context: Context, event: Failed): void {
  if (operatorContainerFailed(context, event)) return;
  const use = take(context, event.containerId);
  const framework = use && context.state.frameworks.get(use.frameworkId);
  if (!use || !framework) return;
  const { executor, taskId } = use;
  taskContainerOver(context, use, event.containerId, { message: event.message });
  if (event.stage === 'launch') showSandbox(context, executor);
  if (taskId !== undefined) {
    taskNotLaunched(context, framework, executor, taskId, event.stage, event.message);
    return;
  }
  context.state.metrics.containerLaunchErrors++;
  executorEnded(context, framework, executor, {
    status: -1,
    state: 'TASK_FAILED',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: `Failed to launch container: ${event.message}`,
  });
}

/** A task of a group has a container of its own, in which operators may have nested others. */
function taskContainerOver(context: Context, use: ContainerUse, containerId: string, termination: Termination): void {
  if (use.executor.kind !== 'default') return;
  const key = nestedKey(use.executor.containerId.value, containerId);
  endNested(context, key);
  discardNested(context, nestedSandbox(use.executor.directory, containerId));
  context.emit({ kind: 'containerOver', key, termination });
}

function take(context: Context, containerId: string) {
  const use = context.state.containers.get(containerId);
  context.state.containers.delete(containerId);
  return use;
}
