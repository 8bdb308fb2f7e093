import type { MasterEffect } from '../../master/core/effects.ts';
import type { MasterEvent } from '../../master/core/events.ts';
import type { TaskState } from '../../wire/v1.ts';
import type { LiveContainer } from '../containers.ts';
import type { Observer, SeenAgent, SeenMaster } from '../observer.ts';
import { demand } from '../violation.ts';

/**
 * States that say for certain that the task does not run and never will. TASK_LOST says no such thing, and
 * TASK_GONE_BY_OPERATOR is the operator's word, not ours.
 */
const CERTAIN: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
]);

/** At most one container of a task runs anywhere, it runs only once, and not after somebody was told that it has ended. */
export class InstancesChecker implements Observer {
  private readonly live = new Map<string, string>();
  private readonly launched = new Set<string>();
  /** How the processes ended. */
  private readonly statuses = new Map<string, number | undefined>();
  private readonly ended = new Map<string, TaskState>();

  /** Task ids that run now. */
  get running(): ReadonlyMap<string, string> {
    return this.live;
  }

  containerStarted(agent: SeenAgent, { taskId }: LiveContainer): void {
    demand(!this.launched.has(taskId), () => `task ${taskId} was started a second time, by ${agent.name}`);
    const told = this.ended.get(taskId);
    demand(told === undefined, () => `${agent.name} starts task ${taskId} after its scheduler was told ${told}`);
    this.launched.add(taskId);
    this.live.set(taskId, agent.name);
  }

  containerEnded(_agent: SeenAgent, { taskId }: LiveContainer, status: number | undefined): void {
    this.live.delete(taskId);
    this.statuses.set(taskId, status);
  }

  masterStepped(_master: SeenMaster, _event: MasterEvent, effects: readonly MasterEffect[]): void {
    for (const effect of effects) {
      const status = effect.kind === 'event' ? effect.event.update?.status : undefined;
      if (status === undefined || !CERTAIN.has(status.state)) continue;
      const id = status.task_id.value;
      const where = this.live.get(id);
      demand(where === undefined, () => `the master says ${status.state} of task ${id}, which runs on ${where}`);
      const exit = this.statuses.get(id);
      demand(
        status.state !== 'TASK_FINISHED' || exit === 0,
        () => `the master says ${status.state} of task ${id}, which ended with status ${exit}`,
      );
      this.ended.set(id, status.state);
    }
  }
}
