import type { ContainerID } from '../../wire/v1.ts';

/** How upstream writes a container id: ancestors first, with dots between, which no part has. */
export function formatContainerId(id: ContainerID): string {
  return id.parent ? `${formatContainerId(id.parent)}.${id.value}` : id.value;
}

/** The parts of an id, the outermost first. */
export function partsOf(id: ContainerID): string[] {
  return id.parent ? [...partsOf(id.parent), id.value] : [id.value];
}

/** The other way round. @param parts at least one */
export function idOf(parts: readonly string[]): ContainerID {
  const value = parts.at(-1) ?? '';
  return parts.length > 1 ? { value, parent: idOf(parts.slice(0, -1)) } : { value };
}

/** The outermost ancestor, or the container itself. */
export function rootOf(id: ContainerID): ContainerID {
  return id.parent ? rootOf(id.parent) : id;
}
