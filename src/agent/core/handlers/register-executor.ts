import type { RegisterExecutorMessage } from '../../../wire/internal.ts';
import { type Context, log, send } from '../context.ts';
import { executorRegistered } from '../custom.ts';
import type { Pid } from '../effects.ts';

export function registerExecutor(context: Context, message: RegisterExecutorMessage, from: Pid): void {
  const framework = context.state.frameworks.get(message.framework_id.value);
  const executor = framework?.executors.get(message.executor_id.value);
  if (framework && executor && framework.phase === 'running') {
    executorRegistered(context, framework, executor, from);
    return;
  }
  log(context, 'warning', `Shutting down executor ${message.executor_id.value} at ${from}: it does not belong here`);
  send(context, from, 'mesos.internal.ShutdownExecutorMessage', {});
}
