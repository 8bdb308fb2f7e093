import { invariant } from '../../../base/invariant.ts';
import type { Context } from '../context.ts';
import { resumeDeployment } from '../deploy/deployments.ts';
import { watchHealth } from '../health.ts';
import { restoreInstance } from '../instances.ts';
import { killUnwanted } from '../kills.ts';
import { watchReservation } from '../launch/reservations.ts';
import { startJobs } from '../periodic.ts';
import { countPorts } from '../tree/service-ports.ts';

/** This Marathon leads from now on: takes up what it, or the one before it, has left. Comes once, before anything else. */
export function start(ctx: Context): void {
  const { state } = ctx;
  invariant(!state.isStarted, 'Marathon was started twice');
  state.isStarted = true;
  for (const spec of state.current.values()) if (spec.kind === 'app') countPorts(state.servicePorts, spec, 1);
  for (const instance of state.instances.values()) {
    restoreInstance(ctx, instance);
    if (instance.condition === 'Running') watchHealth(ctx, instance);
    watchReservation(ctx, instance);
  }
  startJobs(ctx);
  killUnwanted(ctx);
  for (const deployment of [...state.deployments.values()]) resumeDeployment(ctx, deployment);
}
