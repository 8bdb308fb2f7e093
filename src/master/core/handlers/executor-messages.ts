import type { ExecutorToFrameworkMessage, ExitedExecutorMessage } from '../../../wire/internal.ts';
import { removeExecutor } from '../accounting.ts';
import { type Context, countUp, log } from '../context.ts';
import { sendToFramework } from '../streams.ts';

/** ExitedExecutorMessage of an agent: what the executor held is free, the scheduler hears of the failure. */
export function exitedExecutor(ctx: Context, message: ExitedExecutorMessage): void {
  countUp(ctx, 'messages_exited_executor');
  const { slave_id, framework_id, executor_id, status } = message;
  const agent = ctx.state.agents.get(slave_id.value);
  const framework = ctx.state.frameworks.get(framework_id.value);
  if (agent === undefined || framework === undefined) {
    const where = `agent ${slave_id.value}, framework ${framework_id.value}`;
    log(ctx, 'warning', `Ignoring the exit of executor ${executor_id.value}: ${where} not known`);
    return;
  }
  if (!removeExecutor(ctx, framework, agent, executor_id.value)) {
    log(ctx, 'warning', `Ignoring the exit of executor ${executor_id.value}: the agent was not known to run it`);
    return;
  }
  sendToFramework(ctx, framework, { type: 'FAILURE', failure: { agent_id: slave_id, executor_id, status } });
}

/** ExecutorToFrameworkMessage of an agent: a MESSAGE event, best effort. */
export function executorToFramework(ctx: Context, message: ExecutorToFrameworkMessage): void {
  countUp(ctx, 'messages_executor_to_framework');
  const { slave_id, framework_id, executor_id, data } = message;
  const framework = ctx.state.frameworks.get(framework_id.value);
  if (!ctx.state.agents.has(slave_id.value) || framework?.state !== 'CONNECTED') {
    log(ctx, 'warning', `Dropping a message of executor ${executor_id.value}: its agent or scheduler is not there`);
    countUp(ctx, 'invalid_executor_to_framework_messages');
    return;
  }
  sendToFramework(ctx, framework, { type: 'MESSAGE', message: { agent_id: slave_id, executor_id, data } });
  countUp(ctx, 'valid_executor_to_framework_messages');
}
