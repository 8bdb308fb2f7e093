import type { CoreOptions } from '../../marathon/core/context.ts';
import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { MarathonEvent } from '../../marathon/core/events.ts';
import { MarathonCore } from '../../marathon/core/machine.ts';
import type { Outcome } from '../../marathon/core/outcome.ts';
import { restoreState } from '../../marathon/core/restore.ts';
import { FORMAT_KEY, STORAGE_FORMAT } from '../../marathon/core/stored.ts';
import type { FrameworkInfo } from '../../wire/v1.ts';
import type { Call, Event } from '../../wire/v1_scheduler.ts';
import { Clock } from '../clock.ts';
import type { ConnectionHandlers } from '../connection.ts';
import type { Dice } from '../dice.ts';
import type { Masters } from '../masters.ts';
import type { SeenMarathon } from '../observer.ts';
import { SdkClient } from '../sdk-client.ts';
import { brief } from '../transcript.ts';
import { demand } from '../violation.ts';
import type { World } from '../world.ts';
import { StoreCommit } from './commit.ts';
import type { Prober } from './prober.ts';
import type { MarathonStore } from './store.ts';

const FAILOVER_TIMEOUT_SECONDS = 1_000_000;

/** Without its number, which it is given here. */
type Ask<Event> = Event extends { readonly request: number } ? Omit<Event, 'request'> : never;
export type Question = Ask<MarathonEvent>;

export interface MarathonLife {
  readonly name: string;
  readonly options: CoreOptions;
  readonly store: MarathonStore;
  readonly masters: Masters;
  readonly prober: Prober;
  /** The process has ended. */
  readonly ended: (marathon: MarathonProcess) => void;
}

/** One life of a Marathon's core as it leads, with a simulated shell under it. */
export class MarathonProcess implements SeenMarathon, ConnectionHandlers {
  readonly name: string;
  private readonly world: World;
  private readonly dice: Dice;
  private readonly life: MarathonLife;
  private readonly clock: Clock;
  private readonly requests = new Map<number, (outcome: Outcome) => void>();
  private info: FrameworkInfo;
  private machine: MarathonCore | undefined;
  private commit: StoreCommit | undefined;
  private connection: SdkClient | undefined;
  private nextRequest = 1;
  private dead = false;
  /** Effects that are performed until it dies in the middle. */
  private fuse: number | undefined;

  constructor(world: World, dice: Dice, life: MarathonLife) {
    this.world = world;
    this.dice = dice;
    this.life = life;
    this.name = life.name;
    this.clock = new Clock(world.loop, dice.fork(), world.weather);
    this.info = frameworkInfo(life.options);
  }

  get alive(): boolean {
    return !this.dead;
  }

  /** It has read its store, and serves. */
  get leading(): boolean {
    return this.machine !== undefined && !this.dead;
  }

  get core(): MarathonCore {
    demand(this.machine !== undefined, () => `${this.name} does not lead`);
    return this.machine;
  }

  get subscribed(): boolean {
    return this.connection?.subscribed ?? false;
  }

  get stored(): ReadonlyMap<string, string> {
    return this.life.store.values;
  }

  /** Takes the store over, reads it, and leads. */
  start(): void {
    const { world, dice, life } = this;
    const { loop, weather } = world;
    loop.after(dice.between(0.5, weather.slowestCommit), () => {
      if (this.dead) return;
      if (dice.chance(weather.failedCommits)) {
        this.end('reading the state took too long');
        return;
      }
      const epoch = life.store.takeOver();
      const values = new Map([...life.store.values].map(([key, text]) => [key, JSON.parse(text) as unknown]));
      loop.after(dice.between(0.5, weather.slowestCommit), () => this.begin(epoch, values));
    });
  }

  /** The process is killed, or ends itself. */
  end(reason: string): void {
    if (this.dead) return;
    this.dead = true;
    this.world.say(this.name, `ends: ${reason}`);
    this.clock.stop();
    this.commit?.stop();
    this.connection?.end();
    this.life.ended(this);
  }

  /** It ends after so many more effects, wherever that is. */
  endAfter(effects: number): void {
    this.fuse = effects;
  }

  breakStream(): void {
    this.connection?.breakStream();
  }

  breakCalls(): void {
    this.connection?.breakCalls();
  }

  failStore(): void {
    this.commit?.failNext();
  }

  /** Puts a question to the core. @param answered hears nothing if it ends before */
  ask(question: Question, answered: (outcome: Outcome) => void): void {
    if (!this.leading) return;
    const request = this.nextRequest++;
    this.requests.set(request, answered);
    this.step({ ...question, request } as MarathonEvent);
  }

  subscribeCall(): Call {
    const { id } = this.info;
    return { type: 'SUBSCRIBE', ...(id && { framework_id: id }), subscribe: { framework_info: this.info } };
  }

  event(event: Event): void {
    if (event.type !== 'HEARTBEAT') this.world.say(this.name, `<- ${brief(event)}`);
    if (event.subscribed !== undefined) {
      const { framework_id, master_info } = event.subscribed;
      this.info = { ...this.info, id: framework_id };
      this.step({ kind: 'subscribed', frameworkId: framework_id.value, ...(master_info && { master: master_info }) });
    } else if (event.offers !== undefined) this.step({ kind: 'offers', offers: event.offers.offers ?? [] });
    else if (event.rescind !== undefined) this.step({ kind: 'rescind', offerId: event.rescind.offer_id.value });
    else if (event.update !== undefined) {
      const { status } = event.update;
      for (const observer of this.world.observers) observer.statusSeen?.(this.info.id?.value ?? '', status);
      demand(status.state !== 'TASK_ERROR', () => `${status.task_id.value} was refused: ${status.message}`);
      this.step({ kind: 'update', status });
    } else if (event.message !== undefined) {
      const { agent_id, executor_id, data } = event.message;
      this.step({ kind: 'message', agentId: agent_id.value, executorId: executor_id.value, data });
    }
  }

  disconnected(): void {
    this.step({ kind: 'disconnected', reason: 'the stream is gone' });
  }

  over(reason: string): void {
    demand(reason === 'Framework failed over', () => `${this.name} was told: ${reason}`);
    this.world.loop.after(0, () => this.end(reason));
  }

  answered(call: Call, status: number, text: string | undefined): void {
    if (this.dead || status === 202) return;
    this.world.say(this.name, `was answered ${status} to ${call.type}: ${text}`);
    const stale = status === 403 || (status === 400 && /stream|Stream/.test(text ?? ''));
    demand(stale, () => `${this.name} was refused ${brief(call)} with ${status} ${text}`);
  }

  /** Whatever they were about is gone through again after the next subscription. */
  unanswered(): void {}

  private begin(epoch: number, values: ReadonlyMap<string, unknown>): void {
    if (this.dead) return;
    const { world, dice, life, name } = this;
    if (life.store.epoch !== epoch) {
      // What it has read is out of date, and nothing that it decides could be stored: no more comes of it than of one that has ended.
      this.end('the state cannot be stored: another one took over while it was read');
      return;
    }
    const { wall } = this.clock.env();
    const state = restoreState(values, wall);
    demand(state.ok, () => `${name} cannot read its state: ${state.ok ? '' : state.error}`);
    const { frameworkId, instances } = state.value;
    const isKnown = frameworkId !== undefined || [...instances.values()].every(({ tasks }) => tasks.length === 0);
    demand(isKnown, () => `${name} finds tasks in the store, but no framework id`);
    if (frameworkId !== undefined) this.info = { ...this.info, id: { value: frameworkId } };
    this.machine = new MarathonCore(life.options, state.value);
    world.count('marathons that led');
    world.say(name, `leads with ${instances.size} instances and ${state.value.deployments.size} deployments`);
    for (const observer of world.observers) observer.marathonStarted?.(this);
    this.commit = new StoreCommit({
      world,
      dice: dice.fork(),
      name,
      store: life.store,
      epoch,
      perform: (effect) => this.perform(effect),
      fail: (reason) => this.end(`the state cannot be stored: ${reason}`),
    });
    if (!values.has(FORMAT_KEY)) {
      this.commit.submit({ kind: 'store', key: FORMAT_KEY, value: { version: STORAGE_FORMAT } });
    }
    this.step({ kind: 'start' });
    this.connection = new SdkClient({
      world,
      name,
      dice: dice.fork(),
      clock: this.clock,
      masters: life.masters,
      handlers: this,
    });
    if (!this.dead) this.connection.start();
  }

  private step(event: MarathonEvent): void {
    const { world, machine, name, clock } = this;
    if (this.dead || machine === undefined) return;
    world.count('steps');
    world.say(`${name} core <-`, brief(event));
    const effects: MarathonEffect[] = [];
    machine.step(event, clock.env(), (effect) => effects.push(effect));
    for (const observer of world.observers) observer.marathonStepped?.(this, event, effects);
    for (const effect of effects) {
      if (this.fuse !== undefined && this.fuse-- <= 0) this.end('killed between two effects');
      if (this.dead) return;
      this.decide(effect);
    }
  }

  /** Timers wait for nothing; all else for what was to be stored before it. */
  private decide(effect: MarathonEffect): void {
    const { clock } = this;
    if (effect.kind === 'arm') {
      clock.arm(effect.key, effect.after, () => this.step({ kind: 'timer', key: effect.key }));
    } else if (effect.kind === 'disarm') clock.disarm(effect.key);
    else this.commit?.submit(effect);
  }

  private perform(effect: MarathonEffect): void {
    if (this.dead) return;
    const { world, name } = this;
    if (effect.kind !== 'log' && effect.kind !== 'publish') world.say(`${name} ->`, brief(effect));
    for (const observer of world.observers) observer.marathonPerforms?.(this, effect);
    switch (effect.kind) {
      case 'answer':
        this.requests.get(effect.request)?.(effect.outcome);
        this.requests.delete(effect.request);
        break;
      case 'call':
        this.connection?.call(effect.call);
        break;
      case 'roles':
        this.info = { ...this.info, roles: effect.roles };
        this.connection?.call({ type: 'UPDATE_FRAMEWORK', update_framework: { framework_info: this.info } });
        break;
      case 'probe':
        this.life.prober.probe(effect, (result) => this.step({ kind: 'probed', probe: effect.probe, result }));
        break;
      case 'publish':
        world.say(name, effect.event.eventType);
        break;
      case 'log':
        world.say(name, effect.text);
        break;
      case 'exit':
        this.end(effect.reason);
        break;
      default:
    }
  }
}

function frameworkInfo({ definitions, checkpoint }: CoreOptions): FrameworkInfo {
  const types = ['PARTITION_AWARE', 'MULTI_ROLE', 'REGION_AWARE', 'TASK_KILLING_STATE'] as const;
  return {
    user: 'nobody',
    name: 'marathon',
    failover_timeout: FAILOVER_TIMEOUT_SECONDS,
    checkpoint,
    roles: [definitions.defaultRole],
    capabilities: types.map((type) => ({ type })),
  };
}
