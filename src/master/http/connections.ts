import type { Answer } from '../../http/answer.ts';
import type { Exchange } from '../../http/endpoint.ts';
import { type MessageMedia, messageBytes } from '../../http/media.ts';
import type { RecordStream } from '../../http/stream.ts';
import { encodeRecord } from '../../wire/recordio.ts';
import { Event } from '../../wire/v1_scheduler.ts';
import type { MasterEffect } from '../core/effects.ts';
import type { RequestId } from '../core/events.ts';
import type { StreamId } from '../core/state.ts';

/** The effects that concern HTTP clients. */
export type ConnectionEffect = Extract<MasterEffect, { kind: 'reply' | 'openStream' | 'event' | 'closeStream' }>;

interface Pending {
  readonly exchange: Exchange;
  readonly media: MessageMedia;
}

interface Subscriber {
  readonly stream: RecordStream;
  readonly media: MessageMedia;
}

/** Requests that wait for the core's answer, and the event streams of schedulers. */
export class Connections {
  readonly #pending = new Map<RequestId, Pending>();
  readonly #streams = new Map<StreamId, Subscriber>();
  readonly #onStreamClosed: (stream: StreamId, reason: string) => void;
  readonly #maxQueuedBytes: number | undefined;
  #nextRequest: RequestId = 1;
  /** The newest event in the encodings that were asked for: the core sends one event to many streams in a row. */
  #encoded: { readonly event: Event; readonly records: Map<MessageMedia, Uint8Array> } | undefined;

  /** @param onStreamClosed told when a stream ends that the core did not close */
  constructor(onStreamClosed: (stream: StreamId, reason: string) => void, maxQueuedBytes?: number) {
    this.#onStreamClosed = onStreamClosed;
    this.#maxQueuedBytes = maxQueuedBytes;
  }

  /** Keeps a request until the core answers it. */
  add(exchange: Exchange, media: MessageMedia): RequestId {
    const id = this.#nextRequest++;
    this.#pending.set(id, { exchange, media });
    return id;
  }

  perform(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case 'reply':
        this.#take(effect.request)?.exchange.reply(answerOf(effect.status, effect.text));
        break;
      case 'openStream':
        this.#open(effect.request, effect.stream);
        break;
      case 'event': {
        const subscriber = this.#streams.get(effect.stream);
        subscriber?.stream.write(this.#recordOf(effect.event, subscriber.media));
        break;
      }
      case 'closeStream': {
        const subscriber = this.#streams.get(effect.stream);
        this.#streams.delete(effect.stream);
        subscriber?.stream.close();
        break;
      }
    }
  }

  /** Calls back when the reader of a stream has taken what there was, or when the stream is no more. */
  whenRead(stream: StreamId, callback: () => void): void {
    const subscriber = this.#streams.get(stream);
    if (subscriber === undefined) setImmediate(callback);
    else subscriber.stream.whenRead(callback);
  }

  /** Ends every stream, for a stop. */
  close(): void {
    for (const { stream } of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  #take(request: RequestId): Pending | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending;
  }

  #open(request: RequestId, id: StreamId): void {
    const pending = this.#take(request);
    if (pending === undefined) return;
    const stream = pending.exchange.openStream({
      contentType: pending.media,
      headers: { 'mesos-stream-id': id },
      maxQueuedBytes: this.#maxQueuedBytes,
    });
    this.#streams.set(id, { stream, media: pending.media });
    stream.onClose((end) => {
      if (this.#streams.delete(id)) this.#onStreamClosed(id, end);
    });
  }

  #recordOf(event: Event, media: MessageMedia): Uint8Array {
    if (this.#encoded?.event !== event) this.#encoded = { event, records: new Map() };
    let record = this.#encoded.records.get(media);
    if (record === undefined) {
      record = encodeRecord(messageBytes(Event, event, media));
      this.#encoded.records.set(media, record);
    }
    return record;
  }
}

function answerOf(status: number, text: string | undefined): Answer {
  if (text === undefined) return { status };
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text };
}
