/** Whether an agent may come back with other flags than before (`--reconfiguration_policy`). */
import { err, ok, type Result } from '../../base/result.ts';
import { formatAttribute, sameAttributes } from '../../resources/attributes.ts';
import { containsRanges, rangesOf } from '../../resources/ranges.ts';
import { Resources } from '../../resources/resources.ts';
import { type AgentInfo, type Attribute, DomainInfo } from '../../wire/v1.ts';

export type ReconfigurationPolicy = 'equal' | 'additive';

/**
 * @param before as it was saved
 * @param now as the flags say
 * @returns a sentence that names what has changed and must not
 */
export function reconfigure(before: AgentInfo, now: AgentInfo, policy: ReconfigurationPolicy): Result<void> {
  if (before.hostname !== now.hostname) return changed('hostname', before.hostname, now.hostname);
  const [port, newPort] = [before.port ?? 5051, now.port ?? 5051];
  if (port !== newPort) return changed('port', String(port), String(newPort));
  const mayComeUp = policy === 'additive' && before.domain === undefined;
  if (!mayComeUp && textOf(DomainInfo, before.domain) !== textOf(DomainInfo, now.domain)) {
    return changed('domain', textOf(DomainInfo, before.domain), textOf(DomainInfo, now.domain));
  }
  const resources = policy === 'equal' ? sameResources(before, now) : moreResources(before, now);
  if (!resources.ok) return resources;
  return policy === 'equal' ? equalAttributes(before, now) : moreAttributes(before, now);
}

function sameResources(before: AgentInfo, now: AgentInfo): Result<void> {
  const [had, has] = [Resources.of(before.resources ?? []), Resources.of(now.resources ?? [])];
  return had.equals(has) ? ok(undefined) : changed('resources', had.toString(), has.toString());
}

function moreResources(before: AgentInfo, now: AgentInfo): Result<void> {
  const has = Resources.of(now.resources ?? []);
  for (const resource of Resources.of(before.resources ?? [])) {
    const one = Resources.of([resource]);
    if (has.contains(one)) continue;
    const left = has.named(resource.name);
    return shrunk(`resource ${resource.name}`, one.toString(), left.isEmpty ? '' : left.toString());
  }
  return ok(undefined);
}

function equalAttributes({ attributes: had = [] }: AgentInfo, { attributes: has = [] }: AgentInfo): Result<void> {
  if (sameAttributes(had, has)) return ok(undefined);
  return changed('attributes', had.map(formatAttribute).join(';'), has.map(formatAttribute).join(';'));
}

function moreAttributes({ attributes: had = [] }: AgentInfo, { attributes: has = [] }: AgentInfo): Result<void> {
  for (const attribute of had) {
    const others = has.filter(({ name }) => name === attribute.name);
    if (others.some((other) => includes(other, attribute))) continue;
    const texts = others.map(formatAttribute).join(';');
    return shrunk(`attribute ${attribute.name}`, formatAttribute(attribute), texts);
  }
  return ok(undefined);
}

/** The same value, or ranges that have become more. */
function includes(other: Attribute, attribute: Attribute): boolean {
  if (other.type !== 'RANGES' || attribute.type !== 'RANGES') {
    return other.type === attribute.type && formatAttribute(other) === formatAttribute(attribute);
  }
  return containsRanges(rangesOf(other.ranges?.range ?? []), rangesOf(attribute.ranges?.range ?? []));
}

function textOf<T>(type: { stringify(message: T): string }, message: T | undefined): string {
  return message === undefined ? '' : type.stringify(message);
}

function changed(what: string, before: string, now: string): Result<void> {
  return err(`the agent's ${what} changed from '${before}' to '${now}'`);
}

function shrunk(what: string, before: string, now: string): Result<void> {
  const after = now === '' ? 'is gone' : `has become '${now}'`;
  return err(`the agent's ${what} was '${before}' and ${after}`);
}
