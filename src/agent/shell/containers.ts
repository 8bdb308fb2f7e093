import type { Logger } from '../../runtime/logger.ts';
import type { ResourceStatistics } from '../../wire/v1.ts';
import type { LaunchContainer } from '../core/effects.ts';
import type { AgentEvent } from '../core/events.ts';
import type { FindUser } from './prober.ts';

/** What is told of containers. */
export type ContainerNews = Extract<AgentEvent, { kind: 'containerStarted' | 'containerExited' | 'containerFailed' }>;

/** Who starts and signals the processes of containers; news of them come as events. */
export interface ContainerRunner {
  launch(container: LaunchContainer): void;
  kill(containerId: string, signal: number): void;
  destroy(containerId: string): void;
  /** Ends what may be left of a container that no launcher knows any more. */
  clear(containerId: string, sandbox: string): void;
}

/** Where and how containers are run. */
export interface ContainersOptions {
  /** Absolute, without symbolic links. */
  readonly workDir: string;
  /** For what need not survive a reboot. */
  readonly runtimeDir: string;
  readonly logger: Logger;
  /** Takes news of containers, one event after the other. */
  readonly tell: (news: ContainerNews) => void;
  /** For how many ms containers may live without an agent. */
  readonly recoveryTimeout: number;
  /** What stands in front of the relative paths among the URIs of commands; empty: they are refused. */
  readonly frameworksHome: string;
  /** A download that brings nothing for so many ms is given up. */
  readonly stallTimeout: number;
}

export type OpenContainers = (options: ContainersOptions) => Promise<Containers>;

/** All that the program needs of the part that runs containers. */
export interface Containers extends ContainerRunner {
  /** Writes to the first process, or (no data) ends what it reads. Resolves to what was wrong, if anything. */
  write(containerId: string, data: Uint8Array | undefined): Promise<string | undefined>;
  /** What was measured last of a container's processes. */
  usage(containerId: string): ResourceStatistics | undefined;
  readonly findUser: FindUser;
  /** What an earlier agent had left: it runs, or its end was not told yet. News of each come soon. */
  recover(): readonly { readonly containerId: string }[];
  /** The containers that run or are being started. */
  list(): readonly string[];
  /** Leaves what runs to the agent that comes next. */
  close(): void;
  /** `containerizer/…`, for what is counted there. */
  metrics(): Readonly<Record<string, number>>;
  /** Ends it and whatever still runs. */
  stop(): Promise<void>;
}
