/** `meseta app`. */
import { ask } from './client.ts';
import { begin, type StartedDeployment } from './deployments.ts';
import { type Definition, print, readDefinitions } from './document.ts';
import type { ChangeOptions, CommonOptions, KillOptions, ListOptions } from './options.ts';
import { pathOf } from './paths.ts';

interface AppView {
  readonly id: string;
  readonly version: string;
  readonly instances: number;
  readonly cpus: number;
  readonly mem: number;
  readonly cmd?: string;
  readonly container?: { readonly docker?: { readonly image: string } };
  readonly tasksRunning: number;
  readonly tasksStaged: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
  readonly deployments: readonly { readonly id: string }[];
  readonly tasks?: readonly TaskView[];
  readonly lastTaskFailure?: { readonly state: string; readonly message: string; readonly timestamp: string };
}

interface TaskView {
  readonly id: string;
  readonly host: string;
  readonly state: string;
  readonly ports: readonly number[];
  readonly startedAt?: string;
  readonly healthCheckResults: readonly { readonly alive: boolean }[];
}

function forced(path: string, { force }: ChangeOptions): string {
  return force === true ? `${path}${path.includes('?') ? '&' : '?'}force=true` : path;
}

export async function listApps(options: ListOptions): Promise<number> {
  const query = options.label === undefined ? '' : `?label=${encodeURIComponent(options.label)}`;
  const { apps } = await ask<{ readonly apps: readonly AppView[] }>(options, 'GET', `/v2/apps${query}`);
  await print(apps, options, () => [
    ['ID', 'INSTANCES', 'HEALTH', 'CPUS', 'MEM', 'DEPLOYING', 'COMMAND'],
    ...apps.map((app) => [
      app.id,
      `${app.tasksRunning}/${app.instances}`,
      app.tasksHealthy + app.tasksUnhealthy === 0
        ? '-'
        : `${app.tasksHealthy}/${app.tasksHealthy + app.tasksUnhealthy}`,
      String(app.cpus),
      String(app.mem),
      app.deployments.length > 0 ? 'yes' : 'no',
      (app.cmd ?? app.container?.docker?.image ?? '').slice(0, 60),
    ]),
  ]);
  return 0;
}

export async function showApp(id: string, options: CommonOptions): Promise<number> {
  const { app } = await ask<{ readonly app: AppView }>(options, 'GET', pathOf('apps', id));
  const failure = app.lastTaskFailure;
  await print(app, options, () => [
    ['TASK', 'STATE', 'HEALTH', 'HOST', 'PORTS', 'STARTED'],
    ...(app.tasks ?? []).map((task) => [
      task.id,
      task.state,
      task.healthCheckResults.length === 0
        ? '-'
        : task.healthCheckResults.every(({ alive }) => alive)
          ? 'healthy'
          : 'unhealthy',
      task.host,
      task.ports.join(',') || '-',
      task.startedAt ?? '-',
    ]),
  ]);
  if (options.output === 'table' && failure) {
    process.stdout.write(`\nLast failure: ${failure.state} at ${failure.timestamp}: ${failure.message}\n`);
  }
  return 0;
}

/** All files in one deployment: either all of it begins or nothing. */
export async function applyApps(files: readonly string[], options: ChangeOptions): Promise<number> {
  const definitions = (await Promise.all(files.map((file) => readDefinitions(file, 'app')))).flat();
  assertNoneTwice(definitions);
  const path = forced('/v2/apps?partialUpdate=false', options);
  const apps = definitions.map(({ value }) => value);
  const places = definitions.map(({ place }) => place);
  return begin(options, () => ask<StartedDeployment>(options, 'PUT', path, apps, places));
}

/** Marathon would take the last one, and say nothing of the others. */
function assertNoneTwice(definitions: readonly Definition[]): void {
  const places = new Map<string, string>();
  for (const { value, place } of definitions) {
    if (typeof value.id !== 'string') continue;
    const id = `/${value.id.replace(/^\/+/, '')}`;
    const other = places.get(id);
    if (other !== undefined) throw new Error(`${id} is said twice, by ${other} and by ${place}: leave one of them out`);
    places.set(id, place);
  }
}

export async function scaleApp(id: string, instances: number, options: ChangeOptions): Promise<number> {
  return begin(options, () =>
    ask<StartedDeployment>(options, 'PATCH', forced(pathOf('apps', id), options), { instances }),
  );
}

export async function restartApp(id: string, options: ChangeOptions): Promise<number> {
  return begin(options, () =>
    ask<StartedDeployment>(options, 'POST', forced(`${pathOf('apps', id)}/restart`, options)),
  );
}

export async function deleteApp(id: string, options: ChangeOptions): Promise<number> {
  return begin(options, () => ask<StartedDeployment>(options, 'DELETE', forced(pathOf('apps', id), options)));
}

export async function listVersions(id: string, options: CommonOptions): Promise<number> {
  const { versions } = await ask<{ readonly versions: readonly string[] }>(
    options,
    'GET',
    `${pathOf('apps', id)}/versions`,
  );
  await print(versions, options, () => [['VERSION'], ...versions.map((version) => [version])]);
  return 0;
}

export async function rollbackApp(id: string, version: string, options: ChangeOptions): Promise<number> {
  return begin(options, () => ask<StartedDeployment>(options, 'PUT', forced(pathOf('apps', id), options), { version }));
}

export async function killTasks(id: string, tasks: readonly string[], options: KillOptions): Promise<number> {
  const query = new URLSearchParams();
  if (options.scale) query.set('scale', 'true');
  if (options.wipe) query.set('wipe', 'true');
  if (tasks.length > 0) await assertTasksOf(id, tasks, options);
  const answer =
    tasks.length === 0
      ? await ask<object>(options, 'DELETE', `${pathOf('apps', id)}/tasks?${query}`)
      : await ask<object>(options, 'POST', `/v2/tasks/delete?${query}`, { ids: tasks });
  const killed = (answer as { readonly tasks?: readonly TaskView[] }).tasks ?? [];
  await print(answer, options, () =>
    'deploymentId' in answer
      ? [['DEPLOYMENT'], [String(answer.deploymentId)]]
      : [['KILLED', 'HOST'], ...killed.map((task) => [task.id, task.host])],
  );
  return 0;
}

/** Marathon passes over tasks that it does not know, and does not care whose the others are. */
async function assertTasksOf(id: string, tasks: readonly string[], options: CommonOptions): Promise<void> {
  const known = await ask<{ readonly tasks: readonly TaskView[] }>(options, 'GET', `${pathOf('apps', id)}/tasks`);
  const ids = new Set(known.tasks.map((task) => task.id));
  const others = tasks.filter((task) => !ids.has(task));
  if (others.length > 0)
    throw new Error(
      `nothing was killed: ${id} has no task ${others.join(', ')}; meseta app show ${id} lists those it has`,
    );
}
