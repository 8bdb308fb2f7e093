import type { FrameworkToExecutorMessage } from '../../../wire/internal.ts';
import { type Context, log } from '../context.ts';
import { tell } from '../custom.ts';

/** Best effort, as upstream has it. Built-in executors have nothing to do with messages and drop them. */
export function frameworkToExecutor(context: Context, message: FrameworkToExecutorMessage): void {
  const framework = context.state.frameworks.get(message.framework_id.value);
  const executor = framework?.executors.get(message.executor_id.value);
  if (!framework || framework.phase === 'terminating' || executor?.phase !== 'running') {
    log(context, 'warning', `Dropping a message for executor ${message.executor_id.value}: it is not running here`);
    context.state.metrics.invalidFrameworkMessages++;
    return;
  }
  context.state.metrics.validFrameworkMessages++;
  tell(context, framework, executor, { type: 'MESSAGE', message: { data: message.data } });
}
