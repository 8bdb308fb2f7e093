import { err, ok, type Result } from '../base/result.ts';
import type { Resource, Resource_ReservationInfo } from '../wire/v1.ts';
import { ANY_ROLE } from './roles.ts';

/*
 * Two spellings of a reservation are on the wire. Before reservation refinement a resource had `role`, and `reservation`
 * if that was dynamic. Since then it has the stack `reservations`, outermost first. Inside we only use the stack.
 */

/** To the stack form. A resource that has both (as endpoints print it) keeps the stack. Already there: returned as it is. */
export function upgrade(resource: Resource): Resource {
  if (resource.role === undefined && resource.reservation === undefined) return resource;
  const { role = ANY_ROLE, reservation, ...rest } = resource;
  if ((rest.reservations?.length ?? 0) > 0 || role === ANY_ROLE) return rest;
  const upgraded: Resource_ReservationInfo =
    reservation === undefined ? { type: 'STATIC', role } : { ...reservation, type: 'DYNAMIC', role };
  return { ...rest, reservations: [upgraded] };
}

/** To the form before refinement. Refused for a refined reservation, which that form cannot say. */
export function downgrade(resource: Resource): Result<Resource> {
  const { reservations = [], ...rest } = upgrade(resource);
  if (reservations.length > 1) {
    const roles = reservations.map((reservation) => reservation.role).join(', ');
    return err(
      `the resource '${resource.name}' has a refined reservation (${roles}), which only frameworks and agents with the ` +
        `RESERVATION_REFINEMENT capability understand`,
    );
  }
  return ok({ ...rest, ...oldFields(reservations[0]) });
}

/** The form in which endpoints show a resource: the stack, and the old fields too where they can say the same. */
export function endpointForm(resource: Resource): Resource {
  const upgraded = upgrade(resource);
  const reservations = upgraded.reservations ?? [];
  return reservations.length > 1 ? upgraded : { ...upgraded, ...oldFields(reservations[0]) };
}

function oldFields(reservation: Resource_ReservationInfo | undefined): Pick<Resource, 'role' | 'reservation'> {
  if (reservation === undefined) return { role: ANY_ROLE };
  const role = reservation.role ?? ANY_ROLE;
  if (reservation.type !== 'DYNAMIC') return { role };
  const { type: _type, role: _role, ...dynamic } = reservation;
  return { role, reservation: dynamic };
}
