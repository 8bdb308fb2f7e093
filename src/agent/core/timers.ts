import { taskOutOfTime } from './built-in.ts';
import { checkDue } from './checks.ts';
import type { Context } from './context.ts';
import { registrationTimedOut } from './custom.ts';
import { retireIfIdle } from './executors.ts';
import { collectGarbage } from './garbage.ts';
import { destroyExecutor, killNow } from './kill.ts';
import { retryOperation } from './operation-updates.ts';
import { estimateAgain } from './oversubscription.ts';
import { callBack } from './recovery.ts';
import { attemptRegistration, pingMissed } from './registration.ts';
import type { Executor } from './state.ts';
import { retryUpdate } from './updates.ts';

type Fired = (context: Context, first: string, second: string) => void;

/** What to do when a timer fires, by the first part of its key; ids hold no slash, so the other parts are plain. */
const TIMERS: Readonly<Record<string, Fired>> = {
  registration: (context) => attemptRegistration(context),
  ping: (context) => pingMissed(context),
  oversubscription: (context) => estimateAgain(context),
  gc: (context) => collectGarbage(context),
  update: (context, frameworkId, taskId) => retryUpdate(context, frameworkId, taskId),
  operation: (context, uuid) => retryOperation(context, uuid),
  kill: (context, containerId) => killNow(context, containerId),
  check: (context, containerId, kind) => checkDue(context, containerId, kind),
  completion: (context, containerId) => taskOutOfTime(context, containerId),
  executor: (context, frameworkId, executorId) => {
    const framework = context.state.frameworks.get(frameworkId);
    const executor = find(context, frameworkId, executorId);
    if (framework && executor) registrationTimedOut(context, framework, executor);
  },
  reconnect: (context, frameworkId, executorId) => {
    const executor = find(context, frameworkId, executorId);
    if (executor) callBack(context, executor);
  },
  linger: (context, frameworkId, executorId) => {
    const framework = context.state.frameworks.get(frameworkId);
    const executor = framework?.executors.get(executorId);
    if (framework && executor) retireIfIdle(context, framework, executor, true);
  },
  shutdown: (context, frameworkId, executorId) => {
    const executor = find(context, frameworkId, executorId);
    if (executor?.phase === 'terminating') destroyExecutor(context, executor);
  },
};

export function timerFired(context: Context, key: string): void {
  const [name = '', first = '', second = ''] = key.split('/');
  TIMERS[name]?.(context, first, second);
}

function find(context: Context, frameworkId: string, executorId: string): Executor | undefined {
  return context.state.frameworks.get(frameworkId)?.executors.get(executorId);
}
