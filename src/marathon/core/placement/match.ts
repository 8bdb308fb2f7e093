import { configVersion } from '../backoff.ts';
import type { Context } from '../context.ts';
import type { Instance, RunSpec } from '../model.ts';
import type { SpecRecord } from '../state.ts';
import { lackOfAgent } from './agent.ts';
import { unmetConstraints } from './constraints.ts';
import { launchGroup } from './launch-group.ts';
import { launchTask } from './launch-task.ts';
import type { OpenOffer } from './open-offer.ts';
import { portWishes } from './port-wishes.ts';
import { Portions } from './portions.ts';
import { findPorts, takePorts } from './ports.ts';
import { type Lack, lackingScalars, milli, type Needs, type Selector, takeScalars } from './resources.ts';
import type { MatchResult, NoMatch } from './result.ts';
import { selectorFor } from './roles.ts';

export interface MatchRequest {
  readonly offer: OpenOffer;
  /** Waits to be launched. */
  readonly instance: Instance;
  /** All instances of its app or pod. */
  readonly record: SpecRecord;
}

/** Looks whether the instance fits what is left of the offer. */
export function matchInstance(ctx: Context, { offer, instance, record }: MatchRequest): MatchResult {
  const { spec } = instance;
  const mayUse = selectorFor(spec, ctx.options.definitions.acceptedResourceRolesDefault);
  const needs = needsOf(spec);
  const lacks: Lack[] = [
    ...lackOfRole(offer, mayUse),
    ...lackOfAgent(ctx, offer, spec),
    ...unmetConstraints(spec, placedOf(record, spec), offer.placement).map(
      (detail): Lack => ({ reason: 'UnfulfilledConstraint', detail }),
    ),
    ...lackingScalars(offer, needs, mayUse),
  ];
  const ports = findPorts(offer, portWishes(spec), mayUse, ctx.env.random);
  if (!ports.ok) lacks.push({ reason: 'InsufficientPorts', detail: ports.detail });
  if (lacks.length > 0 || !ports.ok) return noMatch(lacks);
  const scalars = takeScalars(offer, needs, mayUse);
  const hostPorts = ports.ports.map((found) => found?.port ?? null);
  const taken = takePorts(ports.ports);
  return spec.kind === 'app'
    ? launchTask(ctx, { offer, instance, app: spec, resources: [...scalars, ...taken], hostPorts })
    : launchGroup(ctx, { offer, instance, pod: spec, portions: new Portions(scalars), ports: taken, hostPorts });
}

function noMatch(lacks: readonly Lack[]): NoMatch {
  return {
    kind: 'none',
    reasons: [...new Set(lacks.map(({ reason }) => reason))],
    details: lacks.map(({ detail }) => detail),
  };
}

function lackOfRole({ left }: OpenOffer, mayUse: Selector): readonly Lack[] {
  if (left.some(mayUse)) return [];
  const roles = [...new Set(left.map(({ role }) => role))].join(', ');
  return [{ reason: 'UnfulfilledRole', detail: `no resources of a role that is accepted, only of ${roles || 'none'}` }];
}

/** What one instance needs in all. */
export function needsOf(spec: RunSpec): Needs {
  if (spec.kind === 'app') {
    return { cpus: milli(spec.cpus), mem: milli(spec.mem), disk: milli(spec.disk), gpus: milli(spec.gpus) };
  }
  const sum = (name: 'cpus' | 'mem' | 'disk' | 'gpus'): number =>
    spec.containers.reduce((total, { resources }) => total + milli(resources[name]), 0);
  const { cpus, mem, disk } = spec.executorResources;
  return {
    cpus: sum('cpus') + milli(cpus),
    mem: sum('mem') + milli(mem),
    disk: sum('disk') + milli(disk),
    gpus: sum('gpus'),
  };
}

const LOST = new Set(['Gone', 'Unreachable', 'Unknown', 'Dropped']);

/** Those that constraints compare with: placed ones of the present configuration. Old ones make way for new ones. */
function placedOf(record: SpecRecord, spec: RunSpec): readonly Instance[] {
  if (spec.constraints.length === 0) return [];
  const config = configVersion(spec);
  return [...record.instances.values()].filter(
    (each) =>
      each.placement !== undefined &&
      each.spec.version >= config &&
      !record.scheduled.has(each.id) &&
      !LOST.has(each.condition),
  );
}
