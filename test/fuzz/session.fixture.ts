/** The client side of the fuzz: requests as bytes, a framework with live offers, and what the master says it knows. */
import assert from 'node:assert/strict';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type CallJson, type Names, subscription, update } from './calls.fixture.ts';

const HOST = '127.0.0.1';
const JSON_TYPE = { 'content-type': 'application/json' };

export type Path = '/api/v1' | '/api/v1/scheduler';

/** One request, exactly as it goes out. */
export interface Shot {
  readonly label: string;
  readonly path: Path;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  /** Of a stream only the beginning. */
  readonly body: string;
}

/** The master took the call, or said that it did not. A refused subscription is a stream with nothing but an ERROR. */
export function isRefused({ status, body }: Answer): boolean {
  return status >= 400 || (status === 200 && body.includes('"type":"ERROR"'));
}

export class Session {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #offers: string[] = [];
  #stream: { readonly id: string; readonly frameworkId: string; readonly call: ClientRequest } | undefined;
  #subscribing: Promise<void> | undefined;
  #serial = 0;
  #agentId = '';

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    this.#stream?.call.destroy();
    this.#agent.destroy();
  }

  names(): Names {
    const offers = this.#offers;
    return {
      frameworkId: this.#stream?.frameworkId ?? '',
      agentId: this.#agentId,
      serial: this.#serial++,
      // Taken when it is asked for, since most calls need none.
      get offerId() {
        return offers.pop() ?? 'none';
      },
    };
  }

  /** Subscribes again if a call that was taken has ended the framework. */
  async revive(): Promise<void> {
    if (this.#stream !== undefined && !this.#stream.call.destroyed) return;
    this.#subscribing ??= this.#subscribe().finally(() => {
      this.#subscribing = undefined;
    });
    await this.#subscribing;
  }

  /** Waits a little for offers if there are none: what is right in an ACCEPT hides what is wrong. */
  async forage(): Promise<void> {
    for (let i = 0; i < 6 && this.#offers.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.#offers.length > 0) return;
    await this.json('/api/v1/scheduler', { type: 'REVIVE', framework_id: { value: this.#stream?.frameworkId ?? '' } });
  }

  get streamId(): string {
    return this.#stream?.id ?? '';
  }

  /** @throws Error if the connection ends without an answer */
  send({ path, headers, body }: Omit<Shot, 'label'>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: HOST, port: this.#port, method: 'POST', path, agent: this.#agent };
      const call = request({ ...options, headers: { accept: '*/*', ...headers } }, (response) => {
        const status = response.statusCode ?? 0;
        const isStream = status === 200 && response.headers['content-length'] === undefined;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (isStream) response.destroy();
        });
        response.once('close', () => resolve({ status, body: text }));
      });
      call.setTimeout(20_000, () => call.destroy(new Error('no answer within 20 seconds')));
      call.once('error', reject);
      call.end(body);
    });
  }

  json(path: Path, call: CallJson): Promise<Answer> {
    const stream = path === '/api/v1/scheduler' && { 'mesos-stream-id': this.streamId };
    return this.send({ path, headers: { ...JSON_TYPE, ...stream }, body: JSON.stringify(call) });
  }

  async get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request({ host: HOST, port: this.#port, path, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('end', () => resolve(text));
        response.once('error', reject);
      });
      call.once('error', reject);
      call.end();
    });
  }

  /** Brings everything back to where calls make sense, whatever was done by those that were taken. */
  async heal(): Promise<void> {
    const state = JSON.parse(await this.get('/state')) as StateJson;
    this.#agentId = state.slaves[0]?.id ?? '';
    const own = state.frameworks.find(({ id }) => id === this.#stream?.frameworkId);
    if (own === undefined || !own.active) await this.#subscribe();
    for (const { id } of state.frameworks) {
      if (id !== this.#stream?.frameworkId) {
        await this.json('/api/v1', { type: 'TEARDOWN', teardown: { framework_id: { value: id } } });
      }
    }
    const schedule = {};
    await this.json('/api/v1', { type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule } });
    const agent_id = { value: this.#agentId };
    await this.json('/api/v1', { type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } });
    await this.json('/api/v1/scheduler', update(this.#stream?.frameworkId ?? ''));
    await this.json('/api/v1/scheduler', { type: 'REVIVE', framework_id: { value: this.#stream?.frameworkId ?? '' } });
  }

  #subscribe(): Promise<void> {
    this.#stream?.call.destroy();
    this.#offers.length = 0;
    return new Promise((resolve, reject) => {
      const call = request({
        host: HOST,
        port: this.#port,
        method: 'POST',
        path: '/api/v1/scheduler',
        headers: JSON_TYPE,
      });
      call.once('response', (response) => {
        const id = String(response.headers['mesos-stream-id']);
        listen(response, (event) => {
          if (event.subscribed !== undefined) {
            this.#stream = { id, frameworkId: event.subscribed.framework_id.value, call };
            resolve();
          }
          this.#hear(event);
        });
      });
      call.once('error', reject);
      call.end(JSON.stringify(subscription()));
    });
  }

  #hear({ offers, rescind, update: told }: EventJson): void {
    if (offers !== undefined) this.#offers.push(...offers.offers.map(({ id }) => id.value));
    const gone = this.#offers.indexOf(rescind?.offer_id.value ?? '');
    if (gone >= 0) this.#offers.splice(gone, 1);
    const { agent_id, task_id, uuid } = told?.status ?? {};
    if (uuid === undefined || agent_id === undefined || task_id === undefined) return;
    const framework_id = { value: this.#stream?.frameworkId ?? '' };
    const acknowledge = { agent_id, task_id, uuid };
    this.json('/api/v1/scheduler', { type: 'ACKNOWLEDGE', framework_id, acknowledge }).catch(() => {});
  }

  /** All that the master shows, but for offers, which come and go by themselves. */
  async snapshot(): Promise<string> {
    const [state, ...rest] = await Promise.all([
      this.get('/state'),
      ...['GET_QUOTA', 'GET_WEIGHTS', 'GET_MAINTENANCE_SCHEDULE', 'GET_MAINTENANCE_STATUS'].map(async (type) =>
        JSON.stringify(await this.json('/api/v1', { type })),
      ),
    ]);
    const steady = JSON.parse(state!, (key, value) => (VOLATILE.has(key) ? undefined : value)) as unknown;
    return [JSON.stringify(steady, null, 1), ...rest].join('\n');
  }

  /** The snapshot when nothing goes on any more: streams that were left are noticed, tasks have ended. */
  async settled(): Promise<string> {
    let before = '';
    for (let attempt = 1; attempt < 300; attempt++) {
      const now = await this.snapshot();
      if (now === before && !isBusy(JSON.parse(await this.get('/state')) as StateJson)) return now;
      before = now;
      // Some of them wait for hours before they are given up.
      if (attempt % 20 === 0) await this.heal();
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    assert.fail(`the master does not come to rest: ${before.slice(0, 5_000)}`);
  }
}

/** Whether a task is under way, or a framework waits for its scheduler. */
function isBusy({ frameworks }: StateJson): boolean {
  return frameworks.some(
    ({ connected, tasks }) =>
      !connected || tasks.some(({ state }) => !state.startsWith('TASK_F') && state !== 'TASK_LOST'),
  );
}

const VOLATILE: ReadonlySet<string> = new Set(['offers', 'offered_resources', 'offered_resources_full']);

interface StateJson {
  readonly slaves: readonly { readonly id: string }[];
  readonly frameworks: readonly {
    readonly id: string;
    readonly active: boolean;
    readonly connected: boolean;
    readonly tasks: readonly { readonly state: string }[];
  }[];
}

interface EventJson {
  readonly subscribed?: { readonly framework_id: { readonly value: string } };
  readonly offers?: { readonly offers: readonly { readonly id: { readonly value: string } }[] };
  readonly rescind?: { readonly offer_id: { readonly value: string } };
  readonly update?: { readonly status: Readonly<Record<string, CallJson | undefined>> };
}

/** Takes a stream of records apart. */
function listen(response: IncomingMessage, take: (event: EventJson) => void): void {
  let text = '';
  response.setEncoding('latin1');
  response.on('error', () => {});
  response.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const size = Number(text.slice(0, end));
      if (text.length - end - 1 < size) return;
      const event = JSON.parse(text.slice(end + 1, end + 1 + size)) as EventJson;
      text = text.slice(end + 1 + size);
      take(event);
    }
  });
}
