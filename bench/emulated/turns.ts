import { monitorEventLoopDelay } from 'node:perf_hooks';

/** For how long the event loop was held in one turn, at the longest, in ms. */
export interface Hold {
  /** By the clock: what else goes on in the machine counts too. */
  readonly wall: number;
  /** Time that this thread had a processor. Helper threads of the garbage collection are not in it. */
  readonly processor: number;
}

/** Watches the event loop while something is done: a timer that is due every ms comes once a turn when turns are long. */
export async function longestHold(work: () => Promise<void>): Promise<Hold> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let processor = 0;
  let before = used();
  const timer = setInterval(() => {
    const now = used();
    processor = Math.max(processor, now - before);
    before = now;
  }, 1);
  delay.enable();
  await work();
  delay.disable();
  clearInterval(timer);
  return { wall: delay.max / 1e6, processor };
}

function used(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
