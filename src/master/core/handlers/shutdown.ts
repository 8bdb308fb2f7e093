import type { Call_Shutdown } from '../../../wire/v1_scheduler.ts';
import { type Context, send } from '../context.ts';
import type { FrameworkRecord } from '../records.ts';

/** SHUTDOWN of an executor; of an agent that is not there, nothing. */
export function shutdown(ctx: Context, framework: FrameworkRecord, call: Call_Shutdown): void {
  const agent = ctx.state.agents.get(call.agent_id.value);
  if (agent === undefined || !agent.connected) return;
  send(ctx, agent.pid, 'mesos.internal.ShutdownExecutorMessage', {
    executor_id: call.executor_id,
    framework_id: { value: framework.id },
  });
}
