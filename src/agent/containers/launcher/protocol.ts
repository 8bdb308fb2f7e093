/** What the agent and the launcher say to each other: one JSON object per line, over a Unix socket. */

/** Raised whenever an older launcher could misunderstand a newer agent, or the other way round. */
export const PROTOCOL_VERSION = 1;

/** A task to be started. Everything is decided: the launcher looks nothing up. */
export interface StartOrder {
  readonly containerId: string;
  /** Searched on the PATH of `environment` when it has no slash. */
  readonly file: string;
  /** All arguments, the zeroth included. */
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Working directory; `stdout` and `stderr` in it are appended to. */
  readonly directory: string;
  /** The process has something to read: what `input` brings. Launchers of before ignore this. */
  readonly input?: boolean | undefined;
  /** Absent: the launcher's own user. */
  readonly user?: UserIds | undefined;
  /** It is ended when the agent is gone, whether that comes back or not, and nobody asks how. */
  readonly endsWithAgent?: boolean | undefined;
}

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, without `gid`. */
  readonly groups: readonly number[];
}

/** How the agent identifies what a launcher that is gone had started. */
export interface AbandonedTree {
  readonly containerId: string;
  /** Absent when it was on its way to being started. */
  readonly leader?: ProcessId | undefined;
  /** See `TreeRoot.mark`. */
  readonly mark: string | undefined;
}

/** A process, told from later ones that get the same number by its start, in clock ticks since boot. */
export interface ProcessId {
  readonly pid: number;
  readonly start: number;
}

/** What the launcher knows of one container. */
export interface ContainerReport {
  readonly containerId: string;
  /** Absent while it waits for its turn to be started. */
  readonly leader?: ProcessId | undefined;
  readonly mark: string | undefined;
  /** As waitpid tells it; absent while it lives. */
  readonly status?: number | undefined;
  /** It was ended because the agent stayed away for too long. */
  readonly abandoned?: boolean | undefined;
}

export type Request =
  /** First of all. `recoveryTimeout`: for how many ms tasks may live without an agent. */
  | { readonly op: 'hello'; readonly version: number; readonly agentPid: number; readonly recoveryTimeout: number }
  /** Answered when the task runs or could not be started. */
  | { readonly op: 'start'; readonly order: StartOrder }
  /** Signal every process of the tree; nothing happens when it has ended. */
  | { readonly op: 'signal'; readonly containerId: string; readonly signal: number }
  /**
   * Write to the first process: base64, or the end of what it reads (absent). Answered when the process has taken it, or
   * never will; launchers of before answer at once and do nothing.
   */
  | { readonly op: 'input'; readonly containerId: string; readonly data?: string | undefined }
  /** SIGKILL for every process of the tree; forget it if it has ended, which acknowledges its status. */
  | { readonly op: 'destroy'; readonly containerId: string }
  /** End what another launcher had started; an `exited` event follows for each. */
  | { readonly op: 'clear'; readonly trees: readonly AbandonedTree[] }
  /** End all tasks (SIGTERM, after `grace` ms SIGKILL), then the launcher. Understood by every version. */
  | { readonly op: 'shutdown'; readonly grace: number };

export interface Numbered {
  readonly id: number;
}

export type Answer<Op extends Request['op']> = Op extends 'hello'
  ? { readonly version: number; readonly pid: number; readonly containers: readonly ContainerReport[] }
  : Op extends 'start'
    ? { readonly leader: ProcessId }
    : Record<string, never>;

/** Answers to requests by their id, and events, which have none. */
export type Response =
  | { readonly id: number; readonly ok: unknown }
  | {
      readonly id: number;
      readonly error: string;
      readonly code?: 'destroyed' | 'version' | undefined;
      /** With `version`: how many containers would be lost by a `shutdown`. Understood by every version. */
      readonly remembered?: number | undefined;
    }
  | { readonly event: 'exited'; readonly containerId: string; readonly status: number };

/** Cuts a stream of bytes into lines. */
export class Lines {
  private rest = '';
  private readonly decoder = new TextDecoder();

  push(chunk: Uint8Array): string[] {
    const lines = (this.rest + this.decoder.decode(chunk, { stream: true })).split('\n');
    this.rest = lines.pop() ?? '';
    return lines;
  }
}
