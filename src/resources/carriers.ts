import { err, ok, type Result } from '../base/result.ts';
import type { ExecutorInfo, Offer_Operation, Resource, TaskInfo } from '../wire/v1.ts';
import { upgrade } from './refinement.ts';
import { validateResources } from './validate.ts';

/*
 * Messages that carry resources inside, with a function applied to each resource: to upgrade or downgrade the spelling of
 * reservations, or to fill in or strip the allocation.
 */

export type ResourceMap = (resource: Resource) => Resource;

export function mapExecutor(executor: ExecutorInfo, map: ResourceMap): ExecutorInfo {
  return executor.resources === undefined ? executor : { ...executor, resources: executor.resources.map(map) };
}

export function mapTask(task: TaskInfo, map: ResourceMap): TaskInfo {
  const { resources, executor } = task;
  return {
    ...task,
    ...(resources !== undefined && { resources: resources.map(map) }),
    ...(executor !== undefined && { executor: mapExecutor(executor, map) }),
  };
}

export function mapOperation(operation: Offer_Operation, map: ResourceMap): Offer_Operation {
  const { launch, launch_group: group, reserve, unreserve, create, destroy } = operation;
  const { grow_volume: grow, shrink_volume: shrink, create_disk, destroy_disk } = operation;
  const each = (list: readonly Resource[] | undefined) => list?.map(map);
  return {
    ...operation,
    ...(launch && { launch: { ...launch, task_infos: launch.task_infos?.map((task) => mapTask(task, map)) } }),
    ...(group && {
      launch_group: {
        ...group,
        executor: mapExecutor(group.executor, map),
        task_group: { ...group.task_group, tasks: group.task_group.tasks?.map((task) => mapTask(task, map)) },
      },
    }),
    ...(reserve && { reserve: { ...reserve, source: each(reserve.source), resources: each(reserve.resources) } }),
    ...(unreserve && { unreserve: { ...unreserve, resources: each(unreserve.resources) } }),
    ...(create && { create: { ...create, volumes: each(create.volumes) } }),
    ...(destroy && { destroy: { ...destroy, volumes: each(destroy.volumes) } }),
    ...(grow && { grow_volume: { ...grow, volume: map(grow.volume), addition: map(grow.addition) } }),
    ...(shrink && { shrink_volume: { ...shrink, volume: map(shrink.volume) } }),
    ...(create_disk && { create_disk: { ...create_disk, source: map(create_disk.source) } }),
    ...(destroy_disk && { destroy_disk: { ...destroy_disk, source: map(destroy_disk.source) } }),
  };
}

/** Every resource that an operation names, those of its tasks and executors included. */
export function resourcesIn(operation: Offer_Operation): readonly Resource[] {
  const found: Resource[] = [];
  mapOperation(operation, (resource) => {
    found.push(resource);
    return resource;
  });
  return found;
}

/** The operation with stack-form reservations, if every resource in it is well formed. */
export function upgradeOperation(operation: Offer_Operation): Result<Offer_Operation> {
  const valid = validateResources(resourcesIn(operation));
  if (!valid.ok) return err(`the operation ${operation.type ?? ''} is not valid: ${valid.error}`);
  return ok(mapOperation(operation, upgrade));
}
