/** Apps as the API shows them: their definition, and whatever else was asked for. */
import type { App, Instance } from '../core/model.ts';
import type { MarathonState, SpecRecord } from '../core/state.ts';
import { writeApp } from '../definition/app-form.ts';
import { writeInstant } from '../definition/instant.ts';
import { failureView } from './failure.ts';
import { tasksOf } from './task.ts';
import { taskStats } from './task-stats.ts';

/** What is shown besides the definition. */
export type AppEmbed = 'tasks' | 'counts' | 'deployments' | 'readiness' | 'lastTaskFailure' | 'taskStats';

const EMBEDS: ReadonlySet<string> = new Set<AppEmbed>([
  'tasks',
  'counts',
  'deployments',
  'readiness',
  'lastTaskFailure',
  'taskStats',
]);

/** What `embed` parameters ask for; what is not known is passed over. @param prefixes that may stand before a name */
export function appEmbeds(values: readonly string[], prefixes: readonly string[]): Set<AppEmbed> {
  const embeds = new Set<AppEmbed>();
  for (const value of values) {
    const prefix = prefixes.find((each) => value.startsWith(each));
    const name = prefix === undefined ? value : value.slice(prefix.length);
    if (name === 'failures') for (const each of ['tasks', 'lastTaskFailure', 'deployments'] as const) embeds.add(each);
    else if (EMBEDS.has(name)) embeds.add(name as AppEmbed);
    if (name === 'tasks') embeds.add('deployments');
  }
  return embeds;
}

/** @param now for lifetimes */
export function appInfo(state: MarathonState, app: App, embeds: ReadonlySet<AppEmbed>, now: number): object {
  return { ...writeApp(app), ...embedded(state, app, embeds, now) };
}

/** What definitions were written to: they never change, and most of them are shown again and again. */
const written = new WeakMap<App, string>();

/** The same as JSON. */
export function appText(state: MarathonState, app: App, embeds: ReadonlySet<AppEmbed>, now: number): string {
  let text = written.get(app);
  if (text === undefined) {
    text = JSON.stringify(writeApp(app));
    written.set(app, text);
  }
  const more = JSON.stringify(embedded(state, app, embeds, now));
  return more === '{}' ? text : `${text.slice(0, -1)},${more.slice(1)}`;
}

function embedded(state: MarathonState, app: App, embeds: ReadonlySet<AppEmbed>, now: number): object {
  const record = state.specs.get(app.id);
  const instances = (): readonly Instance[] => [...(record?.instances.values() ?? [])];
  return {
    ...(embeds.has('counts') && countsOf(record)),
    ...(embeds.has('deployments') && { deployments: deploymentsOf(state, app.id) }),
    ...(embeds.has('tasks') && { tasks: tasksOf(state, app.id) }),
    ...(embeds.has('readiness') && { readinessCheckResults: readinessOf(state, instances()) }),
    ...(embeds.has('lastTaskFailure') &&
      record?.lastFailure && { lastTaskFailure: failureView(record.lastFailure, writeInstant) }),
    ...(embeds.has('taskStats') && { taskStats: taskStats(app, instances(), now) }),
  };
}

/** How many instances are where. */
function countsOf(record: SpecRecord | undefined): object {
  const { staged = 0, running = 0, healthy = 0, unhealthy = 0 } = record?.counts ?? {};
  return { tasksStaged: staged, tasksRunning: running, tasksHealthy: healthy, tasksUnhealthy: unhealthy };
}

/** The deployments that hold this app or pod. */
export function deploymentsOf(state: MarathonState, specId: string): readonly { readonly id: string }[] {
  const holder = state.locks.get(specId);
  return holder === undefined ? [] : [{ id: holder }];
}

function readinessOf(state: MarathonState, instances: readonly Instance[]): readonly object[] {
  return instances.flatMap(({ id }) => state.readiness.get(id) ?? []);
}
