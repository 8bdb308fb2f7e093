import type { ShutdownMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster } from '../context.ts';
import type { Pid } from '../effects.ts';
import { endAgent } from '../shutdown.ts';

/** The master does not want this agent: it was marked gone, its machine is down, or it came back as another. */
export function shutdown(context: Context, message: ShutdownMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a shutdown')) return;
  endAgent(context, `the master asked for it${message.message ? `: ${message.message}` : ''}`, { forGood: true });
}
