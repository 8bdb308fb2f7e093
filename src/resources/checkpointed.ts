import { err, ok, type Result } from '../base/result.ts';
import type { Resource } from '../wire/v1.ts';
import { formatResource } from './format.ts';
import { withoutVolume } from './operations.ts';
import { upgrade } from './refinement.ts';
import { isDynamicallyReserved } from './requests.ts';
import type { Resources } from './resources.ts';

/**
 * Whether an agent must write the resource down to have it after a restart: its own dynamic reservations and persistent
 * volumes. Resource providers look after theirs.
 */
export function needsCheckpoint(resource: Resource): boolean {
  if (resource.provider_id !== undefined) return false;
  return resource.disk?.persistence !== undefined || isDynamicallyReserved(upgrade(resource));
}

/**
 * An agent's resources as its flags say, turned into what they had become.
 * @param checkpointed dynamic reservations and volumes; each must still fit into `total`
 */
export function applyCheckpointed(total: Resources, checkpointed: Iterable<Resource>): Result<Resources> {
  let result = total;
  for (const resource of checkpointed) {
    if (!needsCheckpoint(resource)) {
      return err(`${formatResource(resource)} is checkpointed, though it is neither dynamically reserved nor a volume`);
    }
    const origin = originOf(resource);
    if (!result.contains(origin)) {
      return err(
        `the checkpointed ${formatResource(resource)} does not fit: the agent's resources ${result} do not contain ` +
          `${formatResource(origin)}. Give the agent back what it had, or clear its work directory`,
      );
    }
    result = result.minus(origin).plus(resource);
  }
  return ok(result);
}

/** As the flags can say it: at most one reservation, a static one, and no volume. */
function originOf(resource: Resource): Resource {
  const { reservations = [], ...rest } = upgrade(resource);
  const kept = reservations.slice(0, reservations[0]?.type === 'STATIC' ? 1 : 0);
  const bare = rest.disk?.persistence === undefined ? rest : withoutVolume(rest);
  const { shared: _, ...origin } = bare;
  return kept.length === 0 ? origin : { ...origin, reservations: kept };
}
