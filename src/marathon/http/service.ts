/** What the API needs of the program behind it. */

import type { Loaded } from '../../config/load.ts';
import type { NextLeader } from '../backup.ts';
import type { MarathonEvent, RequestId } from '../core/events.ts';
import type { Outcome } from '../core/outcome.ts';
import type { MarathonState } from '../core/state.ts';
import type { marathonFlags } from '../flags.ts';
import type { AgentTotal } from '../views/never-fits.ts';
import type { EventHub } from './hub.ts';
import type { LogLevels } from './log-levels.ts';

type WithRequest = Extract<MarathonEvent, { readonly request: RequestId }>;
/** An event that is answered, without the number under which its answer comes. */
export type Question = WithRequest extends infer Each
  ? Each extends WithRequest
    ? Omit<Each, 'request'>
    : never
  : never;

/** A Marathon that leads. */
export interface MarathonService {
  readonly state: MarathonState;
  readonly flags: Loaded<typeof marathonFlags>;
  readonly hub: EventHub;
  /** `host:port`, as others reach this Marathon. */
  readonly address: string;
  /** How it is reached there. */
  readonly scheme: 'http' | 'https';
  readonly levels: LogLevels;
  /** Wall clock, in ms. */
  readonly now: () => number;
  /** Since when this process runs and leads, in ms of the wall clock. */
  readonly startedAt: number;
  readonly leadsSince: () => number | undefined;
  /** Puts a question to the core. */
  ask(question: Question): Promise<Outcome>;
  /** What the agents of the cluster have in all, where the master tells it. */
  agentTotals(): Promise<readonly AgentTotal[] | undefined>;
  /** Leaves the next leader something to do before it leads. @returns why that is not possible, if it is not */
  leaveOrder?(order: NextLeader): Promise<string | undefined>;
  /** Gives leadership up: the process ends soon after this. */
  abdicate(): void;
}
