/** The event stream: everybody who listens gets what they asked for, as Server-Sent Events. */
import type { RecordStream } from '../../http/stream.ts';
import type { EventType, Published } from '../core/published.ts';
import { eventText } from '../views/event.ts';

/** A blank line this often tells both sides that the other is there, in ms. */
const HEARTBEAT = 10_000;
const BLANK = Buffer.from('\r\n');

interface Listener {
  readonly stream: RecordStream;
  /** Empty: all. */
  readonly types: ReadonlySet<string>;
  readonly address: string;
}

export class EventHub {
  readonly #listeners = new Set<Listener>();
  readonly #now: () => number;
  #heartbeat: NodeJS.Timeout | undefined;
  #sentBytes = 0;

  /** @param now wall clock, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Those who listen at the moment. */
  get size(): number {
    return this.#listeners.size;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** From now on this stream gets events. @param types of events; all if none is named */
  attach(stream: RecordStream, types: readonly string[], address: string): void {
    const listener: Listener = { stream, types: new Set(types), address };
    this.#listeners.add(listener);
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT);
    this.#announce('event_stream_attached', address);
    stream.onClose(() => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
      this.#announce('event_stream_detached', address);
    });
  }

  /** Tells everybody who wants to hear of it. Written once, however many listen. */
  publish(event: Published): void {
    if (!this.#isWanted(event.eventType)) return;
    this.#send(event.eventType, eventText(event));
  }

  #isWanted(type: EventType): boolean {
    for (const { types } of this.#listeners) if (types.size === 0 || types.has(type)) return true;
    return false;
  }

  stop(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  /** Ends all streams. */
  close(): void {
    this.stop();
    for (const { stream } of [...this.#listeners]) stream.close();
  }

  #announce(eventType: 'event_stream_attached' | 'event_stream_detached', remoteAddress: string): void {
    const timestamp = new Date(this.#now()).toISOString();
    this.#send(eventType, JSON.stringify({ remoteAddress, eventType, timestamp }));
  }

  #send(eventType: EventType | 'event_stream_attached' | 'event_stream_detached', text: string): void {
    const record = Buffer.from(`event: ${eventType}\r\ndata: ${text}\r\n\r\n`);
    for (const { stream, types } of this.#listeners) {
      if (types.size > 0 && !types.has(eventType)) continue;
      stream.write(record);
      this.#sentBytes += record.length;
    }
  }

  #beat(): void {
    for (const { stream } of this.#listeners) stream.write(BLANK);
  }
}
