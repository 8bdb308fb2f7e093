/**
 * What Marathon's core asks for. Effects are performed in order; what comes after a `store` is performed only when that is
 * durable, so that nothing is launched, told or answered that a restart would not know of.
 */
import type { Millis } from '../../base/machine.ts';
import type { Call } from '../../wire/v1_scheduler.ts';
import type { RequestId } from './events.ts';
import type { Outcome } from './outcome.ts';
import type { Published } from './published.ts';

/** Somebody to knock at, for a health check or a readiness check. */
export type ProbeTarget =
  | {
      readonly protocol: 'HTTP' | 'HTTPS';
      readonly host: string;
      readonly port: number;
      readonly path: string;
      /** Answers with 1xx say nothing. */
      readonly ignores1xx?: boolean;
      /** Only these are good; 200 to 399 unless given. */
      readonly goodStatuses?: readonly number[];
      /** Whether the answer itself is wanted. */
      readonly wantsResponse?: boolean;
    }
  | { readonly protocol: 'TCP'; readonly host: string; readonly port: number };

export type MarathonEffect =
  | { readonly kind: 'answer'; readonly request: RequestId; readonly outcome: Outcome }
  /** Keeps this value (as JSON) under this key, or forgets it. */
  | { readonly kind: 'store'; readonly key: string; readonly value: object | undefined }
  /** A call of the scheduler API; the framework id is filled in. Dropped without a subscription. */
  | { readonly kind: 'call'; readonly call: Call }
  /** The roles to be subscribed to have changed. */
  | { readonly kind: 'roles'; readonly roles: readonly string[] }
  | { readonly kind: 'publish'; readonly event: Published }
  /** Knocks once and tells `probed`. */
  | { readonly kind: 'probe'; readonly probe: string; readonly target: ProbeTarget; readonly timeout: Millis }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  /** The process has to end: upstream's exit codes. */
  | { readonly kind: 'exit'; readonly code: number; readonly reason: string }
  | { readonly kind: 'arm'; readonly key: string; readonly after: Millis }
  | { readonly kind: 'disarm'; readonly key: string };
