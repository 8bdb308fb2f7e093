/** Reservations, in the old form of the wire and in the new one. */
import type { Resource } from '../../../wire/v1.ts';

/** The role that a resource is reserved for; `*` if it is not. */
export function reservationRole({ role, reservations }: Resource): string {
  return reservations?.at(-1)?.role ?? role ?? '*';
}

/** The labels of a dynamic reservation. */
export function labelsOf({ reservation, reservations }: Resource): Readonly<Record<string, string>> {
  const { labels } = reservations?.at(-1) ?? reservation ?? {};
  return Object.fromEntries((labels?.labels ?? []).map(({ key, value }) => [key, value ?? '']));
}
