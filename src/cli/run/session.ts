import { Resources } from '../../resources/resources.ts';
import type { Encoding } from '../../sdk/encoding.ts';
import type { Credential } from '../../sdk/exchange.ts';
import { Scheduler } from '../../sdk/scheduler.ts';
import type { FrameworkInfo, Offer, Resource, TaskInfo, TaskStatus } from '../../wire/v1.ts';
import { isTerminal } from './outcome.ts';

/** One task that the session is to run: everything but the agent and the resources, which the offer decides. */
export interface Planned {
  readonly task: Omit<TaskInfo, 'agent_id' | 'resources'>;
  readonly resources: Resources;
}

export interface SessionOptions {
  readonly master: string;
  readonly framework: FrameworkInfo;
  readonly planned: readonly Planned[];
  readonly encoding?: Encoding;
  readonly credential?: Credential;
  /** A task was put on an agent. */
  readonly onLaunch: (taskId: string, offer: Offer, frameworkId: string) => void;
  readonly onStatus: (taskId: string, status: TaskStatus) => void;
  /** Something worth saying to a person who waits. */
  readonly onRemark: (text: string) => void;
}

/** Declining for long keeps offers with those who can use them; a REVIVE undoes it when something must be launched again. */
const REFUSE_WHEN_DONE = { refuse_seconds: 3600 };
/** A task that never started because its agent or offer went away is launched again, up to this often. */
const MAX_RELAUNCHES = 5;

/** Runs a fixed set of tasks to their ends: takes what offers fit, launches, watches, and tears the framework down. */
export class Session {
  readonly scheduler: Scheduler;
  private readonly options: SessionOptions;
  private readonly waiting: Planned[];
  private readonly launched = new Map<string, { planned: Planned; offer: Offer; relaunches: number }>();
  private readonly last = new Map<string, TaskStatus>();
  private suppressed = false;
  private remarked = '';
  /** Why there is no master now, as last said: a wait of hours is one line, not one a second. */
  private outage = '';
  private killing = false;

  constructor(options: SessionOptions) {
    this.options = options;
    this.waiting = [...options.planned];
    this.scheduler = new Scheduler({
      master: options.master,
      framework: options.framework,
      acknowledge: 'manual',
      ...(options.encoding && { encoding: options.encoding }),
      ...(options.credential && { credential: options.credential }),
      handlers: {
        subscribed: () => this.subscribed(),
        offers: (offers) => this.consider(offers),
        update: (status) => this.take(status),
        disconnected: (reason) => this.disconnected(reason),
      },
    });
  }

  /** Resolves when every task has ended (or `abandon` was called) with the last status of each task that has one. */
  async run(): Promise<ReadonlyMap<string, TaskStatus>> {
    await this.scheduler.run();
    return this.last;
  }

  /** Kills what runs and launches nothing more; the session ends when the last task has. */
  async kill(): Promise<void> {
    this.killing = true;
    this.waiting.length = 0;
    const running = [...this.launched].filter(([id]) => !isTerminal(this.last.get(id)?.state));
    if (running.length === 0) return this.end();
    await Promise.allSettled(running.map(([id, { offer }]) => this.scheduler.kill({ value: id }, offer.agent_id)));
  }

  /** Ends the framework at once, tasks included. */
  async abandon(): Promise<void> {
    await this.end();
  }

  private disconnected(reason: string): void {
    if (reason === this.outage) return;
    this.outage = reason;
    const what = this.scheduler.frameworkId === undefined ? 'cannot reach the master' : 'lost the master';
    this.options.onRemark(`${what}, trying again until Ctrl-C: ${reason}`);
  }

  private async subscribed(): Promise<void> {
    this.outage = '';
    this.suppressed = false;
    // After a lost connection updates may have been missed: ask for the state of what was launched.
    const tasks = [...this.launched]
      .filter(([id]) => !isTerminal(this.last.get(id)?.state))
      .map(([id, { offer }]) => ({ task_id: { value: id }, agent_id: offer.agent_id }));
    if (tasks.length > 0) await this.scheduler.reconcile(tasks);
  }

  private async consider(offers: readonly Offer[]): Promise<void> {
    const unused: Offer[] = [];
    for (const offer of offers) {
      const tasks = this.fit(offer);
      if (tasks.length === 0) unused.push(offer);
      else await this.launch(offer, tasks);
    }
    const done = this.waiting.length === 0;
    if (unused.length > 0) {
      await this.scheduler.decline(
        unused.map((offer) => offer.id),
        done ? REFUSE_WHEN_DONE : undefined,
      );
    }
    if (done && !this.suppressed) {
      this.suppressed = true;
      await this.scheduler.suppress();
    } else if (!done) {
      this.remarkShortage(unused);
    }
  }

  /** Takes from the waiting tasks, in order, those that the offer has room for. */
  private fit(offer: Offer): { planned: Planned; resources: readonly Resource[] }[] {
    let left = Resources.of(offer.resources ?? []);
    const role = offer.allocation_info?.role;
    const chosen: { planned: Planned; resources: readonly Resource[] }[] = [];
    for (let at = 0; at < this.waiting.length; ) {
      const planned = this.waiting[at]!;
      const wanted = role === undefined ? planned.resources : planned.resources.allocate(role);
      const found = left.find(wanted);
      if (found === undefined) {
        at++;
        continue;
      }
      left = left.minus(found);
      chosen.push({ planned, resources: found.toProto() });
      this.waiting.splice(at, 1);
    }
    return chosen;
  }

  private async launch(offer: Offer, chosen: { planned: Planned; resources: readonly Resource[] }[]): Promise<void> {
    const frameworkId = this.scheduler.frameworkId ?? '';
    for (const { planned } of chosen) {
      const id = planned.task.task_id.value;
      const relaunches = this.launched.get(id)?.relaunches ?? 0;
      this.launched.set(id, { planned, offer, relaunches });
      this.options.onLaunch(id, offer, frameworkId);
    }
    await this.scheduler.launch(
      offer,
      chosen.map(({ planned, resources }) => ({ ...planned.task, resources })),
      this.waiting.length === 0 ? REFUSE_WHEN_DONE : undefined,
    );
  }

  private remarkShortage(unused: readonly Offer[]): void {
    const needed = this.waiting[0]?.resources.toString();
    const seen = unused.map((offer) => Resources.of(offer.resources ?? []).toString()).join(' | ');
    const remark = seen === '' ? '' : `waiting for an offer with ${needed}; offered and too small: ${seen}`;
    if (remark !== '' && remark !== this.remarked) this.options.onRemark(remark);
    this.remarked = remark;
  }

  private async take(status: TaskStatus): Promise<void> {
    const id = status.task_id.value;
    const entry = this.launched.get(id);
    const before = this.last.get(id);
    if (!entry || isTerminal(before?.state)) {
      await this.scheduler.acknowledge(status);
      return;
    }
    if (status.state === 'TASK_DROPPED' && !this.killing && entry.relaunches < MAX_RELAUNCHES) {
      // It never ran, so running it again cannot run it twice.
      this.options.onRemark(`${id} was not launched (${status.message ?? status.reason}), trying another offer`);
      this.launched.set(id, { ...entry, relaunches: entry.relaunches + 1 });
      this.waiting.push(entry.planned);
      this.suppressed = false;
      await this.scheduler.acknowledge(status);
      await this.scheduler.revive();
      return;
    }
    this.last.set(id, status);
    this.options.onStatus(id, status);
    await this.scheduler.acknowledge(status);
    if (this.allEnded()) await this.end();
  }

  private allEnded(): boolean {
    return this.waiting.length === 0 && [...this.launched.keys()].every((id) => isTerminal(this.last.get(id)?.state));
  }

  private async end(): Promise<void> {
    await this.scheduler.teardown().catch(() => this.scheduler.stop());
  }
}
