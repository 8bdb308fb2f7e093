/** What can happen to Marathon: everything that its core is told. */
import type { MasterInfo, Offer, TaskStatus } from '../../wire/v1.ts';
import type { Change } from './change.ts';

/** Names a request that waits for its answer. */
export type RequestId = number;

/** Who asked for a change, for the events that tell of it. */
export interface Caller {
  readonly clientIp: string;
  readonly uri: string;
}

/** What came of one try to reach a task. */
export interface ProbeResult {
  /** `ignored`: the answer says neither yes nor no (1xx where these are not to count). */
  readonly verdict: 'good' | 'bad' | 'ignored';
  /** Why it is bad. */
  readonly cause?: string;
  /** Of HTTP, where the answer is to be shown. */
  readonly response?: { readonly status: number; readonly contentType: string; readonly body: string };
}

export type MarathonEvent =
  /** Comes once, before all others: this Marathon leads from now on. */
  | { readonly kind: 'start' }
  /** Make the tree of groups, apps and pods another one. */
  | {
      readonly kind: 'change';
      readonly request: RequestId;
      readonly change: Change;
      readonly force: boolean;
      readonly caller: Caller;
    }
  /** Kill instances; those that shall go on are launched again. @see Change for killing with scaling down */
  | {
      readonly kind: 'kill';
      readonly request: RequestId;
      readonly instances: readonly string[];
      readonly wipe: boolean;
    }
  | { readonly kind: 'cancelDeployment'; readonly request: RequestId; readonly id: string; readonly force: boolean }
  /** Forget what launches of this app or pod have to wait for. */
  | { readonly kind: 'resetDelay'; readonly request: RequestId; readonly specId: string }
  | { readonly kind: 'subscribed'; readonly frameworkId: string; readonly master?: MasterInfo }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'offers'; readonly offers: readonly Offer[] }
  | { readonly kind: 'rescind'; readonly offerId: string }
  | { readonly kind: 'update'; readonly status: TaskStatus }
  | {
      readonly kind: 'message';
      readonly agentId: string;
      readonly executorId: string;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'probed'; readonly probe: string; readonly result: ProbeResult }
  /** These secrets can be looked up now, and no others. */
  | { readonly kind: 'secrets'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'timer'; readonly key: string };
