import type { MasterEffect } from '../master/core/effects.ts';
import { type MasterEvent, messageEvent } from '../master/core/events.ts';
import { createMaster, type Master } from '../master/core/machine.ts';
import { type MasterOptions, masterOptions } from '../master/core/options.ts';
import type { RegistryOperation } from '../master/core/registry.ts';
import type { Call as OperatorCall } from '../wire/v1_master.ts';
import type { Call } from '../wire/v1_scheduler.ts';
import { Clock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { Responder, SchedulerApi } from './http.ts';
import type { Arrival, Host } from './network.ts';
import { brief } from './transcript.ts';
import { demand } from './violation.ts';
import type { World } from './world.ts';

const ADDRESS = '10.0.0.1:5050';
export const MASTER_PID = `master@${ADDRESS}`;

/** Waiting times are shorter than in real life, so that more happens in a run. */
function optionsFor(dice: Dice): MasterOptions {
  const base = masterOptions({
    info: { id: 'm', ip: 0x0100000a, port: 5050, pid: MASTER_PID, hostname: 'master' },
  });
  return {
    ...base,
    offerTimeout: dice.chance(0.5) ? dice.between(2000, 20_000) : undefined,
    heartbeatInterval: 5000,
    agentPingTimeout: 3000,
    maxAgentPingTimeouts: 4,
    agentReregisterTimeout: dice.pick([15_000, 60_000]) ?? 15_000,
    ...(dice.chance(0.3) && { agentRemovalRateLimit: { count: 1, interval: 5000 } }),
    roleSorter: dice.chance(0.2) ? 'random' : 'drf',
    maxCompletedTasksPerFramework: dice.pick([5, 1000]) ?? 5,
  };
}

/** The master's core with a simulated shell: it performs what the core decides. */
export class MasterProcess implements Host, SchedulerApi {
  readonly core: Master;
  readonly options: MasterOptions;
  private readonly world: World;
  private readonly dice: Dice;
  private readonly clock: Clock;
  private readonly requests = new Map<number, Responder>();
  private readonly streams = new Map<string, Responder>();
  private nextRequest = 1;
  private lastCommit = 0;

  constructor(world: World, dice: Dice) {
    this.world = world;
    this.dice = dice;
    this.clock = new Clock(world.loop, dice.fork(), world.weather);
    this.options = optionsFor(dice);
    this.core = createMaster(this.options);
    world.network.attach(ADDRESS, this);
  }

  start(): void {
    this.step({ kind: 'started' });
  }

  receive({ from, to, name, body }: Arrival): void {
    const event = messageEvent({ from, to, name, body });
    demand(event !== undefined, () => `${from} sent the master ${name}, which it does not take`);
    this.step(event);
  }

  exited(pid: string): void {
    this.step({ kind: 'exited', pid });
  }

  call(call: Call, streamId: string | undefined, responder: Responder): void {
    const request = this.nextRequest++;
    this.requests.set(request, responder);
    this.step({ kind: 'schedulerCall', request, call, ...(streamId !== undefined && { streamId }) });
    demand(!this.requests.has(request), () => `the master did not answer ${call.type} at once`);
  }

  /** A call of an operator. @param answered hears how it ended, which may take as long as the registry does */
  operate(call: OperatorCall, answered: (status: number, text: string | undefined) => void): void {
    const request = this.nextRequest++;
    const nothing = (): void => {};
    this.requests.set(request, { reply: answered, open: nothing, event: nothing, close: nothing });
    this.step({ kind: 'operatorCall', request, call });
  }

  streamBroken(stream: string): void {
    if (!this.streams.delete(stream)) return;
    this.step({ kind: 'streamClosed', stream });
  }

  private step(event: MasterEvent): void {
    const { world } = this;
    world.say('master <-', brief(event));
    const effects: MasterEffect[] = [];
    this.core.step(event, this.clock.env(), (effect) => effects.push(effect));
    for (const observer of world.observers) observer.masterStepped?.(this, event, effects);
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: MasterEffect): void {
    const { world } = this;
    if (effect.kind !== 'operatorEvent') world.say('master ->', brief(effect));
    switch (effect.kind) {
      case 'send':
        world.network.send(`${effect.from}@${ADDRESS}`, effect.to, effect.name, effect.message);
        break;
      case 'link':
        world.network.link(ADDRESS, effect.pid, effect.relink === true);
        break;
      case 'arm':
        this.clock.arm(effect.key, effect.after, () => this.step({ kind: 'timer', key: effect.key }));
        break;
      case 'disarm':
        this.clock.disarm(effect.key);
        break;
      case 'commit':
        this.commit(effect.token, effect.operation);
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
        world.loop.after(0, () => this.step({ kind: 'readerReady', stream: effect.stream }));
        break;
      case 'shutdown':
        demand(false, () => `the master gave up: ${effect.reason}`);
        break;
      default:
    }
  }

  private take(request: number): Responder {
    const responder = this.requests.get(request);
    this.requests.delete(request);
    demand(responder !== undefined, () => `the master answered request ${request} twice`);
    return responder;
  }

  /** The registry takes its time, and takes one operation after the other. */
  private commit(token: number, operation: RegistryOperation): void {
    const { loop, weather, registry } = this.world;
    this.lastCommit = Math.max(this.lastCommit, loop.now + this.dice.between(0.5, weather.slowestCommit));
    loop.after(this.lastCommit - loop.now, () => {
      registry.apply(operation);
      this.step({ kind: 'committed', token });
    });
  }
}
