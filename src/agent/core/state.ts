import type { Millis } from '../../base/machine.ts';
import type { Resources } from '../../resources/resources.ts';
import type { ExitedExecutorMessage, StatusUpdate, UpdateOperationStatusMessage } from '../../wire/internal.ts';
import type {
  AgentInfo,
  AgentInfo_Capability,
  CheckStatusInfo,
  ContainerID,
  DrainConfig,
  ExecutorInfo,
  FrameworkInfo,
  Operation,
  Resource,
  Task,
  TaskInfo,
  TaskState,
  TaskStatus_Reason,
} from '../../wire/v1.ts';
import type { CheckKind, ExecutorStream, Pid, Probe, Termination } from './effects.ts';
import type { AgentMetrics } from './metrics.ts';
import type { Ring } from './ring.ts';

/** What the flags decide about the core. Durations are milliseconds. */
export interface AgentOptions {
  /** This agent's own address, for example `slave(1)@10.0.0.2:5051`. */
  readonly pid: Pid;
  readonly hostname: string;
  readonly port: number;
  /** Upstream's version number that this agent claims, for example `1.12.0`. */
  readonly version: string;
  readonly workDir: string;
  readonly resources: readonly Resource[];
  readonly attributes?: AgentInfo['attributes'];
  readonly domain?: AgentInfo['domain'];
  readonly capabilities: readonly AgentInfo_Capability[];
  /** --checkpoint. */
  readonly checkpoint: boolean;
  /** --switch_user: become the task's user. */
  readonly switchUser: boolean;
  /** --default_executor… variables for every executor: --executor_environment_variables. */
  readonly executorEnvironment: Readonly<Record<string, string>>;
  readonly registrationBackoffFactor: Millis;
  readonly executorRegistrationTimeout: Millis;
  readonly executorShutdownGracePeriod: Millis;
  readonly recoveryTimeout: Millis;
  readonly executorReregistrationTimeout: Millis;
  /** After so long version 0 executors are asked again to come back; absent: never. */
  readonly executorReregistrationRetryInterval?: Millis;
  readonly gcDelay: Millis;
  /** --gc_disk_headroom, 0 to 1. */
  readonly gcDiskHeadroom: number;
  /** --gc_non_executor_container_sandboxes: sandboxes of nested containers go in time too, before that of their executor. */
  readonly gcNestedSandboxes?: boolean;
  readonly maxCompletedExecutorsPerFramework: number;
  /** --sandbox_directory: where a container with its own root file system sees its sandbox. */
  readonly sandboxDirectory: string;
  readonly httpCommandExecutor: boolean;
  /** --resource_estimator: revocable resources to offer on top, estimated anew in each interval. */
  readonly oversubscription?: { readonly resources: readonly Resource[]; readonly interval: Millis };
  /** --launcher_dir, which upstream's descriptions of executors name. */
  readonly launcherDir: string;
}

/** `disconnected`: no master, or not admitted by it (yet). `terminating`: told to end; waits for its executors. */
export type AgentPhase = 'disconnected' | 'running' | 'terminating';

export interface AgentState {
  readonly options: AgentOptions;
  /** Instant at which the agent started, wall clock. */
  readonly startTime: Millis;
  phase: AgentPhase;
  /** While `terminating`: what is checkpointed is left to the agent that comes next. */
  isLeaving: boolean;
  /** While `terminating`: whoever starts here next is a new agent, as the master wants it or has been told. */
  isForGood: boolean;
  /** Its `id` is set once a master has admitted the agent. */
  info: AgentInfo;
  master: Pid | undefined;
  /** What the master was told can be oversubscribed. */
  oversubscribed: Resources | undefined;
  /** What it has: the configured resources, with reservations and volumes. */
  total: Resources;
  /** Operations whose end has not been acknowledged, by uuid (text form). */
  readonly operations: Map<string, OperationRecord>;
  /** Names what this agent believes about its resources; 16 bytes. */
  resourceVersion: Uint8Array;
  /** The master has been told, or is being told, of resources that are not so any more. */
  isInventoryStale: boolean;
  /**
   * Inventories that were sent to this master and not answered yet. More answers than inventories mean that the master has
   * read one of before, held up on its way, and believes it.
   */
  unansweredInventories: number;
  /** Current delay before the next attempt to register. */
  registrationBackoff: Millis;
  /** From the master: silence for so long means that it has given this agent up. */
  pingTimeout: Millis;
  drain: { readonly config: DrainConfig; readonly startedAt: Millis } | undefined;
  readonly frameworks: Map<string, Framework>;
  readonly completedFrameworks: Ring<Framework>;
  /** Launched and not yet ended: container id → what runs in it. */
  readonly containers: Map<string, ContainerUse>;
  /** Launched by operators, living or ended, by `formatContainerId`. */
  readonly operatorContainers: Map<string, OperatorContainer>;
  /** Those of them that have ended, by the same name, in the order of their ends. */
  readonly endedContainers: Set<string>;
  /** Status updates on their way to schedulers, by `framework id/task id`. They may outlive their framework. */
  readonly streams: Map<string, UpdateStream>;
  /** Executors that ended while no master would hear of it: reported when one has admitted the agent. */
  readonly departed: ExitedExecutorMessage[];
  /** Directories waiting for collection, by path, in the order in which they fell idle. */
  readonly garbage: Map<string, Garbage>;
  /** Which sandbox a `…/runs/latest` path under /files leads to. */
  readonly latestRuns: Map<string, string>;
  /** Of the newest status, in seconds: no two are alike, so that sorting by time keeps their order. */
  lastTimestamp: number;
  /** How full the disk was when last looked at. */
  diskUsage: number;
  readonly metrics: AgentMetrics;
}

/** An operation that this agent was told to apply; `operation` is replaced, never changed in place. */
export interface OperationRecord {
  operation: Operation;
  /** How it ended, told until that is acknowledged; absent while its volumes are being made or removed. */
  update: UpdateOperationStatusMessage | undefined;
  /** Delay until that is sent again. */
  backoff: Millis;
}

/** A directory that will be deleted. */
export interface Garbage {
  readonly since: Millis;
  /** The `…/runs/latest` path that led to it, if it is a sandbox. */
  readonly virtual: string | undefined;
}

export interface Framework {
  readonly id: string;
  info: FrameworkInfo;
  /** The v0 scheduler's address; absent for v1 schedulers. */
  pid: Pid | undefined;
  phase: 'running' | 'terminating';
  readonly executors: Map<string, Executor>;
  readonly completedExecutors: Ring<Executor>;
  /** Which executor has a task, from its arrival until its last status is acknowledged. */
  readonly tasks: Map<string, Executor>;
}

/** A container holds either one task of a built-in executor, or (`taskId` absent) a custom executor. */
export interface ContainerUse {
  readonly frameworkId: string;
  readonly executor: Executor;
  readonly taskId?: string | undefined;
}

/** A container that an operator has launched: nested in another one, or standing alone. */
export interface OperatorContainer {
  /** `formatContainerId`; also its name with the launcher. */
  readonly key: string;
  readonly id: ContainerID;
  /** Absolute path; its output is there, though a session works in that of its parent. */
  readonly sandbox: string;
  readonly user: string | undefined;
  /** What its process sees: sessions in it see the same. */
  readonly environment: Readonly<Record<string, string>>;
  readonly isSession: boolean;
  /** It outlives this agent. */
  readonly isKept: boolean;
  /** The call that waits for its start. */
  ticket: number | undefined;
  processId: number | undefined;
  /** It is being destroyed. */
  isEnding: boolean;
  /** Present once it has ended. */
  termination: Termination | undefined;
}

/** Which program drives the tasks: one of the two built-in ones, or a process of the framework's own. */
export type ExecutorKind = 'command' | 'default' | 'custom';
export type ExecutorPhase = 'registering' | 'running' | 'terminating' | 'terminated';

export interface Executor {
  readonly id: string;
  readonly frameworkId: string;
  readonly kind: ExecutorKind;
  readonly info: ExecutorInfo;
  readonly containerId: ContainerID;
  /** Absolute path of the sandbox. */
  readonly directory: string;
  readonly user: string | undefined;
  readonly launchedAt: Millis;
  phase: ExecutorPhase;
  /** Its sandbox exists and is reachable under /files. */
  shown: boolean;
  /** Process id of a command task or a custom executor, once it runs. */
  processId: number | undefined;
  /** Address of a v0 custom executor that has registered. */
  pid: Pid | undefined;
  /** Stream of a v1 custom executor that has subscribed. */
  stream: ExecutorStream | undefined;
  /** Accepted, not yet handed to the executor; in order of arrival. */
  readonly queued: Map<string, TaskRecord>;
  /** Handed over, no terminal status yet. */
  readonly launched: Map<string, TaskRecord>;
  /** Terminal, last status not yet acknowledged. */
  readonly terminated: Map<string, TaskRecord>;
  readonly completed: Ring<TaskRecord>;
  /** Set while the agent is ending it: why the remaining tasks end, when the process is gone. */
  pendingTermination: PendingTermination | undefined;
  /** It was started by an agent that is gone, and has not introduced itself to this one yet. */
  isReconnecting: boolean;
}

export interface PendingTermination {
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  readonly message: string;
}

/** A task as the agent reports it; `task` is replaced, never changed in place. */
export interface TaskRecord {
  readonly info: TaskInfo;
  task: Task;
  /** Of its own container; absent for tasks of custom executors. */
  readonly containerId: ContainerID | undefined;
  readonly group: TaskGroup | undefined;
  processId: number | undefined;
  kill: KillProgress | undefined;
  /** An agent of before was ending it: to be taken up again when its process is found. */
  killBefore?: TaskKill | undefined;
  /** What is looked at while it runs. */
  checkers: readonly Checker[];
  /** What its check found last; present from the beginning if it has one. */
  checkStatus: CheckStatusInfo | undefined;
  /** What its health check said last. */
  healthy: boolean | undefined;
}

/** One check or health check of a running task. */
export interface Checker {
  readonly kind: CheckKind;
  readonly probe: Probe;
  /** From the end of one look to the beginning of the next. */
  readonly interval: Millis;
  readonly timeout: Millis | undefined;
  readonly startedAt: Millis;
  /** Health checks: failures before the first success do not count for so long. */
  readonly gracePeriod: Millis;
  /** Health checks: so many failures in a row end the task. */
  readonly failuresToKill: number;
  failures: number;
  /** No success yet. */
  initializing: boolean;
}

/** Tasks that were launched together and end together. */
export interface TaskGroup {
  readonly taskIds: readonly string[];
  /** One has ended badly: the others have been told to end. */
  ending: boolean;
}

/** A task that was asked to end. */
export interface KillProgress {
  readonly startedAt: Millis;
  /** When SIGKILL is due. */
  deadline: Millis;
  /** What the last status will say instead of TASK_KILLED, for example when the task ran out of time. */
  readonly verdict: { readonly state: TaskState; readonly reason: TaskStatus_Reason } | undefined;
  readonly healthy: false | undefined;
}

/** A task that is being ended as it is remembered, with instants of the wall clock. */
export interface TaskKill {
  readonly startedAt: Millis;
  /** When SIGKILL is due. */
  readonly deadline: Millis;
  readonly verdict?: KillProgress['verdict'];
  readonly healthy?: KillProgress['healthy'];
}

/** One task's status updates, in order, of which only the first is on its way. */
export interface UpdateStream {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly pending: StatusUpdate[];
  /** Delay until the first one is sent again. */
  backoff: Millis;
  /** Ids (hexadecimal) of all updates ever received, to know duplicates. */
  readonly received: Set<string>;
  /** A terminal update has been received: nothing else may follow. */
  terminal: boolean;
}
