import type { IncomingMessage } from 'node:http';
import { RecordReader } from '../wire/recordio.ts';
import { Call, Event } from '../wire/v1_scheduler.ts';
import type { Address } from './address.ts';
import { decodeMessage, type Encoding, encodeMessage, MEDIA_TYPE } from './encoding.ts';
import { CallRefused } from './errors.ts';
import { type Credential, open, readBody } from './exchange.ts';

export const SCHEDULER_PATH = '/api/v1/scheduler';

/** How a SUBSCRIBE ended before any event: where to go instead, or why not. */
export type SubscribeOutcome =
  | { readonly kind: 'open'; readonly subscription: Subscription }
  | { readonly kind: 'redirect'; readonly location: string | undefined }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'refused'; readonly error: CallRefused };

/** An open event stream. It belongs to one master and one connection; a new connection is a new subscription. */
export class Subscription {
  readonly streamId: string;
  readonly address: Address;
  private readonly incoming: IncomingMessage;
  private readonly encoding: Encoding;

  constructor(incoming: IncomingMessage, address: Address, encoding: Encoding) {
    this.incoming = incoming;
    this.address = address;
    this.encoding = encoding;
    this.streamId = String(incoming.headers['mesos-stream-id'] ?? '');
  }

  /** Calls back for each event in order until the stream ends. @returns why it ended */
  async read(onEvent: (event: Event) => void): Promise<string> {
    const reader = new RecordReader();
    try {
      for await (const chunk of this.incoming) {
        const records = reader.push(chunk as Buffer);
        if (!records.ok) return `the stream is not RecordIO: ${records.error}`;
        for (const record of records.value) {
          const event = decodeMessage(Event, record, this.encoding);
          if (!event.ok) return `an event could not be read: ${event.error}`;
          onEvent(event.value);
        }
      }
      return 'the master closed the stream';
    } catch (error) {
      return (error as Error).message;
    } finally {
      this.close();
    }
  }

  close(): void {
    this.incoming.destroy();
  }
}

/** Sends SUBSCRIBE to one master. Network errors and masters that do not lead are outcomes, not exceptions. */
export async function subscribe(
  address: Address,
  call: Call,
  encoding: Encoding,
  credential: Credential | undefined,
): Promise<SubscribeOutcome> {
  const media = MEDIA_TYPE[encoding];
  let incoming: IncomingMessage;
  try {
    incoming = await open({
      address,
      path: SCHEDULER_PATH,
      headers: { 'Content-Type': media, Accept: media },
      body: encodeMessage(Call, call, encoding),
      ...(credential && { credential }),
    });
    if (incoming.statusCode === 200)
      return { kind: 'open', subscription: new Subscription(incoming, address, encoding) };
    const text = (await readBody(incoming)).toString('utf8');
    if (incoming.statusCode === 307) return { kind: 'redirect', location: incoming.headers.location };
    if (incoming.statusCode === 503)
      return { kind: 'unavailable', reason: text.trim() || 'no master leads at the moment' };
    return { kind: 'refused', error: new CallRefused('SUBSCRIBE', incoming.statusCode ?? 0, text) };
  } catch (error) {
    return { kind: 'unavailable', reason: (error as Error).message };
  }
}
