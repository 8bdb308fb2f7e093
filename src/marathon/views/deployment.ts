/** Deployments as the API and the event stream show them. */
import type { Action, Deployment, Plan } from '../core/model.ts';
import type { MarathonState } from '../core/state.ts';
import { writeInstant } from '../definition/instant.ts';

/** All that are under way. */
export function deploymentsView(state: MarathonState): readonly object[] {
  return [...state.deployments.values()].map((deployment) => deploymentView(state, deployment));
}

function deploymentView(state: MarathonState, { plan, step, begun }: Deployment): object {
  const ids = (kind: 'app' | 'pod'): readonly string[] =>
    plan.changes.flatMap(({ id, before, after }) => ((after ?? before)?.kind === kind ? [id] : []));
  return {
    id: plan.id,
    version: writeInstant(plan.version),
    affectedApps: ids('app'),
    affectedPods: ids('pod'),
    steps: stepsView(plan.steps),
    currentActions: (begun ? (plan.steps[step] ?? []) : []).map((action) => ({
      ...actionView(action),
      readinessCheckResults: readinessOf(state, action.spec.id),
    })),
    currentStep: begun ? step + 1 : step,
    totalSteps: plan.steps.length,
  };
}

/** Steps with their actions. */
export function stepsView(steps: readonly (readonly Action[])[]): readonly object[] {
  return steps.map((actions) => ({ actions: actions.map(actionView) }));
}

/** As events show a plan. */
export function planView({ id, version, steps }: Plan): object {
  return { id, version: writeInstant(version), steps: stepsView(steps) };
}

export function actionView({ kind, spec }: Action): object {
  return { action: kind, [spec.kind]: spec.id };
}

function readinessOf(state: MarathonState, specId: string): readonly object[] {
  if (state.readiness.size === 0) return [];
  return [...(state.specs.get(specId)?.instances.keys() ?? [])].flatMap((id) => state.readiness.get(id) ?? []);
}
