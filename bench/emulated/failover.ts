/** All agents of a cluster register again with a master that has just been elected: what is common to the scenarios about it. */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { Sample } from '../scenario.ts';
import { type RecoveredMaster, recoverMaster } from './recovered-master.ts';
import { type ClusterSize, REREGISTER } from './reregistration.ts';

/** Messages are handed over for so many milliseconds, then it is the master's turn, as with sockets. */
const SLICE = 4;
/** What tells an agent that it is in. */
export const WELCOME = 'mesos.internal.SlaveReregisteredMessage';

/**
 * Elects a master over the registry in the folder and gives it all the messages.
 * @param label stands at the end of the names of metrics
 */
export async function failOver(
  folder: string,
  messages: readonly Uint8Array[],
  size: ClusterSize,
  label: string,
): Promise<Sample[]> {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const holds = monitorEventLoopDelay({ resolution: 1 });
  holds.enable();
  let left = messages.length;
  let finish = (): void => {};
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const master = await recoverMaster(folder, (_, name) => {
    if (name === WELCOME && --left === 0) finish();
  });
  let pause = 0;
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pause = Math.max(pause, duration);
  });
  collections.observe({ entryTypes: ['gc'] });
  const start = performance.now();
  await feed(master, messages);
  await all;
  const wall = performance.now() - start;
  // What comes right after belongs to it: the first allocation, pings.
  await new Promise((resolve) => setTimeout(resolve, 200));
  holds.disable();
  collections.disconnect();
  check(master, size);
  const { longestStep } = master.driver();
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed - before;
  await master.close();
  const ms = (metric: string, value: number): Sample => ({ metric, unit: 'ms', value });
  return [
    ms(`wall ${label}`, wall),
    ms(`recover the registry ${label}`, master.recovering),
    ms(`longest step ${label}`, longestStep),
    ms(`longest event loop hold ${label}`, holds.max / 1e6),
    ms(`longest garbage collection ${label}`, pause),
    { metric: `heap per task ${label}`, unit: 'bytes', value: heap / tasksIn(size) },
  ];
}

async function feed(master: RecoveredMaster, messages: readonly Uint8Array[]): Promise<void> {
  let end = performance.now() + SLICE;
  for (const [at, message] of messages.entries()) {
    master.receive(pidOf(at), REREGISTER, message);
    if (performance.now() < end) continue;
    await new Promise((resolve) => setImmediate(resolve));
    end = performance.now() + SLICE;
  }
}

function pidOf(agent: number): string {
  return `slave(1)@127.0.0.1:${10_000 + agent}`;
}

function check(master: RecoveredMaster, size: ClusterSize): void {
  const { agents, recovered, frameworks } = master.state;
  const expect = (what: string, found: number, right: number): void => {
    if (found !== right) throw new Error(`${what}: ${found} instead of ${right}`);
  };
  expect('agents', agents.size, size.agents);
  expect('agents that are still waited for', recovered.size, 0);
  expect('frameworks', frameworks.size, size.frameworks);
  const tasks = [...frameworks.values()].reduce((sum, framework) => sum + framework.tasks.size, 0);
  expect('tasks', tasks, tasksIn(size));
}

function tasksIn({ agents, frameworks, tasksPerFramework }: ClusterSize): number {
  return agents * frameworks * tasksPerFramework;
}
