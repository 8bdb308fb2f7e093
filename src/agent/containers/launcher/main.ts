/**
 * The launcher: a small process that owns the tasks of one agent. Starting a task forks this process, not the agent with
 * its heap; tasks and their exit statuses outlive a restart of the agent. Imports as little as can be: its memory is paid
 * on every machine. Usage: main.ts SOCKET
 */
import { chmodSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { Jobs } from './jobs.ts';
import { Lines, type Numbered, PROTOCOL_VERSION, type Request, type Response } from './protocol.ts';
import { Statuses } from './statuses.ts';

const { SIGKILL, SIGTERM } = constants.signals;

/** How long the agent may take to connect for the first time, and to come back while no task needs us, in ms. */
const FIRST_CONTACT = 30_000;
const IDLE_ABSENCE = 2_000;
/** How often a launcher without an agent looks whether one could find it at all, in ms. */
const REACHABLE_CHECK = 1_000;
/** Between tries to write down how tasks have ended, where there was no room for that, in ms. */
const STATUSES_RETRY = 1_000;
/** Between SIGTERM and SIGKILL when the agent has stayed away for too long, in ms. */
const ABANDONED_GRACE = 3_000;

class Launcher {
  private readonly path: string;
  private readonly jobs: Jobs;
  private readonly statuses: Statuses;
  private agent: Socket | undefined;
  private agentPid = 0;
  private outgoing = '';
  private recoveryTimeout = 0;
  private patience: NodeJS.Timeout | undefined;
  private reachableCheck: NodeJS.Timeout | undefined;
  /** The file that our socket is: another one in its place belongs to another launcher. */
  private socketFile: number | undefined;
  private keepsStatuses = false;
  private mortalGrace: NodeJS.Timeout | undefined;
  private stopGrace: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(path: string) {
    this.path = path;
    this.jobs = new Jobs((containerId, status) => {
      this.tell({ event: 'exited', containerId, status });
      if (this.stopping) this.leaveWhenDone();
      else if (!this.agent) this.endedWithoutAgent();
    });
    this.statuses = new Statuses(path);
  }

  listen(): void {
    const server = createServer((socket) => this.serve(socket));
    server.on('error', (error) => {
      process.stderr.write(`Cannot listen on ${this.path}: ${error.message}\n`);
      process.exit(1);
    });
    process.umask(0o177);
    server.listen(this.path, () => {
      chmodSync(this.path, 0o600);
      this.socketFile = statSync(this.path).ino;
      this.jobs.restore(this.statuses.read());
      process.umask(0o022);
      process.stdout.write('ready\n');
    });
    this.wait(FIRST_CONTACT);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => this.abandon());
  }

  private serve(socket: Socket): void {
    const lines = new Lines();
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const line of lines.push(chunk)) this.read(socket, line);
    });
    socket.on('close', () => {
      if (this.agent !== socket) return;
      this.agent = undefined;
      this.agentLeft();
    });
  }

  private agentLeft(): void {
    this.jobs.endWithAgent(SIGTERM);
    clearTimeout(this.mortalGrace);
    this.mortalGrace = setTimeout(() => !this.agent && this.jobs.endWithAgent(SIGKILL), ABANDONED_GRACE).unref();
    this.waitForAgent();
  }

  private endedWithoutAgent(): void {
    this.jobs.forgetEndedWithAgent();
    if (this.jobs.remembered === 0) this.waitForAgent();
  }

  private read(socket: Socket, line: string): void {
    let request: Request & Numbered;
    try {
      request = JSON.parse(line);
    } catch {
      socket.destroy();
      return;
    }
    const answer = (response: { ok: unknown } | { error: string; code?: 'destroyed' | 'version' }): void => {
      if (socket === this.agent) this.tell({ id: request.id, ...response });
      else socket.write(`${JSON.stringify({ id: request.id, ...response })}\n`);
    };
    if (request.op === 'shutdown') {
      answer({ ok: {} });
      this.shutdown(request.grace);
    } else if (request.op === 'hello') this.greet(socket, request, answer);
    else if (socket !== this.agent) answer({ error: 'say hello first' });
    else this.obey(request, answer);
  }

  private greet(
    socket: Socket,
    hello: Extract<Request, { op: 'hello' }>,
    answer: (response: { ok: unknown } | { error: string; code?: 'version'; remembered?: number }) => void,
  ): void {
    if (hello.version !== PROTOCOL_VERSION) {
      const error = `this launcher (process ${process.pid}) speaks version ${PROTOCOL_VERSION}, not ${hello.version}`;
      answer({ error, code: 'version', remembered: this.jobs.remembered });
    } else if (this.agent) {
      answer({ error: `the agent with process id ${this.agentPid} is using this launcher` });
    } else if (this.stopping) {
      answer({ error: 'this launcher is about to end' });
    } else {
      this.agent = socket;
      this.agentPid = hello.agentPid;
      this.recoveryTimeout = hello.recoveryTimeout;
      clearTimeout(this.patience);
      clearInterval(this.reachableCheck);
      answer({ ok: { version: PROTOCOL_VERSION, pid: process.pid, containers: this.jobs.reports() } });
    }
  }

  private obey(
    request: Exclude<Request, { op: 'hello' | 'shutdown' }>,
    answer: (response: { ok: unknown } | { error: string; code?: 'destroyed' }) => void,
  ): void {
    switch (request.op) {
      case 'start':
        this.jobs.start(request.order, (outcome) => {
          if ('leader' in outcome) answer({ ok: outcome });
          else answer({ error: outcome.error, ...(outcome.destroyed && { code: 'destroyed' }) });
        });
        return;
      case 'signal':
        this.jobs.signal(request.containerId, request.signal);
        break;
      case 'input': {
        const data = request.data === undefined ? undefined : Buffer.from(request.data, 'base64');
        this.jobs.write(request.containerId, data, (problem) => answer(problem ? { error: problem } : { ok: {} }));
        return;
      }
      case 'destroy':
        this.jobs.destroy(request.containerId);
        break;
      case 'clear':
        for (const tree of request.trees) this.jobs.clear(tree);
        break;
    }
    answer({ ok: {} });
  }

  /** What is said in one turn goes out in one write. */
  private tell(response: Response): void {
    if (!this.agent) return;
    if (this.outgoing === '') setImmediate(this.flush);
    this.outgoing += `${JSON.stringify(response)}\n`;
  }

  private readonly flush = (): void => {
    this.agent?.write(this.outgoing);
    this.outgoing = '';
  };

  private waitForAgent(): void {
    // A task that ended meanwhile counts: without us nobody would know how.
    if (!this.stopping) this.wait(this.jobs.remembered > 0 ? this.recoveryTimeout : IDLE_ABSENCE);
  }

  private wait(patience: number): void {
    clearTimeout(this.patience);
    clearInterval(this.reachableCheck);
    // Somebody who removes the directory of a dead agent has no use for its tasks, and no way to reach us either.
    this.reachableCheck = setInterval(() => {
      if (!this.reachable()) this.abandon();
    }, REACHABLE_CHECK);
    this.patience = setTimeout(() => this.abandon(), Math.min(patience, 2 ** 31 - 1));
  }

  private reachable(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === this.socketFile;
  }

  /** Ends without having been told to by the agent: how its tasks have ended is kept for the launcher that comes next. */
  private abandon(): void {
    if (this.stopping) return;
    this.keepsStatuses = true;
    this.jobs.abandon();
    this.shutdown(ABANDONED_GRACE);
  }

  private shutdown(grace: number): void {
    if (this.stopping) return;
    this.stopping = true;
    clearTimeout(this.patience);
    clearInterval(this.reachableCheck);
    this.jobs.signalAll(SIGTERM);
    this.stopGrace = setTimeout(() => this.jobs.signalAll(SIGKILL), grace);
    this.leaveWhenDone();
  }

  /** Nobody else knows how the tasks have ended: tries again in a while, and serves an agent that comes before that. */
  private stay(): void {
    clearTimeout(this.stopGrace);
    this.stopping = false;
    this.keepsStatuses = false;
    // An agent that is still there when it tells us to end is served to the end; without one the wait begins anew.
    if (!this.agent) this.wait(STATUSES_RETRY);
  }

  private leaveWhenDone(): void {
    if (this.jobs.alive > 0) return;
    if (this.reachable()) {
      const reports = this.keepsStatuses ? this.jobs.reports() : [];
      if (!this.statuses.write(reports) && reports.length > 0) {
        this.stay();
        return;
      }
      rmSync(this.path, { force: true });
    }
    this.flush();
    if (this.agent) this.agent.end(() => process.exit(0));
    else process.exit(0);
  }
}

const path = process.argv[2];
// Without a path: only loaded, so that the compile cache has it (see `startLauncher`).
if (path !== undefined) {
  process.title = 'meseta-launcher';
  // A log on a full disk: the handler below would write of it to the same log, and so on without end.
  process.stderr.on('error', () => undefined);
  // Whatever goes wrong for one task, the others keep the process that will know how they ended.
  process.on('uncaughtException', (error) => process.stderr.write(`${error.stack}\n`));
  new Launcher(path).listen();
}
