import type { Task, TaskState } from '../../wire/v1.ts';

/** A reader's view of `TaskTable`. */
export interface ReadonlyTaskTable extends ReadonlyMap<string, Task> {
  /** How many tasks are in a state. */
  countOf(state: TaskState): number;
  /** The tasks in order: the same list as long as nothing changes, and never changed afterwards. */
  toArray(): readonly Task[];
}

/** Tasks by id, counted by state: whoever asks how many run does not have to look at them all. */
export class TaskTable extends Map<string, Task> implements ReadonlyTaskTable {
  private readonly counts = new Map<TaskState, number>();
  private list: readonly Task[] | undefined;

  constructor() {
    super();
  }

  override set(id: string, task: Task): this {
    const before = this.get(id);
    if (before === task) return this;
    if (before !== undefined) this.count(before.state, -1);
    this.count(task.state, 1);
    this.list = undefined;
    return super.set(id, task);
  }

  /** Enters a task under an id that is not taken. @returns who has it, if it is */
  enter(id: string, task: Task): Task | undefined {
    const known = this.get(id);
    if (known !== undefined) return known;
    this.count(task.state, 1);
    this.list = undefined;
    super.set(id, task);
    return undefined;
  }

  override delete(id: string): boolean {
    const before = this.get(id);
    if (before === undefined) return false;
    this.count(before.state, -1);
    this.list = undefined;
    return super.delete(id);
  }

  override clear(): void {
    this.counts.clear();
    this.list = undefined;
    super.clear();
  }

  countOf(state: TaskState): number {
    return this.counts.get(state) ?? 0;
  }

  toArray(): readonly Task[] {
    this.list ??= Array.from(this.values());
    return this.list;
  }

  private count(state: TaskState, change: 1 | -1): void {
    this.counts.set(state, this.countOf(state) + change);
  }
}
