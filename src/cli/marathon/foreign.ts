/** Definitions as other Marathons show them, back to 1.4: freed of what is only shown, and of spellings that say the same twice. */

export type Fields = Readonly<Record<string, unknown>>;

export interface Definition extends Fields {
  readonly id: string;
}

/** What a group says of itself. */
export interface GroupFacts {
  readonly id: string;
  readonly dependencies: readonly string[];
  readonly enforceRole: boolean;
}

export interface Foreign {
  readonly apps: readonly Definition[];
  readonly groups: readonly GroupFacts[];
}

const SHOWN_ONLY = new Set([
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
  // Nothing has been fetched from there since 1.5.
  'storeUrls',
]);

/** Everything in a group and below it. @throws Error when this is no group of a Marathon */
export function readTree(value: unknown, from: string): Foreign {
  const apps: Definition[] = [];
  const groups: GroupFacts[] = [];
  const walk = (group: unknown, depth: number): void => {
    if (!isDefinition(group) || depth > 100)
      throw new Error(`${from} does not answer like a Marathon: /v2/groups is no tree of groups`);
    groups.push({
      id: group.id,
      dependencies: listOf(group.dependencies).filter((each) => typeof each === 'string'),
      enforceRole: group.enforceRole === true,
    });
    for (const app of valuesOf(group.apps)) {
      if (!isDefinition(app)) throw new Error(`${from} has an app without an id, in the group ${group.id}`);
      apps.push(appDefinition(app));
    }
    for (const inner of valuesOf(group.groups)) walk(inner, depth + 1);
  };
  walk(value, 0);
  return { apps, groups };
}

/** Old versions show lists, some in between objects by id. */
function valuesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : typeof value === 'object' && value !== null ? Object.values(value) : [];
}

/** An app, as it would be asked for. */
export function appDefinition(view: Definition): Definition {
  const { ports, uris, fetch, portDefinitions, ...rest } = shownLess(view) as Definition & Fields;
  const container = rest.container as Fields | undefined;
  const docker = container?.docker as Fields | undefined;
  const hasMappings = container?.portMappings !== undefined || docker?.portMappings !== undefined;
  // With addresses or mappings of its own, an app's ports are only what others call them.
  const isMapped = hasMappings || rest.ipAddress !== undefined || isContainerNetworked(rest.networks);
  return {
    ...rest,
    ...(!isMapped && portDefinitions !== undefined && { portDefinitions }),
    ...(!isMapped && portDefinitions === undefined && ports !== undefined && { ports }),
    ...(fetch === undefined ? uris !== undefined && { uris } : { fetch }),
  };
}

/** A pod, as it would be asked for. */
export function podDefinition(view: Definition): Definition {
  return shownLess(view) as Definition;
}

function isContainerNetworked(networks: unknown): boolean {
  return listOf(networks).some((each) => isObject(each) && typeof each.mode === 'string' && each.mode !== 'host');
}

function shownLess(view: Fields): Fields {
  const kept = Object.entries(view).filter(([name]) => !SHOWN_ONLY.has(name));
  return withoutNulls(Object.fromEntries(kept)) as Fields;
}

/** Older versions write null for what was not said; newer ones refuse to be told that. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutNulls(each)]));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isDefinition(value: unknown): value is Definition {
  return isObject(value) && typeof value.id === 'string' && value.id !== '';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
