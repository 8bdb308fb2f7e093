/** `meseta deployment`: what is under way, and staying until it is over. */
import { ask, MarathonError } from './client.ts';
import { print } from './document.ts';
import type { ChangeOptions, CommonOptions } from './options.ts';

interface DeploymentView {
  readonly id: string;
  readonly version: string;
  readonly affectedApps: readonly string[];
  readonly affectedPods: readonly string[];
  readonly currentStep: number;
  readonly totalSteps: number;
  readonly currentActions: readonly { readonly action: string; readonly app?: string; readonly pod?: string }[];
}

export interface StartedDeployment {
  readonly deploymentId: string;
  readonly version?: string;
}

interface Counts {
  readonly instances: number;
  readonly tasksRunning: number;
  readonly tasksStaged: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
}

const POLL = 250;

function pathOf(id: string): string {
  return `/v2/deployments/${encodeURIComponent(id)}`;
}

export async function listDeployments(options: CommonOptions): Promise<number> {
  const deployments = await ask<readonly DeploymentView[]>(options, 'GET', '/v2/deployments');
  await print(deployments, options, () => [
    ['ID', 'STEP', 'NOW', 'OF'],
    ...deployments.map(({ id, currentStep, totalSteps, currentActions, affectedApps, affectedPods }) => [
      id,
      `${currentStep}/${totalSteps}`,
      currentActions.map(({ action, app, pod }) => `${action} ${app ?? pod}`).join(', '),
      [...affectedApps, ...affectedPods].join(', '),
    ]),
  ]);
  return 0;
}

/** Says that a deployment has begun; with --watch stays until it is over. @returns the exit status */
export async function begun({ deploymentId }: StartedDeployment, options: ChangeOptions): Promise<number> {
  if (options.watch) await watch(deploymentId, options);
  if (options.watch && options.output === 'table') return 0;
  await print({ deploymentId }, options, () => [['DEPLOYMENT'], [deploymentId]]);
  return 0;
}

/** Shows how a deployment goes until it is over. @returns 0, also for one that is over already */
export async function watch(id: string, options: CommonOptions): Promise<number> {
  const progress = new Progress(options);
  const specs = new Map<string, string>();
  for (;;) {
    const deployments = await ask<readonly DeploymentView[]>(options, 'GET', '/v2/deployments');
    const deployment = deployments.find((each) => each.id === id);
    if (deployment) {
      for (const app of deployment.affectedApps) specs.set(app, 'apps');
      progress.say('step', `step ${deployment.currentStep} of ${deployment.totalSteps}: ${actionsOf(deployment)}`);
    }
    for (const app of specs.keys()) await sayCounts(app, progress, options);
    if (deployment === undefined) {
      progress.say('end', `Deployment ${id} is over.`);
      return 0;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

function actionsOf({ currentActions }: DeploymentView): string {
  return currentActions.map(({ action, app, pod }) => `${action} ${app ?? pod}`).join(', ') || 'nothing';
}

async function sayCounts(app: string, progress: Progress, options: CommonOptions): Promise<void> {
  try {
    const answer = await ask<{ readonly app: Counts }>(options, 'GET', `/v2/apps${app}`);
    const { instances, tasksRunning, tasksStaged, tasksHealthy, tasksUnhealthy } = answer.app;
    const health = tasksHealthy + tasksUnhealthy > 0 ? `, ${tasksHealthy} healthy, ${tasksUnhealthy} not` : '';
    progress.say(app, `${app}: ${tasksRunning} of ${instances} running, ${tasksStaged} starting${health}`);
  } catch (error) {
    if (!(error instanceof MarathonError) || error.status !== 404) throw error;
    progress.say(app, `${app}: gone`);
  }
}

/** How something goes, line by line. Where the answer is for programs, people read this on stderr. */
class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #said = new Map<string, string>();

  constructor({ output }: CommonOptions) {
    this.#stream = output === 'table' ? process.stdout : process.stderr;
  }

  /** Only what is new is said. */
  say(about: string, line: string): void {
    if (this.#said.get(about) === line) return;
    this.#said.set(about, line);
    this.#stream.write(`${line}\n`);
  }
}

export async function rollback(id: string, options: ChangeOptions): Promise<number> {
  return begun(await ask<StartedDeployment>(options, 'DELETE', pathOf(id)), options);
}

export async function stop(id: string, options: CommonOptions): Promise<number> {
  await ask(options, 'DELETE', `${pathOf(id)}?force=true`);
  await print({ stopped: id }, options, () => [[`Deployment ${id} is stopped; what it has started goes on.`]]);
  return 0;
}
