/** How the registry's entities are written: one key each, with upstream's messages as values. */
import { err, ok, type Result } from '../../base/result.ts';
import {
  Registry_GoneSlave,
  Registry_Machine,
  Registry_MinimumCapability,
  Registry_Slave,
  Registry_UnreachableSlave,
  Registry_Weight,
} from '../../wire/internal.ts';
import type { MessageType } from '../../wire/message-type.ts';
import { Pool } from '../../wire/pool.ts';
import { readUtf8 } from '../../wire/utf8.ts';
import { QuotaConfig } from '../../wire/v1_quota.ts';
import { machineKey } from './records.ts';
import type { RegistrySnapshot } from './registry.ts';
import type { Machine, QuotaRecord } from './state.ts';

/** The version of this format. A later one that this program cannot read has another number here. */
export const FORMAT = '1';
export const FORMAT_KEY = 'meta/format';

/** The kinds of entities, which are also the first parts of their keys. */
export interface Entities {
  readonly agents: Map<string, Registry_Slave>;
  readonly unreachable: Map<string, Registry_UnreachableSlave>;
  readonly gone: Map<string, Registry_GoneSlave>;
  readonly weights: Map<string, Registry_Weight>;
  readonly quotas: Map<string, QuotaConfig>;
  readonly machines: Map<string, Registry_Machine>;
  /** What a master must be able to do to lead with this registry. */
  readonly capabilities: Map<string, Registry_MinimumCapability>;
}
export type Kind = keyof Entities;
export type Entity<K extends Kind> = Entities[K] extends Map<string, infer T> ? T : never;

const TYPES: { readonly [K in Kind]: MessageType<Entity<K>> } = {
  agents: Registry_Slave,
  unreachable: Registry_UnreachableSlave,
  gone: Registry_GoneSlave,
  weights: Registry_Weight,
  quotas: QuotaConfig,
  machines: Registry_Machine,
  capabilities: Registry_MinimumCapability,
};

/** The master's own capabilities, as it announces them. */
const CAPABLE: ReadonlySet<string> = new Set(['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2']);

export function noEntities(): Entities {
  return {
    agents: new Map(),
    unreachable: new Map(),
    gone: new Map(),
    weights: new Map(),
    quotas: new Map(),
    machines: new Map(),
    capabilities: new Map(),
  };
}

export function encodeEntity<K extends Kind>(kind: K, entity: Entity<K>): Uint8Array {
  return TYPES[kind].encode(entity);
}

/** Entities that are read at a time. */
const BIT = 100;

/** Reads what a store holds. An error says what is wrong, and that nothing was changed. */
export function readEntities(values: ReadonlyMap<string, Uint8Array>): Result<Entities> {
  const reading = readingEntities(values);
  for (;;) {
    const { done, value } = reading.next();
    if (done === true) return value;
  }
}

/** As `readEntities`, with a pause now and then. */
export function* readingEntities(values: ReadonlyMap<string, Uint8Array>): Generator<void, Result<Entities>> {
  const entities = noEntities();
  const format = values.get(FORMAT_KEY);
  const written = format && readUtf8(format, 0, format.length);
  if (written !== undefined && written !== FORMAT) {
    return err(
      `the registry has format ${written}, and this program knows only format ${FORMAT}: run the version that wrote it, or a ` +
        'later one; nothing was changed',
    );
  }
  // Agents have much in common, above all their resources: that is kept once.
  const pool = new Pool();
  let count = 0;
  for (const [key, value] of values) {
    if (++count % BIT === 0) yield;
    if (key.startsWith('meta/')) continue;
    const slash = key.indexOf('/');
    const kind = key.slice(0, slash) as Kind;
    if (!Object.hasOwn(TYPES, kind)) {
      return err(`the registry holds '${key}', which is nothing that this program knows; nothing was changed`);
    }
    const entity = TYPES[kind].decode(value, pool);
    if (!entity.ok) return err(`the registry's '${key}' cannot be read: ${entity.error}; nothing was changed`);
    (entities[kind] as Map<string, unknown>).set(key.slice(slash + 1), entity.value);
  }
  const lacking = [...entities.capabilities.keys()].filter((capability) => !CAPABLE.has(capability));
  if (lacking.length > 0) {
    return err(
      `the registry was written by a master with the capability ${lacking.join(', ')}, which this one lacks: run that version, ` +
        'or a later one; nothing was changed',
    );
  }
  return ok(entities);
}

/** What the core begins with. */
export function snapshotOf(entities: Entities): RegistrySnapshot {
  const { agents, unreachable, gone, weights, quotas, machines } = entities;
  return {
    agents: Array.from(agents.values(), ({ info, drain_info, deactivated }) => ({
      info,
      ...(deactivated && { deactivated }),
      ...(drain_info && { drain: drain_info }),
    })),
    unreachable: Array.from(unreachable.values(), ({ id, timestamp, drain_info, deactivated }) => ({
      id: id.value,
      time: timestamp.nanoseconds / 1e6,
      ...(deactivated && { deactivated }),
      ...(drain_info && { drain: drain_info }),
    })),
    gone: Array.from(gone.values(), ({ id, timestamp }) => ({ id: id.value, time: timestamp.nanoseconds / 1e6 })),
    weights: Array.from(weights.values(), ({ info: { role = '*', weight } }) => ({ role, weight })),
    quotas: Array.from(quotas.values(), quotaRecord),
    machines: Array.from(machines.values(), ({ info }) => ({
      id: info.id,
      mode: info.mode ?? 'UP',
      unavailability: info.unavailability,
    })),
  };
}

function quotaRecord({ role, guarantees, limits }: QuotaConfig): QuotaRecord {
  const thousandths = (amounts: QuotaConfig['limits']): Record<string, number> =>
    Object.fromEntries(Object.entries(amounts ?? {}).map(([name, { value }]) => [name, Math.round(value * 1000)]));
  return { role, guarantees: thousandths(guarantees), limits: thousandths(limits) };
}

export function quotaEntity({ role, guarantees, limits }: QuotaRecord): QuotaConfig {
  const scalars = (amounts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, { value: amount / 1000 }]));
  return { role, guarantees: scalars(guarantees), limits: scalars(limits) };
}

export function machineEntity({ id, mode, unavailability }: Machine): {
  readonly key: string;
  readonly entity: Registry_Machine;
} {
  const entity = { info: { id, mode, ...(unavailability && { unavailability }) } };
  return { key: machineKey(id.hostname, id.ip), entity };
}
