/** Limits how many launches may be under way: so many in a stretch of time, and one more for each that came to run. */
import type { Context } from '../context.ts';

/** Whether one more launch may begin. */
export function hasToken(ctx: Context): boolean {
  refresh(ctx);
  return ctx.state.launching.tokens > 0;
}

export function spendToken({ state }: Context): void {
  state.launching.tokens--;
}

/** A launch came to run, and well. */
export function returnToken({ state }: Context): void {
  state.launching.tokens++;
}

function refresh({ state, env, options }: Context): void {
  const { launching } = state;
  if (env.now - launching.tokensRefreshedAt < options.launchTokenRefreshInterval) return;
  launching.tokensRefreshedAt = env.now;
  launching.tokens = options.launchTokens;
}
