/** What an agent of before has left: its checkpoints, and the containers that the launcher kept. */
import type { Millis } from '../../base/machine.ts';
import type { StatusUpdateRecord } from '../../wire/internal.ts';
import type { ResourceState } from '../../wire/internal_slave.ts';
import type { AgentInfo, DrainConfig, ExecutorInfo, FrameworkInfo, Task, TaskInfo } from '../../wire/v1.ts';
import type { TaskLaunch } from './checkpoints.ts';
import type { Pid } from './effects.ts';
import type { KeptContainer } from './kept-containers.ts';
import type { ExecutorKind, TaskKill } from './state.ts';

export interface Recovered {
  /** With the id that it had; undefined for an agent that begins as a new one, with the resources of before. */
  readonly info: AgentInfo | undefined;
  readonly drain: DrainConfig | undefined;
  readonly frameworks: readonly RecoveredFramework[];
  /** What operators had launched; absent means nothing. */
  readonly operatorContainers?: readonly KeptContainer[] | undefined;
  /** Reservations, volumes, and operations whose end was not acknowledged. */
  readonly resources: ResourceState;
  /** Containers that run, or have ended with a status that nobody has heard of yet. */
  readonly containers: ReadonlySet<string>;
  /** Folders of which nothing else here tells; they go in time. */
  readonly leftovers: readonly Leftover[];
  /** What could not be read and was passed over (`--no-strict`). */
  readonly errors: number;
}

export interface Leftover {
  /** Absolute. */
  readonly path: string;
  /** Wall clock. */
  readonly modifiedAt: Millis;
}

export interface RecoveredFramework {
  readonly info: FrameworkInfo;
  readonly pid: Pid | undefined;
  /** All runs that are remembered; at most one of each executor is not completed. */
  readonly runs: readonly RecoveredRun[];
}

export interface RecoveredRun {
  readonly info: ExecutorInfo;
  readonly kind: ExecutorKind;
  readonly containerId: string;
  /** Wall clock. */
  readonly launchedAt: Millis;
  /** Wall clock: when something was written last. */
  readonly modifiedAt: Millis;
  /** It ended, and everybody who had to knows. */
  readonly isCompleted: boolean;
  readonly processId: number | undefined;
  /** Of a version 0 executor that had registered. */
  readonly pid: Pid | undefined;
  /** A version 1 executor had subscribed. */
  readonly isHttp: boolean;
  readonly tasks: readonly RecoveredTask[];
}

export interface RecoveredTask {
  readonly info: TaskInfo;
  readonly task: Task;
  readonly launch: TaskLaunch;
  /** It was being ended. */
  readonly kill: TaskKill | undefined;
  readonly records: readonly StatusUpdateRecord[];
}
