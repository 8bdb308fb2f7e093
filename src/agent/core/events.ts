import type { CommandInfo, ContainerID, ContainerInfo, Resource, TaskStatus_Reason } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_executor.ts';
import type { CheckKind, ExecutorStream, InboundMessages, Pid } from './effects.ts';
import type { Recovered } from './recovered.ts';

/** A message that arrived, decoded; names that are not in the table never reach the core. */
export type MessageEvent = {
  readonly [N in keyof InboundMessages]: {
    readonly kind: 'message';
    readonly from: Pid;
    readonly name: N;
    readonly body: InboundMessages[N];
  };
}[keyof InboundMessages];

/** Which limit a container ran into, in the words that the task's last status will carry. */
export interface ContainerLimitation {
  readonly reason: TaskStatus_Reason;
  readonly message: string;
}

/** What operators ask about containers, valid in itself: ids are well formed, a nested one has a parent. */
export type ContainerCall =
  | {
      readonly do: 'launch';
      readonly id: ContainerID;
      readonly command: CommandInfo | undefined;
      readonly container: ContainerInfo | undefined;
      readonly resources: readonly Resource[] | undefined;
      /** It sees what its parent sees, can be written to, and ends with the connection that asked for it. */
      readonly session: boolean;
    }
  | { readonly do: 'kill'; readonly id: ContainerID; readonly signal: number }
  /** End it at once: its session is over. */
  | { readonly do: 'destroy'; readonly id: ContainerID }
  /** Delete what is left of one that has ended. */
  | { readonly do: 'remove'; readonly id: ContainerID };

export type ProbeOutcome =
  | { readonly type: 'command'; readonly exitCode: number }
  | { readonly type: 'http'; readonly status: number }
  | { readonly type: 'tcp'; readonly connected: boolean }
  | { readonly type: 'failed'; readonly reason: string };

export type AgentEvent =
  /** The detector's news: who leads now; none while nobody does. */
  | { readonly kind: 'masterDetected'; readonly pid: Pid | undefined }
  | MessageEvent
  /** A linked pid's connection broke. */
  | { readonly kind: 'exited'; readonly pid: Pid }
  | { readonly kind: 'timer'; readonly key: string }
  /** The first process of the container runs, as this process id on the host. */
  | { readonly kind: 'containerStarted'; readonly containerId: string; readonly pid: number }
  /**
   * The first process ended. @param status as waitpid tells it: exit code in bits 8-15, or signal number in bits 0-6
   * (bit 7: core dumped). `limitation`: the launcher ended it because it used more than it may.
   */
  | {
      readonly kind: 'containerExited';
      readonly containerId: string;
      readonly status: number;
      readonly limitation?: ContainerLimitation | undefined;
    }
  /**
   * The container never ran. `sandbox`: its directory could not be made or given to its user (unknown user);
   * `launch`: anything after that (fetch failed, no such program, …). The message is a sentence without a final stop.
   */
  | {
      readonly kind: 'containerFailed';
      readonly containerId: string;
      readonly stage: 'sandbox' | 'launch';
      readonly message: string;
    }
  /** What a probe found: an exit code, an HTTP status, whether somebody listens; or why it found nothing. */
  | {
      readonly kind: 'probeDone';
      readonly containerId: string;
      readonly check: CheckKind;
      readonly outcome: ProbeOutcome;
    }
  /** An operator calls about containers; answered by one `containerAnswer` with this ticket. */
  | { readonly kind: 'containerCall'; readonly ticket: number; readonly call: ContainerCall }
  /** A version 1 executor calls. It is known to this agent; SUBSCRIBE comes with the stream that was opened for it. */
  | { readonly kind: 'executorCall'; readonly call: Call; readonly stream?: ExecutorStream | undefined }
  /** The executor closed its stream, or did not read it. */
  | { readonly kind: 'executorStreamClosed'; readonly stream: ExecutorStream }
  /** What `changeVolumes` for this operation came to; a problem is a sentence without a final stop. */
  | { readonly kind: 'volumesChanged'; readonly operation: string; readonly problem?: string | undefined }
  /** What became of a `removeDirectory`. */
  | { readonly kind: 'directoryRemoved'; readonly ok: boolean }
  /** How full the disk of the work directory is, 0 to 1; sandboxes are collected sooner when it fills up. */
  | { readonly kind: 'diskUsage'; readonly fraction: number }
  /** The first event of an agent that was made with what one before it has left. `cleanup`: end it all, then the agent. */
  | { readonly kind: 'resume'; readonly recovered: Recovered; readonly cleanup: boolean }
  /** The operator asked the program to end. `unregister`: tell the master that this agent will not come back. */
  | { readonly kind: 'stop'; readonly unregister: boolean }
  /** As `stop`, but tasks of frameworks that asked for checkpoints go on, for the agent that comes next. */
  | { readonly kind: 'leave' };
