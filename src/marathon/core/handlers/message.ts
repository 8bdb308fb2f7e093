import { type Context, publish } from '../context.ts';

/** An executor says something to its framework: passed on to whoever listens to the event stream. */
export function publishMessage(
  ctx: Context,
  event: { readonly agentId: string; readonly executorId: string; readonly data: Uint8Array },
): void {
  const { agentId, executorId, data } = event;
  publish(ctx, 'framework_message_event', { slaveId: agentId, executorId, message: [...data] });
}
