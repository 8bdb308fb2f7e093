/** Messages of version 0 frameworks on their way to their handlers: counted by principal, and slowed down by `--rate_limits`. */
import { type Context, log, send } from './context.ts';
import type { ExitedEvent, FromFramework, MessageEvent } from './events.ts';
import { type RateLimits, Throttle } from './rate-limits.ts';
import type { FrameworkRecord } from './records.ts';
import type { Pid } from './state.ts';

const OTHERS = 'others';

function keyOf(principal: string): string {
  return `principal:${principal}`;
}

export function throttlesFor(limits: RateLimits | undefined): Map<string, Throttle<FromFramework>> {
  const throttles = new Map<string, Throttle<FromFramework>>();
  for (const [principal, limit] of limits?.principals ?? []) {
    if (limit !== undefined) throttles.set(keyOf(principal), new Throttle(limit));
  }
  if (limits?.others !== undefined) throttles.set(OTHERS, new Throttle(limits.others));
  return throttles;
}

/** Has a message handled, now or when its turn comes; one too many is answered with an error, which stops the driver. */
export function receive(ctx: Context, event: MessageEvent, handle: (event: FromFramework) => void): void {
  const framework = frameworkOf(ctx, event.from);
  if (framework === undefined) {
    handle(event);
    return;
  }
  countFor(ctx, framework, 'received');
  const key = keyFor(ctx, framework);
  const throttle = ctx.throttles.get(key ?? '');
  if (key === undefined || throttle === undefined) {
    process(ctx, event, handle);
    return;
  }
  if (throttle.isFull) {
    refuse(ctx, event, throttle.capacity);
    return;
  }
  if (throttle.pass(event, true, ctx.env.now)) process(ctx, event, handle);
  else setTurn(ctx, key, throttle);
}

/** The end of a framework's connection takes its turn behind what the framework said before; there is always room for it. */
export function exitedInTurn(ctx: Context, event: ExitedEvent, handle: (event: FromFramework) => void): void {
  const framework = frameworkOf(ctx, event.pid);
  const key = framework && keyFor(ctx, framework);
  const throttle = ctx.throttles.get(key ?? '');
  if (key === undefined || throttle === undefined || throttle.pass(event, false, ctx.env.now)) handle(event);
  else setTurn(ctx, key, throttle);
}

/** The turn of those who wait has come. */
export function nextTurns(ctx: Context, key: string, handle: (event: FromFramework) => void): void {
  const throttle = ctx.throttles.get(key);
  if (throttle === undefined) return;
  const isMessage = ({ kind }: FromFramework): boolean => kind === 'message';
  for (;;) {
    const event = throttle.take(ctx.env.now, isMessage);
    if (event === undefined) break;
    process(ctx, event, handle);
  }
  setTurn(ctx, key, throttle);
}

function setTurn(ctx: Context, key: string, throttle: Throttle<FromFramework>): void {
  if (throttle.due !== undefined) ctx.deadlines.hasten({ type: 'throttled', key }, throttle.due);
}

function process(ctx: Context, event: FromFramework, handle: (event: FromFramework) => void): void {
  // Asked first: the message may be the framework's last.
  const framework = event.kind === 'message' ? frameworkOf(ctx, event.from) : undefined;
  handle(event);
  if (framework !== undefined && ctx.state.frameworks.has(framework.id)) countFor(ctx, framework, 'processed');
}

function refuse(ctx: Context, { from, name }: MessageEvent, capacity: number): void {
  log(ctx, 'warning', `Dropping ${name} from ${from}: ${capacity} messages wait already, which is the capacity`);
  const message = `Message ${name} dropped: capacity(${capacity}) exceeded`;
  send(ctx, from, 'mesos.internal.FrameworkErrorMessage', { message });
}

function frameworkOf(ctx: Context, pid: Pid): FrameworkRecord | undefined {
  return ctx.state.frameworks.get(ctx.frameworkByPid.get(pid) ?? '');
}

/** Under which throttle the messages of a framework are, if any. */
function keyFor(ctx: Context, { principal }: FrameworkRecord): string | undefined {
  const limits = ctx.options.rateLimits;
  if (limits === undefined) return undefined;
  return principal !== undefined && limits.principals.has(principal) ? keyOf(principal) : OTHERS;
}

function countFor(ctx: Context, { principal }: FrameworkRecord, what: 'received' | 'processed'): void {
  if (principal === undefined) return;
  const counts = ctx.state.messageCounts.get(principal) ?? { received: 0, processed: 0 };
  counts[what]++;
  ctx.state.messageCounts.set(principal, counts);
}

/** Counting ends with the last framework of a principal. */
export function forgetCounts(ctx: Context, { principal }: FrameworkRecord): void {
  if (principal === undefined || !ctx.state.messageCounts.has(principal)) return;
  for (const other of ctx.state.frameworks.values()) if (other.principal === principal) return;
  ctx.state.messageCounts.delete(principal);
}
