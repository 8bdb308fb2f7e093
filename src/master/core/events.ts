/** Everything that can happen to the master. Events arrive parsed and authenticated. */
import type {
  DeactivateFrameworkMessage,
  ExecutorToFrameworkMessage,
  ExitedExecutorMessage,
  FrameworkToExecutorMessage,
  KillTaskMessage,
  LaunchTasksMessage,
  PongSlaveMessage,
  ReconcileTasksMessage,
  RegisterFrameworkMessage,
  RegisterSlaveMessage,
  ReregisterFrameworkMessage,
  ResourceRequestMessage,
  ReviveOffersMessage,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
  SubmitSchedulerRequest,
  UnregisterFrameworkMessage,
  UnregisterSlaveMessage,
  UpdateOperationStatusMessage,
  UpdateSlaveMessage,
  V0SchedulerCall,
} from '../../wire/internal.ts';
import type { Call as OperatorCall } from '../../wire/v1_master.ts';
import type { Call } from '../../wire/v1_scheduler.ts';
import type { Reregistration } from './reregistration.ts';
import type { Pid, StreamId } from './state.ts';

/** Names one HTTP request until it is answered; chosen by the shell, opaque here. */
export type RequestId = number;
/** Names one commit until it is answered by `committed`. */
export type CommitToken = number;

/** The libprocess messages that the master takes, by full name. Others never become events. */
export interface InboundMessages {
  'mesos.scheduler.Call': V0SchedulerCall;
  'mesos.internal.FrameworkToExecutorMessage': FrameworkToExecutorMessage;
  'mesos.internal.KillTaskMessage': KillTaskMessage;
  'mesos.internal.LaunchTasksMessage': LaunchTasksMessage;
  'mesos.internal.ReconcileTasksMessage': ReconcileTasksMessage;
  'mesos.internal.RegisterFrameworkMessage': RegisterFrameworkMessage;
  'mesos.internal.ReregisterFrameworkMessage': ReregisterFrameworkMessage;
  'mesos.internal.ResourceRequestMessage': ResourceRequestMessage;
  'mesos.internal.ReviveOffersMessage': ReviveOffersMessage;
  'mesos.internal.StatusUpdateAcknowledgementMessage': StatusUpdateAcknowledgementMessage;
  'mesos.internal.SubmitSchedulerRequest': SubmitSchedulerRequest;
  'mesos.internal.UnregisterFrameworkMessage': UnregisterFrameworkMessage;
  'mesos.internal.DeactivateFrameworkMessage': DeactivateFrameworkMessage;
  'mesos.internal.RegisterSlaveMessage': RegisterSlaveMessage;
  'mesos.internal.ReregisterSlaveMessage': Reregistration;
  'mesos.internal.UnregisterSlaveMessage': UnregisterSlaveMessage;
  'mesos.internal.UpdateSlaveMessage': UpdateSlaveMessage;
  'mesos.internal.StatusUpdateMessage': StatusUpdateMessage;
  'mesos.internal.ExecutorToFrameworkMessage': ExecutorToFrameworkMessage;
  'mesos.internal.ExitedExecutorMessage': ExitedExecutorMessage;
  'mesos.internal.UpdateOperationStatusMessage': UpdateOperationStatusMessage;
  'mesos.internal.PongSlaveMessage': PongSlaveMessage;
}
export type InboundName = keyof InboundMessages;

/** A message to one of our processes: `to` is `master` or `slave-observer(N)`. */
export type MessageEvent = {
  [Name in InboundName]: {
    readonly kind: 'message';
    readonly from: Pid;
    readonly to: string;
    readonly name: Name;
    readonly body: InboundMessages[Name];
    /** Of the CRAM-MD5 authentication of `from`, if any. */
    readonly principal?: string;
  };
}[InboundName];

export interface SchedulerCallEvent {
  readonly kind: 'schedulerCall';
  readonly request: RequestId;
  readonly call: Call;
  /** The request's Mesos-Stream-Id header. */
  readonly streamId?: StreamId;
  readonly principal?: string;
}

/** An operator call that changes something; reading calls are answered by views and never come here. */
export interface OperatorCallEvent {
  readonly kind: 'operatorCall';
  readonly request: RequestId;
  readonly call: OperatorCall;
  readonly principal?: string;
}

/** The link to this pid broke. */
export interface ExitedEvent {
  readonly kind: 'exited';
  readonly pid: Pid;
}

/** What reaches the master from a framework's process, in this order. */
export type FromFramework = MessageEvent | ExitedEvent;

export type MasterEvent =
  /** First event of all: the registry is read, begin to serve. */
  | { readonly kind: 'started' }
  | SchedulerCallEvent
  /** The peer closed its event stream, or the shell gave it up (`reason`). */
  | { readonly kind: 'streamClosed'; readonly stream: StreamId; readonly reason?: string }
  /** The answer to `awaitReader`. */
  | { readonly kind: 'readerReady'; readonly stream: StreamId }
  | MessageEvent
  | ExitedEvent
  | { readonly kind: 'timer'; readonly key: string }
  /** Only agents with these hostnames are to be offered from now on; undefined: all. */
  | { readonly kind: 'whitelist'; readonly hostnames: ReadonlySet<string> | undefined }
  /** The answer to a `commit`: it is durable, or it failed (then this master must stop). */
  | { readonly kind: 'committed'; readonly token: CommitToken; readonly error?: string }
  | OperatorCallEvent;

/** Narrows a decoded libprocess message to an event. @returns undefined for a name that the master does not take */
export function messageEvent(message: {
  from: Pid;
  to: string;
  name: string;
  body: unknown;
  principal?: string;
}): MessageEvent | undefined {
  if (!INBOUND.has(message.name)) return undefined;
  return { kind: 'message', ...message } as MessageEvent;
}

const INBOUND_NAMES = {
  'mesos.scheduler.Call': true,
  'mesos.internal.FrameworkToExecutorMessage': true,
  'mesos.internal.KillTaskMessage': true,
  'mesos.internal.LaunchTasksMessage': true,
  'mesos.internal.ReconcileTasksMessage': true,
  'mesos.internal.RegisterFrameworkMessage': true,
  'mesos.internal.ReregisterFrameworkMessage': true,
  'mesos.internal.ResourceRequestMessage': true,
  'mesos.internal.ReviveOffersMessage': true,
  'mesos.internal.StatusUpdateAcknowledgementMessage': true,
  'mesos.internal.SubmitSchedulerRequest': true,
  'mesos.internal.UnregisterFrameworkMessage': true,
  'mesos.internal.DeactivateFrameworkMessage': true,
  'mesos.internal.RegisterSlaveMessage': true,
  'mesos.internal.ReregisterSlaveMessage': true,
  'mesos.internal.UnregisterSlaveMessage': true,
  'mesos.internal.UpdateSlaveMessage': true,
  'mesos.internal.StatusUpdateMessage': true,
  'mesos.internal.ExecutorToFrameworkMessage': true,
  'mesos.internal.ExitedExecutorMessage': true,
  'mesos.internal.UpdateOperationStatusMessage': true,
  'mesos.internal.PongSlaveMessage': true,
} satisfies Record<InboundName, true>;
const INBOUND: ReadonlySet<string> = new Set(Object.keys(INBOUND_NAMES));
