/**
 * `meseta/scheduler`: write a framework in a few lines. It subscribes, follows the leader, reconnects, acknowledges,
 * and hands the events to your functions, over protobuf or JSON.
 */
import type { Env } from '../base/machine.ts';
import type {
  AgentID,
  ExecutorID,
  Filters,
  FrameworkInfo,
  KillPolicy,
  MasterInfo,
  Offer,
  Offer_Operation,
  OfferID,
  TaskID,
  TaskInfo,
  TaskStatus,
} from '../wire/v1.ts';
import { Call, type Event, type Event_Failure, type OfferConstraints } from '../wire/v1_scheduler.ts';
import { CallChannel } from './call-channel.ts';
import type { Address } from './core/address.ts';
import {
  type CallResult,
  type Ending,
  SchedulerCore,
  type SchedulerEffect,
  type SchedulerEvent,
} from './core/scheduler-core.ts';
import { type Encoding, encodeMessage, MEDIA_TYPE } from './encoding.ts';
import { CallRefused, FrameworkError, NotConnected } from './errors.ts';
import type { Credential } from './exchange.ts';
import { MasterLocator } from './leader.ts';
import { SCHEDULER_PATH, type Subscription, subscribe } from './subscription.ts';

export type { Credential, Encoding };
export { CallRefused, FrameworkError, NotConnected };

const DEFAULT_PORT = 5050;

interface PendingCall {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface SchedulerOptions {
  /** `host:port`, several of them separated by commas, `http://` URLs, or `zk://host:port/path`. The leader is followed. */
  readonly master: string;
  /** Who you are. Set `id` to come back as a framework that exists; set `failover_timeout` so that it outlives you. */
  readonly framework: FrameworkInfo;
  /** What travels on the wire; protobuf unless given. */
  readonly encoding?: Encoding;
  readonly suppressedRoles?: readonly string[];
  readonly offerConstraints?: OfferConstraints;
  readonly credential?: Credential;
  /** `automatic` (the default) acknowledges an update once your `update` function has returned (or its promise resolved). */
  readonly acknowledge?: 'automatic' | 'manual';
  /** Waiting time between attempts to connect, in ms: from `minimum` (100), doubling to `maximum` (15,000). */
  readonly reconnect?: { readonly minimum?: number; readonly maximum?: number };
  readonly handlers: SchedulerHandlers;
}

type Handled = void | Promise<void>;

/** What you want to hear of. Each gets the scheduler last, to answer with. An exception ends the scheduler: `run` rejects. */
export interface SchedulerHandlers {
  readonly subscribed?: (frameworkId: string, master: MasterInfo | undefined, scheduler: Scheduler) => Handled;
  readonly offers?: (offers: readonly Offer[], scheduler: Scheduler) => Handled;
  readonly rescind?: (offerId: OfferID, scheduler: Scheduler) => Handled;
  readonly update?: (status: TaskStatus, scheduler: Scheduler) => Handled;
  readonly message?: (
    data: Uint8Array,
    from: { agent: AgentID; executor: ExecutorID },
    scheduler: Scheduler,
  ) => Handled;
  readonly failure?: (failure: Event_Failure, scheduler: Scheduler) => Handled;
  /** Any event at all, also those without a function of their own (inverse offers, operation updates, heartbeats). */
  readonly event?: (event: Event, scheduler: Scheduler) => Handled;
  /** The connection is gone; another attempt follows by itself. */
  readonly disconnected?: (reason: string, scheduler: Scheduler) => Handled;
}

/** A framework's side of the scheduler API. One object is one framework; `run` drives it until it is stopped. */
export class Scheduler {
  private readonly options: SchedulerOptions;
  private readonly encoding: Encoding;
  private readonly locator: MasterLocator;
  private readonly core: SchedulerCore;
  private readonly waiting: SchedulerEvent[] = [];
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly calls = new Map<number, PendingCall>();
  private readonly over = Promise.withResolvers<void>();
  /** The stream of this attempt, once it is open. */
  private stream: { readonly attempt: number; readonly subscription: Subscription } | undefined;
  /** The last one that was given up. */
  private hungUp = 0;
  /** Of the last subscription. */
  private channel: CallChannel | undefined;
  private tokens = 0;
  private stepping = false;
  private ended = false;
  private failure: Error | undefined;

  /** @throws Error when an option makes no sense; the message says what would be right */
  constructor(options: SchedulerOptions) {
    const named = (address: Address): void => this.post({ kind: 'leader', address });
    const locator = MasterLocator.of(options.master, DEFAULT_PORT, named);
    if (!locator.ok) throw new Error(`master: ${locator.error}`);
    const { framework, suppressedRoles, offerConstraints, reconnect, encoding = 'protobuf' } = options;
    this.options = options;
    this.encoding = encoding;
    this.locator = locator.value;
    this.core = new SchedulerCore({
      framework,
      reconnect: { minimum: reconnect?.minimum ?? 100, maximum: reconnect?.maximum ?? 15_000 },
      ...(suppressedRoles && { suppressedRoles }),
      ...(offerConstraints && { offerConstraints }),
    });
  }

  /** The id that the master gave, or undefined before the first SUBSCRIBED. */
  get frameworkId(): string | undefined {
    return this.core.frameworkId;
  }

  get connected(): boolean {
    return this.core.master !== undefined;
  }

  /** The master that the subscription is with. */
  get master(): Address | undefined {
    return this.core.master;
  }

  /**
   * Subscribes and stays subscribed. Resolves after `stop` or `teardown`.
   * @throws CallRefused when the master refuses the subscription, FrameworkError when it ends it for good, or whatever
   * one of your functions threw
   */
  run(): Promise<void> {
    this.post({ kind: 'start' });
    return this.over.promise;
  }

  /** One event after the other, also when one of your functions asks for something in the middle of one. */
  private post(event: SchedulerEvent): void {
    this.waiting.push(event);
    if (this.stepping) return;
    this.stepping = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      const effects: SchedulerEffect[] = [];
      const env: Env = { now: performance.now(), wall: Date.now(), random: Math.random, chance: () => false };
      this.core.step(next, env, (effect) => effects.push(effect));
      for (const effect of effects) this.perform(effect);
    }
    this.stepping = false;
  }

  private perform(effect: SchedulerEffect): void {
    switch (effect.kind) {
      case 'locate':
        void this.locator.locate().then((result) => this.post({ kind: 'located', result }));
        return;
      case 'subscribe':
        void this.subscribe(effect.attempt, effect.address, effect.call);
        return;
      case 'channel':
        this.channel?.close();
        this.channel = this.openChannel(effect.address, effect.streamId);
        return;
      case 'hangUp':
        this.hungUp = effect.attempt;
        if (this.stream?.attempt === effect.attempt) this.stream.subscription.close();
        return;
      case 'send':
        this.send(effect.token, effect.call);
        return;
      case 'settled':
        this.settle(effect.token, String(effect.type), effect.result);
        return;
      case 'deliver':
        this.deliver(effect.event);
        return;
      case 'disconnected':
        if (!this.ended) void this.guard(() => this.options.handlers.disconnected?.(effect.reason, this));
        return;
      case 'arm':
        this.disarm(effect.key);
        this.timers.set(
          effect.key,
          setTimeout(() => this.post({ kind: 'timer', key: effect.key }), effect.after),
        );
        return;
      case 'disarm':
        this.disarm(effect.key);
        return;
      case 'over':
        this.finish(effect.why);
        return;
    }
  }

  private async subscribe(attempt: number, address: Address, call: Call): Promise<void> {
    const { outcome, subscription } = await subscribe(address, call, this.encoding, this.options.credential);
    if (subscription !== undefined) {
      if (this.hungUp >= attempt) subscription.close();
      else this.stream = { attempt, subscription };
    }
    this.post({ kind: 'answered', attempt, outcome });
    if (subscription === undefined) return;
    const reason = await subscription.read((event) => this.post({ kind: 'event', attempt, event }));
    this.post({ kind: 'ended', attempt, reason });
  }

  private openChannel(address: Address, streamId: string): CallChannel {
    const media = MEDIA_TYPE[this.encoding];
    const { credential } = this.options;
    return new CallChannel({
      address,
      path: SCHEDULER_PATH,
      headers: { 'Content-Type': media, Accept: media, 'Mesos-Stream-Id': streamId },
      ...(credential && { credential }),
    });
  }

  private send(token: number, call: Call): void {
    const message = encodeMessage(Call, call, this.encoding);
    const body = typeof message === 'string' ? Buffer.from(message) : message;
    this.channel!.send(body).then(
      (answer) => {
        const text = answer.status < 300 ? '' : answer.body.toString('utf8');
        this.post({ kind: 'callAnswered', token, status: answer.status, text });
      },
      (error: Error) => this.post({ kind: 'callLost', token, reason: error.message }),
    );
  }

  private settle(token: number, type: string, result: CallResult): void {
    const pending = this.calls.get(token);
    this.calls.delete(token);
    if (result.kind === 'accepted') pending?.resolve();
    else if (result.kind === 'refused') pending?.reject(new CallRefused(type, result.status, result.text));
    else pending?.reject(new NotConnected(`${type}: ${result.reason}`));
  }

  private disarm(key: string): void {
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
  }

  private finish(why: Ending): void {
    this.ended = true;
    this.locator.stop();
    this.channel?.close();
    if (why.kind === 'refused') this.failure ??= new CallRefused('SUBSCRIBE', why.status, why.text);
    else if (why.kind === 'error') this.failure ??= new FrameworkError(why.message);
    if (this.failure) this.over.reject(this.failure);
    else this.over.resolve();
  }

  private deliver(event: Event): void {
    if (this.ended) return;
    const { handlers } = this.options;
    if (handlers.event) void this.guard(() => handlers.event?.(event, this));
    switch (event.type) {
      case 'SUBSCRIBED': {
        const { framework_id, master_info } = event.subscribed!;
        void this.guard(() => handlers.subscribed?.(framework_id.value, master_info, this));
        return;
      }
      case 'OFFERS':
        void this.guard(() => handlers.offers?.(event.offers?.offers ?? [], this));
        return;
      case 'RESCIND':
        void this.guard(() => handlers.rescind?.(event.rescind!.offer_id, this));
        return;
      case 'UPDATE':
        void this.guard(() => this.takeUpdate(event.update!.status));
        return;
      case 'MESSAGE': {
        const { data, agent_id, executor_id } = event.message!;
        void this.guard(() => handlers.message?.(data, { agent: agent_id, executor: executor_id }, this));
        return;
      }
      case 'FAILURE':
        void this.guard(() => handlers.failure?.(event.failure ?? {}, this));
        return;
      default:
        return;
    }
  }

  private async takeUpdate(status: TaskStatus): Promise<void> {
    await this.options.handlers.update?.(status, this);
    if (this.options.acknowledge === 'manual') return;
    // An acknowledgement that is lost is no harm: the agent sends the update again.
    await this.acknowledge(status).catch(() => undefined);
  }

  /** Runs one of the user's functions; what it throws, now or later, ends the scheduler. */
  private async guard(handler: () => Handled | undefined): Promise<void> {
    try {
      await handler();
    } catch (error) {
      if (error instanceof NotConnected) return;
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private fail(error: Error): void {
    if (!this.ended) this.failure ??= error;
    this.stop();
  }

  /** Leaves without a word: with a `failover_timeout` the framework and its tasks stay, without one the master removes them. */
  stop(): void {
    this.post({ kind: 'stop' });
  }

  /** Ends the framework: the master kills its tasks and forgets it. `run` then resolves. */
  teardown(): Promise<void> {
    return this.call({ type: 'TEARDOWN' });
  }

  /**
   * Sends any call of the scheduler API; the framework id is filled in. Calls reach the master in the order in which they are
   * made, without waiting for each other's answers. What UPDATE_FRAMEWORK says holds for later subscriptions too.
   * @throws NotConnected without a subscription, CallRefused when the master says no
   */
  call(call: Call): Promise<void> {
    const token = ++this.tokens;
    return new Promise((resolve, reject) => {
      this.calls.set(token, { resolve, reject });
      this.post({ kind: 'call', token, call });
    });
  }

  /** Takes offers and applies operations to them; without operations it declines them. */
  accept(offerIds: readonly OfferID[], operations: readonly Offer_Operation[], filters?: Filters): Promise<void> {
    return this.call({ type: 'ACCEPT', accept: { offer_ids: offerIds, operations, ...(filters && { filters }) } });
  }

  /** Launches tasks on one offer; what they leave over is offered again after `filters.refuse_seconds`. */
  launch(offer: Offer, tasks: readonly Omit<TaskInfo, 'agent_id'>[], filters?: Filters): Promise<void> {
    const task_infos = tasks.map((task) => ({ ...task, agent_id: offer.agent_id }));
    return this.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos } }], filters);
  }

  /** Gives offers back. `refuse_seconds` (5 unless given) is how long the same resources are not to be offered again. */
  decline(offerIds: readonly OfferID[], filters?: Filters): Promise<void> {
    return this.call({ type: 'DECLINE', decline: { offer_ids: offerIds, ...(filters && { filters }) } });
  }

  /** Wants offers again: clears filters and suppression for these roles, or for all. */
  revive(roles: readonly string[] = []): Promise<void> {
    return this.call({ type: 'REVIVE', revive: { roles } });
  }

  /** Wants no more offers for these roles, or for any, until `revive`. */
  suppress(roles: readonly string[] = []): Promise<void> {
    return this.call({ type: 'SUPPRESS', suppress: { roles } });
  }

  kill(taskId: TaskID, agentId?: AgentID, killPolicy?: KillPolicy): Promise<void> {
    return this.call({
      type: 'KILL',
      kill: { task_id: taskId, ...(agentId && { agent_id: agentId }), ...(killPolicy && { kill_policy: killPolicy }) },
    });
  }

  /** Acknowledges an update; updates without a uuid need none and are passed over. */
  async acknowledge(status: TaskStatus): Promise<void> {
    if (!status.uuid || status.uuid.length === 0 || !status.agent_id) return;
    await this.call({
      type: 'ACKNOWLEDGE',
      acknowledge: { agent_id: status.agent_id, task_id: status.task_id, uuid: status.uuid },
    });
  }

  /** Asks for the current state of these tasks, or of all; the answers come as updates without a uuid. */
  reconcile(tasks: readonly { task_id: TaskID; agent_id?: AgentID }[] = []): Promise<void> {
    return this.call({ type: 'RECONCILE', reconcile: { tasks } });
  }

  /** Sends bytes to an executor. Best effort: nothing says whether they arrived. */
  message(agentId: AgentID, executorId: ExecutorID, data: Uint8Array): Promise<void> {
    return this.call({ type: 'MESSAGE', message: { agent_id: agentId, executor_id: executorId, data } });
  }
}
