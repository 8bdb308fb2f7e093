/** Brings an app or pod to a number of instances: those that are too many go first, then those that are missing come. */
import { isActive } from '../condition.ts';
import type { Context } from '../context.ts';
import { setGoal } from '../goals.ts';
import type { Action, Instance, RunSpec } from '../model.ts';
import { specRecord } from '../state.ts';
import { chooseVictims } from './victims.ts';
import { retire, startInstances, wantedOf } from './wanted.ts';

export function beginScale(ctx: Context, action: Action): void {
  const { instances } = specRecord(ctx.state, action.spec.id);
  const sentenced = (action.toKill ?? []).flatMap((id) => instances.get(id) ?? []);
  for (const instance of victimsOf(ctx, action, sentenced)) retire(ctx, instance, action.spec);
  for (const instance of instances.values()) dropIfGivenUp(ctx, instance, action);
}

/** @returns whether as many are there as there should be, and the new ones are well */
export function advanceScale(ctx: Context, action: Action): boolean {
  const { spec, scaleTo = 0 } = action;
  const record = specRecord(ctx.state, spec.id);
  if (record.leaving > 0) return false;
  const missing = scaleTo - wantedOf(record);
  if (missing > 0) startInstances(ctx, spec, missing);
  if (missing < 0) for (const instance of victimsOf(ctx, action, [])) retire(ctx, instance, spec);
  const fresh = record.tallies.get(spec.version);
  return record.leaving === 0 && wantedOf(record) === scaleTo && (fresh?.good ?? 0) >= (fresh?.wanted ?? 0);
}

/** Tops up or thins out an app or pod that no deployment looks after. */
export function scaleTo(ctx: Context, spec: RunSpec): void {
  const kind = spec.kind === 'app' ? 'ScaleApplication' : 'ScalePod';
  const action: Action = { kind, spec, scaleTo: spec.instances };
  if (wantedOf(specRecord(ctx.state, spec.id)) > spec.instances) beginScale(ctx, action);
  advanceScale(ctx, action);
}

function victimsOf(ctx: Context, action: Action, sentenced: readonly Instance[]): readonly Instance[] {
  const { instances } = specRecord(ctx.state, action.spec.id);
  return chooseVictims([...instances.values()], sentenced, action.spec, action.scaleTo ?? 0);
}

/** Of an app that shall have no instances, those out of reach are not waited for. */
function dropIfGivenUp(ctx: Context, instance: Instance, { scaleTo, spec }: Action): void {
  if (scaleTo !== 0 || instance.goal !== 'Running' || isActive(instance.condition)) return;
  setGoal(ctx, instance, spec.kind === 'app' && instance.reservation ? 'Stopped' : 'Decommissioned');
}
