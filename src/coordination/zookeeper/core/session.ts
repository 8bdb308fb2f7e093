/**
 * One ZooKeeper session, without sockets and clocks: what arrives is an event, what is to be done an effect.
 *
 * A session outlives connections. It is `connected` while a server answers; `suspended` while none does, when nobody can
 * know what the others see; and `expired` for good when a server says so, or when so much time has gone by that the
 * servers must have given it up. The last is worked out here, from the instants at which things were sent that were
 * answered later: the servers' own reckoning starts afterwards, so whoever leads by this session stops before they let
 * another lead, whether or not they can be reached.
 */
import type { Env, Machine, Millis } from '../../../base/machine.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import { FrameReader, type JuteReader, readRecord } from './jute.ts';
import {
  type Answer,
  authFrame,
  type ConnectAnswer,
  connectFrame,
  ERRORS,
  errorCode,
  pingFrame,
  type Request,
  readAnswer,
  readConnectAnswer,
  readReplyHeader,
  readWatchEvent,
  requestFrame,
  setWatchesFrame,
  type WatchEvent,
  XID,
  type ZooErrorCode,
} from './protocol.ts';

export interface Server {
  readonly host: string;
  readonly port: number;
}

export interface SessionOptions {
  /** Tried one after the other, beginning anywhere. */
  readonly servers: readonly Server[];
  /** What is asked for; the servers may grant less or more. */
  readonly timeout: Millis;
  readonly auth?: { readonly scheme: string; readonly credentials: Uint8Array };
}

export type SessionState = 'connecting' | 'connected' | 'suspended' | 'expired' | 'closed' | 'authFailed';

/** Names one connection, so that what is late from an earlier one is told apart. */
export type ConnectionId = number;
/** Names one request until it is answered; chosen by whoever asks. */
export type RequestToken = number;

export interface ZooFailure {
  readonly code: ZooErrorCode;
  readonly message: string;
}

export type SessionEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'opened'; readonly connection: ConnectionId }
  | { readonly kind: 'received'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly connection: ConnectionId; readonly reason: string }
  | { readonly kind: 'timer'; readonly key: string }
  | { readonly kind: 'request'; readonly token: RequestToken; readonly request: Request }
  /** Gives the session up, ephemeral nodes and all. */
  | { readonly kind: 'close' };

export type SessionEffect =
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly server: Server }
  | { readonly kind: 'write'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  /** No `ended` follows. */
  | { readonly kind: 'disconnect'; readonly connection: ConnectionId }
  | { readonly kind: 'arm'; readonly key: string; readonly after: Millis }
  | { readonly kind: 'disarm'; readonly key: string }
  | { readonly kind: 'answer'; readonly token: RequestToken; readonly result: Result<Answer, ZooFailure> }
  | { readonly kind: 'watch'; readonly event: WatchEvent }
  /** A new state; or `connecting` again, as long as no server answers. */
  | { readonly kind: 'state'; readonly state: SessionState; readonly reason: string };

interface Waiting {
  readonly token: RequestToken;
  readonly request: Request;
}
interface Sent extends Waiting {
  readonly xid: number;
  readonly at: Millis;
}

const CONNECT = 'connect';
const PING = 'ping';
const DEADLINE = 'deadline';
const EXPIRY = 'expiry';
const TIMERS = [CONNECT, PING, DEADLINE, EXPIRY] as const;

/** After all servers were tried in vain, wait a little, longer each time. */
const FIRST_PAUSE: Millis = 50;
const MAX_PAUSE: Millis = 1_000;
/** How often in vain until it is said once more that no server answers. */
const REMIND = 15;

/** A session. It ends as `expired`, `closed` or `authFailed`; whoever wants to go on makes another. */
export class Session implements Machine<SessionEvent, SessionEffect> {
  readonly #options: SessionOptions;
  #env!: Env;
  #emit!: (effect: SessionEffect) => void;
  #state: SessionState = 'connecting';
  /** Of a connection that is being made or stands. */
  #connection: ConnectionId | undefined;
  #connections = 0;
  #server = -1;
  #failures = 0;
  #frames = new FrameReader();
  /** The server has taken over the session on this connection. */
  #greeted = false;
  #greetedAt: Millis = 0;
  #id = 0n;
  #password: Uint8Array = new Uint8Array(16);
  #timeout: Millis;
  #lastZxid = 0n;
  #xid = 0;
  #waiting: Waiting[] = [];
  #sent: Sent[] = [];
  #lastSent: Millis = 0;
  #pingSent: Millis | undefined;
  /** The latest instant of which it is known that something sent then has arrived. */
  #proof: Millis | undefined;
  #wasConnected = false;
  readonly #watches = { data: new Set<string>(), exists: new Set<string>(), children: new Set<string>() };

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#timeout = options.timeout;
  }

  get state(): SessionState {
    return this.#state;
  }

  get id(): bigint {
    return this.#id;
  }

  /** What the servers granted, in milliseconds. */
  get timeout(): Millis {
    return this.#timeout;
  }

  step(event: SessionEvent, env: Env, emit: (effect: SessionEffect) => void): void {
    this.#env = env;
    this.#emit = emit;
    if (event.kind === 'request') this.#request(event);
    if (this.#isOver) return;
    switch (event.kind) {
      case 'start':
        this.#server = Math.floor(env.random() * this.#options.servers.length) - 1;
        this.#connect();
        return;
      case 'opened':
        if (event.connection === this.#connection) this.#greet();
        return;
      case 'received':
        if (event.connection === this.#connection) this.#receive(event.bytes);
        return;
      case 'ended':
        if (event.connection === this.#connection) this.#lose(event.reason);
        return;
      case 'timer':
        this.#timer(event.key);
        return;
      case 'close':
        this.#close();
        return;
    }
  }

  get #isOver(): boolean {
    return this.#state === 'expired' || this.#state === 'closed' || this.#state === 'authFailed';
  }

  // Connections.

  #connect(): void {
    const { servers } = this.#options;
    this.#server = (this.#server + 1) % servers.length;
    this.#connection = this.#connections++;
    this.#frames = new FrameReader();
    this.#greeted = false;
    this.#emit({ kind: 'connect', connection: this.#connection, server: servers[this.#server]! });
    // A server that does not answer must leave time to try the others before the session is over.
    const patience = Math.max(100, this.#timeout / (servers.length + 1));
    this.#emit({ kind: 'arm', key: DEADLINE, after: patience });
  }

  #greet(): void {
    this.#greetedAt = this.#env.now;
    this.#write(connectFrame(this.#lastZxid, this.#timeout, this.#id, this.#password));
  }

  /** The connection is of no use any more: try the next server. */
  #lose(reason: string): void {
    this.#connection = undefined;
    this.#greeted = false;
    this.#pingSent = undefined;
    this.#emit({ kind: 'disarm', key: PING });
    this.#emit({ kind: 'disarm', key: DEADLINE });
    const lost = this.#sent;
    this.#sent = [];
    if (this.#state === 'connected') this.#enter('suspended', reason);
    for (const { token } of lost) {
      this.#fail(token, 'CONNECTION_LOSS', `the connection broke before the answer: ${reason}`);
    }
    this.#failures++;
    const count = this.#options.servers.length;
    const rounds = Math.floor(this.#failures / count);
    // Who waits for the first connection wants to know what for, but not every second.
    if (this.#state === 'connecting' && this.#failures % count === 0 && (rounds === 1 || rounds % REMIND === 0)) {
      this.#emit({ kind: 'state', state: 'connecting', reason });
    }
    if (rounds === 0) {
      this.#connect();
      return;
    }
    const pause = Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** Math.min(rounds, 10));
    this.#emit({ kind: 'arm', key: CONNECT, after: pause * (0.5 + this.#env.random() / 2) });
  }

  #giveUpConnection(reason: string): void {
    if (this.#connection === undefined) return;
    this.#emit({ kind: 'disconnect', connection: this.#connection });
    this.#lose(reason);
  }

  #timer(key: string): void {
    switch (key) {
      case CONNECT:
        if (this.#connection === undefined) this.#connect();
        return;
      case PING:
        this.#ping();
        return;
      case DEADLINE:
        this.#giveUpConnection(
          this.#greeted
            ? `the server has been silent for ${Math.round((this.#timeout * 2) / 3)} ms`
            : 'the server does not answer',
        );
        return;
      case EXPIRY:
        this.#checkExpiry();
        return;
      default:
    }
  }

  // What arrives.

  #receive(bytes: Uint8Array): void {
    const frames = this.#frames.push(bytes);
    if (!frames.ok) {
      this.#giveUpConnection(frames.error);
      return;
    }
    const connection = this.#connection;
    for (const frame of frames.value) {
      if (this.#connection !== connection || this.#isOver) return;
      if (!this.#greeted) this.#greetings(frame);
      else this.#reply(frame);
    }
    if (this.#greeted && !this.#isOver) this.#emit({ kind: 'arm', key: DEADLINE, after: (this.#timeout * 2) / 3 });
  }

  #greetings(frame: Uint8Array): void {
    const answer = readRecord(frame, readConnectAnswer);
    if (!answer.ok) {
      this.#giveUpConnection(answer.error);
      return;
    }
    if (answer.value.timeout <= 0) {
      this.#end('expired', 'the server says that the session has expired');
      return;
    }
    this.#takeOver(answer.value);
  }

  #takeOver({ timeout, sessionId, password }: ConnectAnswer): void {
    this.#greeted = true;
    this.#failures = 0;
    this.#timeout = timeout;
    this.#id = sessionId;
    this.#password = password;
    this.#prove(this.#greetedAt);
    this.#emit({ kind: 'arm', key: PING, after: timeout / 3 });
    const { auth } = this.#options;
    if (auth !== undefined) this.#write(authFrame(auth.scheme, auth.credentials));
    this.#setWatches();
    const wasConnected = this.#wasConnected;
    this.#wasConnected = true;
    this.#enter('connected', wasConnected ? 'the session goes on' : 'a session was made');
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) this.#send(one);
  }

  #setWatches(): void {
    const { data, exists, children } = this.#watches;
    if (data.size + exists.size + children.size === 0) return;
    this.#write(setWatchesFrame(this.#lastZxid, [...data], [...exists], [...children]));
  }

  #reply(frame: Uint8Array): void {
    const read = readRecord(frame, (reader) => {
      const header = readReplyHeader(reader);
      switch (header.xid) {
        case XID.watch: {
          const event = readWatchEvent(reader);
          if (event !== undefined) this.#told(event);
          return undefined;
        }
        case XID.ping:
          if (this.#pingSent !== undefined) this.#prove(this.#pingSent);
          this.#pingSent = undefined;
          return undefined;
        case XID.auth:
          if (header.error !== 0) this.#end('authFailed', 'the server refuses the credentials');
          return undefined;
        case XID.setWatches:
          return undefined;
        default:
          return this.#answer(header, reader);
      }
    });
    if (!read.ok) this.#giveUpConnection(`an answer cannot be read: ${read.error}`);
    else if (read.value !== undefined) this.#giveUpConnection(read.value);
  }

  /** @returns what is wrong with the answer, if anything is */
  #answer(header: { xid: number; zxid: bigint; error: number }, reader: JuteReader): string | undefined {
    const [first] = this.#sent;
    if (first === undefined || first.xid !== header.xid) {
      return `an answer to request ${header.xid} came where ${first?.xid ?? 'none'} is due`;
    }
    const result = this.#resultOf(first.request, header.error, reader);
    this.#sent.shift();
    if (header.zxid > 0n) this.#lastZxid = header.zxid;
    this.#prove(first.at);
    this.#emit({ kind: 'answer', token: first.token, result });
    return undefined;
  }

  #resultOf(request: Request, error: number, reader: JuteReader): Result<Answer, ZooFailure> {
    if (error === 0) {
      const answer = readAnswer(reader, request);
      this.#watch(request, true);
      return ok(answer);
    }
    // A transaction that failed carries a list of what went wrong where.
    if (request.op === 'multi' && !reader.isAtEnd) return ok(readAnswer(reader, request));
    if (request.op === 'exists' && error === ERRORS.NO_NODE) {
      this.#watch(request, false);
      return ok({});
    }
    const path = 'path' in request ? ` of '${request.path}'` : '';
    return err({ code: errorCode(error), message: `${request.op}${path}: ${errorCode(error)} (${error})` });
  }

  // Watches: each fires once.

  #watch(request: Request, found: boolean): void {
    if (!('watch' in request) || !request.watch) return;
    if (request.op === 'getChildren') this.#watches.children.add(request.path);
    else if (found) this.#watches.data.add(request.path);
    else this.#watches.exists.add(request.path);
  }

  #told(event: WatchEvent): void {
    const { data, exists, children } = this.#watches;
    const { path } = event;
    if (event.type === 'children' || event.type === 'deleted') children.delete(path);
    if (event.type !== 'children') {
      data.delete(path);
      exists.delete(path);
    }
    this.#emit({ kind: 'watch', event });
  }

  // What is sent.

  #request(waiting: Waiting): void {
    if (this.#isOver) {
      const code = this.#state === 'authFailed' ? 'AUTH_FAILED' : 'SESSION_EXPIRED';
      this.#fail(waiting.token, code, `the session is over (${this.#state})`);
    } else if (this.#state === 'connected') this.#send(waiting);
    else this.#waiting.push(waiting);
  }

  #send({ token, request }: Waiting): void {
    this.#xid = this.#xid >= 0x7fffffff ? 1 : this.#xid + 1;
    this.#sent.push({ token, request, xid: this.#xid, at: this.#env.now });
    this.#write(requestFrame(this.#xid, request));
  }

  #write(bytes: Uint8Array): void {
    if (this.#connection === undefined) return;
    this.#lastSent = this.#env.now;
    this.#emit({ kind: 'write', connection: this.#connection, bytes });
  }

  /** Something must be sent in each third of the timeout, so that two thirds of silence mean that nobody is there. */
  #ping(): void {
    if (!this.#greeted) return;
    const third = this.#timeout / 3;
    const idle = this.#env.now - this.#lastSent;
    if (idle >= third * 0.99 && this.#pingSent === undefined) {
      this.#pingSent = this.#env.now;
      this.#write(pingFrame());
    }
    const next = this.#pingSent === this.#env.now ? third : Math.max(1, third - idle);
    this.#emit({ kind: 'arm', key: PING, after: next });
  }

  // Expiry.

  #prove(sentAt: Millis): void {
    if (this.#proof !== undefined && this.#proof >= sentAt) return;
    this.#proof = sentAt;
    this.#emit({ kind: 'arm', key: EXPIRY, after: Math.max(0, sentAt + this.#timeout - this.#env.now) });
  }

  #checkExpiry(): void {
    if (this.#proof === undefined) return;
    const left = this.#proof + this.#timeout - this.#env.now;
    if (left > 0) this.#emit({ kind: 'arm', key: EXPIRY, after: left });
    else this.#end('expired', `no server has answered for ${Math.round(this.#timeout)} ms`);
  }

  // The end.

  #close(): void {
    if (this.#greeted) {
      this.#xid++;
      this.#write(requestFrame(this.#xid, { op: 'close' }));
    }
    this.#end('closed', 'it was closed');
  }

  #end(state: 'expired' | 'closed' | 'authFailed', reason: string): void {
    for (const key of TIMERS) this.#emit({ kind: 'disarm', key });
    if (this.#connection !== undefined) this.#emit({ kind: 'disconnect', connection: this.#connection });
    this.#connection = undefined;
    // Whoever leads must stop before anything else happens.
    this.#enter(state, reason);
    const code = state === 'authFailed' ? 'AUTH_FAILED' : 'SESSION_EXPIRED';
    for (const { token } of [...this.#sent, ...this.#waiting])
      this.#fail(token, code, `the session is over: ${reason}`);
    this.#sent = [];
    this.#waiting = [];
  }

  #enter(state: SessionState, reason: string): void {
    this.#state = state;
    this.#emit({ kind: 'state', state, reason });
  }

  #fail(token: RequestToken, code: ZooErrorCode, message: string): void {
    this.#emit({ kind: 'answer', token, result: err({ code, message }) });
  }
}
