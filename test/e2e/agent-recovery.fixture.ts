/** A framework that launches some tasks on the first offer that it gets, and remembers what it hears. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { FrameworkInfo, Offer, TaskInfo, TaskStatus } from '../../src/wire/v1.ts';
import { type Daemon, type Daemons, masterState, until } from './daemons.fixture.ts';

const USER = process.getuid?.() === 0 ? 'root' : (process.env.USER ?? 'nobody');

export type NewTask = (offer: Offer) => TaskInfo;

export function shell(id: string, line: string, more: Partial<TaskInfo> = {}): NewTask {
  return (offer) => ({
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    command: { value: line },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 16 } },
    ],
    ...more,
  });
}

const ENDS = ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_LOST', 'TASK_GONE', 'TASK_DROPPED'];
export const isEnd = (state: string | undefined): boolean => ENDS.includes(state ?? '');

export class Framework {
  readonly statuses: TaskStatus[] = [];
  readonly #scheduler: Scheduler;
  readonly #ran: Promise<unknown>;
  #next: readonly NewTask[];

  constructor(daemons: Daemons, name: string, tasks: readonly NewTask[], more: Partial<FrameworkInfo> = {}) {
    this.#next = tasks;
    this.#scheduler = new Scheduler({
      master: `127.0.0.1:${daemons.master.port}`,
      framework: { user: USER, name, checkpoint: true, failover_timeout: 60, ...more },
      handlers: {
        offers: (offers, self) => {
          for (const offer of offers) {
            const tasks = this.#next;
            this.#next = [];
            if (tasks.length === 0) self.decline([offer.id], { refuse_seconds: 3600 }).catch(() => {});
            else
              self.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos: tasks.map((task) => task(offer)) } }]);
          }
        },
        update: (status) => {
          // An update may come again before its acknowledgement has arrived.
          const isNew = this.statuses.every(({ uuid }) => String(uuid) !== String(status.uuid));
          if (isNew || status.uuid === undefined) this.statuses.push(status);
        },
      },
    });
    this.#ran = this.#scheduler.run();
  }

  /** Launches more, on the next offer. */
  launch(tasks: readonly NewTask[]): void {
    this.#next = [...this.#next, ...tasks];
    this.#scheduler.revive().catch(() => {});
  }

  kill(taskId: string): void {
    this.#scheduler.kill({ value: taskId }).catch(() => {});
  }

  states(taskId: string): string[] {
    return this.statuses.filter(({ task_id }) => task_id.value === taskId).map(({ state }) => state ?? '');
  }

  last(taskId: string): TaskStatus | undefined {
    return this.statuses.findLast(({ task_id }) => task_id.value === taskId);
  }

  async runs(...taskIds: string[]): Promise<void> {
    await until(`${taskIds} run`, () => taskIds.every((id) => this.states(id).includes('TASK_RUNNING')));
  }

  async ends(...taskIds: string[]): Promise<void> {
    await until(`${taskIds} end`, () => taskIds.every((id) => isEnd(this.last(id)?.state)), 60_000);
  }

  async stop(): Promise<void> {
    await this.#scheduler.teardown();
    await this.#ran.catch(() => {});
  }
}

export async function activeIds(daemons: Daemons): Promise<string[]> {
  return (await masterState(daemons.master.port)).slaves.filter(({ active }) => active).map(({ id }) => id);
}

/** The same agent once more: same port, same folders. */
export async function restart(daemons: Daemons, agent: Daemon, ...flags: string[]): Promise<Daemon> {
  const next = agent.restart(...flags);
  let outcome: string | undefined;
  void next.ended.then(({ stderr }) => {
    outcome = stderr;
  });
  await until(
    'the agent is back',
    async () => {
      if (outcome !== undefined) throw new Error(`the agent has ended: ${outcome}`);
      return (await activeIds(daemons)).length === 1;
    },
    30_000,
  );
  return next;
}

export function sandboxOf(agent: Daemon, taskId: string): string | undefined {
  const folder = join(agent.workDir, 'slaves/latest/frameworks');
  for (const framework of readdirSync(folder)) {
    const executors = join(folder, framework, 'executors');
    if (readdirSync(executors).includes(taskId)) return join(executors, taskId, 'runs/latest');
  }
  return undefined;
}

export function outputOf(agent: Daemon, taskId: string, file = 'stdout'): string {
  const sandbox = sandboxOf(agent, taskId);
  try {
    return sandbox === undefined ? '' : readFileSync(join(sandbox, file), 'utf8');
  } catch {
    return '';
  }
}
