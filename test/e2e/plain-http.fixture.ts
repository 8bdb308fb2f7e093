/** HTTP as strangers speak it: requests of any shape, and a scheduler in plain JSON with none of our client in it. */
import assert from 'node:assert/strict';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';

const HOST = '127.0.0.1';

export interface PlainAnswer {
  readonly status: number;
  readonly body: string;
}

export function get(port: number, path: string, withinMs = 10_000): Promise<PlainAnswer> {
  return send(port, 'GET', path, {}, '', withinMs);
}

export function post(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): Promise<PlainAnswer> {
  return send(port, 'POST', path, headers, body);
}

/** POSTs JSON. */
export function postJson(port: number, path: string, value: unknown): Promise<PlainAnswer> {
  return post(port, path, { 'content-type': 'application/json' }, JSON.stringify(value));
}

function send(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  withinMs = 20_000,
): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: HOST, port, method, path, agent: false, headers: { accept: '*/*', ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.once('error', reject);
        response.once('close', () => clearTimeout(timer));
      },
    );
    const late = new Error(`${method} ${path}: no complete answer within ${withinMs} ms`);
    const timer = setTimeout(() => call.destroy(late), withinMs);
    call.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    call.end(body);
  });
}

/** A connection to a daemon of this machine, once it is open. Errors of a refused peer are no failure of the test. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: HOST, port });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  assert.equal(socket.remoteAddress, HOST);
  socket.on('error', () => {});
  return socket;
}

/** Writes these bytes and gives the status of the first answer, or undefined if the connection ends without one. */
export async function statusOf(port: number, bytes: string | Uint8Array): Promise<number | undefined> {
  const socket = await dial(port);
  let text = '';
  const answered = new Promise<number | undefined>((resolve) => {
    const look = (): void => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status !== undefined) resolve(Number(status));
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      look();
    });
    socket.once('close', () => resolve(undefined));
  });
  socket.write(bytes);
  const status = await answered;
  socket.destroy();
  return status;
}

/** The few fields of scheduler events that tests look at. */
export interface PlainEvent {
  readonly type: string;
  readonly subscribed?: { readonly framework_id: { readonly value: string } };
  readonly offers?: { readonly offers: readonly PlainOffer[] };
  readonly update?: { readonly status: PlainStatus };
  readonly error?: { readonly message: string };
}
export interface PlainOffer {
  readonly id: { readonly value: string };
  readonly agent_id: { readonly value: string };
  readonly url: { readonly address: { readonly port: number } };
}
export interface PlainStatus {
  readonly state: string;
  readonly message?: string;
  readonly reason?: string;
  readonly task_id: { readonly value: string };
  readonly agent_id?: { readonly value: string };
  readonly uuid?: string;
}

/** A framework over plain HTTP and JSON. It acknowledges every update, and declines nothing. */
export class PlainScheduler {
  readonly id: string;
  readonly streamId: string;
  readonly events: PlainEvent[] = [];
  acknowledges = true;
  ended = false;
  readonly #port: number;
  readonly #response: IncomingMessage;
  readonly #waiting = new Set<() => void>();

  private constructor(port: number, response: IncomingMessage, id: string) {
    this.#port = port;
    this.#response = response;
    this.id = id;
    this.streamId = String(response.headers['mesos-stream-id']);
  }

  /** SUBSCRIBE; ready when the master has answered SUBSCRIBED. */
  static async subscribe(port: number, frameworkInfo: Readonly<Record<string, unknown>> = {}): Promise<PlainScheduler> {
    const info = { user: 'root', name: 'plain', ...frameworkInfo };
    const framework_id = frameworkInfo.id;
    const call = { type: 'SUBSCRIBE', framework_id, subscribe: { framework_info: info } };
    const { response } = await openStream(port, JSON.stringify(call));
    assert.equal(response.statusCode, 200);
    return new Promise((resolve, reject) => {
      let scheduler: PlainScheduler | undefined;
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const size = Number(text.slice(0, end));
          if (text.length - end - 1 < size) return;
          const event = JSON.parse(text.slice(end + 1, end + 1 + size)) as PlainEvent;
          text = text.slice(end + 1 + size);
          if (event.type === 'SUBSCRIBED') {
            scheduler = new PlainScheduler(port, response, event.subscribed!.framework_id.value);
            resolve(scheduler);
          }
          scheduler?.take(event);
        }
      });
      response.once('close', () => scheduler?.finish());
      response.once('error', reject);
    });
  }

  call(type: string, body: Readonly<Record<string, unknown>> = {}, streamId = this.streamId): Promise<PlainAnswer> {
    const headers = { 'content-type': 'application/json', 'mesos-stream-id': streamId };
    const call = { type, framework_id: { value: this.id }, ...body };
    return post(this.#port, '/api/v1/scheduler', headers, JSON.stringify(call));
  }

  /** Accepts an offer with one LAUNCH of these tasks. */
  async launch(offer: PlainOffer, tasks: readonly unknown[]): Promise<void> {
    const operation = { type: 'LAUNCH', launch: { task_infos: tasks } };
    const answer = await this.call('ACCEPT', {
      accept: { offer_ids: [offer.id], operations: [operation], filters: { refuse_seconds: 0 } },
    });
    assert.equal(answer.status, 202, answer.body);
  }

  /** The first event, among those that have come and those to come, of which this gives a value. */
  async next<T>(what: string, pick: (event: PlainEvent) => T | undefined, withinMs = 20_000): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      for (const event of this.events) {
        const picked = pick(event);
        if (picked !== undefined) return picked;
      }
      const left = deadline - performance.now();
      if (left <= 0 || this.ended)
        throw new Error(`no ${what}; events: ${JSON.stringify(this.events).slice(0, 2_000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The first offer of the agent at this port, taken off the list. */
  async offer(agentPort: number): Promise<PlainOffer> {
    const offer = await this.next('offer', ({ offers }) =>
      offers?.offers.find(({ url }) => url.address.port === agentPort),
    );
    const index = this.events.findIndex(({ offers }) => offers?.offers.includes(offer));
    this.events.splice(index, 1);
    return offer;
  }

  /** The first update of this task in this state. */
  update(taskId: string, state: string, withinMs?: number): Promise<PlainStatus> {
    return this.next(
      `${state} of ${taskId}`,
      ({ update }) =>
        update?.status.task_id.value === taskId && update.status.state === state ? update.status : undefined,
      withinMs,
    );
  }

  teardown(): Promise<PlainAnswer> {
    return this.call('TEARDOWN');
  }

  private take(event: PlainEvent): void {
    this.events.push(event);
    const { agent_id, task_id, uuid } = event.update?.status ?? {};
    if (this.acknowledges && uuid !== undefined) {
      this.call('ACKNOWLEDGE', { acknowledge: { agent_id, task_id, uuid } }).catch(() => {});
    }
    this.wake();
  }

  private finish(): void {
    this.ended = true;
    this.wake();
  }

  private wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  disconnect(): void {
    this.#response.destroy();
  }
}

/** POSTs a SUBSCRIBE and gives the answer as soon as its head is here. */
function openStream(port: number, body: string): Promise<{ call: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const call = request({ host: HOST, port, method: 'POST', path: '/api/v1/scheduler', agent: false, headers });
    call.once('response', (response) => resolve({ call, response }));
    call.once('error', reject);
    call.end(body);
  });
}

/** A task of little size. */
export function plainTask(id: string, offer: PlainOffer, command: string, cpus = 0.1): Record<string, unknown> {
  const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value } });
  return {
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    resources: [scalar('cpus', cpus), scalar('mem', 32)],
    command: { shell: true, value: command },
  };
}
