import type { Address } from '../sdk/core/address.ts';
import {
  SchedulerCore,
  type SchedulerEffect,
  type SchedulerEvent,
  type SubscribeOutcome,
} from '../sdk/core/scheduler-core.ts';
import type { Call } from '../wire/v1_scheduler.ts';
import type { ConnectionOptions, SchedulerConnection } from './connection.ts';
import { CallConnection, Subscription } from './http.ts';
import { LeaderDetector } from './leader-detector.ts';
import type { MasterProcess } from './master-process.ts';
import { brief, hex } from './transcript.ts';
import { demand } from './violation.ts';

/** As the SDK has it unless told otherwise. */
const RECONNECT = { minimum: 100, maximum: 15_000 };

/** Calls to one master under one stream, and their answers in the same order. */
interface Channel {
  readonly master: MasterProcess;
  readonly streamId: string;
  readonly tokens: number[];
  connection: CallConnection | undefined;
}

/** The core of the scheduler SDK as a simulated program runs it. */
export class SdkClient implements SchedulerConnection {
  private readonly options: ConnectionOptions;
  private readonly waiting: SchedulerEvent[] = [];
  private readonly calls = new Map<number, Call>();
  /** Absent where it was given the addresses of all masters, and follows their redirects. */
  private readonly detector: LeaderDetector | undefined;
  private core: SchedulerCore | undefined;
  private known: string | undefined;
  private stream: { readonly attempt: number; readonly subscription: Subscription } | undefined;
  private channel: Channel | undefined;
  private greeted = false;
  private tokens = 0;
  private stepping = false;
  private ended = false;

  constructor(options: ConnectionOptions) {
    this.options = options;
    const { world, name, dice, clock } = options;
    const tell = (pid: string | undefined): void => this.named(pid);
    this.detector = dice.chance(0.6) ? new LeaderDetector({ world, name, dice: dice.fork(), clock, tell }) : undefined;
  }

  get subscribed(): boolean {
    return this.greeted;
  }

  start(): void {
    const { framework_info, suppressed_roles } = this.options.handlers.subscribeCall().subscribe ?? {};
    demand(framework_info !== undefined, () => `${this.options.name} subscribes as nobody`);
    const wishes = suppressed_roles && { suppressedRoles: suppressed_roles };
    this.core = new SchedulerCore({ framework: framework_info, reconnect: RECONNECT, ...wishes });
    this.detector?.start();
    this.post({ kind: 'start' });
  }

  end(): void {
    this.ended = true;
    this.detector?.stop();
    this.stream?.subscription.abandon();
    this.channel?.connection?.break();
  }

  call(call: Call): void {
    const token = ++this.tokens;
    this.calls.set(token, call);
    this.post({ kind: 'call', token, call });
  }

  /** The core looks after its stream by timers of its own. */
  tick(): boolean {
    return false;
  }

  breakStream(): void {
    this.stream?.subscription.break();
  }

  breakCalls(): void {
    this.channel?.connection?.break();
  }

  private named(pid: string | undefined): void {
    this.say(`is told that ${pid ?? 'nobody'} leads`);
    this.known = pid;
    if (pid !== undefined) this.post({ kind: 'leader', address: addressOf(pid) });
  }

  private post(event: SchedulerEvent): void {
    const { core, options } = this;
    if (this.ended || core === undefined) return;
    this.waiting.push(event);
    if (this.stepping) return;
    this.stepping = true;
    for (let next = this.waiting.shift(); next !== undefined && !this.ended; next = this.waiting.shift()) {
      const effects: SchedulerEffect[] = [];
      options.world.count('steps');
      core.step(next, options.clock.env(), (effect) => effects.push(effect));
      for (const effect of effects) if (!this.ended) this.perform(effect);
    }
    this.stepping = false;
  }

  private perform(effect: SchedulerEffect): void {
    const { clock, handlers } = this.options;
    switch (effect.kind) {
      case 'locate':
        this.locate();
        return;
      case 'subscribe':
        this.subscribe(effect.attempt, effect.address, effect.call);
        return;
      case 'channel':
        this.open(effect.address, effect.streamId);
        return;
      case 'hangUp':
        this.greeted = false;
        if (this.stream?.attempt === effect.attempt) this.stream.subscription.abandon();
        return;
      case 'send':
        this.send(effect.token, effect.call);
        return;
      case 'settled':
        this.settled(effect);
        return;
      case 'deliver':
        if (effect.event.subscribed !== undefined) this.greeted = true;
        handlers.event(effect.event);
        return;
      case 'disconnected':
        this.say(`is disconnected: ${effect.reason}`);
        this.greeted = false;
        handlers.disconnected();
        return;
      case 'arm':
        clock.arm(`sdk ${effect.key}`, effect.after, () => this.post({ kind: 'timer', key: effect.key }));
        return;
      case 'disarm':
        clock.disarm(`sdk ${effect.key}`);
        return;
      case 'over':
        // The master has said why, or nobody may use this framework's id.
        demand(effect.why.kind === 'error', () => `${this.options.name} cannot go on: ${JSON.stringify(effect.why)}`);
        this.greeted = false;
        handlers.over?.(effect.why.message);
        return;
    }
  }

  private locate(): void {
    const { world, dice, masters } = this.options;
    world.loop.after(dice.between(0.1, 20), () => {
      if (this.detector === undefined) {
        const value = masters.all.map(({ address }) => addressOf(`master@${address}`));
        this.post({ kind: 'located', result: { ok: true, value } });
      } else if (this.known === undefined)
        this.post({ kind: 'located', result: { ok: false, error: 'no master leads' } });
      else this.post({ kind: 'located', result: { ok: true, value: [addressOf(this.known)] } });
    });
  }

  private subscribe(attempt: number, address: Address, call: Call): void {
    const { world, dice, masters } = this.options;
    const master = masters.at(pidOf(address));
    this.say(`-> ${address.host} ${brief(call)}`);
    const answer = (outcome: SubscribeOutcome): void => this.post({ kind: 'answered', attempt, outcome });
    if (master === undefined) {
      world.loop.after(dice.between(0.1, 5), () => answer({ kind: 'unavailable', reason: 'nobody listens there' }));
      return;
    }
    let isOpen = false;
    const client = {
      opened: (streamId: string): void => {
        isOpen = true;
        answer({ kind: 'open', streamId });
      },
      event: (event: Parameters<ConnectionOptions['handlers']['event']>[0]): void =>
        this.post({ kind: 'event', attempt, event }),
      closed: (reason: string): void => {
        if (isOpen) this.post({ kind: 'ended', attempt, reason });
        else answer({ kind: 'unavailable', reason });
      },
      refused: (status: number, text: string | undefined, leader: string | undefined): void => {
        if (status === 307) answer({ kind: 'redirect', leader: leader === undefined ? undefined : addressOf(leader) });
        else if (status === 503) answer({ kind: 'unavailable', reason: 'not the leading master' });
        else answer({ kind: 'refused', status, text: text ?? '' });
      },
      answered: (): void => {},
      unanswered: (): void => {},
    };
    const heldUntil = (): number => world.network.cutOffUntil(master.address);
    const subscription = new Subscription({ ...world, dice, api: master, client, heldUntil }, call);
    this.stream = { attempt, subscription };
  }

  private open(address: Address, streamId: string): void {
    this.channel?.connection?.break();
    const master = this.options.masters.at(pidOf(address));
    this.channel = master && { master, streamId, tokens: [], connection: undefined };
  }

  private send(token: number, call: Call): void {
    const { channel } = this;
    const { world, dice } = this.options;
    const uuid = call.acknowledge === undefined ? '' : ` ${hex(call.acknowledge.uuid)}`;
    this.say(`-> ${call.type}${uuid}`);
    if (channel === undefined || !channel.master.alive) {
      world.loop.after(dice.between(0.1, 5), () =>
        this.post({ kind: 'callLost', token, reason: 'nobody listens there' }),
      );
      return;
    }
    const { master } = channel;
    channel.connection ??= new CallConnection({
      ...world,
      dice,
      api: master,
      client: this.listener(channel),
      heldUntil: () => world.network.cutOffUntil(master.address),
    });
    channel.tokens.push(token);
    channel.connection.send(call, channel.streamId);
  }

  private listener(channel: Channel): ConstructorParameters<typeof CallConnection>[0]['client'] {
    return {
      opened: () => {},
      event: () => {},
      closed: () => {},
      answered: (_call, status, text) =>
        this.post({ kind: 'callAnswered', token: channel.tokens.shift() ?? 0, status, text: text ?? '' }),
      unanswered: () => {
        channel.connection = undefined;
        for (const token of channel.tokens.splice(0))
          this.post({ kind: 'callLost', token, reason: 'the connection broke' });
      },
    };
  }

  private settled({ token, result }: Extract<SchedulerEffect, { kind: 'settled' }>): void {
    const { handlers } = this.options;
    const call = this.calls.get(token);
    this.calls.delete(token);
    if (call === undefined) return;
    if (result.kind === 'accepted') handlers.answered(call, 202, undefined);
    else if (result.kind === 'refused') handlers.answered(call, result.status, result.text);
    else handlers.unanswered([call]);
  }

  private say(what: string): void {
    this.options.world.say(this.options.name, what);
  }
}

function addressOf(pid: string): Address {
  const [host = '', port] = pid.slice(pid.indexOf('@') + 1).split(':');
  return { host, port: Number(port) };
}

function pidOf({ host, port }: Address): string {
  return `master@${host}:${port}`;
}
