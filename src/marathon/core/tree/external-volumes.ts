/** Volumes that other systems hold: one that cannot be shared belongs to one app. */
import type { App, Problem, Volume } from '../../definition/types.ts';
import type { SpecChange } from '../model.ts';

type External = Extract<Volume, { readonly kind: 'dvdi' | 'csi' }>;

/** What is wrong with the external volumes of these changes, seen from all apps that there will be. */
export function externalVolumeProblems(
  changes: readonly SpecChange[],
  allApps: () => Iterable<App>,
): readonly Problem[] {
  const changed = changes.flatMap(({ after }) =>
    after?.kind === 'app' && externalsOf(after).length > 0 ? [after] : [],
  );
  if (changed.length === 0) return [];
  const uses = new Map<string, Use[]>();
  for (const app of allApps()) {
    for (const volume of externalsOf(app)) {
      const use = { app: app.id, isExclusive: isExclusive(volume), isReader: isReader(volume) };
      uses.set(keyOf(volume), [...(uses.get(keyOf(volume)) ?? []), use]);
    }
  }
  return changed.flatMap((app) =>
    externalsOf(app).flatMap((volume) => {
      if (isReader(volume)) return [];
      const rivals = (uses.get(keyOf(volume)) ?? []).filter(
        (use) => use.app !== app.id && (use.isExclusive || (isExclusive(volume) && !use.isReader)),
      );
      if (rivals.length === 0) return [];
      const path = `/container/volumes(${app.container!.volumes.indexOf(volume)})/external/name`;
      const error = `Volume name '${volume.external.name}' in ${app.id} conflicts with volume(s) of same name in app(s): ${rivals.map((use) => use.app).join(', ')}`;
      return [{ path, error }];
    }),
  );
}

interface Use {
  readonly app: string;
  readonly isExclusive: boolean;
  readonly isReader: boolean;
}

function externalsOf({ container }: Pick<App, 'container'>): readonly External[] {
  return (container?.volumes ?? []).filter(
    (volume): volume is External => volume.kind === 'dvdi' || volume.kind === 'csi',
  );
}

function keyOf({ kind, external }: External): string {
  return `${kind} ${external.name}`;
}

/** Whether nobody else may have it. */
function isExclusive(volume: External): boolean {
  if (volume.kind === 'dvdi') return !volume.external.shared;
  const { accessMode } = volume.external.options.capability;
  if (accessMode === 'MULTI_NODE_SINGLE_WRITER') return volume.mode === 'RW';
  return accessMode === 'SINGLE_NODE_WRITER' || accessMode === 'SINGLE_NODE_READER_ONLY';
}

/** Reads beside the one who writes. */
function isReader(volume: External): boolean {
  return (
    volume.kind === 'csi' &&
    volume.mode === 'RO' &&
    volume.external.options.capability.accessMode === 'MULTI_NODE_SINGLE_WRITER'
  );
}
