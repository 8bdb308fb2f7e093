/** Carries out the steps of deployments: one step after another, the actions of a step side by side. */
import { invariant } from '../../../base/invariant.ts';
import { type Context, log, publish } from '../context.ts';
import { announceChecks, withdrawChecks } from '../health.ts';
import type { Action, Deployment, Plan, SpecChange } from '../model.ts';
import { specRecord } from '../state.ts';
import { deploymentKey, storedPlan } from '../stored.ts';
import { advanceRestart, beginRestart } from './restart.ts';
import { advanceScale, beginScale, scaleTo } from './scale.ts';
import { advanceStop, beginStop } from './stop.ts';
import { wantedOf } from './wanted.ts';

/** How an action starts, and how it goes on whenever something about its spec has changed. */
interface Course {
  readonly begin: (ctx: Context, action: Action) => void;
  /** @returns whether it is done */
  readonly advance: (ctx: Context, action: Action) => boolean;
}

const NOTHING: Course = { begin: () => {}, advance: () => true };
const SCALE: Course = { begin: beginScale, advance: advanceScale };
const RESTART: Course = { begin: beginRestart, advance: advanceRestart };
const STOP: Course = { begin: beginStop, advance: advanceStop };

const COURSES: Readonly<Record<Action['kind'], Course>> = {
  // A new app starts with no instances; its scale action comes with its turn in the order of dependencies.
  StartApplication: NOTHING,
  StartPod: NOTHING,
  ScaleApplication: SCALE,
  ScalePod: SCALE,
  RestartApplication: RESTART,
  RestartPod: RESTART,
  StopApplication: STOP,
  StopPod: STOP,
};

/** Starts on a plan that nothing else stands in the way of; its specs are held until it is over. */
export function beginDeployment(ctx: Context, plan: Plan): void {
  const { state, emit } = ctx;
  for (const { id } of plan.changes) {
    invariant(!state.locks.has(id), `${id} is held by deployment ${state.locks.get(id)}`);
    state.locks.set(id, plan.id);
  }
  const deployment: Deployment = { plan, step: 0, done: new Set(), begun: false };
  state.deployments.set(plan.id, deployment);
  emit({ kind: 'store', key: deploymentKey(plan.id), value: storedPlan(plan) });
  proceed(ctx, deployment);
}

/** Goes on with a deployment of an earlier leader, from its first step: what is done already is seen to be. */
export function resumeDeployment(ctx: Context, deployment: Deployment): void {
  proceed(ctx, deployment);
}

/** Gives a deployment up where it stands: what it has started stays as it is. */
export function cancelDeployment(ctx: Context, deployment: Deployment, reason: string): void {
  log(ctx, 'info', `Deployment ${deployment.plan.id} is given up: ${reason}`);
  release(ctx, deployment);
  publish(ctx, 'deployment_failed', { id: deployment.plan.id, plan: deployment.plan, reason });
}

/** Something about these specs has changed: goes on with the deployments that hold them. */
export function advanceDeployments(ctx: Context): void {
  const { state } = ctx;
  while (state.dirty.size > 0) {
    const specs = [...state.dirty];
    state.dirty.clear();
    for (const id of specs) advanceSpec(ctx, id);
  }
}

function advanceSpec(ctx: Context, specId: string): void {
  const { state } = ctx;
  const holder = state.locks.get(specId);
  if (holder === undefined) keepPromise(ctx, specId);
  const deployment = holder === undefined ? undefined : state.deployments.get(holder);
  if (deployment === undefined || !deployment.begun || deployment.done.has(specId)) return;
  const action = deployment.plan.steps[deployment.step]?.find(({ spec }) => spec.id === specId);
  if (action === undefined || !COURSES[action.kind].advance(ctx, action)) return;
  deployment.done.add(specId);
  if (isStepDone(deployment)) proceed(ctx, endStep(ctx, deployment));
}

/** No deployment holds it: as many must be there as its definition says. */
function keepPromise(ctx: Context, specId: string): void {
  const spec = ctx.state.current.get(specId);
  if (spec && wantedOf(specRecord(ctx.state, specId)) !== spec.instances) scaleTo(ctx, spec);
}

function isStepDone({ plan, step, done }: Deployment): boolean {
  return done.size === plan.steps[step]?.length;
}

function endStep(ctx: Context, deployment: Deployment): Deployment {
  const { plan } = deployment;
  const actions = plan.steps[deployment.step]!;
  for (const { kind, spec } of actions) {
    const before = kind === 'RestartApplication' ? changeOf(plan, spec.id)?.before : undefined;
    if (before?.kind === 'app') withdrawChecks(ctx, before);
  }
  publish(ctx, 'deployment_step_success', { plan, currentStep: actions });
  deployment.step++;
  deployment.done = new Set();
  deployment.begun = false;
  return deployment;
}

/** Begins steps until there is one that has to be waited for, or none left. */
function proceed(ctx: Context, deployment: Deployment): void {
  const { plan } = deployment;
  while (deployment.step < plan.steps.length) {
    const actions = plan.steps[deployment.step]!;
    publish(ctx, 'deployment_info', { plan, currentStep: actions });
    deployment.begun = true;
    for (const action of actions) {
      announce(ctx, plan, action);
      COURSES[action.kind].begin(ctx, action);
    }
    for (const action of actions) if (COURSES[action.kind].advance(ctx, action)) deployment.done.add(action.spec.id);
    if (!isStepDone(deployment)) return;
    endStep(ctx, deployment);
  }
  release(ctx, deployment);
  log(ctx, 'info', `Deployment ${plan.id} is done`);
  publish(ctx, 'deployment_success', { id: plan.id, plan });
}

/** A version that is new has its checks announced once: of an app that is new there are two actions. */
function announce(ctx: Context, plan: Plan, { kind, spec }: Action): void {
  if (spec.kind !== 'app' || spec.healthChecks.length === 0 || kind === 'StopApplication') return;
  const before = changeOf(plan, spec.id)?.before;
  if (before === undefined ? kind === 'StartApplication' : before.version !== spec.version) announceChecks(ctx, spec);
}

const changesById = new WeakMap<Plan, ReadonlyMap<string, SpecChange>>();

function changeOf(plan: Plan, id: string): SpecChange | undefined {
  let changes = changesById.get(plan);
  if (changes === undefined) {
    changes = new Map(plan.changes.map((change) => [change.id, change]));
    changesById.set(plan, changes);
  }
  return changes.get(id);
}

function release({ state, emit }: Context, { plan }: Deployment): void {
  for (const { id } of plan.changes) {
    if (state.locks.get(id) !== plan.id) continue;
    state.locks.delete(id);
    state.restarts.delete(id);
    // One that was given up may have wanted more than there shall be: nothing of that is to be launched yet.
    state.dirty.add(id);
  }
  state.deployments.delete(plan.id);
  emit({ kind: 'store', key: deploymentKey(plan.id), value: undefined });
}
