import type { Millis } from '../base/machine.ts';
import { internalMessages } from '../wire/internal.ts';
import type { Dice } from './dice.ts';
import type { Loop } from './loop.ts';
import { Pipe } from './pipe.ts';
import { demand } from './violation.ts';
import { travel, type Weather } from './weather.ts';

type Pid = string;

export interface Arrival {
  readonly from: Pid;
  /** The id of the process that it was sent to. */
  readonly to: string;
  readonly name: string;
  readonly body: unknown;
}

/** A program with an address. */
export interface Host {
  receive(arrival: Arrival): void;
  /** The connection that was linked to this pid has ended. */
  exited(pid: Pid): void;
}

/** One program's outgoing connection to an address; all links and messages to it share it, as in libprocess. */
interface Connection {
  readonly from: string;
  readonly to: string;
  /** Who opened it, and who listened then: programs that come later at these addresses have nothing to do with it. */
  readonly owner: Host;
  readonly pipe: Pipe<Arrival>;
  readonly linked: Set<Pid>;
}

/** How long a program tries to connect to an address that does not answer. */
const CONNECT_TIMEOUT = 10_000;

const addressOf = (pid: Pid): string => pid.slice(pid.indexOf('@') + 1);
const idOf = (pid: Pid): string => pid.slice(0, pid.indexOf('@'));

/**
 * Libprocess as programs see it: messages arrive at most once and in order while a connection lasts; what is on its way
 * when it breaks is lost, and so is what is sent until the sender notices.
 */
export class Network {
  private readonly loop: Loop;
  private readonly dice: Dice;
  private readonly weather: Weather;
  private readonly hosts = new Map<string, Host>();
  private readonly connections = new Map<string, Connection>();
  private readonly cutUntil = new Map<string, Millis>();

  constructor(loop: Loop, dice: Dice, weather: Weather) {
    this.loop = loop;
    this.dice = dice;
    this.weather = weather;
  }

  /** A program starts to listen. */
  attach(address: string, host: Host): void {
    this.hosts.set(address, host);
  }

  /** The program at this address has died: what it was sent, and some of what it had sent, is lost. */
  detach(address: string): void {
    this.hosts.delete(address);
    for (const [key, connection] of [...this.connections]) {
      if (connection.from === address) {
        this.connections.delete(key);
        if (this.dice.chance(0.5)) connection.pipe.break();
      } else if (connection.to === address) this.break(connection);
    }
  }

  /** The message goes through the wire's codec, as it does on a real network. */
  send(from: Pid, to: Pid, name: string, message: object): void {
    const type = internalMessages[name];
    demand(type !== undefined, () => `${from} sent ${name}, which is no internal message`);
    const decoded = type.decode(type.encode(message));
    demand(decoded.ok, () => `${name} of ${from} cannot be read: ${decoded.ok ? '' : decoded.error}`);
    this.connect(addressOf(from), addressOf(to))?.pipe.send({ from, to: idOf(to), name, body: decoded.value });
  }

  /** @param fresh on a new connection, without an `exited` for the one that it replaces */
  link(from: string, to: Pid, fresh: boolean): void {
    const key = `${from}>${addressOf(to)}`;
    const present = this.connections.get(key);
    if (present !== undefined && fresh) {
      this.connections.delete(key);
      // What it carries still arrives, beside what the new one carries.
      this.connect(from, addressOf(to), present.linked)?.linked.add(to);
      return;
    }
    this.connect(from, addressOf(to))?.linked.add(to);
  }

  /** Breaks one connection of the many. @returns which */
  breakAny(): string | undefined {
    const connection = this.dice.pick([...this.connections.values()]);
    if (connection === undefined) return undefined;
    this.break(connection);
    return `${connection.from} to ${connection.to}`;
  }

  /** Cuts an address off for a while; its connections may or may not survive that. */
  cut(address: string, duration: Millis): void {
    const until = this.loop.now + duration;
    this.cutUntil.set(address, Math.max(until, this.cutUntil.get(address) ?? 0));
    for (const connection of this.connections.values()) {
      if (connection.from !== address && connection.to !== address) continue;
      if (this.dice.chance(0.5)) this.loop.after(this.dice.between(0, duration), () => this.break(connection));
    }
  }

  /** Nothing reaches or leaves this address before then. */
  cutOffUntil(address: string): Millis {
    return this.cutUntil.get(address) ?? 0;
  }

  /** Ends every cut. */
  heal(): void {
    this.cutUntil.clear();
  }

  private connect(from: string, to: string, linked: Iterable<Pid> = []): Connection | undefined {
    const owner = this.hosts.get(from);
    if (owner === undefined) return undefined;
    const key = `${from}>${to}`;
    const present = this.connections.get(key);
    if (present !== undefined) return present;
    const listener = this.hosts.get(to);
    const pipe = new Pipe<Arrival>({
      loop: this.loop,
      travel: () => travel(this.weather, this.dice),
      heldUntil: () => this.heldUntil(from, to),
      deliver: (arrival) => {
        if (listener !== undefined && this.hosts.get(to) === listener) listener.receive(arrival);
      },
    });
    const connection: Connection = { from, to, owner, pipe, linked: new Set(linked) };
    this.connections.set(key, connection);
    if (listener === undefined) this.break(connection);
    else if (this.heldUntil(from, to) > this.loop.now + CONNECT_TIMEOUT || this.isCutOff(from, to)) {
      this.loop.after(CONNECT_TIMEOUT, () => this.heldUntil(from, to) > this.loop.now && this.break(connection));
    }
    return connection;
  }

  private isCutOff(from: string, to: string): boolean {
    return this.heldUntil(from, to) > this.loop.now && this.dice.chance(0.5);
  }

  private heldUntil(from: string, to: string): Millis {
    return Math.max(this.cutUntil.get(from) ?? 0, this.cutUntil.get(to) ?? 0);
  }

  /** Ends a connection; its owner notices later, and goes on sending into the void until then. */
  private break(connection: Connection): void {
    if (connection.pipe.broken) return;
    connection.pipe.break();
    const { from, to, owner } = connection;
    this.loop.after(this.dice.between(0.1, this.weather.noticeWithin), () => {
      const key = `${from}>${to}`;
      if (this.connections.get(key) !== connection) return;
      this.connections.delete(key);
      if (this.hosts.get(from) !== owner) return;
      for (const pid of connection.linked) owner.exited(pid);
    });
  }
}
