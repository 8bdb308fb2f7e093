/** `meseta marathon import`: takes over what another Marathon, also an upstream one, is to run. */
import { ask } from './client.ts';
import { print } from './document.ts';
import type { CommonOptions } from './options.ts';

interface Definition {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** What answers show and definitions do not have. */
const SHOWN_ONLY = [
  'version',
  'versionInfo',
  'tasks',
  'tasksStaged',
  'tasksRunning',
  'tasksHealthy',
  'tasksUnhealthy',
  'deployments',
  'lastTaskFailure',
  'readinessCheckResults',
  'taskStats',
  'tasksStats',
  // Old servers emit both spellings; the newer one says the same.
  'ports',
  'uris',
  'storeUrls',
];

export async function importFrom(url: string, options: CommonOptions & { readonly dryRun?: boolean }): Promise<number> {
  const from = { marathon: url };
  const { apps } = await ask<{ readonly apps: readonly Definition[] }>(from, 'GET', '/v2/apps');
  const pods = await ask<readonly Definition[]>(from, 'GET', '/v2/pods').catch(() => [] as readonly Definition[]);
  const definitions = apps.map(definitionOf);
  await print({ apps: definitions, pods }, options, () => [
    ['WHAT', 'ID'],
    ...definitions.map(({ id }) => ['app', id]),
    ...pods.map(({ id }) => ['pod', id]),
  ]);
  if (options.dryRun) return 0;
  if (definitions.length > 0) await ask(options, 'PUT', '/v2/apps?partialUpdate=false', definitions);
  for (const pod of pods) await ask(options, 'PUT', `/v2/pods/${pod.id.replace(/^\/+/, '')}`, definitionOf(pod));
  process.stdout.write(
    `Took ${definitions.length} apps and ${pods.length} pods over from ${url}; they are being deployed.\n`,
  );
  return 0;
}

function definitionOf(view: Definition): Definition {
  const kept = Object.entries(view).filter(([name, value]) => !SHOWN_ONLY.includes(name) && value !== null);
  return Object.fromEntries(kept) as Definition;
}
