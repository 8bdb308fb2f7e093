/** A ZooKeeper client: the session's core with sockets, timers and promises. */
import { connect, type Socket } from 'node:net';
import type { Millis } from '../../base/machine.ts';
import { monotonicTime, secureRandom, wallTime } from '../../runtime/clock.ts';
import { KeyedTimers } from '../../runtime/timers.ts';
import {
  type Acl,
  type Answer,
  type Change,
  type ChangeResult,
  type CreateMode,
  type NodeContent,
  OPEN_ACL,
  type Request,
  type Stat,
  type WatchEvent,
  type ZooErrorCode,
} from './core/protocol.ts';
import {
  type ConnectionId,
  type Server,
  Session,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  type ZooFailure,
} from './core/session.ts';

export interface ZooKeeperOptions {
  readonly servers: readonly Server[];
  /** Of the session, in milliseconds. */
  readonly timeout: Millis;
  /** `user:password` for the digest scheme. */
  readonly credentials?: string | undefined;
  /** `connecting` is said where no server has ever answered, once after a while and then now and again. */
  readonly onState?: (state: SessionState, reason: string) => void;
  readonly onWatch?: (event: WatchEvent) => void;
}

/** Why a request failed. `CONNECTION_LOSS`: it may or may not have been done. */
export class ZooKeeperError extends Error {
  readonly code: ZooErrorCode;

  constructor({ code, message }: ZooFailure) {
    super(message);
    this.name = 'ZooKeeperError';
    this.code = code;
  }
}

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: ZooKeeperError) => void;
}

/**
 * A client with one session. Requests made while no server answers wait until one does; those that were sent when the
 * connection broke are rejected with `CONNECTION_LOSS`. After `expired`, make a new client.
 */
export class ZooKeeper {
  readonly #options: ZooKeeperOptions;
  readonly #session: Session;
  readonly #timers: KeyedTimers;
  readonly #sockets = new Map<ConnectionId, Socket>();
  readonly #pending = new Map<number, Pending>();
  readonly #queue: SessionEvent[] = [];
  #stepping = false;
  #token = 0;

  constructor(options: ZooKeeperOptions) {
    this.#options = options;
    const { servers, timeout, credentials } = options;
    this.#session = new Session({
      servers,
      timeout,
      ...(credentials !== undefined && { auth: { scheme: 'digest', credentials: Buffer.from(credentials) } }),
    });
    this.#timers = new KeyedTimers((key) => this.#step({ kind: 'timer', key }), monotonicTime);
  }

  get state(): SessionState {
    return this.#session.state;
  }

  get sessionId(): bigint {
    return this.#session.id;
  }

  /** What the servers granted, in milliseconds. */
  get timeout(): Millis {
    return this.#session.timeout;
  }

  start(): void {
    this.#step({ kind: 'start' });
  }

  /** Ends the session, and with it its ephemeral nodes. */
  close(): void {
    this.#step({ kind: 'close' });
    this.#timers.stop();
  }

  /** @returns the path with its sequence number, if there is one */
  async create(
    path: string,
    data: Uint8Array = new Uint8Array(0),
    { mode = 'persistent', acl = OPEN_ACL }: { readonly mode?: CreateMode; readonly acl?: readonly Acl[] } = {},
  ): Promise<string> {
    return (await this.request({ op: 'create', path, data, acl, mode })).path ?? path;
  }

  async delete(path: string, version = -1): Promise<void> {
    await this.request({ op: 'delete', path, version });
  }

  /** @returns undefined if the node does not exist; a watch then waits for it */
  async exists(path: string, watch = false): Promise<Stat | undefined> {
    return (await this.request({ op: 'exists', path, watch })).stat;
  }

  async getData(path: string, watch = false): Promise<{ readonly data: Uint8Array; readonly stat: Stat }> {
    const { data, stat } = await this.request({ op: 'getData', path, watch });
    return { data: data!, stat: stat! };
  }

  async setData(path: string, data: Uint8Array, version = -1): Promise<Stat> {
    return (await this.request({ op: 'setData', path, data, version })).stat!;
  }

  async getChildren(path: string, watch = false): Promise<readonly string[]> {
    return (await this.request({ op: 'getChildren', path, watch })).children!;
  }

  async getAcl(path: string): Promise<readonly Acl[]> {
    return (await this.request({ op: 'getAcl', path })).acl!;
  }

  /** Has the server that answers catch up with the others. */
  async sync(path: string): Promise<void> {
    await this.request({ op: 'sync', path });
  }

  /** All of it or nothing; one result for each change. */
  async multi(changes: readonly Change[]): Promise<readonly ChangeResult[]> {
    return (await this.request({ op: 'multi', changes })).results!;
  }

  /**
   * Reads many nodes with one request. Answers of more than 16 MiB break the connection, so ask for few where nodes are large.
   * @throws ZooKeeperError UNIMPLEMENTED by servers before 3.6
   */
  async getMany(paths: readonly string[]): Promise<readonly NodeContent[]> {
    return (await this.request({ op: 'getMany', paths })).contents!;
  }

  /** Makes a node and those above it, as far as they are missing. */
  async mkdirp(path: string, acl: readonly Acl[] = OPEN_ACL): Promise<void> {
    const parts = path.split('/').slice(1);
    for (let i = 1; i <= parts.length; i++) {
      const part = `/${parts.slice(0, i).join('/')}`;
      try {
        if ((await this.exists(part)) === undefined) await this.create(part, undefined, { acl });
      } catch (error) {
        if (!(error instanceof ZooKeeperError) || error.code !== 'NODE_EXISTS') throw error;
      }
    }
  }

  request(request: Request): Promise<Answer> {
    const token = this.#token++;
    return new Promise((resolve, reject) => {
      this.#pending.set(token, { resolve, reject });
      this.#step({ kind: 'request', token, request });
    });
  }

  /** One event after the other, also when a listener asks for something. */
  #step(event: SessionEvent): void {
    this.#queue.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const effects: SessionEffect[] = [];
        const env = { now: monotonicTime(), wall: wallTime(), random: secureRandom, chance: () => false };
        this.#session.step(next, env, (effect) => effects.push(effect));
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#stepping = false;
    }
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.#connect(effect.connection, effect.server);
        return;
      case 'write':
        this.#sockets.get(effect.connection)?.write(effect.bytes);
        return;
      case 'disconnect':
        this.#disconnect(effect.connection);
        return;
      case 'arm':
        this.#timers.arm(effect.key, effect.after);
        return;
      case 'disarm':
        this.#timers.disarm(effect.key);
        return;
      case 'answer': {
        const pending = this.#pending.get(effect.token);
        this.#pending.delete(effect.token);
        if (effect.result.ok) pending?.resolve(effect.result.value);
        else pending?.reject(new ZooKeeperError(effect.result.error));
        return;
      }
      case 'watch':
        this.#options.onWatch?.(effect.event);
        return;
      case 'state':
        this.#options.onState?.(effect.state, effect.reason);
        return;
    }
  }

  #connect(connection: ConnectionId, { host, port }: Server): void {
    const socket = connect({ host, port, noDelay: true });
    this.#sockets.set(connection, socket);
    let reason = 'the server closed the connection';
    socket.once('connect', () => this.#step({ kind: 'opened', connection }));
    socket.on('data', (bytes) => this.#step({ kind: 'received', connection, bytes }));
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.once('close', () => {
      // Not there any more: it was given up by the session itself.
      if (this.#sockets.delete(connection)) {
        this.#step({ kind: 'ended', connection, reason: `${host}:${port}: ${reason}` });
      }
    });
  }

  #disconnect(connection: ConnectionId): void {
    const socket = this.#sockets.get(connection);
    this.#sockets.delete(connection);
    // What was written before, such as the end of the session, is still sent.
    socket?.end();
    socket?.unref();
    setTimeout(() => socket?.destroy(), 500).unref();
  }
}
