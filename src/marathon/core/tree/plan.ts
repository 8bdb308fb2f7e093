/** Works out the steps of a deployment: first what goes, then what is new, then everything in the order of its dependencies. */
import { isUpgrade } from '../../definition/compare.ts';
import { configVersion } from '../backoff.ts';
import type { Action, Plan, RunSpec, SpecChange } from '../model.ts';
import type { Layers } from './dependencies.ts';

export interface PlanRequest {
  readonly id: string;
  readonly version: number;
  readonly changes: readonly SpecChange[];
  /** Of every spec that is there after the change. */
  readonly layers: Layers;
  /** By spec: instances that shall go first. */
  readonly toKill?: ReadonlyMap<string, readonly string[]>;
}

/** @returns the plan; a change that needs nothing done has no steps */
export function planOf({ id, version, changes, layers, toKill }: PlanRequest): Plan {
  const stops = changes.flatMap(({ before, after }) => (before && !after ? [act('Stop', before)] : []));
  const starts = changes.flatMap(({ before, after }) => (after && !before ? [act('Start', after, 0)] : []));
  const byLayer = new Map<number, Action[]>();
  for (const change of changes) {
    const action = actionOf(change, toKill?.get(change.id));
    if (action === undefined) continue;
    const layer = layers.get(change.id) ?? 1;
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), action]);
  }
  const ordered = [...byLayer].sort(([a], [b]) => a - b).map(([, actions]) => actions);
  return { id, version, changes, steps: [stops, starts, ...ordered].filter((actions) => actions.length > 0) };
}

function actionOf({ before, after }: SpecChange, toKill: readonly string[] | undefined): Action | undefined {
  if (after === undefined) return undefined;
  const victims = toKill === undefined ? {} : { toKill };
  if (before === undefined || after.instances === 0 || isOnlyScaled(before, after)) {
    return { ...act('Scale', after, after.instances), ...victims };
  }
  return act('Restart', after);
}

/** Restarts on request change nothing but the version of the configuration. */
function isOnlyScaled(before: RunSpec, after: RunSpec): boolean {
  return !isUpgrade(before, after) && configVersion(before) === configVersion(after);
}

function act(verb: 'Start' | 'Stop' | 'Scale' | 'Restart', spec: RunSpec, scaleTo?: number): Action {
  const kind = `${verb}${spec.kind === 'app' ? 'Application' : 'Pod'}` as const;
  return { kind, spec, ...(scaleTo !== undefined && { scaleTo }) };
}
