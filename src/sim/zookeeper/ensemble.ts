import type { Millis } from '../../base/machine.ts';
import { FrameReader, readRecord } from '../../coordination/zookeeper/core/jute.ts';
import { ERRORS, type WatchEvent } from '../../coordination/zookeeper/core/protocol.ts';
import type { Dice } from '../dice.ts';
import type { Loop } from '../loop.ts';
import { Pipe } from '../pipe.ts';
import { demand } from '../violation.ts';
import { travel, type Weather } from '../weather.ts';
import { Tree } from './tree.ts';
import {
  type Asked,
  type Greeting,
  greetingFrame,
  readAsked,
  readGreeting,
  replyFrame,
  watchFrame,
  writeStat,
} from './wire.ts';

export const SERVERS = 3;

/** Whoever opened a connection. */
export interface ZooClient {
  /** As which it can be cut off. */
  readonly name: string;
  opened(): void;
  received(bytes: Uint8Array): void;
  ended(reason: string): void;
}

interface ZooSession {
  readonly id: bigint;
  readonly password: Uint8Array;
  readonly timeout: Millis;
  readonly watched: Set<string>;
  lastHeard: Millis;
  connection: ZooConnection | undefined;
}

interface Around {
  readonly loop: Loop;
  readonly dice: Dice;
  readonly weather: Weather;
}

/** An ensemble of ZooKeeper servers that always agree with one another; each can be down, and so can all of them. */
export class Ensemble {
  readonly tree: Tree;
  readonly around: Around;
  private readonly sessions = new Map<bigint, ZooSession>();
  private readonly connections = new Set<ZooConnection>();
  private readonly downUntil: Millis[] = Array.from({ length: SERVERS }, () => 0);
  private readonly cutUntil = new Map<string, Millis>();
  private nextSession = 1n;

  constructor(around: Around) {
    this.around = around;
    this.tree = new Tree((event) => this.changed(event));
  }

  /** A client opens a connection to one of the servers. */
  connect(server: number, client: ZooClient): ZooConnection {
    const connection = new ZooConnection(this, server, client);
    this.connections.add(connection);
    return connection;
  }

  /** Nothing goes between this client and the servers until then. */
  cut(name: string, duration: Millis): void {
    this.cutUntil.set(name, Math.max(this.heldUntil(name), this.around.loop.now + duration));
  }

  /** A server is down for a while, or (undefined) all of them are. */
  stop(server: number | undefined, duration: Millis): void {
    const until = this.around.loop.now + duration;
    for (let each = 0; each < SERVERS; each++) {
      if (server !== undefined && each !== server) continue;
      this.downUntil[each] = Math.max(this.downUntil[each] ?? 0, until);
    }
    for (const connection of [...this.connections])
      if (!this.isUp(connection.server)) connection.break('server went down');
    // Who leads the ensemble next gives every session its whole time again.
    if (server === undefined) for (const session of this.sessions.values()) session.lastHeard = until;
  }

  /** One connection of the many breaks. */
  breakAny(): string | undefined {
    const connection = this.around.dice.pick([...this.connections]);
    connection?.break('connection reset');
    return connection?.client.name;
  }

  /** The servers give a session up before its time, as an administrator or a clock that jumps may make them do. */
  expireAny(): string | undefined {
    const session = this.around.dice.pick([...this.sessions.values()]);
    if (session === undefined) return undefined;
    const name = session.connection?.client.name;
    this.end(session);
    return name ?? `session ${session.id}`;
  }

  /** Ends all cuts and outages. */
  heal(): void {
    this.cutUntil.clear();
    this.downUntil.fill(0);
  }

  heldUntil(name: string): Millis {
    return this.cutUntil.get(name) ?? 0;
  }

  isUp(server: number): boolean {
    return (this.downUntil[server] ?? 0) <= this.around.loop.now;
  }

  forget(connection: ZooConnection): void {
    this.connections.delete(connection);
  }

  /** A client wants a session, or goes on with the one that it has. @returns undefined for one that is over */
  greet({ timeout, sessionId, password }: Greeting, connection: ZooConnection): ZooSession | undefined {
    if (sessionId === 0n) return this.begin(timeout, connection);
    const session = this.sessions.get(sessionId);
    if (session === undefined || session.password.some((byte, i) => byte !== password[i])) return undefined;
    session.connection?.break('session moved to another server');
    session.connection = connection;
    session.lastHeard = this.around.loop.now;
    return session;
  }

  isLive(session: ZooSession): boolean {
    return this.sessions.has(session.id);
  }

  end(session: ZooSession): void {
    this.sessions.delete(session.id);
    this.tree.endSession(session.id);
    session.connection?.break('session over');
  }

  private begin(timeout: Millis, connection: ZooConnection): ZooSession {
    const { loop, dice } = this.around;
    const password = Uint8Array.from({ length: 16 }, () => dice.whole(0, 255));
    const id = this.nextSession++;
    const session: ZooSession = { id, password, timeout, watched: new Set(), lastHeard: loop.now, connection };
    this.sessions.set(id, session);
    this.watchOver(session);
    return session;
  }

  private watchOver(session: ZooSession): void {
    const { loop, dice } = this.around;
    const left = session.lastHeard + session.timeout - loop.now;
    loop.after(Math.max(1, left) + dice.between(0, 500), () => {
      if (!this.sessions.has(session.id)) return;
      if (loop.now >= session.lastHeard + session.timeout) this.end(session);
      else this.watchOver(session);
    });
  }

  private changed(event: WatchEvent): void {
    if (event.type !== 'children') return;
    for (const session of this.sessions.values()) {
      // One that is not connected learns of it when it sets its watches again.
      if (session.connection === undefined || !session.watched.delete(event.path)) continue;
      session.connection.tell(watchFrame(event));
    }
  }
}

/** A client's connection to one server. */
export class ZooConnection {
  readonly server: number;
  readonly client: ZooClient;
  private readonly ensemble: Ensemble;
  private readonly frames = new FrameReader();
  private readonly up: Pipe<Uint8Array>;
  private readonly down: Pipe<Uint8Array>;
  private session: ZooSession | undefined;

  constructor(ensemble: Ensemble, server: number, client: ZooClient) {
    this.ensemble = ensemble;
    this.server = server;
    this.client = client;
    const { loop, dice, weather } = ensemble.around;
    const along = {
      loop,
      travel: () => travel(weather, dice),
      heldUntil: () => ensemble.heldUntil(client.name),
    };
    this.up = new Pipe({ ...along, deliver: (bytes) => this.receive(bytes) });
    this.down = new Pipe({ ...along, deliver: (bytes) => client.received(bytes) });
    const isCut = ensemble.heldUntil(client.name) > loop.now;
    if (!ensemble.isUp(server)) loop.after(dice.between(0.1, 2), () => this.break('connection refused'));
    else if (!isCut) loop.after(dice.between(0.1, 2), () => this.up.broken || client.opened());
  }

  write(bytes: Uint8Array): void {
    this.up.send(bytes);
  }

  tell(bytes: Uint8Array): void {
    this.down.send(bytes);
  }

  /** The client closes it, and hears no more of it. What it has written still arrives. */
  close(): void {
    this.down.break();
    this.leave();
  }

  /** It breaks; the client is told in time. */
  break(reason: string): void {
    if (this.up.broken) return;
    const isTold = !this.down.broken;
    this.up.break();
    this.down.break();
    this.leave();
    const { loop, dice, weather } = this.ensemble.around;
    if (isTold) loop.after(dice.between(0.1, weather.noticeWithin), () => this.client.ended(reason));
  }

  private leave(): void {
    this.ensemble.forget(this);
    if (this.session?.connection === this) this.session.connection = undefined;
  }

  private receive(bytes: Uint8Array): void {
    const frames = this.frames.push(bytes);
    demand(frames.ok, () => `${this.client.name} sends ZooKeeper what is no frame`);
    for (const frame of frames.value) {
      if (this.session === undefined) this.greeted(frame);
      else this.asked(frame, this.session);
    }
  }

  private greeted(frame: Uint8Array): void {
    const greeting = readRecord(frame, readGreeting);
    demand(greeting.ok, () => `${this.client.name} greets ZooKeeper with what cannot be read`);
    // What was on its way when the client closed the connection makes no session.
    if (this.down.broken) return;
    this.session = this.ensemble.greet(greeting.value, this);
    const { session } = this;
    if (session !== undefined) {
      const { id: sessionId, timeout, password } = session;
      this.tell(greetingFrame({ timeout, sessionId, password }));
    } else this.tell(greetingFrame({ timeout: 0, sessionId: 0n, password: new Uint8Array(16) }));
  }

  private asked(frame: Uint8Array, session: ZooSession): void {
    const asked = readRecord(frame, readAsked);
    demand(
      asked.ok && asked.value.op !== 'unknown',
      () => `${this.client.name} asks ZooKeeper for what it does not know`,
    );
    // The session is over, or has moved on to another connection: what is late on this one counts for nothing.
    if (!this.ensemble.isLive(session)) return;
    if (session.connection !== undefined && session.connection !== this) return;
    session.lastHeard = this.ensemble.around.loop.now;
    const answer = this.answer(asked.value, session);
    if (answer !== undefined) this.tell(answer);
  }

  private answer(asked: Asked, session: ZooSession): Uint8Array | undefined {
    const { tree } = this.ensemble;
    const { xid } = asked;
    switch (asked.op) {
      case 'ping':
        return replyFrame(xid, tree.zxid, 0);
      case 'setWatches':
        return this.watchAgain(asked, session);
      case 'create': {
        const made = tree.create(asked.path, asked.data, asked.ephemeral ? session.id : 0n, asked.sequential);
        if ('error' in made) return replyFrame(xid, tree.zxid, ERRORS[made.error]);
        return replyFrame(xid, tree.zxid, 0, (writer) => writer.string(made.path));
      }
      case 'exists':
      case 'getData':
      case 'getChildren':
        return this.read(asked, session);
      default:
        this.ensemble.end(session);
        return undefined;
    }
  }

  private read(
    { op, xid, path, watch }: Extract<Asked, { op: 'exists' | 'getData' | 'getChildren' }>,
    session: ZooSession,
  ) {
    const { tree } = this.ensemble;
    const node = tree.nodes.get(path);
    if (node === undefined) return replyFrame(xid, tree.zxid, ERRORS.NO_NODE);
    demand(op === 'getChildren' || !watch, () => 'the simulated servers watch children only');
    if (watch) session.watched.add(path);
    return replyFrame(xid, tree.zxid, 0, (writer) => {
      if (op === 'getData') writer.buffer(node.data);
      if (op === 'getChildren') writer.strings(tree.children(path));
      writeStat(writer, tree.stat(path, node));
    });
  }

  private watchAgain(asked: Extract<Asked, { op: 'setWatches' }>, session: ZooSession): Uint8Array {
    const { tree } = this.ensemble;
    session.watched.clear();
    for (const path of asked.children) {
      const node = tree.nodes.get(path);
      if (node === undefined) this.tell(watchFrame({ type: 'deleted', path }));
      else if (node.childrenChanged > asked.seen) this.tell(watchFrame({ type: 'children', path }));
      else session.watched.add(path);
    }
    return replyFrame(asked.xid, tree.zxid, 0);
  }
}
