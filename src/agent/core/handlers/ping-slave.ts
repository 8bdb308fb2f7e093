import type { PingSlaveMessage } from '../../../wire/internal.ts';
import { type Context, log, send } from '../context.ts';
import type { Pid } from '../effects.ts';
import { armPingTimer } from '../registration.ts';

/** Pings come from the master's observer of this agent, not from the master's own pid; the answer goes back there. */
export function pingSlave(context: Context, message: PingSlaveMessage, from: Pid): void {
  send(context, from, 'mesos.internal.PongSlaveMessage', {});
  if (context.state.phase !== 'running') return;
  if (!message.connected) {
    log(context, 'warning', 'The master thinks that this agent is disconnected: registering again');
    context.emit({ kind: 'detectMaster' });
    return;
  }
  armPingTimer(context);
}
