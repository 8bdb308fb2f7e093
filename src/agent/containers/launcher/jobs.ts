/** The containers that the launcher looks after: started in turn, ended with all they started, remembered until acknowledged. */
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { type Process, readProcess, type Snapshot, takeSnapshot } from './processes.ts';
import type { AbandonedTree, ContainerReport, ProcessId, StartOrder } from './protocol.ts';
import { spawnTask } from './spawn.ts';
import { findTrees, MARK_VARIABLE, Marks } from './tree.ts';

const { SIGKILL, SIGTERM, SIGCONT } = constants.signals;

/** How long tasks may be started in one go, in ms, before requests and exits get their turn. */
const START_SLICE = 8;
/** A look at all processes may take this share of the time when many containers end at once. */
const LOOKING_SHARE = 0.1;
/** Between looks at a tree that was killed and is not gone, in ms. */
const DYING_PAUSE = 5;
/** After this many ms a process that SIGKILL does not end (not ours, or stuck in the kernel) is left alone. */
const GIVE_UP = 10_000;

type Started = (
  outcome: { readonly leader: ProcessId } | { readonly error: string; readonly destroyed: boolean },
) => void;

interface Job {
  readonly containerId: string;
  readonly mark: string | undefined;
  readonly endsWithAgent: boolean;
  abandoned: boolean;
  /**
   * `queued`: not started yet. `running`: the first process lives. `ending`: being killed, or the first process has
   * ended and the rest is. `ended`: nothing is left, and the status waits to be acknowledged.
   */
  phase: 'queued' | 'running' | 'ending' | 'ended';
  leader: ProcessId | undefined;
  /** Processes that left the session, seen when they were still descendants. */
  strays: ProcessId[];
  status: number | undefined;
  /** When the killing of what is left began. */
  endingSince: number;
  /** What the first process reads, if it reads anything. */
  input: Writable | undefined;
  /** Signals that came before the process. */
  pendingSignals: number[];
}

export class Jobs {
  private readonly jobs = new Map<string, Job>();
  private readonly queue: { readonly order: StartOrder; readonly job: Job; readonly started: Started }[] = [];
  private readonly marks = new Marks();
  private readonly onExited: (containerId: string, status: number) => void;
  private starting = false;
  private sweeping: NodeJS.Timeout | NodeJS.Immediate | undefined;
  private lookedAt = 0;
  private lookTook = 0;

  constructor(onExited: (containerId: string, status: number) => void) {
    this.onExited = onExited;
  }

  /** Containers with processes, or on their way to have some. */
  get alive(): number {
    let count = 0;
    for (const job of this.jobs.values()) if (job.phase !== 'ended') count++;
    return count;
  }

  /** Containers that live, and those whose status nobody has acknowledged. */
  get remembered(): number {
    return this.jobs.size;
  }

  reports(): ContainerReport[] {
    return [...this.jobs.values()].map(({ containerId, leader, mark, phase, status, abandoned }) => ({
      containerId,
      leader,
      mark,
      status: phase === 'ended' ? status : undefined,
      ...(abandoned && { abandoned }),
    }));
  }

  /** What an earlier launcher has left: statuses that nobody has acknowledged. */
  restore(reports: readonly ContainerReport[]): void {
    for (const { containerId, leader, mark, status, abandoned = false } of reports) {
      this.jobs.set(containerId, { ...newJob(containerId, mark), phase: 'ended', leader, status, abandoned });
    }
  }

  /** The agent is gone: those that are to end with it get this signal. */
  endWithAgent(signal: number): void {
    const ending = [...this.jobs.values()].filter(({ endsWithAgent }) => endsWithAgent);
    for (const { job } of this.queue.filter(({ job }) => job.endsWithAgent)) this.unqueue(job);
    this.forgetEndedWithAgent();
    this.signalTree(
      ending.filter(({ phase }) => phase === 'running' || phase === 'ending'),
      signal,
    );
  }

  /** Nobody will ask for the status of those that have ended with it. */
  forgetEndedWithAgent(): void {
    for (const job of [...this.jobs.values()]) {
      if (job.endsWithAgent && job.phase === 'ended') this.jobs.delete(job.containerId);
    }
  }

  /** From here on whatever ends does so because the agent has stayed away. */
  abandon(): void {
    for (const job of this.jobs.values()) if (job.phase !== 'ended') job.abandoned = true;
  }

  start(order: StartOrder, started: Started): void {
    if (this.jobs.has(order.containerId)) {
      started({ error: `there is a container ${order.containerId} already`, destroyed: false });
      return;
    }
    const job = newJob(order.containerId, order.environment[MARK_VARIABLE], order.endsWithAgent);
    this.jobs.set(job.containerId, job);
    this.queue.push({ order, job, started });
    if (this.starting) return;
    this.starting = true;
    setImmediate(this.startSome);
  }

  signal(containerId: string, signal: number): void {
    const job = this.jobs.get(containerId);
    if (!job || job.phase === 'ended') return;
    if (job.phase === 'queued') {
      job.pendingSignals.push(signal);
      return;
    }
    this.signalTree([job], signal);
  }

  /** Writes to the first process, or ends what it reads. @param taken called when that is done, with what was wrong */
  write(containerId: string, data: Uint8Array | undefined, taken: (problem?: string) => void): void {
    const input = this.jobs.get(containerId)?.input;
    if (input === undefined || !input.writable) taken('it reads nothing (any more)');
    else if (data !== undefined) input.write(data, (error) => taken(error?.message));
    else {
      input.end();
      taken();
    }
  }

  /** Ends it, or forgets it when it has ended. */
  destroy(containerId: string): void {
    const job = this.jobs.get(containerId);
    if (!job) return;
    if (job.phase === 'ended') this.jobs.delete(containerId);
    else if (job.phase === 'queued') this.unqueue(job);
    else this.signalTree([job], SIGKILL);
  }

  /** Takes over what another launcher had started, in order to end it. */
  clear(tree: AbandonedTree): void {
    if (this.jobs.has(tree.containerId)) return;
    const job = newJob(tree.containerId, tree.mark);
    job.leader = tree.leader;
    job.status = SIGKILL;
    this.jobs.set(job.containerId, job);
    this.end(job);
  }

  /** Signals all trees. */
  signalAll(signal: number): void {
    for (const { job } of [...this.queue]) this.unqueue(job);
    this.signalTree(
      [...this.jobs.values()].filter(({ phase }) => phase !== 'ended'),
      signal,
    );
  }

  private unqueue(job: Job): void {
    const at = this.queue.findIndex((one) => one.job === job);
    const [waiting] = at < 0 ? [] : this.queue.splice(at, 1);
    this.jobs.delete(job.containerId);
    waiting?.started({ error: 'it was destroyed before it was started', destroyed: true });
  }

  private readonly startSome = (): void => {
    const end = performance.now() + START_SLICE;
    for (let next = this.queue.shift(); next; next = this.queue.shift()) {
      this.startOne(next.order, next.job, next.started);
      if (performance.now() > end) break;
    }
    this.starting = this.queue.length > 0;
    if (this.starting) setImmediate(this.startSome);
  };

  private startOne(order: StartOrder, job: Job, started: Started): void {
    try {
      const { child, pid } = spawnTask(order);
      job.phase = 'running';
      job.input = child.stdin ?? undefined;
      job.leader = { pid, start: readProcess(pid)?.start ?? 0 };
      child.on('exit', (code, signal) => {
        job.status = signal === null ? (code ?? 0) << 8 : constants.signals[signal];
        this.end(job);
      });
      started({ leader: job.leader });
    } catch (error) {
      this.jobs.delete(job.containerId);
      started({ error: error instanceof Error ? error.message : String(error), destroyed: false });
      return;
    }
    for (const signal of job.pendingSignals.splice(0)) this.signalTree([job], signal);
  }

  private signalTree(jobs: readonly Job[], signal: number): void {
    if (jobs.length === 0) return;
    const trees = this.look(jobs);
    for (const job of jobs) {
      const members = trees.get(job) ?? [];
      job.strays = members
        .filter(({ session }) => session !== job.leader?.pid)
        .map(({ pid, start }) => ({ pid, start }));
      for (const { pid } of members) send(pid, signal);
      // A stopped process would keep the request to end for later.
      if (signal === SIGTERM) for (const { pid } of members) send(pid, SIGCONT);
      if (signal === SIGKILL) this.end(job);
    }
  }

  /** The first process is dead or dying: the rest goes, and nobody hears of the end before that. */
  private end(job: Job): void {
    if (job.phase !== 'ending') {
      job.phase = 'ending';
      job.endingSince = performance.now();
      // At once, before the number of the group can belong to anybody else.
      if (job.leader && job.status !== undefined && this.isOurs(job.leader)) send(-job.leader.pid, SIGKILL);
    }
    this.sweepSoon();
  }

  private isOurs(leader: ProcessId): boolean {
    const now = readProcess(leader.pid);
    return now === undefined || now.start === leader.start;
  }

  private sweepSoon(pause = 0): void {
    if (this.sweeping) return;
    // Ends come in crowds: the more a look costs, the longer the crowd may grow for the next one.
    const earliest = this.lookedAt + this.lookTook / LOOKING_SHARE;
    const wait = Math.max(pause, earliest - performance.now());
    this.sweeping = wait <= 0 ? setImmediate(this.sweep) : setTimeout(this.sweep, wait);
  }

  private readonly sweep = (): void => {
    this.sweeping = undefined;
    const ending = [...this.jobs.values()].filter(({ phase }) => phase === 'ending');
    const trees = this.look(ending);
    let left = false;
    for (const job of ending) {
      const members = trees.get(job) ?? [];
      for (const { pid } of members) send(pid, SIGKILL);
      const gone = members.length === 0 || performance.now() - job.endingSince > GIVE_UP;
      if (gone && job.status !== undefined) this.finish(job, job.status);
      else left = true;
    }
    if (left) this.sweepSoon(DYING_PAUSE);
  };

  private finish(job: Job, status: number): void {
    job.phase = 'ended';
    job.strays = [];
    job.input = undefined;
    this.onExited(job.containerId, status);
  }

  private look(jobs: readonly Job[]): Map<Job, Process[]> {
    const begun = performance.now();
    const snapshot = takeSnapshot();
    const trees = findTrees(snapshot, jobs, this.marks);
    for (const job of jobs) addStrays(snapshot, job, trees.get(job)!);
    this.marks.prune(snapshot);
    this.lookedAt = performance.now();
    this.lookTook = this.lookedAt - begun;
    return trees;
  }
}

function newJob(containerId: string, mark: string | undefined, endsWithAgent = false): Job {
  return {
    containerId,
    mark,
    endsWithAgent,
    abandoned: false,
    phase: 'queued',
    leader: undefined,
    strays: [],
    status: undefined,
    endingSince: 0,
    input: undefined,
    pendingSignals: [],
  };
}

function addStrays(snapshot: Snapshot, job: Job, members: Process[]): void {
  for (const { pid, start } of job.strays) {
    const now = snapshot.processes.get(pid);
    if (now && now.start === start && !now.ended && !members.includes(now)) members.push(now);
  }
}

/** Whoever is gone needs no signal, and whoever is not ours gets none. */
function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Ended in between, or EPERM.
  }
}
