/** What must be allowed for an operation on resources. */
import type { Offer_Operation, Resource } from '../../../../wire/v1.ts';
import type { ResourceQuestion } from '../../authorization.ts';

/** One question for each resource, without the principal; an operation that asks nothing is allowed. */
export function questionsAbout(operation: Offer_Operation): readonly ResourceQuestion[] {
  const { reserve, unreserve, create, destroy, grow_volume: grow, shrink_volume: shrink } = operation;
  if (reserve !== undefined) return aboutReserve(reserve.source ?? [], reserve.resources ?? []);
  if (unreserve !== undefined) return each('UNRESERVE_RESOURCES', unreserve.resources ?? []);
  if (create !== undefined) return each('CREATE_VOLUME', create.volumes ?? []);
  if (destroy !== undefined) return each('DESTROY_VOLUME', destroy.volumes ?? []);
  const volume = grow?.volume ?? shrink?.volume;
  return volume === undefined ? [] : each('RESIZE_VOLUME', [volume]);
}

function each(action: ResourceQuestion['action'], resources: readonly Resource[]): ResourceQuestion[] {
  return resources.map((resource) => ({ action, resource }));
}

/**
 * With a source, the reservations that source and target do not share are taken off one by one, and put on one by one:
 * each step must be allowed.
 */
function aboutReserve(source: readonly Resource[], target: readonly Resource[]): readonly ResourceQuestion[] {
  const from = source[0]?.reservations ?? [];
  const to = target[0]?.reservations ?? [];
  if (source.length === 0) return each('RESERVE_RESOURCES', target);
  let common = 0;
  while (common < from.length && JSON.stringify(from[common]) === JSON.stringify(to[common])) common++;
  const questions: ResourceQuestion[] = [];
  for (let depth = from.length; depth > common; depth--) {
    questions.push(
      ...each(
        'UNRESERVE_RESOURCES',
        source.map((resource) => atDepth(resource, depth)),
      ),
    );
  }
  for (let depth = common + 1; depth <= to.length; depth++) {
    questions.push(
      ...each(
        'RESERVE_RESOURCES',
        target.map((resource) => atDepth(resource, depth)),
      ),
    );
  }
  return questions;
}

/** The resource with only the outer reservations. */
function atDepth(resource: Resource, depth: number): Resource {
  return { ...resource, reservations: (resource.reservations ?? []).slice(0, depth) };
}
