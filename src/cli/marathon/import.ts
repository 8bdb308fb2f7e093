/** `meseta marathon import`: takes over what another Marathon, also an upstream one, is to run. */
import { withoutPassword } from '../../base/password.ts';
import { writeApp } from '../../marathon/definition/app-form.ts';
import { writePod } from '../../marathon/definition/pod-form.ts';
import { readApp } from '../../marathon/definition/read-app.ts';
import { readPod } from '../../marathon/definition/read-pod.ts';
import type { DefinitionContext, Refused } from '../../marathon/definition/types.ts';
import { ask, MarathonError } from './client.ts';
import { print } from './document.ts';
import { appDefinition, type Definition, type GroupFacts, isDefinition, podDefinition, readTree } from './foreign.ts';
import type { CommonOptions } from './options.ts';

export interface ImportOptions extends CommonOptions {
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** Also replaces what is there already and differs. */
  readonly replace?: boolean;
}

type Kind = 'app' | 'pod';

/** `new`: to be created. `same`: there already. `differs`: there, and not the same. `refused`: no definition here. */
interface Item {
  readonly kind: Kind;
  readonly id: string;
  readonly state: 'new' | 'same' | 'differs' | 'refused';
  readonly reason?: string;
  readonly definition: Definition;
}

interface Content {
  readonly apps: readonly Definition[];
  readonly pods: readonly Definition[];
  readonly groups: readonly GroupFacts[];
}

type Place = Pick<CommonOptions, 'marathon' | 'credentials'>;

const TREE = '/v2/groups?embed=group.groups&embed=group.apps';

/** Can be repeated: what has been taken over already is left alone. @returns 1 if something was not taken over */
export async function importFrom(url: string, options: ImportOptions): Promise<number> {
  const from = sourceOf(url);
  const there = await contentOf(from);
  const here = await contentOf(options);
  const items = [
    ...there.apps.map((definition) => itemOf('app', definition, here.apps)),
    ...there.pods.map((definition) => itemOf('pod', definition, here.pods)),
  ];
  const shown = items.map(({ kind, id, state, reason }) => ({ kind, id, state, ...(reason && { reason }) }));
  await print({ items: shown, apps: there.apps, pods: there.pods }, options, () => [
    ['WHAT', 'ID', 'HERE', 'WHY'],
    ...shown.map(({ kind, id, state, reason = '' }) => [kind, id, state, reason]),
  ]);
  const wanted = items.filter(({ state }) => state === 'new' || (state === 'differs' && options.replace === true));
  const left = items.filter((item) => item.state !== 'same' && !wanted.includes(item));
  if (options.dryRun === true) return left.length > 0 ? 1 : 0;
  const refused = [...(await putApps(options, wanted)), ...(await putPods(options, wanted))];
  await putGroups(options, there.groups, here.groups);
  const taken = wanted.length - refused.length;
  process.stderr.write(
    `Took ${taken} apps and pods over from ${withoutPassword(url)}; ${items.length - taken} were not: ` +
      `${items.filter(({ state }) => state === 'same').length} are here already, ${left.length + refused.length} could not be.\n`,
  );
  for (const [id, reason] of refused) process.stderr.write(`  ${id}: ${reason.replaceAll('\n', '\n  ')}\n`);
  if (left.some(({ state }) => state === 'differs')) {
    process.stderr.write(
      'Those that differ are left as they are here; add --replace to have them as they are there.\n',
    );
  }
  return left.length + refused.length > 0 ? 1 : 0;
}

/** A name and a password may stand in the URL. */
function sourceOf(text: string): Place {
  const url = text.includes('://') && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username === '') return { marathon: text };
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { marathon: `${url.protocol}//${url.host}`, credentials };
}

async function contentOf(place: Place): Promise<Content> {
  const named = withoutPassword(place.marathon);
  const { apps, groups } = readTree(await ask<unknown>(place, 'GET', TREE), named);
  // Before 1.4 there were none.
  const pods = await ask<unknown>(place, 'GET', '/v2/pods').catch((error: unknown) => {
    if (error instanceof MarathonError && error.status === 404) return [];
    throw error;
  });
  if (!Array.isArray(pods) || !pods.every(isDefinition))
    throw new Error(`${named} does not answer like a Marathon: /v2/pods is no list of pods`);
  return { apps, pods: pods.map(podDefinition), groups };
}

function itemOf(kind: Kind, definition: Definition, here: readonly Definition[]): Item {
  const { id } = definition;
  const own = here.find((each) => each.id === id);
  const asked = normal(kind, definition);
  if ('reason' in asked) return { kind, id, state: 'refused', reason: asked.reason, definition };
  if (own === undefined) return { kind, id, state: 'new', definition };
  const found = normal(kind, own);
  return { kind, id, state: 'normal' in found && isAlike(asked.normal, found.normal) ? 'same' : 'differs', definition };
}

/** As permissive as any Marathon: the one that gets it has the last word. */
const CONTEXT: DefinitionContext = {
  defaultRole: '*',
  features: new Set(['secrets', 'gpu_resources', 'external_volumes', 'vips', 'task_killing']),
  mesosBridgeName: 'mesos-bridge',
  acceptedResourceRolesDefault: 'any',
};

/** Two that come to the same are the same, however they were spelled. */
function normal(kind: Kind, definition: Definition): { readonly normal: Definition } | { readonly reason: string } {
  const group = `/${definition.id.split('/')[1] ?? ''}`;
  const role = typeof definition.role === 'string' ? definition.role : CONTEXT.defaultRole;
  const facts = {
    context: CONTEXT,
    roles: { defaultRole: role, ...(group.length > 1 && { groupRole: group.slice(1) }), enforceRole: false },
  };
  if (kind === 'app') {
    const app = readApp(definition, facts, 0);
    return app.ok ? { normal: appDefinition(writeApp(app.value) as Definition) } : { reason: reasonOf(app.error) };
  }
  const pod = readPod(definition, facts, { version: 0 });
  return pod.ok ? { normal: podDefinition(writePod(pod.value) as Definition) } : { reason: reasonOf(pod.error) };
}

function reasonOf(refused: Refused): string {
  if (refused.kind === 'normalization') return refused.message;
  return refused.problems.map(({ path, error }) => `${path}: ${error}`).join('; ');
}

/** A service port of 0 has become another one where it is. */
function isAlike(asked: unknown, found: unknown, name = ''): boolean {
  if (typeof asked !== 'object' || asked === null || typeof found !== 'object' || found === null) {
    return asked === found || (asked === 0 && (name === 'port' || name === 'servicePort'));
  }
  const [one, two] = [Object.entries(asked), Object.entries(found)];
  if (one.length !== two.length || Array.isArray(asked) !== Array.isArray(found)) return false;
  const others = new Map(two);
  return one.every(([key, value]) => others.has(key) && isAlike(value, others.get(key), key));
}

type Refusals = (readonly [id: string, reason: string])[];

/** All at once, so that they start in the order of their dependencies; where one of them is refused, each for itself. */
async function putApps(place: Place, items: readonly Item[]): Promise<Refusals> {
  const apps = items.filter(({ kind }) => kind === 'app').map(({ definition }) => definition);
  if (apps.length === 0) return [];
  try {
    await ask(place, 'PUT', '/v2/apps?partialUpdate=false', apps);
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  return eachAlone(apps, (app) => ask(place, 'PUT', `/v2/apps${app.id}?partialUpdate=false`, app));
}

async function putPods(place: Place, items: readonly Item[]): Promise<Refusals> {
  const pods = items.filter(({ kind }) => kind === 'pod');
  const isNew = new Set(pods.filter(({ state }) => state === 'new').map(({ id }) => id));
  return eachAlone(
    pods.map(({ definition }) => definition),
    (pod) => (isNew.has(pod.id) ? ask(place, 'POST', '/v2/pods', pod) : ask(place, 'PUT', `/v2/pods${pod.id}`, pod)),
  );
}

async function eachAlone(all: readonly Definition[], put: (one: Definition) => Promise<unknown>): Promise<Refusals> {
  const refusals: Refusals = [];
  for (const one of all) {
    try {
      await put(one);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push([one.id, error.message]);
    }
  }
  return refusals;
}

/** The definition is not taken: others may be. */
function isRefusal(error: unknown): error is MarathonError {
  return error instanceof MarathonError && error.status >= 400 && error.status < 500 && error.status !== 401;
}

/** What groups depend on, and whether their name is the role of what is in them. */
async function putGroups(place: Place, there: readonly GroupFacts[], here: readonly GroupFacts[]): Promise<void> {
  for (const { id, dependencies, enforceRole } of there) {
    const own = here.find((each) => each.id === id);
    if (id !== '/' && dependencies.join() !== (own?.dependencies ?? []).join()) {
      await ask(place, 'PUT', `/v2/groups${id}`, { id, dependencies });
    }
    const isTop = id.lastIndexOf('/') === 0 && id !== '/';
    if (isTop && enforceRole !== (own?.enforceRole ?? false))
      await ask(place, 'PATCH', `/v2/groups${id}`, { enforceRole });
  }
}
