/** Whether an agent may come back with other flags than before (`--reconfiguration_policy`). */
import { err, ok, type Result } from '../../base/result.ts';
import { Resources } from '../../resources/resources.ts';
import { type AgentInfo, Attribute, DomainInfo } from '../../wire/v1.ts';

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
  const domain = policy === 'equal' || before.domain !== undefined;
  if (domain && textOf(DomainInfo, before.domain) !== textOf(DomainInfo, now.domain)) {
    return changed('domain', textOf(DomainInfo, before.domain), textOf(DomainInfo, now.domain));
  }
  const resources = Resources.of(before.resources ?? []);
  const newResources = Resources.of(now.resources ?? []);
  const fits = policy === 'equal' ? resources.equals(newResources) : newResources.contains(resources);
  if (!fits) return changed('resources', resources.toString(), newResources.toString());
  return attributes(before, now, policy);
}

function attributes(before: AgentInfo, now: AgentInfo, policy: ReconfigurationPolicy): Result<void> {
  const texts = (info: AgentInfo): string[] => (info.attributes ?? []).map((attribute) => textOf(Attribute, attribute));
  const had = texts(before);
  const has = new Set(texts(now));
  const lost = had.find((attribute) => !has.has(attribute));
  if (lost === undefined && (policy === 'additive' || had.length === has.size)) return ok(undefined);
  return changed('attributes', had.join(';'), [...has].join(';'));
}

function textOf<T>(type: { stringify(message: T): string }, message: T | undefined): string {
  return message === undefined ? '' : type.stringify(message);
}

function changed(what: string, before: string, now: string): Result<void> {
  return err(`the agent's ${what} changed from '${before}' to '${now}'`);
}
