/** Everything the master can do to the world. The driver performs effects after the step, in the order emitted. */
import type { Millis } from '../../base/machine.ts';
import type {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  CheckpointResourcesMessage,
  DrainSlaveMessage,
  ExecutorToFrameworkMessage,
  ExitedExecutorMessage,
  FrameworkErrorMessage,
  FrameworkRegisteredMessage,
  FrameworkReregisteredMessage,
  FrameworkToExecutorMessage,
  KillTaskMessage,
  LostSlaveMessage,
  PingSlaveMessage,
  ReconcileOperationsMessage,
  RescindResourceOfferMessage,
  ResourceOffersMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
  ShutdownExecutorMessage,
  ShutdownFrameworkMessage,
  ShutdownMessage,
  SlaveRegisteredMessage,
  SlaveReregisteredMessage,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
  SubmitSchedulerResponse,
  UpdateFrameworkMessage,
} from '../../wire/internal.ts';
import type { AgentID, FrameworkID, TaskState, TaskStatus } from '../../wire/v1.ts';
import type { Event } from '../../wire/v1_scheduler.ts';
import type { CommitToken, RequestId } from './events.ts';
import type { RegistryOperation } from './registry.ts';
import type { Agent, Framework, Pid, StreamId } from './state.ts';

/** The libprocess messages that the master sends, by full name. */
export interface OutboundMessages {
  'mesos.scheduler.Event': Event;
  'mesos.internal.AcknowledgeOperationStatusMessage': AcknowledgeOperationStatusMessage;
  'mesos.internal.ApplyOperationMessage': ApplyOperationMessage;
  'mesos.internal.CheckpointResourcesMessage': CheckpointResourcesMessage;
  'mesos.internal.DrainSlaveMessage': DrainSlaveMessage;
  'mesos.internal.ExecutorToFrameworkMessage': ExecutorToFrameworkMessage;
  'mesos.internal.ExitedExecutorMessage': ExitedExecutorMessage;
  'mesos.internal.FrameworkErrorMessage': FrameworkErrorMessage;
  'mesos.internal.FrameworkRegisteredMessage': FrameworkRegisteredMessage;
  'mesos.internal.FrameworkReregisteredMessage': FrameworkReregisteredMessage;
  'mesos.internal.FrameworkToExecutorMessage': FrameworkToExecutorMessage;
  'mesos.internal.KillTaskMessage': KillTaskMessage;
  'mesos.internal.LostSlaveMessage': LostSlaveMessage;
  'mesos.internal.PingSlaveMessage': PingSlaveMessage;
  'mesos.internal.ReconcileOperationsMessage': ReconcileOperationsMessage;
  'mesos.internal.RescindResourceOfferMessage': RescindResourceOfferMessage;
  'mesos.internal.ResourceOffersMessage': ResourceOffersMessage;
  'mesos.internal.RunTaskGroupMessage': RunTaskGroupMessage;
  'mesos.internal.RunTaskMessage': RunTaskMessage;
  'mesos.internal.ShutdownExecutorMessage': ShutdownExecutorMessage;
  'mesos.internal.ShutdownFrameworkMessage': ShutdownFrameworkMessage;
  'mesos.internal.ShutdownMessage': ShutdownMessage;
  'mesos.internal.SlaveRegisteredMessage': SlaveRegisteredMessage;
  'mesos.internal.SlaveReregisteredMessage': SlaveReregisteredMessage;
  'mesos.internal.StatusUpdateAcknowledgementMessage': StatusUpdateAcknowledgementMessage;
  'mesos.internal.StatusUpdateMessage': StatusUpdateMessage;
  'mesos.internal.SubmitSchedulerResponse': SubmitSchedulerResponse;
  'mesos.internal.UpdateFrameworkMessage': UpdateFrameworkMessage;
}
export type OutboundName = keyof OutboundMessages;

export type SendEffect = {
  [Name in OutboundName]: {
    readonly kind: 'send';
    /** The id of our process that sends: `master` or `slave-observer(N)`. */
    readonly from: string;
    readonly to: Pid;
    readonly name: Name;
    readonly message: OutboundMessages[Name];
  };
}[OutboundName];

/**
 * What operators' event streams are told. Cheap: references to state and immutable values; the stream's view makes
 * wire messages of them, at once (records may change with the next step), if anybody listens.
 */
export type OperatorNotice =
  | { readonly type: 'TASK_ADDED'; readonly frameworkId: string; readonly taskId: string }
  | {
      readonly type: 'TASK_UPDATED';
      readonly frameworkId: string;
      readonly status: TaskStatus;
      /** The newest known state; may be ahead of `status.state`. */
      readonly state: TaskState;
    }
  | { readonly type: 'AGENT_ADDED'; readonly agent: Agent }
  | { readonly type: 'AGENT_REMOVED'; readonly agentId: AgentID }
  | { readonly type: 'FRAMEWORK_ADDED'; readonly framework: Framework }
  | { readonly type: 'FRAMEWORK_UPDATED'; readonly framework: Framework }
  | { readonly type: 'FRAMEWORK_REMOVED'; readonly framework: Framework; readonly frameworkId: FrameworkID };

export type LogLevel = 'info' | 'warning' | 'error';

export type MasterEffect =
  /** Answers a request. `text` is a plain-text body; none means an empty body. */
  | { readonly kind: 'reply'; readonly request: RequestId; readonly status: number; readonly text?: string }
  /** Answers a SUBSCRIBE with 200 and keeps the connection open as this stream. */
  | { readonly kind: 'openStream'; readonly request: RequestId; readonly stream: StreamId }
  | { readonly kind: 'event'; readonly stream: StreamId; readonly event: Event }
  /** Ends the response after what was written. No `streamClosed` follows. */
  | { readonly kind: 'closeStream'; readonly stream: StreamId }
  /** Answer with `readerReady` when the reader has taken what was written to the stream, or when the stream is no more. */
  | { readonly kind: 'awaitReader'; readonly stream: StreamId }
  | SendEffect
  /** Connect to this pid (again), so that `exited` comes when the connection breaks. */
  | { readonly kind: 'link'; readonly pid: Pid; readonly relink?: boolean }
  /** Sets the keyed timer, replacing what was set under that key. `after` in milliseconds from now. */
  | { readonly kind: 'arm'; readonly key: string; readonly after: Millis }
  | { readonly kind: 'disarm'; readonly key: string }
  /** Make this durable, then answer with `committed`. Commits complete in the order emitted. */
  | { readonly kind: 'commit'; readonly token: CommitToken; readonly operation: RegistryOperation }
  | { readonly kind: 'operatorEvent'; readonly notice: OperatorNotice }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string }
  /** This master cannot go on: end the process, a standby takes over. */
  | { readonly kind: 'shutdown'; readonly reason: string };
