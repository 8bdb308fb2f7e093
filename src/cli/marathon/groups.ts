/** `meseta group`. */
import { ask } from './client.ts';
import { begin, type StartedDeployment } from './deployments.ts';
import { print, readDefinitions } from './document.ts';
import type { ChangeOptions, CommonOptions } from './options.ts';
import { pathOf } from './paths.ts';

interface GroupView {
  readonly id: string;
  readonly apps: readonly { readonly id: string; readonly instances: number; readonly tasksRunning?: number }[];
  readonly pods: readonly { readonly id: string; readonly status: string }[];
  readonly groups: readonly GroupView[];
}

interface DryRun {
  readonly steps: readonly {
    readonly actions: readonly { readonly action: string; readonly app?: string; readonly pod?: string }[];
  }[];
}

const EMBED = ['group.groups', 'group.apps', 'group.pods', 'group.apps.counts']
  .map((each) => `embed=${each}`)
  .join('&');

export async function showGroup(id: string, options: CommonOptions): Promise<number> {
  const group = await ask<GroupView>(options, 'GET', `${pathOf('groups', id)}?${EMBED}`);
  await print(group, options, () => [['WHAT', 'ID', 'RUNNING'], ...rows(group)]);
  return 0;
}

function rows(group: GroupView): string[][] {
  return [
    ['group', group.id, ''],
    ...group.apps.map(({ id, instances, tasksRunning }) => ['app', id, `${tasksRunning ?? 0}/${instances}`]),
    ...group.pods.map(({ id, status }) => ['pod', id, status]),
    ...group.groups.flatMap(rows),
  ];
}

export async function applyGroup(
  file: string,
  options: ChangeOptions & { readonly dryRun?: boolean },
): Promise<number> {
  const definitions = await readDefinitions(file, 'group');
  if (definitions.length > 1) throw new Error(`${file} holds ${definitions.length} definitions, and a group is one`);
  const query = new URLSearchParams();
  if (options.force) query.set('force', 'true');
  if (options.dryRun) query.set('dryRun', 'true');
  const put = <T>(): Promise<T> => ask<T>(options, 'PUT', `/v2/groups?${query}`, definitions[0]!.value);
  if (!options.dryRun) return begin(options, put<StartedDeployment>);
  const plan = await put<DryRun>();
  await print(plan, options, () => [
    ['STEP', 'ACTIONS'],
    ...plan.steps.map(({ actions }, at) => [
      String(at + 1),
      actions.map(({ action, app, pod }) => `${action} ${app ?? pod}`).join(', '),
    ]),
  ]);
  return 0;
}

export async function deleteGroup(id: string, options: ChangeOptions): Promise<number> {
  const force = options.force ? '?force=true' : '';
  return begin(options, () => ask<StartedDeployment>(options, 'DELETE', `${pathOf('groups', id)}${force}`));
}
