/** A framework that launches so many equal tasks on what it is offered, acknowledges, and counts. It knows no transport. */
import { Resources } from '../../src/resources/resources.ts';
import type { FrameworkInfo, Offer, TaskInfo, TaskStatus } from '../../src/wire/v1.ts';
import type { Call, Event } from '../../src/wire/v1_scheduler.ts';

export interface EmulatedFrameworkOptions {
  readonly info: FrameworkInfo;
  /** How many tasks it launches in all. */
  readonly tasks: number;
  /** Of one task; scalars. */
  readonly resources: Resources;
  /** At most so many tasks on one offer. Default: as many as fit. */
  readonly perOffer?: number;
}

const NOT_AGAIN = { refuse_seconds: 3600 };
const TERMINAL: ReadonlySet<string> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
]);

/** For frameworks of benches: all of today's capabilities that do not change what there is to do. */
export function frameworkInfo(name: string, role = '*'): FrameworkInfo {
  return {
    user: 'root',
    name,
    roles: [role],
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }, { type: 'PARTITION_AWARE' }],
  };
}

export class EmulatedFramework {
  launched = 0;
  running = 0;
  finished = 0;
  /** Ended otherwise than by TASK_FINISHED. */
  failed = 0;
  offers = 0;
  private readonly options: EmulatedFrameworkOptions;
  private readonly call: (call: Call) => void;
  private readonly wanted: readonly (readonly [name: string, thousandths: number])[];
  private id: string | undefined;
  private suppressed = false;

  /** @param call hands a call to the master; the framework id is in it */
  constructor(options: EmulatedFrameworkOptions, call: (call: Call) => void) {
    this.options = options;
    this.call = call;
    this.wanted = [...options.resources].map(({ name }) => [name, options.resources.scalar(name)] as const);
  }

  subscribe(): void {
    this.call({ type: 'SUBSCRIBE', subscribe: { framework_info: this.options.info } });
  }

  get done(): boolean {
    return this.finished + this.failed >= this.options.tasks;
  }

  take(event: Event): void {
    if (event.subscribed !== undefined) this.id = event.subscribed.framework_id.value;
    else if (event.offers !== undefined) this.consider(event.offers.offers ?? []);
    else if (event.update !== undefined) this.update(event.update.status);
  }

  private consider(offers: readonly Offer[]): void {
    const unused: Offer[] = [];
    this.offers += offers.length;
    for (const offer of offers) {
      const count = this.fit(offer);
      if (count === 0) unused.push(offer);
      else this.launch(offer, count);
    }
    const { id } = this;
    if (unused.length > 0) {
      const offer_ids = unused.map((offer) => offer.id);
      this.send({ type: 'DECLINE', decline: { offer_ids, ...(this.satisfied && { filters: NOT_AGAIN }) } });
    }
    if (this.satisfied && !this.suppressed && id !== undefined) {
      this.suppressed = true;
      this.send({ type: 'SUPPRESS', suppress: {} });
    }
  }

  private get satisfied(): boolean {
    return this.launched >= this.options.tasks;
  }

  private fit(offer: Offer): number {
    const { tasks, perOffer = Number.POSITIVE_INFINITY } = this.options;
    let count = Math.min(tasks - this.launched, perOffer);
    if (count <= 0) return 0;
    const offered = Resources.of(offer.resources ?? []);
    for (const [name, amount] of this.wanted) count = Math.min(count, Math.floor(offered.scalar(name) / amount));
    return count;
  }

  private launch(offer: Offer, count: number): void {
    const resources = this.options.resources.allocate(offer.allocation_info?.role ?? '*').toProto();
    const task_infos: TaskInfo[] = [];
    for (let i = 0; i < count; i++) {
      const name = `task-${this.launched++}`;
      task_infos.push({
        name,
        task_id: { value: name },
        agent_id: offer.agent_id,
        resources,
        command: { value: 'true' },
      });
    }
    this.send({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos } }],
        ...(this.satisfied && { filters: NOT_AGAIN }),
      },
    });
  }

  private update(status: TaskStatus): void {
    if (status.state === 'TASK_RUNNING') this.running++;
    else if (status.state === 'TASK_FINISHED') this.finished++;
    else if (TERMINAL.has(status.state)) this.failed++;
    const { agent_id, task_id, uuid } = status;
    if (agent_id !== undefined && uuid !== undefined) {
      this.send({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } });
    }
  }

  private send(call: Call): void {
    if (this.id !== undefined) this.call({ ...call, framework_id: { value: this.id } });
  }
}
