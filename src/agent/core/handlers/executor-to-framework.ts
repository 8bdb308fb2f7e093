import type { ExecutorToFrameworkMessage } from '../../../wire/internal.ts';
import { type Context, log, send } from '../context.ts';

/** Straight to a v0 scheduler where its address is known, else through the master. */
export function executorToFramework(context: Context, message: ExecutorToFrameworkMessage): void {
  const { state } = context;
  const framework = state.frameworks.get(message.framework_id.value);
  const to = framework?.pid ?? state.master;
  if (!framework || framework.phase === 'terminating' || to === undefined || state.phase !== 'running') {
    log(context, 'warning', `Dropping a message of executor ${message.executor_id.value}: nobody would take it`);
    state.metrics.invalidFrameworkMessages++;
    return;
  }
  state.metrics.validFrameworkMessages++;
  send(context, to, 'mesos.internal.ExecutorToFrameworkMessage', message);
}
