/** How our databases are opened, everywhere in the same way. */
export const LMDB_OPTIONS = {
  encoding: 'binary',
  /** We gather by ourselves; and its own way leaves a promise that nobody can catch when a write fails. */
  eventTurnBatching: false,
  /** Space that a database may take; only what is used is on disk. */
  mapSize: 8 * 2 ** 30,
} as const;
