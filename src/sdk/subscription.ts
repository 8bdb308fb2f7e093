import type { IncomingMessage } from 'node:http';
import { RecordReader } from '../wire/recordio.ts';
import { Call, Event } from '../wire/v1_scheduler.ts';
import { addressOfLocation } from './address.ts';
import type { Address } from './core/address.ts';
import type { SubscribeOutcome } from './core/scheduler-core.ts';
import { decodeMessage, type Encoding, encodeMessage, MEDIA_TYPE } from './encoding.ts';
import { type Credential, open, readBody } from './exchange.ts';

export const SCHEDULER_PATH = '/api/v1/scheduler';

/** What came of sending a SUBSCRIBE: what the core hears, and the stream where there is one. */
export interface Subscribed {
  readonly outcome: SubscribeOutcome;
  readonly subscription?: Subscription;
}

/** An open event stream. It belongs to one master and one connection; a new connection is a new subscription. */
export class Subscription {
  readonly streamId: string;
  private readonly incoming: IncomingMessage;
  private readonly encoding: Encoding;

  constructor(incoming: IncomingMessage, encoding: Encoding) {
    this.incoming = incoming;
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
): Promise<Subscribed> {
  const media = MEDIA_TYPE[encoding];
  try {
    const incoming = await open({
      address,
      path: SCHEDULER_PATH,
      headers: { 'Content-Type': media, Accept: media },
      body: encodeMessage(Call, call, encoding),
      ...(credential && { credential }),
    });
    if (incoming.statusCode === 200) {
      const subscription = new Subscription(incoming, encoding);
      return { outcome: { kind: 'open', streamId: subscription.streamId }, subscription };
    }
    const text = (await readBody(incoming)).toString('utf8');
    return { outcome: refusal(incoming.statusCode ?? 0, incoming.headers.location, text) };
  } catch (error) {
    return { outcome: { kind: 'unavailable', reason: (error as Error).message } };
  }
}

function refusal(status: number, location: string | undefined, text: string): SubscribeOutcome {
  if (status === 307)
    return { kind: 'redirect', leader: location === undefined ? undefined : addressOfLocation(location) };
  if (status === 503) return { kind: 'unavailable', reason: text.trim() || 'no master leads at the moment' };
  return { kind: 'refused', status, text };
}
