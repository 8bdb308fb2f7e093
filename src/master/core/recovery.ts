/** After a failover: how many of the agents of before are back. The log tells it as it goes on, the metrics at any time. */
import { formatDuration } from '../../base/duration.ts';
import type { Millis } from '../../base/machine.ts';
import { type Context, log } from './context.ts';

/** The log names those who are away this often, */
const REMIND_EVERY: Millis = 30_000;
/** and at most so many of them. */
const NAMED = 5;
/** Agents that come back are worth a line whenever they make up another tenth. */
const STEPS = 10;

/** Begins to wait for the agents of the registry. */
export function awaitAgents(ctx: Context): void {
  const { state, env, options } = ctx;
  const expected = state.recovered.size;
  if (expected === 0) return;
  const { agentReregisterTimeout } = options;
  state.recovery = { expected, returned: 0, began: env.now, until: env.now + agentReregisterTimeout };
  ctx.recoveryTold = { awaited: expected, step: 0 };
  log(ctx, 'info', `Waiting ${formatDuration(agentReregisterTimeout)} for ${agents(expected)} to register again`);
  ctx.deadlines.set({ type: 'recoveredAgents' }, state.recovery.until);
  ctx.deadlines.set(REMIND, env.now + REMIND_EVERY);
}

const REMIND = { type: 'recoveryReminder' } as const;

/** To be called after every step: says it when another part of the agents is accounted for. */
export function followRecovery(ctx: Context): void {
  const { state, recoveryTold: told } = ctx;
  const awaited = state.recovered.size;
  if (awaited === told.awaited) return;
  told.awaited = awaited;
  const { expected, returned, began } = state.recovery;
  if (awaited === 0) {
    ctx.deadlines.clear(REMIND);
    const lost = expected - returned;
    const outcome = lost === 0 ? 'all of them came back' : `${returned} came back, ${lost} given up`;
    const took = ((ctx.env.now - began) / 1000).toFixed(3);
    log(ctx, lost === 0 ? 'info' : 'warning', `Recovery of ${agents(expected)} is over after ${took}secs: ${outcome}`);
    return;
  }
  const step = Math.floor((returned * STEPS) / expected);
  if (step === told.step) return;
  told.step = step;
  const percent = Math.floor((returned * 100) / expected);
  log(ctx, 'info', `${returned} of ${agents(expected)} are back (${percent}%); waiting for ${awaited}, ${left(ctx)}`);
}

/** Some time has passed: says who is still away. */
export function remindOfRecovery(ctx: Context): void {
  const { recovered, recovery } = ctx.state;
  if (recovered.size === 0) return;
  const names: string[] = [];
  for (const [id, info] of recovered) if (names.push(`${id} (${info.hostname})`) === NAMED) break;
  const more = recovered.size - names.length;
  const who = `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  log(
    ctx,
    'warning',
    `Still waiting for ${recovered.size} of ${agents(recovery.expected)}, ${left(ctx)}; away are ${who}`,
  );
  ctx.deadlines.set(REMIND, ctx.env.now + REMIND_EVERY);
}

function left(ctx: Context): string {
  const time = ctx.state.recovery.until - ctx.env.now;
  return time > 0 ? `${Math.ceil(time / 1000)}secs left` : 'time is over: they are being given up';
}

function agents(count: number): string {
  return count === 1 ? '1 agent of before' : `${count} agents of before`;
}
