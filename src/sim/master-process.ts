import type { Millis } from '../base/machine.ts';
import type { MasterEffect } from '../master/core/effects.ts';
import { type MasterEvent, messageEvent } from '../master/core/events.ts';
import { createMaster, type Master } from '../master/core/machine.ts';
import type { MasterOptions } from '../master/core/options.ts';
import type { RegistrySnapshot } from '../master/core/registry.ts';
import type { Call as OperatorCall } from '../wire/v1_master.ts';
import type { Call } from '../wire/v1_scheduler.ts';
import { Clock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { HttpConnection, Responder, SchedulerApi } from './http.ts';
import type { Arrival, Host } from './network.ts';
import type { SeenMaster } from './observer.ts';
import { Registrar } from './registry.ts';
import { brief } from './transcript.ts';
import { demand } from './violation.ts';
import type { World } from './world.ts';
import { Candidacy, candidateBytes } from './zookeeper/candidacy.ts';

export interface MasterLife {
  readonly name: string;
  readonly address: string;
  readonly options: MasterOptions;
  /** Alone there is nobody to be elected from. */
  readonly alone: boolean;
  /** The process has ended. */
  readonly ended: (master: MasterProcess) => void;
}

/** One life of a master: it stands for election, and has a core from when it leads. */
export class MasterProcess implements Host, SchedulerApi, SeenMaster {
  readonly name: string;
  readonly address: string;
  private readonly life: MasterLife;
  private readonly world: World;
  private readonly dice: Dice;
  private readonly clock: Clock;
  private readonly registrar: Registrar;
  /** Who leads, as far as it knows. */
  private leaderPid: string | undefined;
  private readonly candidacy: Candidacy | undefined;
  private readonly connections = new Set<HttpConnection>();
  private readonly requests = new Map<number, Responder>();
  private readonly streams = new Map<string, Responder>();
  private machine: Master | undefined;
  private elected = false;
  private dead = false;
  private pausedUntil: Millis = 0;
  /** Effects that are performed until it dies in the middle. */
  private fuse: number | undefined;
  private nextRequest = 1;
  private unanswered = 0;
  private readonly delayed: (() => void)[] = [];

  constructor(world: World, dice: Dice, life: MasterLife) {
    this.world = world;
    this.dice = dice.fork();
    this.life = life;
    this.name = life.name;
    this.address = life.address;
    this.clock = new Clock(world.loop, dice.fork(), world.weather);
    this.registrar = new Registrar(world, dice.fork(), life.name);
    this.candidacy = life.alone ? undefined : this.stand(dice);
    world.network.attach(life.address, this);
  }

  get alive(): boolean {
    return !this.dead;
  }

  /** It has read the registry and serves, and believes that it leads. */
  get leading(): boolean {
    return this.machine !== undefined && !this.dead;
  }

  get core(): Master {
    demand(this.machine !== undefined, () => `${this.name} does not lead`);
    return this.machine;
  }

  /** Whether nobody else has taken over since it began to lead. */
  get reigning(): boolean {
    return this.leading && this.registrar.turn === this.world.store.epoch;
  }

  get informed(): boolean {
    return this.unanswered === 0;
  }

  start(): void {
    if (this.candidacy === undefined) this.lead();
    else this.candidacy.start();
  }

  /** The process is killed, or ends itself. */
  end(reason: string): void {
    if (this.dead) return;
    const { world, life } = this;
    world.say(this.name, `ends: ${reason}`);
    this.dead = true;
    this.clock.stop();
    this.candidacy?.stop();
    world.network.detach(this.address);
    for (const connection of [...this.connections]) connection.break();
    for (const observer of world.observers) observer.masterEnded?.(this);
    life.ended(this);
  }

  /** It ends after so many more effects, wherever that is. */
  endAfter(effects: number): void {
    this.fuse = effects;
  }

  /** It does nothing for so long, and is not aware of that. */
  pause(duration: Millis): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.world.loop.now + duration);
  }

  resume(): void {
    this.pausedUntil = this.world.loop.now;
  }

  receive({ from, to, name, body }: Arrival): void {
    const event = messageEvent({ from, to, name, body });
    demand(event !== undefined, () => `${from} sent the master ${name}, which it does not take`);
    this.turn(() => this.step(event));
  }

  exited(pid: string): void {
    this.turn(() => this.step({ kind: 'exited', pid }));
  }

  connected(connection: HttpConnection): void {
    this.connections.add(connection);
  }

  disconnected(connection: HttpConnection): void {
    this.connections.delete(connection);
  }

  call(call: Call, streamId: string | undefined, responder: Responder): void {
    this.turn(() => {
      if (this.machine === undefined) {
        responder.reply(this.elected ? 503 : 307, 'not the leading master', this.leaderPid);
        return;
      }
      const request = this.nextRequest++;
      this.requests.set(request, responder);
      this.step({ kind: 'schedulerCall', request, call, ...(streamId !== undefined && { streamId }) });
      demand(!this.requests.has(request) || this.dead, () => `the master did not answer ${call.type} at once`);
    });
  }

  /** A call of an operator. @param answered hears how it ended, which may take as long as the registry does */
  operate(call: OperatorCall, answered: (status: number, text: string | undefined) => void): void {
    this.turn(() => {
      if (this.machine === undefined) return;
      const request = this.nextRequest++;
      const nothing = (): void => {};
      this.requests.set(request, { reply: answered, open: nothing, event: nothing, close: nothing });
      this.step({ kind: 'operatorCall', request, call });
    });
  }

  streamBroken(stream: string): void {
    this.turn(() => {
      if (this.streams.delete(stream)) this.step({ kind: 'streamClosed', stream });
    });
  }

  private stand(dice: Dice): Candidacy {
    const { life, world, clock } = this;
    return new Candidacy({
      name: life.address,
      ensemble: world.ensemble,
      clock,
      timeout: dice.pick([4000, 10_000]) ?? 4000,
      candidate: candidateBytes(life.options.info),
      turn: (run) => this.turn(run),
      leader: (info, isSelf) => {
        this.leaderPid = info?.pid;
        if (isSelf && !this.elected) this.lead();
        else if (this.elected && !isSelf) this.end(`lost leadership to ${info?.pid ?? 'nobody'}`);
      },
      lost: (reason) => this.end(`lost candidacy: ${reason}`),
    });
  }

  private lead(): void {
    this.elected = true;
    this.world.say(this.name, 'is elected');
    this.registrar.recover((registry) => {
      this.turn(() => {
        if (registry.ok) this.begin(registry.value);
        else this.end(registry.error);
      });
    });
  }

  private begin(registry: RegistrySnapshot): void {
    this.machine = createMaster({ ...this.life.options, registry, electedTime: this.clock.env().wall });
    this.world.count('leaders');
    for (const observer of this.world.observers) observer.masterStarted?.(this);
    this.step({ kind: 'started' });
  }

  /** Runs it when the program has time for it, and not after its end. */
  private turn(run: () => void): void {
    if (this.dead) return;
    const { loop } = this.world;
    if (this.pausedUntil <= loop.now && this.delayed.length === 0) {
      run();
      return;
    }
    this.delayed.push(run);
    if (this.delayed.length === 1) this.catchUp();
  }

  /** After a pause everything happens that waited, in the order in which it came. */
  private catchUp(): void {
    const { loop } = this.world;
    loop.after(this.pausedUntil - loop.now, () => {
      if (this.pausedUntil > loop.now) {
        this.catchUp();
        return;
      }
      for (let run = this.delayed.shift(); run !== undefined; run = this.delayed.shift()) if (!this.dead) run();
    });
  }

  private step(event: MasterEvent): void {
    const { world, machine } = this;
    if (this.dead || machine === undefined) return;
    world.count('steps');
    world.say(`${this.name} <-`, brief(event));
    const effects: MasterEffect[] = [];
    machine.step(event, this.clock.env(), (effect) => effects.push(effect));
    for (const observer of world.observers) observer.masterStepped?.(this, event, effects);
    for (const effect of effects) {
      if (this.fuse !== undefined && this.fuse-- <= 0) this.end('killed between two effects');
      if (this.dead) return;
      this.perform(effect);
    }
  }

  private perform(effect: MasterEffect): void {
    const { world } = this;
    if (effect.kind !== 'operatorEvent') world.say(`${this.name} ->`, brief(effect));
    switch (effect.kind) {
      case 'send':
        world.network.send(`${effect.from}@${this.address}`, effect.to, effect.name, effect.message);
        break;
      case 'link':
        world.network.link(this.address, effect.pid, effect.relink === true);
        break;
      case 'arm':
        this.clock.arm(effect.key, effect.after, () => this.turn(() => this.step({ kind: 'timer', key: effect.key })));
        break;
      case 'disarm':
        this.clock.disarm(effect.key);
        break;
      case 'commit':
        this.commit(effect);
        break;
      case 'reply':
        this.take(effect.request).reply(effect.status, effect.text);
        break;
      case 'openStream': {
        const responder = this.take(effect.request);
        this.streams.set(effect.stream, responder);
        responder.open(effect.stream);
        break;
      }
      case 'event':
        this.streams.get(effect.stream)?.event(effect.event);
        break;
      case 'closeStream':
        this.streams.get(effect.stream)?.close();
        this.streams.delete(effect.stream);
        break;
      case 'awaitReader':
        world.loop.after(this.dice.between(0, 50), () =>
          this.turn(() => this.step({ kind: 'readerReady', stream: effect.stream })),
        );
        break;
      case 'shutdown':
        demand(/^Failed to update the registry/.test(effect.reason), () => `the master gave up: ${effect.reason}`);
        this.end(effect.reason);
        break;
      default:
    }
  }

  private commit({ token, operation }: Extract<MasterEffect, { kind: 'commit' }>): void {
    this.unanswered++;
    this.registrar.commit(operation, (error) =>
      this.turn(() => {
        // After a failure it does not know what is stored, and ends.
        if (error === undefined) this.unanswered--;
        this.step({ kind: 'committed', token, ...(error !== undefined && { error }) });
      }),
    );
  }

  private take(request: number): Responder {
    const responder = this.requests.get(request);
    this.requests.delete(request);
    demand(responder !== undefined, () => `the master answered request ${request} twice`);
    return responder;
  }
}
