import type { FrameworkInfo, InverseOffer, Offer, OperationStatus, TaskStatus } from '../wire/v1.ts';
import type { Call, Event } from '../wire/v1_scheduler.ts';
import { Clock } from './clock.ts';
import { type ConnectionHandlers, ForeignConnection, type SchedulerConnection } from './connection.ts';
import type { Dice } from './dice.ts';
import type { Masters } from './masters.ts';
import { SdkClient } from './sdk-client.ts';
import { brief } from './transcript.ts';
import { demand } from './violation.ts';
import { Workload } from './workload.ts';
import type { World } from './world.ts';

const TICK = 2000;
const FAILOVER_TIMEOUT_SECONDS = 1_000_000;

function frameworkInfo(name: string, dice: Dice): FrameworkInfo {
  const multi = dice.chance(0.6);
  const types = [
    ...(multi ? (['MULTI_ROLE'] as const) : []),
    ...(dice.chance(0.6) ? (['PARTITION_AWARE'] as const) : []),
    ...(dice.chance(0.5) ? (['TASK_KILLING_STATE'] as const) : []),
    ...(dice.chance(0.5) ? (['RESERVATION_REFINEMENT'] as const) : []),
  ];
  return {
    user: 'nobody',
    name,
    checkpoint: dice.chance(0.7),
    failover_timeout: FAILOVER_TIMEOUT_SECONDS,
    capabilities: types.map((type) => ({ type })),
    ...(multi ? { roles: dice.pick([['*'], ['dev'], ['dev', 'ops'], ['ops/web']]) ?? ['*'] } : {}),
  };
}

/** A framework: what outlives its scheduler, and the scheduler that is on duty. */
export class SchedulerProcess {
  readonly workload: Workload;
  readonly name: string;
  info: FrameworkInfo;
  private readonly world: World;
  private readonly dice: Dice;
  private readonly masters: Masters;
  private readonly usesSdk: boolean;
  private duty: Duty | undefined;

  /** @param usesSdk rather than a client that somebody else wrote */
  constructor(world: World, dice: Dice, masters: Masters, number: number, usesSdk: boolean) {
    this.world = world;
    this.dice = dice;
    this.masters = masters;
    this.usesSdk = usesSdk;
    this.name = `f${number}`;
    this.info = frameworkInfo(this.name, dice);
    this.workload = new Workload(this.name, dice.fork(), world.weather);
  }

  get id(): string | undefined {
    return this.info.id?.value;
  }

  /** Connected as far as it knows. */
  get subscribed(): boolean {
    return this.duty?.subscribed ?? false;
  }

  start(): void {
    this.duty = new Duty(this.world, this.dice, this.masters, this, this.usesSdk);
    this.duty.start();
  }

  /** Another scheduler takes over what this one knows. Sometimes the old connection outlives the old scheduler for a while. */
  failOver(): void {
    if (this.duty === undefined) return;
    this.duty.end();
    this.start();
  }

  breakStream(): void {
    this.duty?.breakStream();
  }

  breakCalls(): void {
    this.duty?.breakCalls();
  }
}

/** One scheduler at work, from its start to its end. */
class Duty implements ConnectionHandlers {
  private readonly world: World;
  private readonly dice: Dice;
  private readonly framework: SchedulerProcess;
  private suppressed = false;
  private ended = false;
  private readonly clock: Clock;
  private readonly connection: SchedulerConnection;
  /** Offers that it has neither answered nor been told to forget. */
  private readonly offers = new Map<string, Offer>();

  constructor(world: World, dice: Dice, masters: Masters, framework: SchedulerProcess, usesSdk: boolean) {
    this.world = world;
    this.dice = dice;
    this.framework = framework;
    this.clock = new Clock(world.loop, dice.fork(), world.weather);
    const options = { world, name: framework.name, dice, clock: this.clock, masters, handlers: this };
    this.connection = usesSdk ? new SdkClient(options) : new ForeignConnection(options);
  }

  get subscribed(): boolean {
    return this.connection.subscribed;
  }

  start(): void {
    this.connection.start();
    this.after(TICK, () => this.tick());
  }

  end(): void {
    this.ended = true;
    this.clock.stop();
    this.connection.end();
  }

  breakStream(): void {
    this.connection.breakStream();
  }

  breakCalls(): void {
    this.connection.breakCalls();
  }

  subscribeCall(): Call {
    const { framework, dice } = this;
    this.suppressed = !framework.workload.wants && dice.chance(0.7);
    const roles = framework.info.roles ?? ['*'];
    const { id } = framework.info;
    return {
      type: 'SUBSCRIBE',
      ...(id !== undefined && { framework_id: id }),
      subscribe: { framework_info: framework.info, ...(this.suppressed && { suppressed_roles: roles }) },
    };
  }

  disconnected(): void {
    this.offers.clear();
  }

  answered(call: Call, status: number, text: string | undefined): void {
    if (this.ended || status === 202) return;
    this.say(`was answered ${status} to ${call.type}: ${text}`);
    const stale =
      status === 403 || status === 307 || status === 503 || (status === 400 && /stream|Stream/.test(text ?? ''));
    demand(stale, () => `${this.framework.name} was refused ${brief(call)} with ${status} ${text}`);
  }

  unanswered(calls: readonly Call[]): void {
    if (this.ended) return;
    for (const call of calls) {
      // Whether a lost ACCEPT was heeded is found out by reconciliation; its offers, if they still stand, are of no use.
      if (call.accept?.offer_ids !== undefined) {
        this.call({ type: 'DECLINE', decline: { offer_ids: call.accept.offer_ids } });
        this.reconcile();
      } else this.call(call);
    }
  }

  event(event: Event): void {
    if (event.type !== 'HEARTBEAT') this.say(`<- ${brief(event)}`);
    if (event.subscribed !== undefined) this.greet(event.subscribed.framework_id.value);
    else if (event.offers !== undefined) this.offered(event.offers.offers ?? []);
    else if (event.inverse_offers !== undefined) this.asked(event.inverse_offers.inverse_offers ?? []);
    else if (event.rescind !== undefined) this.offers.delete(event.rescind.offer_id.value);
    else if (event.update !== undefined) this.update(event.update.status);
    else if (event.update_operation_status !== undefined) this.operationUpdate(event.update_operation_status.status);
    else if (event.error !== undefined) {
      const { message } = event.error;
      demand(message === 'Framework failed over', () => `${this.framework.name} was told: ${message}`);
    }
  }

  private greet(id: string): void {
    const { framework } = this;
    const known = framework.info.id?.value;
    demand(known === undefined || known === id, () => `${framework.name} has the id ${known} and is called ${id}`);
    framework.info = { ...framework.info, id: { value: id } };
    this.call({ type: 'RECONCILE', reconcile: {} });
    this.reconcile();
  }

  private offered(offers: readonly Offer[]): void {
    for (const offer of offers) this.offers.set(offer.id.value, offer);
    const hold =
      this.world.weather.fickle && this.dice.chance(0.2) ? this.dice.between(0, 15_000) : this.dice.between(0, 20);
    const byAgentAndRole = new Map<string, Offer[]>();
    for (const offer of offers) {
      const key = `${offer.agent_id.value} ${offer.allocation_info?.role ?? ''}`;
      byAgentAndRole.set(key, [...(byAgentAndRole.get(key) ?? []), offer]);
    }
    for (const list of byAgentAndRole.values()) this.after(hold, () => this.answer(list));
  }

  private answer(list: readonly Offer[]): void {
    const offers = list.filter((offer) => this.offers.delete(offer.id.value));
    if (offers.length === 0 || !this.connection.subscribed) return;
    const { framework, dice, world } = this;
    const offer_ids = offers.map((offer) => offer.id);
    const careless = world.weather.fickle && dice.chance(0.1);
    const operations = careless ? [] : framework.workload.plan(offers, framework.info);
    const filters = dice.chance(0.7) ? { filters: { refuse_seconds: dice.pick([0, 0.5, 3, 20]) ?? 0 } } : {};
    if (operations.length > 0) this.call({ type: 'ACCEPT', accept: { offer_ids, operations, ...filters } });
    else this.call({ type: 'DECLINE', decline: { offer_ids, ...filters } });
  }

  /** It moves nothing, but answers; some it lets lie. */
  private asked(offers: readonly InverseOffer[]): void {
    const { dice } = this;
    const inverse_offer_ids = offers.filter(() => dice.chance(0.8)).map(({ id }) => id);
    if (inverse_offer_ids.length === 0) return;
    const answer = { inverse_offer_ids, ...(dice.chance(0.5) && { filters: { refuse_seconds: dice.whole(0, 20) } }) };
    if (dice.chance(0.5)) this.call({ type: 'ACCEPT_INVERSE_OFFERS', accept_inverse_offers: answer });
    else this.call({ type: 'DECLINE_INVERSE_OFFERS', decline_inverse_offers: answer });
  }

  private update(status: TaskStatus): void {
    const { framework, world, dice } = this;
    for (const observer of world.observers) observer.statusSeen?.(framework.id ?? '', status);
    const stray = framework.workload.note(status) === 'stray';
    const { task_id, agent_id, uuid } = status;
    if (uuid !== undefined && agent_id !== undefined) {
      const acknowledge: Call = { type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } };
      if (world.weather.fickle && dice.chance(0.1)) this.after(dice.between(0, 25_000), () => this.call(acknowledge));
      else this.call(acknowledge);
    }
    if (stray) this.kill(task_id.value);
    this.mind();
  }

  private operationUpdate({ operation_id, agent_id, uuid }: OperationStatus): void {
    if (operation_id === undefined || agent_id === undefined || uuid === undefined) return;
    const acknowledge = { operation_id, agent_id, uuid: uuid.value };
    this.call({ type: 'ACKNOWLEDGE_OPERATION_STATUS', acknowledge_operation_status: acknowledge });
  }

  /** Asks for offers when there is something to launch, and for none when there is not. */
  private mind(): void {
    const { wants } = this.framework.workload;
    if (wants && this.suppressed) {
      this.suppressed = false;
      this.call({ type: 'REVIVE', revive: {} });
    } else if (!wants && !this.suppressed) {
      this.suppressed = true;
      this.call({ type: 'SUPPRESS', suppress: {} });
    }
  }

  private tick(): void {
    this.after(TICK, () => this.tick());
    const { world, dice, framework } = this;
    if (this.connection.tick() || !this.connection.subscribed) return;
    for (const task of framework.workload.overdue()) this.kill(task.id);
    if (dice.chance(0.1)) this.reconcile();
    // What it was told to be lost may have come back with its agent, and only this tells.
    if (dice.chance(0.05)) this.call({ type: 'RECONCILE', reconcile: {} });
    if (dice.chance(0.05)) this.call({ type: 'RECONCILE_OPERATIONS', reconcile_operations: {} });
    if (!world.weather.fickle) {
      if (framework.workload.wants && dice.chance(0.1)) this.call({ type: 'REVIVE', revive: {} });
      return;
    }
    if (dice.chance(0.1)) this.kill(dice.pick(framework.workload.open())?.id);
    if (dice.chance(0.05)) this.call({ type: 'REVIVE', revive: {} });
    if (dice.chance(0.02)) {
      this.suppressed = true;
      this.call({ type: 'SUPPRESS', suppress: {} });
    }
    this.mind();
  }

  private reconcile(): void {
    const tasks = this.framework.workload.open().map((task) => ({
      task_id: { value: task.id },
      ...(this.dice.chance(0.8) && { agent_id: { value: task.agentId } }),
    }));
    if (tasks.length > 0) this.call({ type: 'RECONCILE', reconcile: { tasks } });
  }

  private kill(taskId: string | undefined): void {
    if (taskId === undefined) return;
    const agentId = this.framework.workload.tasks.get(taskId)?.agentId;
    this.call({
      type: 'KILL',
      kill: {
        task_id: { value: taskId },
        ...(agentId !== undefined && this.dice.chance(0.7) && { agent_id: { value: agentId } }),
        ...(this.dice.chance(0.2) && {
          kill_policy: { grace_period: { nanoseconds: this.dice.whole(0, 3000) * 1e6 } },
        }),
      },
    });
  }

  private call(call: Call): void {
    const { id } = this.framework.info;
    if (!this.ended && id !== undefined && this.connection.subscribed) this.connection.call(call, id.value);
  }

  private say(what: string): void {
    this.world.say(this.framework.name, what);
  }

  private after(delay: number, run: () => void): void {
    this.world.loop.after(delay, () => this.ended || run());
  }
}
