import type { Call, Event } from '../wire/v1_scheduler.ts';
import type { Clock } from './clock.ts';
import type { Dice } from './dice.ts';
import { CallConnection, type SchedulerClient, Subscription } from './http.ts';
import { LeaderDetector } from './leader-detector.ts';
import type { MasterProcess } from './master-process.ts';
import type { Masters } from './masters.ts';
import { brief, hex } from './transcript.ts';
import type { World } from './world.ts';

/** Heartbeats come every 5 s; a stream that is silent for longer than this is dead. */
const PATIENCE = 17_000;

/** What a scheduler hears of its connection. */
export interface ConnectionHandlers {
  /** What to subscribe with, now. */
  subscribeCall(): Call;
  /** Of the stream that stands; SUBSCRIBED too. */
  event(event: Event): void;
  /** Whatever the last stream offered is void. */
  disconnected(): void;
  /** A call was answered. */
  answered(call: Call, status: number, text: string | undefined): void;
  /** The connection broke before the answer came: each of them may have been heeded, or not. */
  unanswered(calls: readonly Call[]): void;
  /** The master has ended it for good, and no other attempt follows. */
  over?(reason: string): void;
}

export interface ConnectionOptions {
  readonly world: World;
  readonly name: string;
  readonly dice: Dice;
  readonly clock: Clock;
  readonly masters: Masters;
  readonly handlers: ConnectionHandlers;
}

/** A scheduler's connection to whoever leads. */
export interface SchedulerConnection {
  /** SUBSCRIBED has come, as far as it knows. */
  readonly subscribed: boolean;
  start(): void;
  /** The scheduler ends. */
  end(): void;
  /** Dropped where there is no subscription. The framework's id is filled in. */
  call(call: Call, frameworkId: string): void;
  /** Looks after itself, from time to time. @returns whether it has just given up its stream */
  tick(): boolean;
  breakStream(): void;
  breakCalls(): void;
}

/** A client that somebody else wrote: it does what the API asks, not what the SDK of this project does. */
export class ForeignConnection implements SchedulerConnection, SchedulerClient {
  private readonly options: ConnectionOptions;
  private readonly detector: LeaderDetector;
  private subscription: Subscription | undefined;
  private calls: CallConnection | undefined;
  private stream: string | undefined;
  private greeted = false;
  private attempt = 0;
  private lastHeard = 0;
  private ended = false;
  private leader: string | undefined;
  /** The program that it is subscribed to, or tries to be. */
  private master: MasterProcess | undefined;

  constructor(options: ConnectionOptions) {
    this.options = options;
    const { world, name, dice, clock } = options;
    this.detector = new LeaderDetector({ world, name, dice: dice.fork(), clock, tell: (pid) => this.detected(pid) });
  }

  get subscribed(): boolean {
    return this.greeted;
  }

  start(): void {
    this.detector.start();
  }

  end(): void {
    this.ended = true;
    this.detector.stop();
    this.subscription?.abandon();
    this.calls?.break();
  }

  breakStream(): void {
    this.subscription?.break();
  }

  breakCalls(): void {
    this.calls?.break();
  }

  opened(stream: string): void {
    if (this.ended) return;
    this.stream = stream;
    this.lastHeard = this.now;
  }

  closed(why: string): void {
    if (this.ended) return;
    this.say(`lost its subscription: ${why}`);
    this.resubscribe();
  }

  answered(call: Call, status: number, text: string | undefined): void {
    if (!this.ended) this.options.handlers.answered(call, status, text);
  }

  unanswered(calls: readonly Call[]): void {
    if (this.ended) return;
    this.calls = undefined;
    this.options.handlers.unanswered(calls);
  }

  event(event: Event): void {
    if (this.ended) return;
    this.lastHeard = this.now;
    if (event.subscribed !== undefined) this.greeted = true;
    this.options.handlers.event(event);
  }

  tick(): boolean {
    if (this.now - this.lastHeard <= PATIENCE) return false;
    this.say('heard nothing for too long');
    this.resubscribe();
    this.lastHeard = this.now;
    return true;
  }

  call(call: Call, frameworkId: string): void {
    if (this.ended || this.stream === undefined || !this.greeted) return;
    const { world, dice } = this.options;
    const { master } = this;
    if (master?.alive !== true) return;
    const heldUntil = (): number => world.network.cutOffUntil(master.address);
    this.calls ??= new CallConnection({ ...world, dice, api: master, client: this, heldUntil });
    const uuid = call.acknowledge === undefined ? '' : ` ${hex(call.acknowledge.uuid)}`;
    this.say(`-> ${call.type}${uuid}`);
    this.calls.send({ ...call, framework_id: { value: frameworkId } }, this.stream);
  }

  private get now(): number {
    return this.options.world.loop.now;
  }

  private detected(pid: string | undefined): void {
    if (this.ended || pid === this.leader) return;
    this.say(`is told that ${pid ?? 'nobody'} leads`);
    this.leader = pid;
    this.resubscribe();
  }

  private subscribe(): void {
    this.subscription?.abandon();
    if (this.leader === undefined) return;
    const { world, dice, masters, handlers } = this.options;
    const master = masters.at(this.leader);
    if (master !== this.master) this.calls?.break();
    this.master = master;
    if (master === undefined) {
      this.resubscribe();
      return;
    }
    const call = handlers.subscribeCall();
    this.lastHeard = this.now;
    this.say(`-> ${brief(call)}`);
    const heldUntil = (): number => world.network.cutOffUntil(master.address);
    this.subscription = new Subscription({ ...world, dice, api: master, client: this, heldUntil }, call);
  }

  private resubscribe(): void {
    const { world, dice, handlers } = this.options;
    this.greeted = false;
    this.stream = undefined;
    handlers.disconnected();
    this.subscription?.abandon();
    const attempt = ++this.attempt;
    world.loop.after(dice.between(10, 2000), () => {
      if (!this.ended && attempt === this.attempt) this.subscribe();
    });
  }

  private say(what: string): void {
    this.options.world.say(this.options.name, what);
  }
}
