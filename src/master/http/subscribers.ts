import type { Millis } from '../../base/machine.ts';
import type { Exchange } from '../../http/endpoint.ts';
import { JSON_TYPE, type MessageMedia } from '../../http/media.ts';
import type { RecordStream } from '../../http/stream.ts';
import { encodeRecord } from '../../wire/recordio.ts';
import { Event } from '../../wire/v1_master.ts';
import type { OperatorNotice } from '../core/effects.ts';
import type { MasterState } from '../core/state.ts';
import { eventOf } from '../views/operator-events.ts';
import { subscribedJson, subscribedProtobuf } from '../views/operator-lists.ts';
import { takeSnapshot } from '../views/snapshot.ts';
import type { Answers } from './answers.ts';

const HEARTBEAT_INTERVAL: Millis = 15_000;

interface Subscriber {
  readonly stream: RecordStream;
  readonly media: MessageMedia;
  readonly heartbeat: NodeJS.Timeout;
}

/** Operators' event streams (SUBSCRIBE of the operator API). Each event is encoded once per encoding. */
export class Subscribers {
  /** Oldest first. */
  readonly #subscribers = new Set<Subscriber>();
  readonly #capacity: number;
  readonly #answers: Answers;

  /** @param capacity of more streams the oldest ends */
  constructor(capacity: number, answers: Answers) {
    this.#capacity = capacity;
    this.#answers = answers;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Opens a stream: a snapshot of everything first, then a heartbeat, then what happens. */
  add(state: MasterState, exchange: Exchange, media: MessageMedia): void {
    const stream = exchange.openStream({ contentType: media });
    if (stream.closed) return;
    this.#sendSnapshot(state, stream, media);
    const beat = (): void => stream.write(record({ type: 'HEARTBEAT' }, media));
    beat();
    const subscriber: Subscriber = { stream, media, heartbeat: setInterval(beat, HEARTBEAT_INTERVAL).unref() };
    this.#subscribers.add(subscriber);
    stream.onClose(() => {
      clearInterval(subscriber.heartbeat);
      this.#subscribers.delete(subscriber);
    });
    for (const oldest of this.#subscribers) {
      if (this.#subscribers.size <= this.#capacity) break;
      oldest.stream.close();
    }
  }

  /** The snapshot is of now: what happens while it is written waits in the stream, behind it. */
  #sendSnapshot(state: MasterState, stream: RecordStream, media: MessageMedia): void {
    const fill = stream.reserve();
    const snapshot = takeSnapshot(state);
    const parts = media === JSON_TYPE ? subscribedJson : subscribedProtobuf;
    this.#answers
      .now((kept) => parts(kept, snapshot, HEARTBEAT_INTERVAL / 1000))
      .then(
        ({ list, size }) => fill([Buffer.from(`${size}\n`), ...list]),
        () => stream.close(),
      );
  }

  tell(state: MasterState, notice: OperatorNotice): void {
    if (this.#subscribers.size === 0) return;
    const event = eventOf(state, notice);
    if (event === undefined) return;
    const records = new Map<MessageMedia, Uint8Array>();
    for (const { stream, media } of this.#subscribers) {
      const bytes = records.get(media) ?? record(event, media);
      records.set(media, bytes);
      stream.write(bytes);
    }
  }

  close(): void {
    for (const { stream } of [...this.#subscribers]) stream.close();
  }
}

function record(event: Event, media: MessageMedia): Uint8Array {
  return encodeRecord(media === JSON_TYPE ? Buffer.from(Event.stringify(event), 'utf8') : Event.encode(event));
}
