import type { ShutdownExecutorMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { shutdownExecutor as shutdown } from '../kill.ts';

export function shutdownExecutor(context: Context, message: ShutdownExecutorMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'an executor shutdown')) return;
  const frameworkId = message.framework_id?.value ?? '';
  const executorId = message.executor_id?.value ?? '';
  const framework = context.state.frameworks.get(frameworkId);
  const executor = framework?.executors.get(executorId);
  if (!framework || !executor || framework.phase === 'terminating' || context.state.phase !== 'running') {
    log(context, 'warning', `Cannot shut down executor ${executorId} of framework ${frameworkId}: not running here`);
    return;
  }
  log(context, 'info', `Asked to shut down executor ${executorId} of framework ${frameworkId}`);
  shutdown(context, framework, executor);
}
