/** A framework of our own SDK in the test's process, which remembers what it hears. */
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { FrameworkInfo, Offer, TaskInfo } from '../../src/wire/v1.ts';
import { until } from './daemons.fixture.ts';

const USER = process.getuid?.() === 0 ? 'root' : (process.env.USER ?? 'nobody');

/** It launches all its commands as tasks on the first offer, and wants nothing more. */
export class Framework {
  subscriptions = 0;
  readonly #told = new Map<string, string[]>();
  readonly #seen = new Set<string>();
  readonly #scheduler: Scheduler;
  readonly #ran: Promise<void>;

  /** @param commands by the id of the task */
  constructor(master: string, commands: Readonly<Record<string, string>>, more: Partial<FrameworkInfo> = {}) {
    let launched = false;
    this.#scheduler = new Scheduler({
      master,
      framework: { user: USER, name: 'near', checkpoint: true, failover_timeout: 60, ...more },
      reconnect: { minimum: 20, maximum: 200 },
      handlers: {
        subscribed: () => {
          this.subscriptions++;
        },
        update: ({ task_id, state = '', uuid = [] }) => {
          // What is not acknowledged in time comes again.
          const key = `${task_id.value} ${state} ${Buffer.from(uuid).toString('hex')}`;
          if (this.#seen.has(key)) return;
          this.#seen.add(key);
          this.states(task_id.value).push(state);
        },
        offers: async ([offer, ...others], self) => {
          if (offer === undefined) return;
          if (launched) {
            const ids = [offer, ...others].map(({ id }) => id);
            await self.decline(ids, { refuse_seconds: 3600 });
            return;
          }
          launched = true;
          await self.launch(
            offer,
            Object.entries(commands).map(([id, command]) => smallTask(offer, id, command)),
          );
        },
      },
    });
    this.#ran = this.#scheduler.run();
  }

  /** What it was told of this task, each update once. */
  states(taskId: string): string[] {
    const states = this.#told.get(taskId) ?? [];
    this.#told.set(taskId, states);
    return states;
  }

  async isTold(taskId: string, state: string, withinMs?: number): Promise<void> {
    const isLast = (): boolean => this.states(taskId).at(-1) === state;
    await until(`the framework is told ${state} of ${taskId}`, isLast, withinMs);
  }

  async stop(): Promise<void> {
    this.#scheduler.stop();
    await this.#ran.catch(() => {});
  }

  async teardown(): Promise<void> {
    await this.#scheduler.teardown();
    await this.#ran.catch(() => {});
  }
}

export function smallTask(offer: Offer, id: string, command: string): TaskInfo {
  const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value } }) as const;
  const resources = [scalar('cpus', 0.1), scalar('mem', 32)];
  return { name: id, task_id: { value: id }, agent_id: offer.agent_id, command: { value: command }, resources };
}
