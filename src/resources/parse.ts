import { err, ok, type Result } from '../base/result.ts';
import { Resource } from '../wire/v1.ts';
import { formatResource } from './format.ts';
import { rangesToWire } from './ranges.ts';
import { upgrade } from './refinement.ts';
import { Resources } from './resources.ts';
import { ANY_ROLE } from './roles.ts';
import { validateResource } from './validate.ts';
import { parseValue } from './value-text.ts';

/**
 * Reads what a `--resources` flag says: `cpus:4;mem:2048;ports:[31000-32000];disks:{a,b};cpus(role):2`, or the JSON of an
 * array of `Resource`.
 * @param defaultRole the role that things without one are reserved to, statically
 */
export function parseResources(text: string, defaultRole: string = ANY_ROLE): Result<Resources> {
  const list = parseResourceList(text, defaultRole);
  if (!list.ok) return list;
  const resources = Resources.of(list.value);
  const misfit = misfitOnCommandLine(resources);
  return misfit === undefined ? ok(resources) : err(misfit);
}

/** As `parseResources`, but each resource by itself, zeros too: an agent must tell `gpus:0` from gpus that nobody mentioned. */
export function parseResourceList(text: string, defaultRole: string = ANY_ROLE): Result<readonly Resource[]> {
  const parsed = text.trim().startsWith('[') ? fromJson(text, defaultRole) : fromText(text, defaultRole);
  if (!parsed.ok) return parsed;
  for (const resource of parsed.value) {
    const valid = validateResource(resource);
    if (!valid.ok) return err(`the resource '${resource.name}' is not valid: ${valid.error}`);
  }
  return ok(parsed.value.map(upgrade));
}

function fromJson(text: string, defaultRole: string): Result<readonly Resource[]> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return err(`the resources begin with '[' but are not a JSON array: ${(error as Error).message}`);
  }
  if (!Array.isArray(json)) return err('the resources must be a JSON array of Resource objects');
  const list: Resource[] = [];
  for (const [at, item] of json.entries()) {
    const read = Resource.fromJson(item);
    if (!read.ok) return err(`the resource at position ${at} of the JSON array cannot be read: ${read.error}`);
    const resource = read.value;
    const bare = resource.role === undefined && (resource.reservations ?? []).length === 0;
    list.push(bare ? { ...resource, role: defaultRole } : resource);
  }
  return ok(list);
}

function fromText(text: string, defaultRole: string): Result<readonly Resource[]> {
  const list: Resource[] = [];
  for (const token of text.split(';').filter((part) => part.trim() !== '')) {
    const resource = fromToken(token, defaultRole);
    if (!resource.ok) return resource;
    list.push(resource.value);
  }
  return ok(list);
}

/** `name:value` or `name(role):value` */
function fromToken(token: string, defaultRole: string): Result<Resource> {
  const shown = token.trim();
  const parts = token.split(':').filter((part) => part !== '');
  const [head, amount] = parts;
  if (parts.length !== 2 || head === undefined || amount === undefined) {
    return err(`'${shown}' is not a resource; write name:value or name(role):value, with ';' between resources`);
  }
  let name = head.trim();
  let role = defaultRole;
  const open = head.indexOf('(');
  const close = head.indexOf(')');
  if (open >= 0 || close >= 0) {
    if (open < 0 || close < open) return err(`the parentheses in '${shown}' do not match; write name(role):value`);
    name = head.slice(0, open).trim();
    role = head.slice(open + 1, close).trim();
  }
  const value = parseValue(amount);
  if (!value.ok) return err(`the value of '${shown}' cannot be read: ${value.error}`);
  const owner: Partial<Resource> = role === ANY_ROLE ? {} : { reservations: [{ type: 'STATIC', role }] };
  switch (value.value.type) {
    case 'SCALAR':
      return ok({ name, type: 'SCALAR', scalar: { value: value.value.scalar }, ...owner });
    case 'RANGES':
      return ok({ name, type: 'RANGES', ranges: { range: rangesToWire(value.value.ranges) }, ...owner });
    case 'SET':
      return ok({ name, type: 'SET', set: { item: value.value.items }, ...owner });
    case 'TEXT':
      return err(
        `'${value.value.text}' in '${shown}' is text, which a resource cannot be; write a number that is not negative, ` +
          'ranges such as [1-10], or a set such as {a,b}',
      );
  }
}

/** What comes to be at run time must not be said at the command line. */
function misfitOnCommandLine(resources: Resources): string | undefined {
  const types = new Map<string, string>();
  for (const resource of resources) {
    const shown = formatResource(resource);
    if (resource.disk?.persistence !== undefined) {
      return `${shown} is a persistent volume; frameworks and operators create those, so remove 'persistence' from its 'disk'`;
    }
    if (resource.revocable !== undefined) return `${shown} must not be revocable here; remove its key 'revocable'`;
    if (resource.reservations?.at(-1)?.type === 'DYNAMIC') {
      return `${shown} must not have a DYNAMIC reservation here; use a STATIC one, or reserve it once the agent runs`;
    }
    const type = types.get(resource.name) ?? resource.type;
    if (type !== resource.type)
      return `the resource '${resource.name}' is given both as ${type} and as ${resource.type}`;
    types.set(resource.name, type);
  }
  return undefined;
}
