import type { Context } from './context.ts';

/** Whether executors are still expected: until then no master is told what runs here. */
export function isRecovering(context: Context): boolean {
  for (const framework of context.state.frameworks.values()) {
    for (const executor of framework.executors.values()) if (executor.isReconnecting) return true;
  }
  return false;
}
