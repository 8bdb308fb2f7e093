import type { Millis } from '../../base/machine.ts';
import type {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  CheckpointResourcesMessage,
  DrainSlaveMessage,
  ExecutorRegisteredMessage,
  ExecutorReregisteredMessage,
  ExecutorToFrameworkMessage,
  ExitedExecutorMessage,
  FrameworkToExecutorMessage,
  KillTaskMessage,
  PingSlaveMessage,
  PongSlaveMessage,
  ReconcileOperationsMessage,
  ReconnectExecutorMessage,
  RegisterExecutorMessage,
  RegisterSlaveMessage,
  ReregisterExecutorMessage,
  ReregisterSlaveMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
  ShutdownExecutorMessage,
  ShutdownFrameworkMessage,
  ShutdownMessage,
  SlaveRegisteredMessage,
  SlaveReregisteredMessage,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
  UnregisterSlaveMessage,
  UpdateFrameworkMessage,
  UpdateOperationStatusMessage,
  UpdateSlaveMessage,
} from '../../wire/internal.ts';
import type { CommandInfo_URI, ContainerInfo, RLimitInfo, TaskStatus_Reason } from '../../wire/v1.ts';
import type { Event } from '../../wire/v1_executor.ts';
import type { Persist } from './persist.ts';

/** A libprocess address: `id@ip:port`. */
export type Pid = string;

/** Names one stream of a version 1 executor; chosen by who serves it, opaque here. */
export type ExecutorStream = number;

/** What the agent sends, by the name that the message has on the wire. */
export interface OutboundMessages {
  'mesos.internal.RegisterSlaveMessage': RegisterSlaveMessage;
  'mesos.internal.ReregisterSlaveMessage': ReregisterSlaveMessage;
  'mesos.internal.UnregisterSlaveMessage': UnregisterSlaveMessage;
  'mesos.internal.UpdateSlaveMessage': UpdateSlaveMessage;
  'mesos.internal.PongSlaveMessage': PongSlaveMessage;
  'mesos.internal.StatusUpdateMessage': StatusUpdateMessage;
  'mesos.internal.ExitedExecutorMessage': ExitedExecutorMessage;
  'mesos.internal.ExecutorToFrameworkMessage': ExecutorToFrameworkMessage;
  'mesos.internal.UpdateOperationStatusMessage': UpdateOperationStatusMessage;
  'mesos.internal.ExecutorRegisteredMessage': ExecutorRegisteredMessage;
  'mesos.internal.ExecutorReregisteredMessage': ExecutorReregisteredMessage;
  'mesos.internal.ReconnectExecutorMessage': ReconnectExecutorMessage;
  'mesos.internal.RunTaskMessage': RunTaskMessage;
  'mesos.internal.KillTaskMessage': KillTaskMessage;
  'mesos.internal.FrameworkToExecutorMessage': FrameworkToExecutorMessage;
  'mesos.internal.ShutdownExecutorMessage': ShutdownExecutorMessage;
  'mesos.internal.StatusUpdateAcknowledgementMessage': StatusUpdateAcknowledgementMessage;
}

/** What the agent understands, by the name that the message has on the wire. */
export interface InboundMessages {
  'mesos.internal.SlaveRegisteredMessage': SlaveRegisteredMessage;
  'mesos.internal.SlaveReregisteredMessage': SlaveReregisteredMessage;
  'mesos.internal.PingSlaveMessage': PingSlaveMessage;
  'mesos.internal.RunTaskMessage': RunTaskMessage;
  'mesos.internal.RunTaskGroupMessage': RunTaskGroupMessage;
  'mesos.internal.KillTaskMessage': KillTaskMessage;
  'mesos.internal.ShutdownExecutorMessage': ShutdownExecutorMessage;
  'mesos.internal.ShutdownFrameworkMessage': ShutdownFrameworkMessage;
  'mesos.internal.FrameworkToExecutorMessage': FrameworkToExecutorMessage;
  'mesos.internal.UpdateFrameworkMessage': UpdateFrameworkMessage;
  'mesos.internal.CheckpointResourcesMessage': CheckpointResourcesMessage;
  'mesos.internal.ApplyOperationMessage': ApplyOperationMessage;
  'mesos.internal.ReconcileOperationsMessage': ReconcileOperationsMessage;
  'mesos.internal.AcknowledgeOperationStatusMessage': AcknowledgeOperationStatusMessage;
  'mesos.internal.StatusUpdateAcknowledgementMessage': StatusUpdateAcknowledgementMessage;
  'mesos.internal.StatusUpdateMessage': StatusUpdateMessage;
  'mesos.internal.RegisterExecutorMessage': RegisterExecutorMessage;
  'mesos.internal.ReregisterExecutorMessage': ReregisterExecutorMessage;
  'mesos.internal.ExecutorToFrameworkMessage': ExecutorToFrameworkMessage;
  'mesos.internal.ShutdownMessage': ShutdownMessage;
  'mesos.internal.DrainSlaveMessage': DrainSlaveMessage;
}

/** A message on its way: to a pid, encoded by whoever performs the effect. Lost messages are the core's business. */
export type SendEffect = {
  readonly [N in keyof OutboundMessages]: {
    readonly kind: 'send';
    readonly to: Pid;
    readonly name: N;
    readonly message: OutboundMessages[N];
  };
}[keyof OutboundMessages];

/** A symbolic link to be made (or replaced): `link` is where it lies, `target` what it says. */
export interface SymbolicLink {
  readonly link: string;
  readonly target: string;
}

/** A folder that a task finds in its sandbox under a name of its own: a link to where it really lies. */
export interface VolumeLink {
  /** Absolute; refused unless it lies in the sandbox. */
  readonly link: string;
  /** Absent: there is no such folder, and nothing can be started that wants it. */
  readonly target: string | undefined;
  /** The sandbox that the folder is a part of, where it is no volume of its own: it is made if it is missing. */
  readonly within: string | undefined;
  /** Give the folder (not what is in it) to the user. */
  readonly give: boolean;
}

/** What happens to the folder of a persistent volume. `via`: a name on the same disk under which it waits to be deleted. */
export type VolumeChange =
  | { readonly do: 'make' | 'empty'; readonly path: string }
  | { readonly do: 'remove'; readonly path: string; readonly via: string };

/** A file that a container sees and that must never be on a disk. */
export interface SecretFile {
  /** Absolute, in the sandbox. */
  readonly link: string;
  readonly data: Uint8Array;
}

/**
 * Start a process tree in a sandbox. Answered by exactly one of `containerStarted` (and later `containerExited`)
 * or `containerFailed`. The launcher creates the sandbox (owner: `user`), then the links, fetches the URIs, opens
 * `stdout` and `stderr` in the sandbox for appending, and executes `file` in a session of its own.
 */
export interface LaunchContainer {
  readonly kind: 'launchContainer';
  /** A UUID, unique for the agent's lifetime. */
  readonly containerId: string;
  /** Searched on the PATH of `environment` when it has no slash. */
  readonly file: string;
  /** All arguments, the zeroth included: `['sh', '-c', 'echo hi']`. */
  readonly argv: readonly string[];
  /** The whole environment of the process, except for PATH, which the launcher adds when it is absent. */
  readonly environment: Readonly<Record<string, string>>;
  /** The user to become (and to own the sandbox); absent: whoever runs the agent. Unknown user: `containerFailed`. */
  readonly user?: string | undefined;
  /** Absolute path of the sandbox: working directory, created with its parents, mode 0750. */
  readonly sandbox: string;
  /** Made together with the folders that they lie in; what has such a name already is replaced. */
  readonly links: readonly SymbolicLink[];
  /** Made after those; a failure is `containerFailed`. */
  readonly volumes: readonly VolumeLink[];
  /** Made after those, in memory, and removed when the container ends; a failure is `containerFailed`. */
  readonly secretFiles?: readonly SecretFile[];
  /** To be fetched into the sandbox first; a failure is `containerFailed`. */
  readonly uris: readonly CommandInfo_URI[];
  readonly rlimits?: RLimitInfo | undefined;
  readonly container?: ContainerInfo | undefined;
  /** It can be written to its standard input while it runs; otherwise there is nothing to read. */
  readonly input?: boolean | undefined;
  /** What the tree may use: cpus in cores, mem and disk in megabytes. Enforced where the isolation flag says so. */
  readonly resources: { readonly cpus: number; readonly mem: number; readonly disk: number; readonly gpus: number };
  /** A variable with a secret that is only referred to. */
  readonly unresolvedSecret?: string;
  /** It is to end as soon as the agent does, however that happens; otherwise it goes on for the agent that comes next. */
  readonly endsWithAgent?: boolean;
  /** For log lines and process titles. */
  readonly frameworkId: string;
  readonly executorId: string;
}

export type AgentEffect =
  | SendEffect
  /** Keep a connection to this pid and report `exited` when it breaks. `reconnect`: on a fresh socket. */
  | { readonly kind: 'link'; readonly pid: Pid; readonly reconnect: boolean }
  /** Start, or start anew, the timer of this key: one `timer` event after so many milliseconds. */
  | { readonly kind: 'arm'; readonly key: string; readonly after: Millis }
  | { readonly kind: 'disarm'; readonly key: string }
  | LaunchContainer
  /** Make the sandbox of an executor that has no process: with an empty `stdout` and `stderr`, as upstream's has. */
  | { readonly kind: 'makeSandbox'; readonly path: string; readonly user: string | undefined }
  /** Show volumes in a sandbox that an executor has already. A failure is told in the log. */
  | {
      readonly kind: 'linkVolumes';
      readonly sandbox: string;
      readonly volumes: readonly VolumeLink[];
      readonly user: string | undefined;
    }
  /** Make and remove volumes' folders, before any effect that follows. Answered by one `volumesChanged`. */
  | { readonly kind: 'changeVolumes'; readonly operation: string; readonly changes: readonly VolumeChange[] }
  /** Signal every process of the tree. Nothing happens for a container that is gone. */
  | { readonly kind: 'killContainer'; readonly containerId: string; readonly signal: number }
  /**
   * End what is left of the tree (SIGKILL) and forget it. Also sent after `containerExited`, for descendants that
   * outlived the first process; when that one still lives (or was not started yet), `containerExited` follows.
   */
  | { readonly kind: 'destroyContainer'; readonly containerId: string }
  /** What became of a `containerCall`. Without a sentence the status says it all. */
  | { readonly kind: 'containerAnswer'; readonly ticket: number; readonly answer: ContainerAnswer }
  /** A container that an executor or an operator had is over; who waits for that is told. `key` as `formatContainerId`. */
  | { readonly kind: 'containerOver'; readonly key: string; readonly termination: Termination }
  /** Delete the sandbox of a container that has ended, and answer the call with this ticket: 200, or 500 and why not. */
  | { readonly kind: 'removeSandbox'; readonly path: string; readonly ticket: number }
  /** Look whether a task is well; answered by one `probeDone`, at the latest when the timeout (if any) is over. */
  | {
      readonly kind: 'probe';
      readonly containerId: string;
      readonly check: CheckKind;
      readonly probe: Probe;
      readonly timeout: Millis | undefined;
    }
  /** Tell a version 1 executor something over the stream that it opened. */
  | { readonly kind: 'executorEvent'; readonly stream: ExecutorStream; readonly event: Event }
  /** End that stream after what was told. No `executorStreamClosed` follows. */
  | { readonly kind: 'closeExecutorStream'; readonly stream: ExecutorStream }
  /** Ends what may be left of a container that the launcher does not know: it is found by its sandbox. */
  | { readonly kind: 'clearContainer'; readonly containerId: string; readonly sandbox: string }
  /** Effects that were emitted later are performed when this is durable. */
  | { readonly kind: 'persist'; readonly operation: Persist }
  /**
   * Delete this directory tree: it loses its name at once, and its content by and by. `via`: where it lies meanwhile.
   * Answered by `directoryRemoved`.
   */
  | { readonly kind: 'removeDirectory'; readonly path: string; readonly via: string }
  /** Make a directory on disk reachable under /files with this virtual path. */
  | { readonly kind: 'attachFiles'; readonly virtual: string; readonly real: string; readonly owner: FileOwner }
  | { readonly kind: 'detachFiles'; readonly virtual: string }
  /** The agent knows its id: make `work_dir/slaves/<id>` and `slaves/latest`. */
  | { readonly kind: 'agentDirectory'; readonly path: string; readonly link: SymbolicLink }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  /** Ask the detector again who leads; it answers with `masterDetected` even when nothing changed. */
  | { readonly kind: 'detectMaster' }
  /** End the program, after what was emitted before is done. Status 0: as asked; else something is wrong. */
  | { readonly kind: 'terminate'; readonly status: number; readonly reason: string };

/** The HTTP status of an answer to a call about containers, and for those who were refused a sentence. */
export interface ContainerAnswer {
  readonly status: 200 | 202 | 400 | 404 | 500 | 503;
  readonly sentence?: string | undefined;
}

/** How a container ended; without a status nobody knows. */
export interface Termination {
  /** As waitpid tells it. */
  readonly status?: number | undefined;
  readonly reason?: TaskStatus_Reason | undefined;
  readonly message?: string | undefined;
}

/** A task may have two: a check tells what it finds, a health check also decides about the task. */
export type CheckKind = 'check' | 'health';

/** How to look. Addresses are of the host's loopback: tasks share its network. */
export type Probe =
  | {
      readonly type: 'command';
      readonly file: string;
      readonly argv: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      readonly user: string | undefined;
      /** Working directory. */
      readonly directory: string;
    }
  /** GET, following redirects, without a look at certificates, as upstream does it. */
  | { readonly type: 'http'; readonly url: string }
  | { readonly type: 'tcp'; readonly ip: string; readonly port: number };

/** Whose files these are: what authorization asks about a sandbox. */
export interface FileOwner {
  readonly frameworkId: string;
  readonly executorId: string;
}
