import type { Env } from '../../base/machine.ts';
import type { AgentEffect, OutboundMessages, Pid, SendEffect } from './effects.ts';
import type { AgentState } from './state.ts';

/** What a handler works with during one step. */
export interface Context {
  readonly state: AgentState;
  readonly env: Env;
  readonly emit: (effect: AgentEffect) => void;
}

export function send<N extends keyof OutboundMessages>(
  context: Context,
  to: Pid,
  name: N,
  message: OutboundMessages[N],
): void {
  // The compiler does not see that name and message belong together once N is a type parameter.
  context.emit({ kind: 'send', to, name, message } as SendEffect);
}

export function log(context: Context, level: 'info' | 'warning' | 'error', text: string): void {
  context.emit({ kind: 'log', level, text });
}

/** The agent's id; absent before any master has admitted it. */
export function agentId(state: AgentState): string | undefined {
  return state.info.id?.value;
}

/** Says in the log that a message was not from the master that leads, as far as this agent knows. */
export function isFromMaster(context: Context, from: Pid, what: string): boolean {
  if (context.state.master === from) return true;
  const expected = context.state.master ?? 'none';
  log(context, 'warning', `Ignoring ${what} from ${from}: the master is ${expected}`);
  return false;
}
