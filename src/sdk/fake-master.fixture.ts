/** A scheduler API of a few lines, for tests of the SDK: it answers as told and keeps what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeRecord } from '../wire/recordio.ts';
import { Call, Event } from '../wire/v1_scheduler.ts';

export interface FakeStream {
  readonly id: string;
  send(event: Event): void;
  sendRaw(bytes: string): void;
  end(): void;
  readonly closed: Promise<void>;
}

export interface FakeMaster {
  readonly address: string;
  readonly calls: readonly Call[];
  readonly headers: readonly IncomingMessage['headers'][];
  /** Resolves with the next subscription's stream. */
  nextStream(): Promise<FakeStream>;
  /** Resolves with the next call of a type that is not SUBSCRIBE. */
  nextCall(type: Call['type']): Promise<Call>;
  /** Answers the next requests with these instead; each is used once. */
  refuse(status: number, text: string, headers?: Record<string, string>): void;
  close(): Promise<void>;
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string>;
}

const PROTOBUF = 'application/x-protobuf';

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Hands things to whoever waits for them, or keeps them until somebody does. */
class Mailbox<T> {
  private readonly kept: T[] = [];
  private readonly waiting: { wants: (item: T) => boolean; take: (item: T) => void }[] = [];

  put(item: T): void {
    const at = this.waiting.findIndex(({ wants }) => wants(item));
    if (at < 0) this.kept.push(item);
    else this.waiting.splice(at, 1)[0]!.take(item);
  }

  take(wants: (item: T) => boolean = () => true): Promise<T> {
    const at = this.kept.findIndex(wants);
    if (at >= 0) return Promise.resolve(this.kept.splice(at, 1)[0]!);
    return new Promise((resolve) => this.waiting.push({ wants, take: resolve }));
  }
}

export async function startFakeMaster(): Promise<FakeMaster> {
  const calls: Call[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const streams = new Mailbox<FakeStream>();
  const arrived = new Mailbox<Call>();
  const refusals: Refusal[] = [];
  const server: Server = createServer((request, response) => void answer(request, response));
  let opened = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const binary = request.headers['content-type'] === PROTOBUF;
    const call = binary ? Call.decode(body) : Call.parse(body.toString('utf8'));
    if (!call.ok) return void response.writeHead(400).end(call.error);
    calls.push(call.value);
    headers.push(request.headers);
    const refusal = refusals.shift();
    if (refusal) {
      response.writeHead(refusal.status, refusal.headers).end(refusal.text);
    } else if (call.value.type === 'SUBSCRIBE') {
      const id = `stream-${++opened}`;
      response.writeHead(200, { 'Content-Type': binary ? PROTOBUF : 'application/json', 'Mesos-Stream-Id': id });
      response.flushHeaders();
      streams.put({
        id,
        send: (event) => {
          const record = binary ? Event.encode(event) : Buffer.from(Event.stringify(event));
          response.write(encodeRecord(record));
        },
        sendRaw: (bytes) => response.write(bytes),
        end: () => response.end(),
        closed: new Promise((resolve) => response.once('close', () => resolve())),
      });
    } else {
      response.writeHead(202).end();
    }
    if (call.value.type !== 'SUBSCRIBE') arrived.put(call.value);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    calls,
    headers,
    nextStream: () => streams.take(),
    nextCall: (type) => arrived.take((call) => call.type === type),
    refuse: (status, text, extra = {}) => refusals.push({ status, text, headers: extra }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
