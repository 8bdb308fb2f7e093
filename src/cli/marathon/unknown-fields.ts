/** Fields that Marathon does not know: it passes them over, and whoever mistyped one would never hear of it. */
import { appSchema, groupSchema, podSchema } from '../../marathon/definition/json-schema.ts';

export type What = 'app' | 'pod' | 'group';

type Schema = Readonly<Record<string, unknown>>;

const SCHEMAS: Readonly<Record<What, () => Schema>> = { app: appSchema, pod: podSchema, group: groupSchema };

/** What Marathon itself adds to apps and groups: it may come back with them. */
const ADDED = new Set([
  'tasks',
  'tasksStaged',
  'tasksRunning',
  'tasksHealthy',
  'tasksUnhealthy',
  'deployments',
  'readinessCheckResults',
  'lastTaskFailure',
  'taskStats',
  'tasksStats',
  'storeUrls',
  'pods',
]);

/** @returns a sentence for each field of the document that Marathon would pass over */
export function unknownFields(what: What, document: unknown): readonly string[] {
  const schema = SCHEMAS[what]();
  return namesOf(schema, document, { what, root: schema, path: '' });
}

interface Place {
  readonly what: What;
  readonly root: Schema;
  readonly path: string;
}

function namesOf(schema: Schema, value: unknown, place: Place): readonly string[] {
  const { root, path } = place;
  if (schema.$ref === '#') return namesOf(root, value, place);
  if (Array.isArray(value)) {
    const { items } = schema;
    return isObject(items)
      ? value.flatMap((each, at) => namesOf(items, each, { ...place, path: `${path}(${at})` }))
      : [];
  }
  if (!isObject(value)) return [];
  const shapes = (schema.anyOf ?? schema.oneOf ?? [schema]) as readonly Schema[];
  const known = shapes.flatMap(({ properties }) => (isObject(properties) ? [properties] : []));
  const others = shapes.map(({ additionalProperties }) => additionalProperties).find(isObject);
  if (known.length === 0 && others === undefined) return [];
  return Object.entries(value).flatMap(([name, each]) => {
    const inner = { ...place, path: `${path}/${name}` };
    const found = known.flatMap((fields) => (Object.hasOwn(fields, name) ? [fields[name] as Schema] : []));
    if (found.length > 0) return fewest(found.map((field) => namesOf(field, each, inner)));
    if (others !== undefined) return namesOf(others, each, inner);
    return ADDED.has(name) ? [] : [sentence(name, known, inner)];
  });
}

/** Of several shapes the value is meant to have that which knows most of it. */
function fewest(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.reduce((best, list) => (list.length < best.length ? list : best));
}

function sentence(name: string, known: readonly Schema[], { what, path }: Place): string {
  const text = `${path} is no field that Marathon knows, and is passed over`;
  const other = what === 'pod' ? 'app' : 'pod';
  const isOfOther = path === `/${name}` && what !== 'group' && Object.hasOwn(fieldsOf(other), name);
  if (isOfOther) return `${text}: it is one of ${other}s, which are for meseta ${other} apply`;
  const near = nearest(
    name,
    known.flatMap((fields) => Object.keys(fields)),
  );
  return near === undefined ? text : `${text}: is '${near}' meant?`;
}

function fieldsOf(what: What): Schema {
  return SCHEMAS[what]().properties as Schema;
}

function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((each) => ({ each, distance: distance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, distance: far }) => far * 2 <= Math.max(name.length, each.length))
    .sort((a, b) => a.distance - b.distance);
  return best?.each;
}

/** How many letters have to be taken away, added or changed. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let at = 1; at <= to.length; at++) {
      const change = row[at - 1]! + (to[at - 1] === letter ? 0 : 1);
      next.push(Math.min(change, row[at]! + 1, next[at - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
