import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Answer } from './answer.ts';
import type { RecordStream, StreamOptions } from './stream.ts';

/** Upstream's realms; the daemon's name goes in front where they are told to a client (`mesos-master-readonly`). */
export type Realm = 'readonly' | 'readwrite' | 'scheduler' | 'executor' | 'resource-provider';

/** Who asks. A token may carry claims without naming anyone. */
export interface Principal {
  readonly value?: string;
  readonly claims: Readonly<Record<string, string>>;
}

/** One query parameter, for the help pages. */
export interface Parameter {
  readonly name: string;
  readonly description: string;
}

/** Everything about one endpoint, said once: routing, authentication and help are folds over it. */
export interface Endpoint {
  /** The libprocess process that owns it: `master`, `slave(1)`, `files`, …; the server's own process may be left out of the URL. */
  readonly process: string;
  /** Below the process: `/state`, `/api/v1/scheduler`; `/` is the process itself. */
  readonly path: string;
  /** Further paths below the process that mean the same: `/state.json`. */
  readonly aliases?: readonly string[];
  /** `prefix` (upstream's way and the default): `/state/anything` is `/state` too. `/` matches alone unless it says `prefix`. */
  readonly match?: 'prefix' | 'exact';
  /** Others get 405. Absent: all are answered alike, as upstream does it. */
  readonly methods?: readonly string[];
  /** Absent: open to everybody. */
  readonly realm?: Realm;
  /** Answered by the leading master only; `recovered`: and not before it has recovered. Read by the master's guard. */
  readonly leader?: 'leading' | 'recovered';
  /** A JSON answer is wrapped when `jsonp=` is given. */
  readonly jsonp?: boolean;
  /** Whether `request.stream` is left to the handler; otherwise the body is read and bounded before `handle`. */
  readonly streams?: (request: Request) => boolean;
  readonly parameters?: readonly Parameter[];
  /** One line for the help index. */
  readonly summary: string;
  readonly description?: string;
  /** The authorization actions it asks for, for the help pages. */
  readonly authorization?: readonly string[];
  /** Left out of the help pages. */
  readonly hidden?: boolean;
  /** Answers by returning, or later and synchronously by `exchange.reply` or `exchange.openStream`. */
  readonly handle: (request: Request, exchange: Exchange) => Answer | Promise<Answer | undefined> | undefined;
}

/** A request as endpoints see it. */
export interface Request {
  readonly method: string;
  /** Path and query as received. */
  readonly target: string;
  /** The percent-decoded path with its process in front and slashes collapsed: `/master/quota/ads`. */
  readonly path: string;
  /** What follows the endpoint's own path: empty, or `/ads`. */
  readonly rest: string;
  /** The query as received, with its `?`; empty without one. */
  readonly search: string;
  /** Decoded; of a repeated parameter the last counts. */
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** Empty where the endpoint takes a stream. */
  readonly body: Uint8Array;
  readonly stream: Readable;
  readonly principal?: Principal;
  readonly remoteAddress: string;
}

/** The way back to the client. */
export interface Exchange {
  /** Answers now. Only the first reply of an exchange counts. */
  reply(answer: Answer): void;
  /** Sends the head of a stream of records now; what is written to it follows in order. */
  openStream(options: StreamOptions): RecordStream;
  /** Calls back when the client has gone, or the answer is complete. */
  onClose(callback: () => void): void;
}
