/**
 * A client that asks a server for long answers and throws them away, in a process of its own: so that it measures what the
 * server takes, and shares nothing with it but the machine. Answers are read by socket and counted, not parsed.
 */
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/** One request, and how often it is made by how many at a time. */
export interface Reading {
  readonly port: number;
  /** The request's head and body as they go over the wire. */
  readonly request: string;
  readonly clients: number;
  readonly times: number;
  /** Ask for this path too, again and again, as long as the clients are at it. */
  readonly probe?: string;
}

/** All in milliseconds, one for each request. */
export interface Readings {
  readonly total: readonly number[];
  readonly firstByte: readonly number[];
  readonly bytes: number;
  readonly probes: readonly number[];
}

const SELF = fileURLToPath(import.meta.url);

/** A process that performs readings. It is made before anything is measured: making one stops a large process for some ms. */
export interface Reader {
  read(reading: Reading): Promise<Readings>;
  close(): void;
}

/** Starts the process and waits until it is ready. */
export async function startReader(): Promise<Reader> {
  const child = fork(SELF, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const answer = <Content>(): Promise<Content> =>
    new Promise((resolve, reject) => {
      const ended = (status: number | null): void => reject(new Error(`the reader ended with status ${status}`));
      child.once('exit', ended);
      child.once('message', (content) => {
        child.off('exit', ended);
        resolve(content as Content);
      });
    });
  await answer();
  return {
    read: (reading) => {
      const readings = answer<Readings>();
      child.send(reading);
      return readings;
    },
    close: () => void child.kill(),
  };
}

interface Answer {
  readonly total: number;
  readonly firstByte: number;
  readonly bytes: number;
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)\r\n/i;

/** All connections read into the same place: what comes is looked at at once. */
const READ = Buffer.allocUnsafeSlow(256 * 1024);

/** A connection that asks one thing after the other. */
class Client {
  readonly #socket: ReturnType<typeof connect>;
  #began = 0;
  #first = 0;
  #got = 0;
  #head = '';
  #length = Number.POSITIVE_INFINITY;
  #done: (answer: Answer) => void = () => {};

  constructor(port: number) {
    const onread = {
      buffer: READ,
      callback: (size: number): boolean => {
        this.#take(READ, size);
        return true;
      },
    };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.on('error', (error) => {
      throw error;
    });
  }

  ready(): Promise<void> {
    return new Promise((resolve) => this.#socket.once('connect', () => resolve()));
  }

  ask(request: string): Promise<Answer> {
    this.#began = performance.now();
    this.#first = 0;
    this.#got = 0;
    this.#head = '';
    this.#length = Number.POSITIVE_INFINITY;
    this.#socket.write(request);
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(buffer: Buffer, size: number): void {
    this.#first ||= performance.now();
    this.#got += size;
    if (this.#length === Number.POSITIVE_INFINITY) {
      this.#head += buffer.toString('latin1', 0, Math.min(size, 4096));
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#head.startsWith('HTTP/1.1 200')) throw new Error(this.#head.slice(0, 500));
      this.#length = end + 4 + Number(CONTENT_LENGTH.exec(this.#head)?.[1] ?? 0);
    }
    if (this.#got < this.#length) return;
    const { port: _, ...times } = {
      port: 0,
      total: performance.now() - this.#began,
      firstByte: this.#first - this.#began,
    };
    this.#done({ ...times, bytes: this.#got });
  }
}

async function perform(reading: Reading): Promise<Readings> {
  const answers: Answer[] = [];
  const probes: number[] = [];
  let busy = true;
  const client = async (): Promise<void> => {
    const own = new Client(reading.port);
    await own.ready();
    for (let time = 0; time < reading.times; time++) answers.push(await own.ask(reading.request));
    own.close();
  };
  const probe = async (path: string): Promise<void> => {
    const own = new Client(reading.port);
    await own.ready();
    while (busy) {
      const { total } = await own.ask(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
      probes.push(total);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    own.close();
  };
  const probing = reading.probe === undefined ? Promise.resolve() : probe(reading.probe);
  await Promise.all(Array.from({ length: reading.clients }, client));
  busy = false;
  await probing;
  return {
    total: answers.map(({ total }) => total),
    firstByte: answers.map(({ firstByte }) => firstByte),
    bytes: answers[0]?.bytes ?? 0,
    probes,
  };
}

if (process.argv[1] === SELF) {
  process.on('message', (reading: Reading) => {
    perform(reading).then((readings) => process.send?.(readings));
  });
  process.send?.('ready');
}
