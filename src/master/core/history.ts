/** What agents tell a new master about frameworks and tasks that ended before. */
import { upgrade } from '../../resources/refinement.ts';
import { Archive_Framework } from '../../wire/internal.ts';
import { splitField } from '../../wire/split.ts';
import { Task } from '../../wire/v1.ts';
import type { Context } from './context.ts';
import type { FrameworkRecord } from './records.ts';
import type { Reregistration } from './reregistration.ts';

const TASKS = 3;

/**
 * Remembers tasks that had ended, of frameworks that are known, as long as there is room: what ended since this master was
 * elected is newer. What makes no sense is passed over.
 */
export function takeInHistory(ctx: Context, message: Reregistration): void {
  for (const { framework_info, tasks = [] } of message.completed_frameworks ?? []) {
    const framework = ctx.state.frameworks.get(framework_info.id?.value ?? '');
    if (framework !== undefined) remember(framework, tasks);
  }
  for (const archive of message.archives ?? []) {
    const { rest, parts } = splitField(archive, TASKS);
    const head = Archive_Framework.decode(rest);
    const framework = head.ok ? ctx.state.frameworks.get(head.value.framework_info.id?.value ?? '') : undefined;
    if (framework !== undefined) remember(framework, read(parts));
  }
}

function* read(parts: readonly Uint8Array[]): Generator<Task> {
  for (const part of parts) {
    const task = Task.decode(part);
    if (task.ok) yield task.value;
  }
}

function remember(framework: FrameworkRecord, tasks: Iterable<Task>): void {
  const { completedTasks } = framework;
  if (completedTasks.size >= completedTasks.capacity) return;
  for (const task of tasks) {
    if (task.framework_id.value !== framework.id) continue;
    completedTasks.push(
      task.resources === undefined ? task : { ...task, resources: task.resources.map((resource) => upgrade(resource)) },
    );
    if (completedTasks.size >= completedTasks.capacity) return;
  }
}
