/** The agent's end of the conversation with its launcher. */
import type { Socket } from 'node:net';
import type { Millis } from '../../base/machine.ts';
import { err, ok, type Result } from '../../base/result.ts';
import {
  type Answer,
  type ContainerReport,
  Lines,
  PROTOCOL_VERSION,
  type Request,
  type Response,
} from './launcher/protocol.ts';
import { connectLauncher, type LauncherPlace, startLauncher } from './launcher-process.ts';

/** An earlier agent that has just ended may hold the launcher for a moment. */
const BUSY_RETRIES = 20;
const BUSY_PAUSE: Millis = 100;
/** A launcher that does not greet within this time is stopped, or stuck. */
const GREETING_LIMIT: Millis = 10_000;

/** What the launcher answered instead of doing it; `gone`: it will never answer. */
export interface Refusal {
  readonly message: string;
  readonly code: 'destroyed' | 'version' | 'gone' | undefined;
  /** With `version`: how many containers that launcher has. */
  readonly remembered?: number | undefined;
}

export type Answered<Op extends Request['op']> = (answer: Result<Answer<Op>, Refusal>) => void;

export interface ConnectionListener {
  exited(containerId: string, status: number): void;
  /** The launcher has ended: nothing is known any more of what it had started. */
  lost(): void;
}

/** A launcher that was greeted. Answers and events are told in the order in which the launcher said them. */
export class Connection {
  /** What the launcher had when it was greeted. */
  readonly found: readonly ContainerReport[];
  readonly launcherPid: number;
  private readonly channel: Channel;

  private constructor(channel: Channel, hello: Answer<'hello'>) {
    this.channel = channel;
    this.found = hello.containers;
    this.launcherPid = hello.pid;
  }

  /**
   * Connects to the launcher of this place, which is started if there is none.
   * @param recoveryTimeout for how many ms tasks may live without us @throws when that cannot be had
   */
  static async open(place: LauncherPlace, recoveryTimeout: Millis): Promise<Connection> {
    for (let attempt = 1; ; attempt++) {
      const channel = new Channel(await reach(place));
      const hello = { op: 'hello', version: PROTOCOL_VERSION, agentPid: process.pid, recoveryTimeout } as const;
      const answer = await ask(channel, hello);
      if (answer.ok) return new Connection(channel, answer.value);
      const { code, message, remembered = 0 } = answer.error;
      // One of another version cannot be talked to, beyond asking it to end; that must not cost anybody a task.
      if (code === 'version' && remembered === 0) await ask(channel, { op: 'shutdown', grace: 0 });
      channel.close();
      if (code === 'version' && remembered > 0) {
        throw new Error(
          `tasks run under a launcher that this agent cannot talk to (${message}; ${remembered} containers): start the ` +
            'version of before and drain the agent first, or end them by ending that process',
        );
      }
      if (attempt > BUSY_RETRIES) throw new Error(`the launcher on ${place.socket} refuses: ${message}`);
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE));
    }
  }

  /** Begins to tell events, those first that came before. */
  listen(listener: ConnectionListener): void {
    this.channel.listen(listener);
  }

  request<R extends Request>(request: R, answered: Answered<R['op']> = () => undefined): void {
    this.channel.request(request, answered);
  }

  /** Leaves; the launcher and the tasks stay. `lost` is not called for it. */
  close(): void {
    this.channel.close();
  }
}

async function reach(place: LauncherPlace): Promise<Socket> {
  const running = await connectLauncher(place);
  if (running) return running;
  await startLauncher(place);
  const started = await connectLauncher(place);
  if (started) return started;
  throw new Error(`the launcher of tasks does not listen on ${place.socket}`);
}

function ask<R extends Request>(channel: Channel, request: R): Promise<Result<Answer<R['op']>, Refusal>> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      reject(new Error(`the launcher of tasks does not answer within ${GREETING_LIMIT / 1000} s: resume or kill it`));
      channel.close();
    }, GREETING_LIMIT);
    channel.request(request, (answer) => {
      clearTimeout(limit);
      resolve(answer);
    });
  });
}

/** Requests and their answers over one socket. */
class Channel {
  private readonly socket: Socket;
  private readonly waiting = new Map<number, (answer: Result<never, Refusal>) => void>();
  private listener: ConnectionListener | undefined;
  /** Events from before somebody listened. */
  private early: ((listener: ConnectionListener) => void)[] = [];
  private closed = false;
  private lastId = 0;
  private outgoing = '';

  constructor(socket: Socket) {
    this.socket = socket;
    const lines = new Lines();
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const line of lines.push(chunk)) this.read(JSON.parse(line));
    });
    socket.on('close', () => this.ended());
  }

  listen(listener: ConnectionListener): void {
    this.listener = listener;
    for (const event of this.early.splice(0)) event(listener);
  }

  request<R extends Request>(request: R, answered: Answered<R['op']>): void {
    if (this.closed) {
      queueMicrotask(() => answered(err({ message: 'the launcher of tasks has ended', code: 'gone' })));
      return;
    }
    const id = ++this.lastId;
    this.waiting.set(id, answered as (answer: Result<never, Refusal>) => void);
    // What is asked in one turn goes out in one write.
    if (this.outgoing === '') queueMicrotask(this.flush);
    this.outgoing += `${JSON.stringify({ id, ...request })}\n`;
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    this.socket.end();
    this.socket.unref();
    this.refuseAll();
  }

  private readonly flush = (): void => {
    if (this.outgoing !== '' && !this.closed) this.socket.write(this.outgoing);
    this.outgoing = '';
  };

  private read(response: Response): void {
    if ('event' in response) {
      this.tell((listener) => listener.exited(response.containerId, response.status));
      return;
    }
    const answered = this.waiting.get(response.id);
    this.waiting.delete(response.id);
    if ('ok' in response) answered?.(ok(response.ok as never));
    else answered?.(err({ message: response.error, code: response.code, remembered: response.remembered }));
  }

  private tell(event: (listener: ConnectionListener) => void): void {
    if (this.listener) event(this.listener);
    else this.early.push(event);
  }

  private ended(): void {
    if (this.closed) return;
    this.closed = true;
    this.refuseAll();
    this.tell((listener) => listener.lost());
  }

  private refuseAll(): void {
    const refused = [...this.waiting.values()];
    this.waiting.clear();
    for (const answered of refused) answered(err({ message: 'the launcher of tasks has ended', code: 'gone' }));
  }
}
