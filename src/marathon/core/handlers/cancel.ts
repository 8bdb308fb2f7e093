import type { Context } from '../context.ts';
import { cancelDeployment } from '../deploy/deployments.ts';
import type { RequestId } from '../events.ts';
import { revert } from './revert.ts';

/** Stops a deployment where it stands (`force`), or undoes it by another one. */
export function cancelOnRequest(
  ctx: Context,
  { request, id, force }: { readonly request: RequestId; readonly id: string; readonly force: boolean },
): void {
  const deployment = ctx.state.deployments.get(id);
  if (deployment === undefined) {
    const message = `DeploymentPlan ${id} does not exist`;
    ctx.emit({ kind: 'answer', request, outcome: { ok: false, refusal: { kind: 'notFound', message } } });
    return;
  }
  if (!force) {
    revert(ctx, request, deployment);
    return;
  }
  cancelDeployment(ctx, deployment, 'The deployment has been cancelled');
  ctx.emit({ kind: 'answer', request, outcome: { ok: true, killed: [] } });
}
