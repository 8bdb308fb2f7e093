import type { Context } from '../context.ts';
import type { ProbeResult } from '../events.ts';
import { takeHealthResult } from '../health.ts';
import { takeReadiness } from '../readiness.ts';

/** What came of knocking at a task; whoever was asked may be gone, or another one, by now. */
export function takeProbe(
  ctx: Context,
  { probe: name, result }: { readonly probe: string; readonly result: ProbeResult },
): void {
  const probe = ctx.state.probes.get(name);
  ctx.state.probes.delete(name);
  const instance = probe && ctx.state.instances.get(probe.instanceId);
  if (instance === undefined || probe?.version !== instance.spec.version) return;
  if (probe.check === undefined) takeReadiness(ctx, instance, result);
  else takeHealthResult(ctx, instance, probe.check, result);
}
