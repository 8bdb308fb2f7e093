import type { Millis } from '../base/machine.ts';
import type { Call, Event } from '../wire/v1_scheduler.ts';
import { Call as CallType, Event as EventType } from '../wire/v1_scheduler.ts';
import type { Dice } from './dice.ts';
import type { Loop } from './loop.ts';
import { Pipe } from './pipe.ts';
import { demand } from './violation.ts';
import { travel, type Weather } from './weather.ts';

/** What the server side of a request does with it. */
export interface Responder {
  /** @param leader where to go instead, as a pid */
  reply(status: number, text: string | undefined, leader?: string): void;
  /** Answers with 200 and an event stream of this id. */
  open(stream: string): void;
  event(event: Event): void;
  close(): void;
}

/** The master as schedulers reach it. */
export interface SchedulerApi {
  call(call: Call, streamId: string | undefined, responder: Responder): void;
  /** The peer of this stream is gone. */
  streamBroken(stream: string): void;
  /** A connection to it stands from now on; it breaks when the program ends. */
  connected(connection: HttpConnection): void;
  disconnected(connection: HttpConnection): void;
}

export interface HttpConnection {
  break(): void;
}

/** What a scheduler hears. */
export interface SchedulerClient {
  opened(stream: string): void;
  event(event: Event): void;
  /** Its subscription ended or never came about; or was refused, for who does not listen for that. */
  closed(why: string): void;
  /** Its subscription was answered with another status than 200. */
  refused?(status: number, text: string | undefined, leader: string | undefined): void;
  /** A call was answered. */
  answered(call: Call, status: number, text: string | undefined): void;
  /** The connection broke before the answer came: the call may have been heeded, or not. */
  unanswered(calls: readonly Call[]): void;
}

type Frame =
  | { readonly kind: 'open'; readonly stream: string }
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'reply'; readonly status: number; readonly text: string | undefined; readonly leader?: string }
  | { readonly kind: 'close' };

interface Wiring {
  readonly loop: Loop;
  readonly dice: Dice;
  readonly weather: Weather;
  readonly api: SchedulerApi;
  readonly client: SchedulerClient;
  /** Nothing goes between the two before this instant. */
  readonly heldUntil: () => Millis;
}

/** A SUBSCRIBE request and the event stream that answers it. */
export class Subscription {
  private readonly wiring: Wiring;
  private readonly request: Pipe<Call>;
  private readonly response: Pipe<Frame>;
  private stream: string | undefined;
  /** The client is told no more: it has been told that this ended, or does not exist any more. */
  private over = false;

  constructor(wiring: Wiring, call: Call) {
    this.wiring = wiring;
    const { loop, weather, dice, api, heldUntil } = wiring;
    const along = { loop, travel: () => travel(weather, dice), heldUntil };
    api.connected(this);
    this.response = new Pipe({ ...along, deliver: (frame) => this.hear(frame) });
    this.request = new Pipe({ ...along, deliver: (sent) => api.call(sent, undefined, this.responder()) });
    this.request.send(onTheWire(call));
  }

  /** The connection breaks, and each side notices in its own time; the client perhaps only by the silence. */
  break(): void {
    if (this.response.broken) return;
    this.request.break();
    this.response.break();
    const { loop, dice, weather, api } = this.wiring;
    const notice = (): number => dice.between(0.1, weather.noticeWithin);
    const { stream } = this;
    api.disconnected(this);
    if (stream !== undefined)
      loop.after(notice() + (dice.chance(weather.halfOpen) ? 10_000 : 0), () => api.streamBroken(stream));
    if (!dice.chance(weather.halfOpen)) loop.after(notice(), () => this.end('the connection broke'));
  }

  /** The client lets go of it. */
  abandon(): void {
    this.over = true;
    this.break();
  }

  private end(why: string): void {
    if (this.over) return;
    this.over = true;
    this.wiring.client.closed(why);
  }

  private refused(status: number, text: string | undefined, leader: string | undefined): void {
    const { client } = this.wiring;
    if (client.refused === undefined) this.end(`refused with ${status} ${text ?? ''}`);
    else {
      this.over = true;
      client.refused(status, text, leader);
    }
  }

  private hear(frame: Frame): void {
    if (this.over) return;
    const { client } = this.wiring;
    if (frame.kind === 'open') client.opened(frame.stream);
    else if (frame.kind === 'event') client.event(frame.event);
    else if (frame.kind === 'reply') this.refused(frame.status, frame.text, frame.leader);
    else this.end('the master closed it');
  }

  private responder(): Responder {
    return {
      reply: (status, text, leader) =>
        this.response.send({ kind: 'reply', status, text, ...(leader !== undefined && { leader }) }),
      open: (stream) => {
        this.stream = stream;
        // The request waited while the connection broke.
        if (this.response.broken) this.wiring.loop.after(1, () => this.wiring.api.streamBroken(stream));
        this.response.send({ kind: 'open', stream });
      },
      event: (event) => {
        const decoded = EventType.decode(EventType.encode(event));
        demand(decoded.ok, () => `an event cannot be read: ${decoded.ok ? '' : decoded.error}`);
        this.response.send({ kind: 'event', event: decoded.value });
      },
      close: () => this.response.send({ kind: 'close' }),
    };
  }
}

/** The connection on which a scheduler makes its calls, one after the other, without waiting for the answers. */
export class CallConnection {
  private readonly wiring: Wiring;
  private readonly requests: Pipe<{ readonly call: Call; readonly streamId: string }>;
  private readonly answers: Pipe<{ readonly status: number; readonly text: string | undefined }>;
  private readonly waiting: Call[] = [];

  constructor(wiring: Wiring) {
    this.wiring = wiring;
    const { loop, weather, dice, api, client, heldUntil } = wiring;
    const along = { loop, travel: () => travel(weather, dice), heldUntil };
    api.connected(this);
    this.answers = new Pipe({
      ...along,
      deliver: ({ status, text }) => {
        const call = this.waiting.shift();
        if (call !== undefined) client.answered(call, status, text);
      },
    });
    this.requests = new Pipe({
      ...along,
      deliver: ({ call, streamId }) =>
        api.call(call, streamId, {
          reply: (status, text) => this.answers.send({ status, text }),
          open: () => demand(false, () => `a stream was opened in answer to ${call.type}`),
          event: () => demand(false, () => `an event was sent in answer to ${call.type}`),
          close: () => this.break(),
        }),
    });
  }

  get usable(): boolean {
    return !this.requests.broken;
  }

  send(call: Call, streamId: string): void {
    this.waiting.push(call);
    this.requests.send({ call: onTheWire(call), streamId });
  }

  /** What is on its way, in either direction, is lost; the client learns which calls have no answer. */
  break(): void {
    if (this.requests.broken) return;
    this.requests.break();
    this.answers.break();
    const { loop, dice, weather, api, client } = this.wiring;
    api.disconnected(this);
    loop.after(dice.between(0.1, weather.noticeWithin), () => client.unanswered(this.waiting));
  }
}

/** The call as the master reads it. */
function onTheWire(call: Call): Call {
  const decoded = CallType.decode(CallType.encode(call));
  demand(decoded.ok, () => `${call.type} cannot be read: ${decoded.ok ? '' : decoded.error}`);
  return decoded.value;
}
