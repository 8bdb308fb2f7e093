/** Emulated frameworks on a real master: each has an event stream and calls of its own, over the SDK. */
import { Scheduler } from '../../src/sdk/scheduler.ts';
import { EmulatedFramework, type EmulatedFrameworkOptions } from './framework.ts';
import { assertLoopback } from './loopback.ts';

export interface SocketFramework {
  readonly framework: EmulatedFramework;
  /** Takes the framework and its tasks away. */
  stop(): Promise<void>;
}

/** Subscribes. @param failed called with what ended it, should it end by itself */
export function startSocketFramework(
  master: string,
  options: EmulatedFrameworkOptions,
  failed: (error: Error) => void,
): SocketFramework {
  assertLoopback(master.slice(0, master.lastIndexOf(':')));
  let stopping = false;
  const scheduler = new Scheduler({
    master,
    framework: options.info,
    acknowledge: 'manual',
    handlers: { event: (event) => framework.take(event) },
  });
  const fail = (error: Error): void => {
    if (!stopping) failed(error);
  };
  const framework = new EmulatedFramework(options, (call) => void scheduler.call(call).catch(fail));
  const ended = scheduler.run().catch(fail);
  return {
    framework,
    stop: async () => {
      stopping = true;
      await scheduler.teardown().catch(() => scheduler.stop());
      await ended;
    },
  };
}
