import { Resources } from '../resources/resources.ts';
import type { FrameworkInfo, Offer, Offer_Operation, Resource, TaskInfo, TaskState, TaskStatus } from '../wire/v1.ts';
import { formatCommand } from './containers.ts';
import type { Dice } from './dice.ts';
import { Reservations } from './reservations.ts';
import { demand } from './violation.ts';
import type { Weather } from './weather.ts';

/** States after which nothing more is expected of a task. */
const OVER: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNREACHABLE',
  'TASK_UNKNOWN',
]);

/** Something that is to be done once: tasks are started for it until one of them has done it. */
interface Job {
  readonly name: string;
  readonly cpus: number;
  readonly mem: number;
  readonly port: boolean;
  /** Runs until it is stopped, and is done then. */
  readonly service: boolean;
  readonly grouped: boolean;
  done: boolean;
  attempts: number;
  taskId: string | undefined;
}

/** What a scheduler believes of a task that it launched. */
export interface TaskBelief {
  readonly id: string;
  readonly job: Job;
  readonly agentId: string;
  state: TaskState;
  /** Nothing is expected of it any more; should it show up alive, it is killed. */
  over: boolean;
}

const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } });
const portRange = (port: number): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: [{ begin: port, end: port }] },
});

function makeJob(name: string, dice: Dice): Job {
  return {
    name,
    cpus: dice.whole(1, 15) / 10,
    mem: dice.whole(1, 8) * 32,
    port: dice.chance(0.4),
    service: dice.chance(0.2),
    grouped: dice.chance(0.2),
    done: false,
    attempts: 0,
    taskId: undefined,
  };
}

/** What a framework wants, and what it knows of its tasks: what a real scheduler keeps in its database. */
export class Workload {
  readonly tasks = new Map<string, TaskBelief>();
  private readonly jobs: Job[];
  private readonly dice: Dice;
  private readonly weather: Weather;
  private readonly reservations: Reservations;
  private groups = 0;
  /** Services end, and no new mistakes are made. */
  closing = false;

  constructor(name: string, dice: Dice, weather: Weather) {
    this.dice = dice;
    this.weather = weather;
    this.reservations = new Reservations(name, dice.fork(), weather);
    this.jobs = Array.from({ length: dice.whole(3, 15) }, (_, i) => makeJob(`${name}-${i}`, dice));
  }

  get done(): boolean {
    return this.jobs.every((job) => job.done) && this.open().length === 0;
  }

  /** Whether offers are of any use now. */
  get wants(): boolean {
    return this.jobs.some((job) => !job.done && job.taskId === undefined);
  }

  /** Tasks of which something is still expected. */
  open(): TaskBelief[] {
    return [...this.tasks.values()].filter((task) => !task.over);
  }

  /** Tasks that ought to end: services at closing time. */
  overdue(): TaskBelief[] {
    return this.closing ? this.open().filter((task) => task.job.service) : [];
  }

  /** What to launch on these offers of one agent; the tasks count as launched from now on. */
  plan(offers: readonly Offer[], framework: FrameworkInfo): Offer_Operation[] {
    const agent = offers[0]?.agent_id;
    if (agent === undefined) return [];
    // Where reservations are spelled in the old way, they are left alone.
    const refined = framework.capabilities?.some(({ type }) => type === 'RESERVATION_REFINEMENT') ?? false;
    const { operations, volumes } = refined ? this.reservations.plan(offers) : { operations: [], volumes: [] };
    const unused = [...volumes];
    let left = Resources.sum(offers.map((offer) => Resources.of(offer.resources ?? []).unallocate()));
    for (const { reserve } of operations) {
      left = left.minus(
        Resources.of(reserve?.resources ?? [])
          .unallocate()
          .toUnreserved(),
      );
    }
    const single: TaskInfo[] = [];
    for (const job of this.jobs) {
      if (job.done || job.taskId !== undefined || this.dice.chance(0.2)) continue;
      const overhead = job.grouped ? [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 16)] : [];
      const resources = this.needs(job, left);
      const needed = Resources.of([...resources, ...overhead]);
      if (resources.length === 0 || !left.contains(needed)) continue;
      left = left.minus(needed);
      const volume = job.grouped || this.dice.chance(0.5) ? undefined : unused.pop();
      const task = this.attempt(job, agent.value, volume === undefined ? resources : [...resources, volume]);
      if (job.grouped) operations.push(this.group(task, overhead, framework));
      else single.push(task);
    }
    if (single.length > 0) operations.push({ type: 'LAUNCH', launch: { task_infos: single } });
    return operations;
  }

  /** Takes note of a status. @returns whether the task lives though nothing is expected of it any more */
  note(status: TaskStatus): 'stray' | 'fine' {
    const task = this.tasks.get(status.task_id.value);
    demand(task !== undefined, () => `a scheduler was told of ${status.task_id.value}, which it never launched`);
    demand(status.state !== 'TASK_ERROR', () => `task ${task.id} was refused: ${status.message}`);
    const { job } = task;
    if (status.state === 'TASK_FINISHED') job.done = true;
    if (!OVER.has(status.state)) {
      if (task.over) return 'stray';
      task.state = status.state;
      return 'fine';
    }
    if (status.state === 'TASK_KILLED' && job.service && this.closing) job.done = true;
    task.over = true;
    task.state = status.state;
    if (job.taskId === task.id) job.taskId = undefined;
    return 'fine';
  }

  private needs(job: Job, left: Resources): Resource[] {
    const basic = [scalar('cpus', job.cpus), scalar('mem', job.mem)];
    if (!job.port) return basic;
    const range = left.toProto().find((resource) => resource.name === 'ports')?.ranges?.range?.[0];
    return range === undefined ? [] : [...basic, portRange(range.begin)];
  }

  private attempt(job: Job, agentId: string, resources: readonly Resource[]): TaskInfo {
    const { dice, weather } = this;
    const id = `${job.name}.${job.attempts++}`;
    job.taskId = id;
    this.tasks.set(id, { id, job, agentId, state: 'TASK_STAGING', over: false });
    const command = formatCommand({
      taskId: id,
      runFor: job.service ? 86_400_000 : Math.ceil(dice.wait(4000)),
      exitCode: weather.fickle && dice.chance(0.15) ? dice.whole(1, 100) : 0,
      polite: dice.chance(0.8),
    });
    return {
      name: job.name,
      task_id: { value: id },
      agent_id: { value: agentId },
      resources,
      command: { value: command },
      ...(dice.chance(0.3) && { kill_policy: { grace_period: { nanoseconds: dice.whole(0, 5000) * 1e6 } } }),
    };
  }

  private group(task: TaskInfo, resources: readonly Resource[], framework: FrameworkInfo): Offer_Operation {
    return {
      type: 'LAUNCH_GROUP',
      launch_group: {
        executor: {
          type: 'DEFAULT',
          executor_id: { value: `group-${this.groups++}` },
          resources,
          ...(framework.id !== undefined && { framework_id: framework.id }),
        },
        task_group: { tasks: [task] },
      },
    };
  }
}
