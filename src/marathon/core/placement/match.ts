import { isResident } from '../../definition/compare.ts';
import { configVersion } from '../backoff.ts';
import type { Context } from '../context.ts';
import type { Instance, Reservation, RunSpec } from '../model.ts';
import type { SpecRecord } from '../state.ts';
import { lackOfAgent, wasteOfGpus } from './agent.ts';
import { unmetConstraints } from './constraints.ts';
import { findDisks, takeDisks, wantedVolumes } from './disks.ts';
import { executorId, launchGroup } from './launch-group.ts';
import { launchTask } from './launch-task.ts';
import { type Left, type OpenOffer, takeAll } from './open-offer.ts';
import { portWishes } from './port-wishes.ts';
import { Portions } from './portions.ts';
import { findPorts, takePorts } from './ports.ts';
import { reserveFor } from './reserve.ts';
import { persistenceOf } from './reserved.ts';
import { type Lack, lackingScalars, milli, type Needs, type Selector, takeScalars } from './resources.ts';
import type { Launch, MatchResult, NoMatch } from './result.ts';
import { reservable, selectorFor } from './roles.ts';

export interface MatchRequest {
  readonly offer: OpenOffer;
  /** Waits to be launched. */
  readonly instance: Instance;
  /** All instances of its app or pod. */
  readonly record: SpecRecord;
}

/** Looks whether the instance fits what is left of the offer. */
export function matchInstance(ctx: Context, request: MatchRequest): MatchResult {
  const { spec, reservation } = request.instance;
  if (reservation) return matchReserved(ctx, request, reservation);
  return isResident(spec) ? matchReservable(ctx, request) : matchFree(ctx, request);
}

/** Without volumes: launched on whatever is free. */
function matchFree(ctx: Context, request: MatchRequest): MatchResult {
  const { offer, instance } = request;
  const { spec } = instance;
  const mayUse = selectorFor(spec, ctx.options.definitions.acceptedResourceRolesDefault);
  const needs = needsOf(spec);
  const lacks = [
    ...lackOfRole(offer, mayUse),
    ...lackOfPlace(ctx, request),
    ...wasteOfGpus(ctx, offer, spec),
    ...lackingScalars(offer, needs, mayUse),
  ];
  const ports = findPorts(offer, portWishes(spec), mayUse, ctx.env.random);
  if (!ports.ok) lacks.push({ reason: 'InsufficientPorts', detail: ports.detail });
  if (lacks.length > 0 || !ports.ok) return noMatch(lacks);
  return launch(ctx, request, takeScalars(offer, needs, mayUse), ports.ports, []);
}

/** With volumes that are still to be made: all that it needs becomes its own first. */
function matchReservable(ctx: Context, request: MatchRequest): MatchResult {
  const { offer, instance } = request;
  const { spec } = instance;
  const { disk: scratch, ...others } = needsOf(spec);
  const scalars: Needs = { ...others, disk: 0 };
  const disks = findDisks(offer, wantedVolumes(spec), scratch, reservable);
  const lacks = [
    ...lackOfRole(offer, reservable),
    ...lackOfPlace(ctx, request),
    ...wasteOfGpus(ctx, offer, spec),
    ...lackingScalars(offer, scalars, reservable),
    ...disks.lacks,
  ];
  const ports = findPorts(offer, portWishes(spec), reservable, ctx.env.random);
  if (!ports.ok) lacks.push({ reason: 'InsufficientPorts', detail: ports.detail });
  if (lacks.length > 0 || !ports.ok) return noMatch(lacks);
  const volumes = takeDisks(disks.found);
  const resources = [...takeScalars(offer, { ...others, disk: scratch }, reservable), ...takePorts(ports.ports)];
  return reserveFor(ctx, { offer, instance, resources, volumes });
}

/** Whether all volumes of an instance are in the offer and not taken yet. */
export function hasVolumes({ reserved }: OpenOffer, { id, reservation }: Instance): boolean {
  const there = new Set(
    (reserved.get(id) ?? []).flatMap((left) => (left.amount > 0 ? persistenceOf(left.resource) : [])),
  );
  return reservation?.volumes.every(({ persistenceId }) => there.has(persistenceId)) === true;
}

/** With volumes of its own: launched on what is reserved for it, and nothing else. */
function matchReserved(ctx: Context, request: MatchRequest, reservation: Reservation): MatchResult {
  const { offer, instance } = request;
  const { spec } = instance;
  const own = new Set<Left>(offer.reserved.get(instance.id));
  const mayUse: Selector = (left) => own.has(left);
  const needs = needsOf(spec);
  // Agents with GPUs may be used all the same: the volumes are there.
  const lacks = [...lackOfPlace(ctx, request), ...lackingScalars(offer, needs, mayUse)];
  const ports = findPorts(offer, portWishes(spec), mayUse, ctx.env.random);
  if (!ports.ok) lacks.push({ reason: 'InsufficientPorts', detail: ports.detail });
  if (lacks.length > 0 || !ports.ok) return noMatch(lacks);
  const ids = new Set(reservation.volumes.map(({ persistenceId }) => persistenceId));
  const volumes = [...own].filter(({ resource }) => ids.has(persistenceOf(resource) ?? '')).map(takeAll);
  return {
    ...launch(ctx, request, takeScalars(offer, needs, mayUse), ports.ports, volumes),
    reservation: { ...reservation, state: 'launched' },
  };
}

/** The volumes are not in the offer. */
export function lackOfVolumes({ placement }: Instance): Lack {
  const where = placement === undefined ? '' : ` on agent ${placement.agentId} (${placement.host})`;
  return {
    reason: 'NoCorrespondingReservationFound',
    detail: `waits for its volumes${where}, which are not in this offer`,
  };
}

type Ports = Extract<ReturnType<typeof findPorts>, { readonly ok: true }>['ports'];

function launch(
  ctx: Context,
  { offer, instance }: MatchRequest,
  scalars: ReturnType<typeof takeScalars>,
  found: Ports,
  volumes: readonly Left['resource'][],
): Launch {
  const { spec } = instance;
  const hostPorts = found.map((each) => each?.port ?? null);
  const ports = takePorts(found);
  return spec.kind === 'app'
    ? launchTask(ctx, { offer, instance, app: spec, resources: [...scalars, ...ports, ...volumes], hostPorts })
    : launchGroup(ctx, { offer, instance, pod: spec, portions: new Portions(scalars), ports, hostPorts, volumes });
}

export function noMatch(lacks: readonly Lack[]): NoMatch {
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

/** What speaks against this agent, whatever is free there. */
function lackOfPlace(ctx: Context, { offer, instance, record }: MatchRequest): Lack[] {
  const unmet = unmetConstraints(instance.spec, placedOf(record, instance), offer.placement);
  return [
    ...lackOfAgent(ctx, offer, instance.spec),
    ...lackOfRoom(offer, instance),
    ...unmet.map((detail): Lack => ({ reason: 'UnfulfilledConstraint', detail })),
  ];
}

/** An executor of the same name that is still there, though all of its tasks have ended: the master would refuse another one. */
function lackOfRoom({ offer }: OpenOffer, instance: Instance): Lack[] {
  if (instance.spec.kind !== 'pod') return [];
  const own = executorId(instance);
  if (offer.executor_ids?.some(({ value }) => value === own) !== true) return [];
  return [
    { reason: 'UnfulfilledConstraint', detail: 'the executor of its life before has not ended on this agent yet' },
  ];
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

/**
 * Those that constraints compare with: placed ones of the present configuration. Old ones make way for new ones. Who waits
 * counts only if it has volumes somewhere: there it will come back.
 */
function placedOf(record: SpecRecord, { id, spec }: Instance): readonly Instance[] {
  if (spec.constraints.length === 0) return [];
  const config = configVersion(spec);
  return [...record.instances.values()].filter((each) => {
    if (each.id === id || each.placement === undefined || each.goal === 'Decommissioned') return false;
    if (each.reservation) return true;
    return each.spec.version >= config && !record.scheduled.has(each.id) && !LOST.has(each.condition);
  });
}
