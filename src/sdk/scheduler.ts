/**
 * `meseta/scheduler`: write a framework in a few lines. It subscribes, follows the leader, reconnects, acknowledges,
 * and hands the events to your functions, over protobuf or JSON.
 */
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
import { type Address, formatAddress } from './address.ts';
import { Backoff } from './backoff.ts';
import { CallChannel } from './call-channel.ts';
import { type Encoding, encodeMessage, MEDIA_TYPE } from './encoding.ts';
import { CallRefused, FrameworkError, NotConnected } from './errors.ts';
import type { Credential } from './exchange.ts';
import { LeaderFinder } from './leader.ts';
import { SCHEDULER_PATH, type Subscription, subscribe } from './subscription.ts';

export type { Credential, Encoding };
export { CallRefused, FrameworkError, NotConnected };

const DEFAULT_PORT = 5050;
/** A stream without any record for this many heartbeat intervals is taken for dead (a silent network loss). */
const SILENT_HEARTBEATS = 3;

/** How long the answer to a TEARDOWN may stay out after the stream has ended, in ms, before it is tried again. */
const TEARDOWN_ANSWER_WITHIN = 5_000;

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
  private readonly finder: LeaderFinder;
  private readonly backoff: Backoff;
  private readonly stopping = new AbortController();
  private framework: FrameworkInfo;
  private subscription: Subscription | undefined;
  /** Of the last subscription. */
  private channel: CallChannel | undefined;
  private silence: NodeJS.Timeout | undefined;
  private silenceLimit = 0;
  private failure: Error | undefined;
  private leaving = false;

  /** @throws Error when an option makes no sense; the message says what would be right */
  constructor(options: SchedulerOptions) {
    const finder = LeaderFinder.of(options.master, DEFAULT_PORT);
    if (!finder.ok) throw new Error(`master: ${finder.error}`);
    this.options = options;
    this.framework = options.framework;
    this.encoding = options.encoding ?? 'protobuf';
    this.finder = finder.value;
    // A leader whose machine is gone does not close its streams.
    this.finder.onLeader = (leader) => {
      const { subscription } = this;
      if (subscription && formatAddress(subscription.address) !== formatAddress(leader)) subscription.close();
    };
    this.backoff = new Backoff(options.reconnect?.minimum ?? 100, options.reconnect?.maximum ?? 15_000);
  }

  /** The id that the master gave, or undefined before the first SUBSCRIBED. */
  get frameworkId(): string | undefined {
    return this.framework.id?.value;
  }

  get connected(): boolean {
    return this.subscription !== undefined;
  }

  /**
   * Subscribes and stays subscribed. Resolves after `stop` or `teardown`.
   * @throws CallRefused when the master refuses the subscription, FrameworkError when it ends it for good, or whatever
   * one of your functions threw
   */
  async run(): Promise<void> {
    try {
      while (!this.stopping.signal.aborted) {
        const reason = await this.attempt();
        if (this.failure) throw this.failure;
        if (reason === undefined || this.stopping.signal.aborted) continue;
        if (this.leaving) {
          await this.pause(TEARDOWN_ANSWER_WITHIN);
          this.leaving = false;
          continue;
        }
        await this.guard(() => this.options.handlers.disconnected?.(reason, this));
        await this.pause(this.backoff.next());
      }
      if (this.failure) throw this.failure;
    } finally {
      this.close();
    }
  }

  /** One attempt. @returns why it ended, or undefined to try the next address at once */
  private async attempt(): Promise<string | undefined> {
    const located = await this.finder.locate();
    if (!located.ok) return located.error;
    const address = located.value;
    const outcome = await subscribe(address, this.subscribeCall(), this.encoding, this.options.credential);
    switch (outcome.kind) {
      case 'redirect':
        return this.finder.redirected(outcome.location)
          ? undefined
          : `${formatAddress(address)} does not lead and names no other leader`;
      case 'unavailable':
        this.finder.failed();
        return `${formatAddress(address)}: ${outcome.reason}`;
      case 'refused':
        throw outcome.error;
      case 'open':
        if (this.stopping.signal.aborted) {
          outcome.subscription.close();
          return undefined;
        }
        return this.follow(outcome.subscription);
    }
  }

  private async follow(subscription: Subscription): Promise<string> {
    this.subscription = subscription;
    this.channel?.close();
    this.channel = this.openChannel(subscription);
    this.finder.succeeded();
    const reason = await subscription.read((event) => this.take(event));
    clearTimeout(this.silence);
    this.subscription = undefined;
    return `${formatAddress(subscription.address)}: ${reason}`;
  }

  private openChannel({ address, streamId }: Subscription): CallChannel {
    const media = MEDIA_TYPE[this.encoding];
    const { credential } = this.options;
    return new CallChannel({
      address,
      path: SCHEDULER_PATH,
      headers: { 'Content-Type': media, Accept: media, 'Mesos-Stream-Id': streamId },
      ...(credential && { credential }),
    });
  }

  private subscribeCall(): Call {
    const { suppressedRoles, offerConstraints } = this.options;
    return {
      type: 'SUBSCRIBE',
      ...(this.framework.id && { framework_id: this.framework.id }),
      subscribe: {
        framework_info: this.framework,
        ...(suppressedRoles && { suppressed_roles: suppressedRoles }),
        ...(offerConstraints && { offer_constraints: offerConstraints }),
      },
    };
  }

  private take(event: Event): void {
    if (this.stopping.signal.aborted) return;
    this.listenForSilence();
    const { handlers } = this.options;
    if (handlers.event) void this.guard(() => handlers.event?.(event, this));
    switch (event.type) {
      case 'SUBSCRIBED': {
        const { framework_id, heartbeat_interval_seconds, master_info } = event.subscribed!;
        this.framework = { ...this.framework, id: framework_id };
        this.backoff.reset();
        this.silenceLimit = (heartbeat_interval_seconds ?? 0) * 1000 * SILENT_HEARTBEATS;
        this.listenForSilence();
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
      case 'ERROR':
        this.fail(new FrameworkError(event.error?.message ?? 'the master ended the subscription without a reason'));
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
    this.failure ??= error;
    this.stop();
  }

  private listenForSilence(): void {
    clearTimeout(this.silence);
    if (this.silenceLimit > 0) this.silence = setTimeout(() => this.subscription?.close(), this.silenceLimit);
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.stopping.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.stopping.signal.addEventListener('abort', done);
      if (this.stopping.signal.aborted) done();
    });
  }

  private close(): void {
    clearTimeout(this.silence);
    this.finder.stop();
    this.subscription?.close();
    this.subscription = undefined;
    this.channel?.close();
  }

  /** Leaves without a word: with a `failover_timeout` the framework and its tasks stay, without one the master removes them. */
  stop(): void {
    this.stopping.abort();
    this.finder.stop();
    this.subscription?.close();
  }

  /** Ends the framework: the master kills its tasks and forgets it. `run` then resolves. */
  async teardown(): Promise<void> {
    // The master closes the stream before it answers: that is no loss of connection.
    this.leaving = true;
    try {
      await this.call({ type: 'TEARDOWN' });
    } catch (error) {
      this.leaving = false;
      throw error;
    }
    this.stop();
  }

  /**
   * Sends any call of the scheduler API; the framework id is filled in. Calls reach the master in the order in which they are
   * made, without waiting for each other's answers.
   * @throws NotConnected without a subscription, CallRefused when the master says no
   */
  async call(call: Call): Promise<void> {
    const { subscription, channel } = this;
    if (!subscription || !channel || !this.framework.id)
      throw new NotConnected(`${call.type}: there is no subscription at the moment`);
    const message = encodeMessage(Call, { ...call, framework_id: this.framework.id }, this.encoding);
    const body = typeof message === 'string' ? Buffer.from(message) : message;
    const answer = await channel.send(body).catch((error: Error) => {
      // The stream goes the same way, and may not know it yet.
      subscription.close();
      throw new NotConnected(`${call.type}: ${error.message}`);
    });
    if (answer.status === 307 || answer.status === 503)
      throw new NotConnected(`${call.type}: that master no longer leads`);
    if (answer.status >= 300) throw new CallRefused(String(call.type), answer.status, answer.body.toString('utf8'));
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

  /** The master that the subscription is with. */
  get master(): Address | undefined {
    return this.subscription?.address;
  }
}
