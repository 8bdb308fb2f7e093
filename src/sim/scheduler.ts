import type { FrameworkInfo, InverseOffer, Offer, OperationStatus, TaskStatus } from '../wire/v1.ts';
import type { Call, Event } from '../wire/v1_scheduler.ts';
import { Clock } from './clock.ts';
import type { Dice } from './dice.ts';
import { CallConnection, type SchedulerClient, Subscription } from './http.ts';
import { LeaderDetector } from './leader-detector.ts';
import type { MasterProcess } from './master-process.ts';
import type { Masters } from './masters.ts';
import { brief, hex } from './transcript.ts';
import { demand } from './violation.ts';
import { Workload } from './workload.ts';
import type { World } from './world.ts';

/** Heartbeats come every 5 s; a stream that is silent for longer than this is dead. */
const PATIENCE = 17_000;
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
  private duty: Duty | undefined;

  constructor(world: World, dice: Dice, masters: Masters, number: number) {
    this.world = world;
    this.dice = dice;
    this.masters = masters;
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
    this.duty = new Duty(this.world, this.dice, this.masters, this);
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
class Duty implements SchedulerClient {
  private readonly world: World;
  private readonly dice: Dice;
  private readonly masters: Masters;
  private readonly framework: SchedulerProcess;
  private subscription: Subscription | undefined;
  private calls: CallConnection | undefined;
  private stream: string | undefined;
  private greeted = false;
  private attempt = 0;
  private lastHeard = 0;
  private suppressed = false;
  private ended = false;
  private readonly detector: LeaderDetector;
  private readonly clock: Clock;
  private leader: string | undefined;
  /** The program that it is subscribed to, or tries to be. */
  private master: MasterProcess | undefined;
  /** Offers that it has neither answered nor been told to forget. */
  private readonly offers = new Map<string, Offer>();

  constructor(world: World, dice: Dice, masters: Masters, framework: SchedulerProcess) {
    this.world = world;
    this.dice = dice;
    this.masters = masters;
    this.framework = framework;
    this.clock = new Clock(world.loop, dice.fork(), world.weather);
    this.detector = new LeaderDetector({
      world,
      name: framework.name,
      dice: dice.fork(),
      clock: this.clock,
      tell: (pid) => this.detected(pid),
    });
  }

  get subscribed(): boolean {
    return this.greeted;
  }

  start(): void {
    this.detector.start();
    this.after(TICK, () => this.tick());
  }

  end(): void {
    this.ended = true;
    this.detector.stop();
    this.clock.stop();
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
    this.lastHeard = this.world.loop.now;
  }

  closed(why: string): void {
    if (this.ended) return;
    this.say(`lost its subscription: ${why}`);
    this.resubscribe();
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
    this.calls = undefined;
    for (const call of calls) {
      // Whether a lost ACCEPT was heeded is found out by reconciliation; its offers, if they still stand, are of no use.
      if (call.accept?.offer_ids !== undefined) {
        this.call({ type: 'DECLINE', decline: { offer_ids: call.accept.offer_ids } });
        this.reconcile();
      } else this.call(call);
    }
  }

  event(event: Event): void {
    if (this.ended) return;
    this.lastHeard = this.world.loop.now;
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

  private detected(pid: string | undefined): void {
    if (this.ended || pid === this.leader) return;
    this.say(`is told that ${pid ?? 'nobody'} leads`);
    this.leader = pid;
    this.resubscribe();
  }

  private subscribe(): void {
    this.subscription?.abandon();
    if (this.leader === undefined) return;
    const master = this.masters.at(this.leader);
    if (master !== this.master) this.calls?.break();
    this.master = master;
    if (master === undefined) {
      this.resubscribe();
      return;
    }
    const { world, dice, framework } = this;
    this.suppressed = !framework.workload.wants && dice.chance(0.7);
    this.lastHeard = world.loop.now;
    const roles = framework.info.roles ?? ['*'];
    const { id } = framework.info;
    const call: Call = {
      type: 'SUBSCRIBE',
      ...(id !== undefined && { framework_id: id }),
      subscribe: { framework_info: framework.info, ...(this.suppressed && { suppressed_roles: roles }) },
    };
    this.say(`-> ${brief(call)}`);
    const heldUntil = (): number => world.network.cutOffUntil(master.address);
    this.subscription = new Subscription({ ...world, dice, api: master, client: this, heldUntil }, call);
  }

  private resubscribe(): void {
    this.greeted = false;
    this.stream = undefined;
    this.offers.clear();
    this.subscription?.abandon();
    const attempt = ++this.attempt;
    this.after(this.dice.between(10, 2000), () => attempt === this.attempt && this.subscribe());
  }

  private greet(id: string): void {
    const { framework } = this;
    const known = framework.info.id?.value;
    demand(known === undefined || known === id, () => `${framework.name} has the id ${known} and is called ${id}`);
    framework.info = { ...framework.info, id: { value: id } };
    this.greeted = true;
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
    if (offers.length === 0 || !this.greeted) return;
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
    if (world.loop.now - this.lastHeard > PATIENCE) {
      this.say('heard nothing for too long');
      this.resubscribe();
      this.lastHeard = world.loop.now;
      return;
    }
    if (!this.greeted) return;
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
    if (this.ended || id === undefined || this.stream === undefined || !this.greeted) return;
    const { world, dice, master } = this;
    if (master?.alive !== true) return;
    const heldUntil = (): number => world.network.cutOffUntil(master.address);
    this.calls ??= new CallConnection({ ...world, dice, api: master, client: this, heldUntil });
    const uuid = call.acknowledge === undefined ? '' : ` ${hex(call.acknowledge.uuid)}`;
    this.say(`-> ${call.type}${uuid}`);
    this.calls.send({ ...call, framework_id: id }, this.stream);
  }

  private say(what: string): void {
    this.world.say(this.framework.name, what);
  }

  private after(delay: number, run: () => void): void {
    this.world.loop.after(delay, () => this.ended || run());
  }
}
