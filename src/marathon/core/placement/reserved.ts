/** Reservations, in the old form of the wire and in the new one, and the labels that say for which instance they are. */
import type { Offer_Operation, Resource, Resource_ReservationInfo } from '../../../wire/v1.ts';
import { readInstanceId, readTaskId } from '../../definition/task-id.ts';

/** Says whose the resources are that Marathon has reserved for single instances. Upstream's name, though it is the instance's id. */
export const RESERVED_FOR = 'marathon_task_id';
export const RESERVED_BY = 'marathon_framework_id';

/** The role that a resource is reserved for; `*` if it is not. */
export function reservationRole({ role, reservations }: Resource): string {
  return reservations?.at(-1)?.role ?? role ?? '*';
}

/** The labels of a dynamic reservation. */
export function labelsOf({ reservation, reservations }: Resource): Readonly<Record<string, string>> {
  const { labels } = reservations?.at(-1) ?? reservation ?? {};
  return Object.fromEntries((labels?.labels ?? []).map(({ key, value }) => [key, value ?? '']));
}

/**
 * The instance that this framework has reserved something for. Reservations from before there were instances name a task;
 * what cannot be read is the name of nobody that there is.
 */
export function reservedInstance(labels: Readonly<Record<string, string>>, frameworkId: string): string | undefined {
  const label = labels[RESERVED_FOR];
  if (label === undefined || labels[RESERVED_BY] !== frameworkId) return undefined;
  if (readInstanceId(label).ok) return label;
  const task = readTaskId(label);
  return task.ok ? task.value.instanceId : label;
}

/** The id of a persistent volume. */
export function persistenceOf({ disk }: Resource): string | undefined {
  return disk?.persistence?.id;
}

/** What an instance's reservations look like. */
export function reservationFor(
  instanceId: string,
  frameworkId: string,
  principal: string | undefined,
): Resource_ReservationInfo {
  return {
    ...(principal !== undefined && { principal }),
    labels: {
      labels: [
        { key: RESERVED_BY, value: frameworkId },
        { key: RESERVED_FOR, value: instanceId },
      ],
    },
  };
}

/** One operation for the resources of each provider: Mesos takes no others. */
export function byProvider(
  resources: readonly Resource[],
  operation: (resources: readonly Resource[]) => Offer_Operation,
): readonly Offer_Operation[] {
  const groups = new Map<string, Resource[]>();
  for (const resource of resources) {
    const key = resource.provider_id?.value ?? '';
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [resource]);
    else group.push(resource);
  }
  return [...groups.values()].map(operation);
}
