/** What the agent has: its configured resources, with the reservations and volumes that operations made of them. */
import { err, ok, type Result } from '../../base/result.ts';
import { mapOperation } from '../../resources/carriers.ts';
import { applyCheckpointed, needsCheckpoint } from '../../resources/checkpointed.ts';
import { conversionsOf } from '../../resources/operations.ts';
import { upgrade } from '../../resources/refinement.ts';
import { Resources } from '../../resources/resources.ts';
import type { Offer_Operation, Resource } from '../../wire/v1.ts';
import type { VolumeChange } from './effects.ts';
import { discardedVolume, volumeDirectory } from './paths.ts';
import type { AgentState } from './state.ts';

/** Dynamic reservations and persistent volumes: what the agent's flags do not say. */
export function checkpointedResources(state: AgentState): readonly Resource[] {
  return state.total.filter(needsCheckpoint).toProto();
}

/** Everything that changes the total goes through here, which makes it the place to write it down. */
export function changeTotal(state: AgentState, total: Resources): void {
  state.total = total;
}

/** The operation as it applies to the total, which is allocated to nobody, in stack form. */
export function bareOperation(operation: Offer_Operation): Offer_Operation {
  return mapOperation(operation, (resource) => {
    const { allocation_info: _, ...bare } = upgrade(resource);
    return bare;
  });
}

/** The total after the operation was undone. @returns undefined if others have used what it had made */
export function withoutOperation(total: Resources, operation: Offer_Operation): Resources | undefined {
  const conversions = conversionsOf(operation);
  if (!conversions.ok) return undefined;
  let result = total;
  for (const { consumed, converted } of conversions.value.toReversed()) {
    const undone = result.convert({ consumed: converted, converted: consumed });
    if (!undone.ok) return undefined;
    result = undone.value;
  }
  return result;
}

/** A master of agents without RESOURCE_PROVIDER says what their reservations and volumes are. */
export function totalWith(state: AgentState, checkpointed: readonly Resource[]): Result<Resources> {
  return withCheckpointed(state.options.resources, checkpointed);
}

/** What flags say there is, with the reservations and volumes that were kept. */
export function withCheckpointed(
  configured: readonly Resource[],
  checkpointed: readonly Resource[],
): Result<Resources> {
  const total = applyCheckpointed(Resources.of(configured), checkpointed.map(upgrade));
  return total.ok ? ok(total.value) : err(total.error);
}

/** Which folders of volumes have to be made, and which removed, when the total changes. @param name unique */
export function volumeChanges(workDir: string, before: Resources, after: Resources, name: string): VolumeChange[] {
  const folders = (resources: Resources): Map<string, Resource> =>
    new Map([...resources.persistentVolumes()].map((volume) => [volumeDirectory(workDir, volume), volume]));
  const old = folders(before);
  const fresh = folders(after);
  const changes: VolumeChange[] = [];
  for (const [path, volume] of old) {
    if (fresh.has(path)) continue;
    // A mount point is the operator's; only what is in it goes.
    if (volume.disk?.source?.type === 'MOUNT') changes.push({ do: 'empty', path });
    else changes.push({ do: 'remove', path, via: discardedVolume(path, `${name}-${changes.length}`) });
  }
  for (const path of fresh.keys()) if (!old.has(path)) changes.push({ do: 'make', path });
  return changes;
}
