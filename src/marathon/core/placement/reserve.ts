/** Making resources and volumes an instance's own, before it is launched for the first time. */
import type { Offer_Operation, Resource, Resource_ReservationInfo } from '../../../wire/v1.ts';
import { safePath } from '../../definition/path-id.ts';
import type { Context } from '../context.ts';
import type { Instance, LocalVolume } from '../model.ts';
import { timeUuid } from '../uuid.ts';
import type { TakenVolume } from './disks.ts';
import type { OpenOffer } from './open-offer.ts';
import { byProvider, reservationFor } from './reserved.ts';
import type { Reserve } from './result.ts';

export interface ReserveRequest {
  readonly offer: OpenOffer;
  readonly instance: Instance;
  /** What tasks use besides the volumes. */
  readonly resources: readonly Resource[];
  readonly volumes: readonly TakenVolume[];
}

/** Reserves everything that the instance needs for its role, and makes its volumes. The next offer of the agent has them. */
export function reserveFor(ctx: Context, { offer, instance, resources, volumes }: ReserveRequest): Reserve {
  const { env, options } = ctx;
  const { role } = instance.spec;
  const reservation = reservationFor(instance.id, offer.offer.framework_id.value, options.principal);
  const reserved = [...resources, ...volumes.map(({ resource }) => resource)].map(
    (resource): Resource => ({ ...resource, role, reservation }),
  );
  const local = volumes.map(({ volume: { name } }): LocalVolume => {
    const uuid = timeUuid(env.wall, env.random);
    return { name, uuid, persistenceId: `${safePath(instance.specId)}#${name}#${uuid}` };
  });
  const made = volumes.map(({ resource }, at) => volumeOn({ ...resource, role, reservation }, local[at]!, reservation));
  const operations: readonly Offer_Operation[] = [
    ...byProvider(reserved, (all) => ({ type: 'RESERVE', reserve: { resources: all } })),
    ...byProvider(made, (all) => ({ type: 'CREATE', create: { volumes: all } })),
  ];
  return {
    kind: 'reserve',
    operations,
    reservation: { volumes: local, state: 'new', deadline: env.wall + options.reservationTimeout, role },
    placement: offer.placement,
  };
}

/** The volume has the name as its path in the sandbox: of apps it is the container's path, of pods what containers mount. */
function volumeOn(
  resource: Resource,
  { persistenceId, name }: LocalVolume,
  { principal }: Resource_ReservationInfo,
): Resource {
  return {
    ...resource,
    disk: {
      ...(resource.disk?.source && { source: resource.disk.source }),
      persistence: { id: persistenceId, ...(principal !== undefined && { principal }) },
      volume: { container_path: name, mode: 'RW' },
    },
  };
}
