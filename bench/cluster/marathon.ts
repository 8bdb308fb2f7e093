/** A real Marathon, a process of its own with its state in LMDB, and what benches say to it. */
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, fetchAnswer, open } from '../../src/sdk/exchange.ts';
import { assertLoopback } from '../emulated/loopback.ts';
import { type Daemon, endDaemon, endOfLog, isAlive, startDaemon } from './daemon.ts';
import { freePort } from './ports.ts';
import { memoryOf, type ProcessMemory } from './process-memory.ts';

const IP = '127.0.0.1';
const READY_WITHIN = 60_000;
const POLL = 2;
/** An answer under load may take long; one that never comes is to be noticed all the same. */
const ANSWER_WITHIN = 120_000;

export interface MarathonOptions {
  readonly master: string;
  /** For its state and its log. */
  readonly folder: string;
  readonly flags?: readonly string[];
}

/** The events that a bench waits for. */
export type Heard = (type: string, fields: Readonly<Record<string, unknown>>) => void;

export class BenchMarathon {
  readonly #options: MarathonOptions;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  #daemon: Daemon;

  private constructor(options: MarathonOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.#daemon = this.#run();
  }

  /** @returns when it answers and is registered with the master */
  static async start(options: MarathonOptions): Promise<BenchMarathon> {
    assertLoopback(IP);
    const marathon = new BenchMarathon(options, await freePort());
    await marathon.#ready();
    return marathon;
  }

  #run(): Daemon {
    const { folder, master, flags = [] } = this.#options;
    return startDaemon(folder, 'marathon', 'marathon', [
      `--master=${master}`,
      `--http_address=${IP}`,
      `--http_port=${this.#port}`,
      `--hostname=${IP}`,
      `--work_dir=${join(folder, 'marathon')}`,
      ...flags,
    ]);
  }

  /** Kills it and starts it again over the same state. @returns ms from the start until it knows all and is registered again */
  async restart(): Promise<number> {
    await endDaemon(this.#daemon, 'SIGKILL');
    const start = performance.now();
    this.#daemon = this.#run();
    await this.#ready();
    return performance.now() - start;
  }

  memory(): ProcessMemory {
    return memoryOf(this.#daemon.process.pid ?? 0);
  }

  /** One request with its whole answer, whatever its status. */
  ask(method: string, path: string, body?: object): Promise<Answer> {
    return fetchAnswer({
      address: { host: IP, port: this.#port },
      method,
      path,
      agent: this.#agent,
      timeout: ANSWER_WITHIN,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
  }

  /** One request that must succeed. @returns what the answer says */
  async call(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await this.ask(method, path, body);
    const text = answer.body.toString('utf8');
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }

  /** Hears events of these types. @returns what ends that */
  async listen(types: readonly string[], heard: Heard): Promise<() => void> {
    const incoming = await open({
      address: { host: IP, port: this.#port },
      path: `/v2/events?${types.map((type) => `event_type=${type}`).join('&')}`,
      headers: { Accept: 'text/event-stream' },
    });
    if (incoming.statusCode !== 200) throw new Error(`/v2/events: ${incoming.statusCode}`);
    let rest = '';
    incoming.setEncoding('utf8');
    incoming.on('error', () => {});
    incoming.on('data', (chunk: string) => {
      const records = (rest + chunk).split('\r\n\r\n');
      rest = records.pop() ?? '';
      for (const record of records) {
        const data = /^data: (.*)$/m.exec(record)?.[1];
        const type = /event: (\S+)/.exec(record)?.[1];
        if (data !== undefined && type !== undefined) heard(type, JSON.parse(data) as Record<string, unknown>);
      }
    });
    return () => incoming.destroy();
  }

  /** Puts an app there or changes it. @returns when its deployment is over */
  async deploy(app: { readonly id: string }, isNew: boolean): Promise<void> {
    let done = (): void => {};
    const over = new Promise<void>((resolve) => {
      done = resolve;
    });
    const ended = new Set<unknown>();
    let wanted: unknown;
    const end = await this.listen(['deployment_success'], (_, { id }) => {
      ended.add(id);
      if (id === wanted) done();
    });
    const answer = (await (isNew
      ? this.call('POST', '/v2/apps', app)
      : this.call('PUT', `/v2/apps${app.id}`, app))) as {
      readonly deploymentId?: string;
      readonly deployments?: readonly { readonly id: string }[];
    };
    wanted = answer.deploymentId ?? answer.deployments?.[0]?.id;
    if (!ended.has(wanted)) await over;
    end();
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await endDaemon(this.#daemon, 'SIGTERM');
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN;
    for (;;) {
      const dead = !isAlive(this.#daemon);
      if (dead || performance.now() > deadline) {
        throw new Error(
          `Marathon ${dead ? 'ended' : 'was not ready in time'}. The end of its log:\n${endOfLog(this.#daemon)}`,
        );
      }
      // The gauge says that the master knows it; the framework id alone is known from the store too.
      const answer = await this.ask('GET', '/v2/info').catch(() => undefined);
      if (answer?.status === 200 && isRegistered(answer)) return;
      await sleep(POLL);
    }
  }
}

function isRegistered({ body }: Answer): boolean {
  const { frameworkId } = JSON.parse(body.toString('utf8')) as { readonly frameworkId?: string | null };
  return typeof frameworkId === 'string';
}
