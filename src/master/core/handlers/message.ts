import type { Call_Message } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, nameFramework, send } from '../context.ts';
import type { FrameworkRecord } from '../records.ts';

/** MESSAGE: from the scheduler to an executor, best effort. */
export function message(ctx: Context, framework: FrameworkRecord, call: Call_Message): void {
  countUp(ctx, 'messages_framework_to_executor');
  const agent = ctx.state.agents.get(call.agent_id.value);
  if (agent === undefined || !agent.connected) {
    const who = `framework ${nameFramework(framework)} to executor ${call.executor_id.value}`;
    log(ctx, 'warning', `Dropping a message of ${who}: agent ${call.agent_id.value} is not connected`);
    countUp(ctx, 'invalid_framework_to_executor_messages');
    return;
  }
  send(ctx, agent.pid, 'mesos.internal.FrameworkToExecutorMessage', {
    slave_id: call.agent_id,
    framework_id: { value: framework.id },
    executor_id: call.executor_id,
    data: call.data,
  });
  countUp(ctx, 'valid_framework_to_executor_messages');
}
