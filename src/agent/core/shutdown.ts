import { isCheckpointed } from './checkpoints.ts';
import { type Context, log, send } from './context.ts';
import { completeTask, forgetFrameworkIfIdle, terminate, terminateIfDone } from './executors.ts';
import { shutdownExecutor } from './kill.ts';
import { PING_TIMER, REGISTRATION_TIMER } from './registration.ts';
import type { Framework } from './state.ts';
import { forgetUpdates } from './updates.ts';

/** Ends everything of a framework; its scheduler is not told (it is gone, or asked for it). */
export function endFramework(context: Context, framework: Framework): void {
  if (framework.phase === 'terminating') return;
  framework.phase = 'terminating';
  forgetUpdates(context, framework.id);
  for (const executor of [...framework.executors.values()]) {
    if (executor.phase === 'terminated') forgetAbandoned(context, framework, executor.id);
    else shutdownExecutor(context, framework, executor);
  }
  forgetFrameworkIfIdle(context, framework);
}

/** An executor that only waited for acknowledgements, which will not come now. */
function forgetAbandoned(context: Context, framework: Framework, executorId: string): void {
  const executor = framework.executors.get(executorId);
  for (const taskId of executor ? [...executor.terminated.keys()] : []) {
    if (executor) completeTask(context, framework, executor, taskId);
  }
}

interface End {
  /** Tell the master that this agent does not come back. */
  readonly unregister?: boolean;
  /** Its id goes with it: whoever starts here next is a new agent. */
  readonly forGood: boolean;
}

/** Ends the agent: its tasks first. */
export function endAgent(context: Context, reason: string, { unregister = false, forGood }: End): void {
  const { state } = context;
  if (state.phase === 'terminating') return;
  log(context, 'info', `Ending: ${reason}`);
  if (unregister && state.phase === 'running' && state.master !== undefined && state.info.id) {
    send(context, state.master, 'mesos.internal.UnregisterSlaveMessage', { slave_id: state.info.id });
  }
  state.phase = 'terminating';
  state.isForGood = forGood;
  context.emit({ kind: 'disarm', key: PING_TIMER });
  context.emit({ kind: 'disarm', key: REGISTRATION_TIMER });
  if (state.frameworks.size === 0) {
    terminate(context, reason);
    return;
  }
  for (const framework of [...state.frameworks.values()]) endFramework(context, framework);
}

/** Ends the agent, which another one follows soon: tasks that are checkpointed go on, the others end. */
export function leaveAgent(context: Context): void {
  const { state } = context;
  if (state.phase === 'terminating') return;
  log(context, 'info', 'Ending, and leaving checkpointed tasks to the agent that comes next');
  state.phase = 'terminating';
  state.isLeaving = true;
  context.emit({ kind: 'disarm', key: PING_TIMER });
  context.emit({ kind: 'disarm', key: REGISTRATION_TIMER });
  const ending = [...state.frameworks.values()].filter((framework) => !isCheckpointed(state, framework));
  if (ending.length === 0) terminateIfDone(context);
  for (const framework of ending) endFramework(context, framework);
}
