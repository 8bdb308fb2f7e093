/**
 * A scheduler's connection to whoever leads, decided without a socket: whom to try and when again, when a silent stream is
 * given up, what a call without an answer means. `sdk/scheduler.ts` drives it over HTTP, the simulator over its own network.
 *
 * One subscription at a time. Each attempt has a number, and what is said of an earlier one does not count any more.
 */
import type { Env, Machine, Millis } from '../../base/machine.ts';
import type { Result } from '../../base/result.ts';
import type { FrameworkInfo } from '../../wire/v1.ts';
import type { Call, Event, OfferConstraints } from '../../wire/v1_scheduler.ts';
import { type Address, formatAddress, isSameAddress } from './address.ts';
import { Backoff } from './backoff.ts';
import { Route } from './route.ts';

/** A stream without any record for this many heartbeat intervals is taken for dead (a silent network loss). */
const SILENT_HEARTBEATS = 3;
/** Upstream's; the master says its own with SUBSCRIBED. */
const HEARTBEAT_INTERVAL: Millis = 15_000;
/** How long the answer to a SUBSCRIBE may stay out. */
const ANSWER_WITHIN: Millis = 30_000;
/** How long the answer to a TEARDOWN may stay out after the stream has ended, before it is tried again. */
const TEARDOWN_ANSWER_WITHIN: Millis = 5_000;

export interface SchedulerCoreOptions {
  readonly framework: FrameworkInfo;
  readonly suppressedRoles?: readonly string[];
  readonly offerConstraints?: OfferConstraints;
  /** Waiting time between attempts to connect: from `minimum`, doubling to `maximum`. */
  readonly reconnect: { readonly minimum: Millis; readonly maximum: Millis };
}

/** What became of a SUBSCRIBE. */
export type SubscribeOutcome =
  | { readonly kind: 'open'; readonly streamId: string }
  /** `leader` is absent where the redirect names no usable address. */
  | { readonly kind: 'redirect'; readonly leader: Address | undefined }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'refused'; readonly status: number; readonly text: string };

export type SchedulerEvent =
  | { readonly kind: 'start' }
  /** Answers `locate`: addresses to try in turn, at least one. */
  | { readonly kind: 'located'; readonly result: Result<readonly Address[]> }
  /** ZooKeeper names a leader, unasked. */
  | { readonly kind: 'leader'; readonly address: Address }
  | { readonly kind: 'answered'; readonly attempt: number; readonly outcome: SubscribeOutcome }
  | { readonly kind: 'event'; readonly attempt: number; readonly event: Event }
  /** The stream of an attempt that was open has ended. */
  | { readonly kind: 'ended'; readonly attempt: number; readonly reason: string }
  /** The framework wants this sent. Each token is used once. */
  | { readonly kind: 'call'; readonly token: number; readonly call: Call }
  | { readonly kind: 'callAnswered'; readonly token: number; readonly status: number; readonly text: string }
  /** The connection broke before the answer: the call was heeded, or not. */
  | { readonly kind: 'callLost'; readonly token: number; readonly reason: string }
  | { readonly kind: 'timer'; readonly key: string }
  /** Leave without a word. */
  | { readonly kind: 'stop' };

/** How a call went. */
export type CallResult =
  | { readonly kind: 'accepted' }
  /** It may have been heeded or not; after the next SUBSCRIBED the framework reconciles. */
  | { readonly kind: 'notConnected'; readonly reason: string }
  | { readonly kind: 'refused'; readonly status: number; readonly text: string };

/** Why nothing follows. */
export type Ending =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'refused'; readonly status: number; readonly text: string }
  /** The master said so in an ERROR event. */
  | { readonly kind: 'error'; readonly message: string };

export type SchedulerEffect =
  | { readonly kind: 'locate' }
  | { readonly kind: 'subscribe'; readonly attempt: number; readonly address: Address; readonly call: Call }
  /** Calls go to this master from now on, under this stream's id. */
  | { readonly kind: 'channel'; readonly attempt: number; readonly address: Address; readonly streamId: string }
  /** Let go of an attempt, whether its stream is open already or not. Nothing of it is wanted any more. */
  | { readonly kind: 'hangUp'; readonly attempt: number }
  | { readonly kind: 'send'; readonly token: number; readonly call: Call }
  | { readonly kind: 'settled'; readonly token: number; readonly type: Call['type']; readonly result: CallResult }
  | { readonly kind: 'deliver'; readonly event: Event }
  /** No stream any more; another attempt follows by itself. */
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'arm'; readonly key: string; readonly after: Millis }
  | { readonly kind: 'disarm'; readonly key: string }
  | { readonly kind: 'over'; readonly why: Ending };

const RETRY = 'retry';
const ANSWER = 'answer';
const SILENCE = 'silence';
const LEAVE = 'leave';
const TIMERS = [RETRY, ANSWER, SILENCE, LEAVE];

type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'locating' }
  | { readonly kind: 'subscribing'; readonly address: Address }
  | { readonly kind: 'open'; readonly address: Address }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'over' };

interface Wishes {
  readonly framework: FrameworkInfo;
  readonly suppressedRoles: readonly string[] | undefined;
  readonly offerConstraints: OfferConstraints | undefined;
}

interface Outstanding {
  readonly call: Call;
  /** Of the subscription that it was made under. */
  readonly attempt: number;
  /** What the next SUBSCRIBE says if this call is refused. */
  readonly before: Wishes;
}

type Emit = (effect: SchedulerEffect) => void;

export class SchedulerCore implements Machine<SchedulerEvent, SchedulerEffect> {
  readonly #route = new Route();
  readonly #backoff: Backoff;
  readonly #outstanding = new Map<number, Outstanding>();
  #wishes: Wishes;
  #phase: Phase = { kind: 'idle' };
  #attempt = 0;
  #heardAt: Millis = 0;
  #silenceLimit: Millis = HEARTBEAT_INTERVAL * SILENT_HEARTBEATS;
  /** A TEARDOWN is on its way: the end of the stream is no loss of connection. */
  #leaving = false;
  #env!: Env;
  #emit!: Emit;

  constructor({ framework, suppressedRoles, offerConstraints, reconnect }: SchedulerCoreOptions) {
    this.#wishes = { framework, suppressedRoles, offerConstraints };
    this.#backoff = new Backoff(reconnect.minimum, reconnect.maximum);
  }

  /** The id that the master gave, or undefined before the first SUBSCRIBED. */
  get frameworkId(): string | undefined {
    return this.#wishes.framework.id?.value;
  }

  /** The master that the open stream is with. */
  get master(): Address | undefined {
    return this.#phase.kind === 'open' ? this.#phase.address : undefined;
  }

  step(event: SchedulerEvent, env: Env, emit: Emit): void {
    this.#env = env;
    this.#emit = emit;
    switch (event.kind) {
      case 'call':
        this.#call(event.token, event.call);
        return;
      case 'callAnswered':
        this.#callAnswered(event.token, event.status, event.text);
        return;
      case 'callLost':
        this.#callLost(event.token, event.reason);
        return;
      default:
        if (this.#phase.kind !== 'over') this.#follow(event);
    }
  }

  #follow(event: Exclude<SchedulerEvent, { kind: 'call' | 'callAnswered' | 'callLost' }>): void {
    switch (event.kind) {
      case 'start':
        if (this.#phase.kind === 'idle') this.#try();
        return;
      case 'located':
        this.#located(event.result);
        return;
      case 'leader':
        this.#named(event.address);
        return;
      case 'answered':
        if (event.attempt === this.#attempt) this.#answered(event.outcome);
        return;
      case 'event':
        if (event.attempt === this.#attempt && this.#phase.kind === 'open') this.#take(event.event);
        return;
      case 'ended':
        if (event.attempt === this.#attempt) this.#ended(event.reason);
        return;
      case 'timer':
        this.#fired(event.key);
        return;
      case 'stop':
        this.#finish({ kind: 'stopped' });
        return;
    }
  }

  /** Another attempt, now. */
  #try(): void {
    const { leader } = this.#route;
    if (leader !== undefined) this.#subscribe(leader);
    else {
      this.#phase = { kind: 'locating' };
      this.#emit({ kind: 'locate' });
    }
  }

  #located(result: Result<readonly Address[]>): void {
    if (this.#phase.kind !== 'locating') return;
    const address = result.ok ? this.#route.choose(result.value) : undefined;
    if (!result.ok) this.#tryLater(result.error);
    else if (address === undefined) this.#tryLater('no master leads');
    else this.#subscribe(address);
  }

  #subscribe(address: Address): void {
    this.#route.choose([address]);
    this.#phase = { kind: 'subscribing', address };
    const attempt = ++this.#attempt;
    this.#emit({ kind: 'arm', key: ANSWER, after: ANSWER_WITHIN });
    this.#emit({ kind: 'subscribe', attempt, address, call: this.#subscribeCall() });
  }

  #subscribeCall(): Call {
    const { framework, suppressedRoles, offerConstraints } = this.#wishes;
    return {
      type: 'SUBSCRIBE',
      ...(framework.id && { framework_id: framework.id }),
      subscribe: {
        framework_info: framework,
        ...(suppressedRoles && { suppressed_roles: suppressedRoles }),
        ...(offerConstraints && { offer_constraints: offerConstraints }),
      },
    };
  }

  /** A leader whose machine is gone neither closes its streams nor answers. */
  #named(leader: Address): void {
    const phase = this.#phase;
    this.#route.named(leader);
    if (phase.kind === 'open' || phase.kind === 'subscribing') {
      if (isSameAddress(phase.address, leader)) return;
      const reason = `${formatAddress(phase.address)}: ${formatAddress(leader)} leads now`;
      this.#hangUp();
      if (phase.kind === 'open') this.#emit({ kind: 'disconnected', reason });
    } else if (phase.kind === 'waiting') this.#emit({ kind: 'disarm', key: RETRY });
    else return;
    // A new leader need not wait for what was to be spared the old one.
    this.#backoff.reset();
    this.#try();
  }

  #answered(outcome: SubscribeOutcome): void {
    const phase = this.#phase;
    if (phase.kind !== 'subscribing') return;
    this.#emit({ kind: 'disarm', key: ANSWER });
    const where = formatAddress(phase.address);
    switch (outcome.kind) {
      case 'open':
        this.#open(phase.address, outcome.streamId);
        return;
      case 'redirect':
        if (this.#route.redirected(outcome.leader)) this.#try();
        else this.#tryLater(`${where} does not lead and names no other leader`);
        return;
      case 'unavailable':
        this.#route.failed();
        this.#tryLater(`${where}: ${outcome.reason}`);
        return;
      case 'refused':
        this.#finish(outcome);
        return;
    }
  }

  #open(address: Address, streamId: string): void {
    this.#phase = { kind: 'open', address };
    this.#route.succeeded();
    this.#heardAt = this.#env.now;
    this.#silenceLimit = HEARTBEAT_INTERVAL * SILENT_HEARTBEATS;
    this.#emit({ kind: 'channel', attempt: this.#attempt, address, streamId });
    this.#emit({ kind: 'arm', key: SILENCE, after: this.#silenceLimit });
  }

  #take(event: Event): void {
    this.#heardAt = this.#env.now;
    if (event.type === 'SUBSCRIBED' && event.subscribed !== undefined) {
      const { framework_id, heartbeat_interval_seconds } = event.subscribed;
      this.#wishes = { ...this.#wishes, framework: { ...this.#wishes.framework, id: framework_id } };
      this.#backoff.reset();
      if (heartbeat_interval_seconds !== undefined && heartbeat_interval_seconds > 0)
        this.#silenceLimit = heartbeat_interval_seconds * 1000 * SILENT_HEARTBEATS;
      this.#emit({ kind: 'arm', key: SILENCE, after: this.#silenceLimit });
    }
    this.#emit({ kind: 'deliver', event });
    if (event.type === 'ERROR') {
      const message = event.error?.message ?? 'the master ended the subscription without a reason';
      this.#finish({ kind: 'error', message });
    }
  }

  /** The stream is gone, or is given up. */
  #ended(reason: string): void {
    const phase = this.#phase;
    if (phase.kind !== 'open') return;
    this.#hangUp();
    if (this.#leaving) {
      this.#phase = { kind: 'waiting' };
      this.#emit({ kind: 'arm', key: LEAVE, after: TEARDOWN_ANSWER_WITHIN });
    } else this.#tryLater(`${formatAddress(phase.address)}: ${reason}`);
  }

  #tryLater(reason: string): void {
    this.#phase = { kind: 'waiting' };
    this.#emit({ kind: 'arm', key: RETRY, after: this.#backoff.next(this.#env.random) });
    this.#emit({ kind: 'disconnected', reason });
  }

  #hangUp(): void {
    this.#emit({ kind: 'disarm', key: ANSWER });
    this.#emit({ kind: 'disarm', key: SILENCE });
    this.#emit({ kind: 'hangUp', attempt: this.#attempt });
    // What is still said of it belongs to no attempt.
    this.#attempt++;
  }

  #fired(key: string): void {
    const phase = this.#phase;
    if (key === RETRY && phase.kind === 'waiting') this.#try();
    else if (key === LEAVE && phase.kind === 'waiting') {
      this.#leaving = false;
      this.#try();
    } else if (key === ANSWER && phase.kind === 'subscribing') {
      this.#hangUp();
      this.#route.failed();
      this.#tryLater(`${formatAddress(phase.address)}: no answer within ${ANSWER_WITHIN / 1000} s`);
    } else if (key === SILENCE && phase.kind === 'open') {
      const left = this.#heardAt + this.#silenceLimit - this.#env.now;
      if (left > 0) this.#emit({ kind: 'arm', key: SILENCE, after: left });
      else this.#ended(`nothing was heard for ${this.#silenceLimit / 1000} s`);
    }
  }

  #finish(why: Ending): void {
    if (this.#phase.kind === 'over') return;
    for (const key of TIMERS) this.#emit({ kind: 'disarm', key });
    if (this.#phase.kind === 'open' || this.#phase.kind === 'subscribing')
      this.#emit({ kind: 'hangUp', attempt: this.#attempt });
    this.#phase = { kind: 'over' };
    this.#emit({ kind: 'over', why });
  }

  #call(token: number, call: Call): void {
    const { id } = this.#wishes.framework;
    if (this.#phase.kind !== 'open' || id === undefined) {
      const result: CallResult = { kind: 'notConnected', reason: 'there is no subscription at the moment' };
      this.#emit({ kind: 'settled', token, type: call.type, result });
      return;
    }
    this.#outstanding.set(token, { call, attempt: this.#attempt, before: this.#wishes });
    if (call.type === 'TEARDOWN') this.#leaving = true;
    if (call.update_framework !== undefined) {
      // The next subscription must not take back what this one has changed.
      const { framework_info, suppressed_roles, offer_constraints } = call.update_framework;
      this.#wishes = {
        framework: { ...framework_info, id },
        suppressedRoles: suppressed_roles,
        offerConstraints: offer_constraints,
      };
    }
    this.#emit({ kind: 'send', token, call: { ...call, framework_id: id } });
  }

  #callAnswered(token: number, status: number, text: string): void {
    const asked = this.#outstanding.get(token);
    if (asked === undefined) return;
    this.#outstanding.delete(token);
    const { call, before } = asked;
    const settle = (result: CallResult): void => this.#emit({ kind: 'settled', token, type: call.type, result });
    if (status < 300) {
      settle({ kind: 'accepted' });
      if (call.type === 'TEARDOWN') this.#finish({ kind: 'stopped' });
      return;
    }
    if (call.type === 'TEARDOWN') this.#leaving = false;
    if (status === 307 || status === 503) settle({ kind: 'notConnected', reason: 'that master no longer leads' });
    else {
      if (call.update_framework !== undefined) this.#wishes = before;
      settle({ kind: 'refused', status, text });
    }
  }

  #callLost(token: number, reason: string): void {
    const asked = this.#outstanding.get(token);
    if (asked === undefined) return;
    this.#outstanding.delete(token);
    if (asked.call.type === 'TEARDOWN') this.#leaving = false;
    this.#emit({ kind: 'settled', token, type: asked.call.type, result: { kind: 'notConnected', reason } });
    // The stream goes the same way, and may not know it yet.
    if (asked.attempt === this.#attempt) this.#ended(reason);
  }
}
