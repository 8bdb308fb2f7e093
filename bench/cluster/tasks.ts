/** Runs short tasks as a framework of its own, with the SDK that everybody uses, and notes when what happened. */
import { parseResources } from '../../src/resources/parse.ts';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { Offer, TaskInfo, TaskStatus } from '../../src/wire/v1.ts';
import { frameworkInfo } from '../emulated/framework.ts';
import { assertLoopback } from '../emulated/loopback.ts';

/** Milliseconds since `subscribe` was called. */
export interface Timeline {
  readonly subscribed: number;
  /** The first offer. */
  readonly offered: number;
  /** TASK_RUNNING of each task, since it was launched. */
  readonly running: readonly number[];
  /** The last task's TASK_FINISHED. */
  readonly finished: number;
}

const RESOURCES = 'cpus:0.1;mem:32';
const NOT_AGAIN = { refuse_seconds: 3600 };
const FAILED: ReadonlySet<string> = new Set([
  'TASK_FAILED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_KILLED',
  'TASK_GONE',
]);

/** Subscribes, launches so many tasks `true` on the first offer, and leaves when all have finished. */
export async function runTasks(master: string, count: number): Promise<Timeline> {
  assertLoopback(master.slice(0, master.lastIndexOf(':')));
  const resources = parseResources(RESOURCES);
  if (!resources.ok) throw new Error(resources.error);
  const wanted = resources.value.allocate('*').toProto();
  const running: number[] = [];
  let [subscribed, offered, finished, left] = [0, 0, 0, count];
  const start = performance.now();
  const since = (): number => performance.now() - start;

  const launch = async (offers: readonly Offer[], scheduler: Scheduler): Promise<void> => {
    const [offer, ...others] = offers;
    if (offer === undefined) return;
    if (offered > 0)
      return scheduler.decline(
        offers.map(({ id }) => id),
        NOT_AGAIN,
      );
    offered = since();
    const tasks = Array.from({ length: count }, (_, index): Omit<TaskInfo, 'agent_id'> => {
      const name = `true-${index}`;
      return { name, task_id: { value: name }, resources: wanted, command: { value: 'true' } };
    });
    await scheduler.launch(offer, tasks, NOT_AGAIN);
    if (others.length > 0)
      await scheduler.decline(
        others.map(({ id }) => id),
        NOT_AGAIN,
      );
  };
  const update = async (status: TaskStatus, scheduler: Scheduler): Promise<void> => {
    if (FAILED.has(status.state))
      throw new Error(`${status.task_id.value}: ${status.state}, ${status.message ?? status.reason}`);
    if (status.state === 'TASK_RUNNING') running.push(since() - offered);
    if (status.state !== 'TASK_FINISHED') return;
    left--;
    if (left > 0) return;
    finished = since();
    await scheduler.acknowledge(status);
    await scheduler.teardown();
  };
  const scheduler = new Scheduler({
    master,
    framework: frameworkInfo('bench'),
    handlers: {
      subscribed: () => {
        subscribed = since();
      },
      offers: launch,
      update,
    },
  });
  await scheduler.run();
  return { subscribed, offered, running, finished };
}
