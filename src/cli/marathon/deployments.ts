/** `meseta deployment`: what is under way, and staying until it is over. */
import { ask, MarathonError } from './client.ts';
import { print } from './document.ts';
import { Endings } from './endings.ts';
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

/**
 * Has a change made, and says which deployment that began; with --watch stays until it is over.
 * @returns the exit status
 */
export async function begin(options: ChangeOptions, change: () => Promise<StartedDeployment>): Promise<number> {
  // From before, so that no end is missed.
  const endings = options.watch ? await Endings.listen(options) : undefined;
  try {
    const { deploymentId } = await change();
    const status = endings ? await follow(deploymentId, endings, options) : 0;
    if (endings && options.output === 'table') return status;
    await print({ deploymentId }, options, () => [['DEPLOYMENT'], [deploymentId]]);
    return status;
  } finally {
    endings?.close();
  }
}

/** Shows how a deployment goes until it is over. @returns 0 also for one that is not under way */
export async function watch(id: string, options: CommonOptions): Promise<number> {
  const endings = await Endings.listen(options);
  try {
    return await follow(id, endings, options);
  } finally {
    endings.close();
  }
}

/** @returns 0 if it went well, as far as anybody has told, 1 if it was given up */
export async function follow(id: string, endings: Endings, options: CommonOptions): Promise<number> {
  const progress = new Progress(options);
  const wasUnderWay = await showUntilOver(id, progress, options);
  const ending = wasUnderWay || endings.has(id) ? await endings.of(id) : undefined;
  if (ending?.kind === 'failed') {
    progress.say('end', `Deployment ${id} was given up: ${ending.reason}`);
    return 1;
  }
  progress.say('end', ending ? `Deployment ${id} is done.` : `Deployment ${id} is not under way (any more).`);
  return 0;
}

/** @returns whether it ever was under way */
async function showUntilOver(id: string, progress: Progress, options: CommonOptions): Promise<boolean> {
  const specs = new Set<string>();
  let wasUnderWay = false;
  for (;;) {
    const deployments = await ask<readonly DeploymentView[]>(options, 'GET', '/v2/deployments');
    const deployment = deployments.find((each) => each.id === id);
    if (deployment) {
      wasUnderWay = true;
      for (const app of deployment.affectedApps) specs.add(app);
      progress.say('step', `step ${deployment.currentStep} of ${deployment.totalSteps}: ${actionsOf(deployment)}`);
    }
    for (const app of specs) await sayCounts(app, progress, options);
    if (deployment === undefined) return wasUnderWay;
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
  return begin(options, () => ask<StartedDeployment>(options, 'DELETE', pathOf(id)));
}

export async function stop(id: string, options: CommonOptions): Promise<number> {
  await ask(options, 'DELETE', `${pathOf(id)}?force=true`);
  await print({ stopped: id }, options, () => [[`Deployment ${id} is stopped; what it has started goes on.`]]);
  return 0;
}
