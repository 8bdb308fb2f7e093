/** What becomes of the containers that operators have launched. */

import { formatContainerId } from './container-id.ts';
import type { Context } from './context.ts';
import type { ContainerAnswer, Termination } from './effects.ts';
import type { AgentEvent } from './events.ts';
import { discard, discardNested } from './garbage.ts';
import { forgetContainerFile, rememberContainer } from './kept-containers.ts';
import { isRootKnown } from './parents.ts';
import type { OperatorContainer } from './state.ts';

/** So many ends are remembered for those who ask later; upstream keeps them as long as the outermost parent lives. */
const REMEMBERED_ENDS = 1000;

/** @returns false when no operator has launched this container */
export function operatorContainerStarted(context: Context, containerId: string, pid: number): boolean {
  const container = context.state.operatorContainers.get(containerId);
  if (container === undefined) return false;
  container.processId = pid;
  settle(context, container, 200);
  return true;
}

/** @returns false when no operator has launched this container */
export function operatorContainerExited(
  context: Context,
  event: Extract<AgentEvent, { kind: 'containerExited' }>,
): boolean {
  const container = context.state.operatorContainers.get(event.containerId);
  if (container === undefined) return false;
  settle(context, container, 400, 'it was destroyed before it ran');
  end(context, container, { status: event.status, ...event.limitation });
  // The launcher forgets the status only when it is kept here.
  context.emit({ kind: 'destroyContainer', containerId: event.containerId });
  return true;
}

/** @returns false when no operator has launched this container */
export function operatorContainerFailed(
  context: Context,
  event: Extract<AgentEvent, { kind: 'containerFailed' }>,
): boolean {
  const container = context.state.operatorContainers.get(event.containerId);
  if (container === undefined) return false;
  const isOurs = event.stage === 'sandbox' && container.id.parent === undefined;
  settle(context, container, isOurs ? 500 : 400, event.message);
  forget(context, container);
  context.emit({ kind: 'containerOver', key: container.key, termination: { message: event.message } });
  return true;
}

function settle(
  context: Context,
  container: OperatorContainer,
  status: ContainerAnswer['status'],
  sentence?: string,
): void {
  if (container.ticket === undefined) return;
  context.emit({ kind: 'containerAnswer', ticket: container.ticket, answer: { status, sentence } });
  container.ticket = undefined;
}

function end(context: Context, container: OperatorContainer, termination: Termination): void {
  const { state } = context;
  container.termination = termination;
  endNested(context, container.key);
  if (container.id.parent !== undefined && !isRootKnown(state, container.id)) forget(context, container);
  else {
    rememberContainer(context, container);
    if (container.id.parent === undefined) discard(context, container.sandbox);
    else discardNested(context, container.sandbox);
    state.endedContainers.add(container.key);
    forgetOldest(context);
  }
  context.emit({ kind: 'containerOver', key: container.key, termination });
}

/** @param key of a container that has ended: whatever is nested in it ends too */
export function endNested(context: Context, key: string): void {
  for (const container of nestedIn(context, key)) destroy(context, container);
}

/** The executor in this container is gone: nobody can ask any more how what was nested in it has ended. */
export function endExecutorContainer(context: Context, key: string, termination: Termination): void {
  endNested(context, key);
  for (const container of nestedIn(context, key)) if (container.termination !== undefined) forget(context, container);
  context.emit({ kind: 'containerOver', key, termination });
}

function nestedIn({ state }: Context, key: string): OperatorContainer[] {
  return [...state.operatorContainers.values()].filter((container) => container.key.startsWith(`${key}.`));
}

/** Ends the container at once; its end is told when nothing is left of it. */
export function destroy(context: Context, container: OperatorContainer): void {
  if (container.termination !== undefined || container.isEnding) return;
  container.isEnding = true;
  context.emit({ kind: 'destroyContainer', containerId: container.key });
}

/** Forgets the container, and whatever was nested in it and has ended; what is about to end is forgotten then. */
export function forget(context: Context, container: OperatorContainer): void {
  const { state } = context;
  const ended = nestedIn(context, container.key).filter(({ termination }) => termination !== undefined);
  for (const { key } of [container, ...ended]) {
    state.operatorContainers.delete(key);
    state.endedContainers.delete(key);
  }
  forgetContainerFile(context, container);
}

function forgetOldest(context: Context): void {
  const { operatorContainers, endedContainers } = context.state;
  for (const key of endedContainers) {
    if (endedContainers.size <= REMEMBERED_ENDS) return;
    const oldest = operatorContainers.get(key);
    // What is nested in it ends soon, and is newer than it then.
    const isFree = oldest !== undefined && nestedIn(context, key).every(({ termination }) => termination !== undefined);
    if (isFree) forget(context, oldest);
    else endedContainers.delete(key);
  }
}

/** After a restart: what the launcher does not have has ended unseen, and what has lost its executor ends now. */
export function resumeOperatorContainers(context: Context, containers: ReadonlySet<string>): void {
  for (const container of [...context.state.operatorContainers.values()]) {
    const { key, id, sandbox, termination } = container;
    const isLost = id.parent !== undefined && !isRootKnown(context.state, id);
    if (containers.has(key)) {
      if (isLost) destroy(context, container);
    } else if (termination === undefined) {
      context.emit({ kind: 'clearContainer', containerId: key, sandbox });
      forget(context, container);
    } else if (isLost) forget(context, container);
    else if (id.parent === undefined) discard(context, sandbox);
    else discardNested(context, sandbox);
  }
}

/** The name of a container in another's, for those who wait. */
export const nestedKey = (parent: string, value: string): string =>
  formatContainerId({ value, parent: { value: parent } });
