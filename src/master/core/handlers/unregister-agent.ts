import type { UnregisterSlaveMessage } from '../../../wire/internal.ts';
import { removeNow } from '../agents.ts';
import { type Context, countUp, log } from '../context.ts';
import type { Pid } from '../state.ts';

/** UnregisterSlaveMessage: the agent leaves for good. Only the agent itself may say so. */
export function unregisterAgent(ctx: Context, pid: Pid, message: UnregisterSlaveMessage): void {
  countUp(ctx, 'messages_unregister_slave');
  const agent = ctx.state.agents.get(message.slave_id.value);
  if (agent === undefined || agent.pid !== pid) {
    log(
      ctx,
      'warning',
      `Ignoring unregistration of agent ${message.slave_id.value} by ${pid}: it is not registered there`,
    );
    return;
  }
  if (ctx.transitioning.has(agent.id)) return;
  countUp(ctx, 'slave_removals/reason_unregistered');
  removeNow(ctx, agent, 'the agent unregistered');
}
