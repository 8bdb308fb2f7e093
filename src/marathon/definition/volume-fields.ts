/** Volumes: told apart by their shape in documents, by `kind` in memory. */
import { choice, flag, isObject, type JsonSchema, type Kind, list, long, oneOf, text } from './kind.ts';
import { defaulted, optional, record, required } from './record.ts';
import { labels, name, persistentInfo } from './shared-fields.ts';

const containerPath = required(text({ minLength: 1 }), 'Where the container sees it.');
const mode = oneOf('RO', 'RW');

const host = record({
  containerPath,
  hostPath: required(text({ minLength: 1 }), "The path on the agent's machine."),
  mode: required(mode, 'Whether it may be written.'),
});
const persistent = record({
  containerPath,
  persistent: required(persistentInfo, 'Local disk that is kept when the task ends.'),
  mode: defaulted(mode, 'RW', 'Has to be RW.'),
});
const dvdi = record({
  containerPath,
  external: required(
    record({
      provider: optional(text(), '`dvdi`.'),
      name: optional(text(), 'Name of the volume.'),
      size: optional(long({ minimum: 0 }), 'Size in GiB, where the volume is made when it is missing.'),
      options: defaulted(labels, {}, 'For the provider; `dvdi/driver` names the driver.', { omitEmpty: true }),
      shared: defaulted(flag, false, 'Whether other apps may use it as well.'),
    }),
    'A volume that some other system holds.',
  ),
  mode: required(mode, 'Whether it may be written.'),
});
const csi = record({
  containerPath,
  external: required(
    record({
      provider: required(oneOf('csi'), '`csi`.'),
      name: required(text(), 'Id of the volume.'),
      options: required(
        record({
          pluginName: required(text({ minLength: 1 }), 'The CSI plugin.'),
          capability: required(
            record({
              accessMode: required(
                oneOf(
                  'SINGLE_NODE_WRITER',
                  'SINGLE_NODE_READER_ONLY',
                  'MULTI_NODE_READER_ONLY',
                  'MULTI_NODE_SINGLE_WRITER',
                  'MULTI_NODE_MULTI_WRITER',
                ),
                'Who may use it at a time.',
              ),
              accessType: required(oneOf('block', 'mount'), 'As a device, or as a file system.'),
              fsType: optional(text(), 'The file system; for `mount`.'),
              mountFlags: defaulted(list(text()), [], 'Options of the mount.', { omitEmpty: true }),
            }),
            'How it is used.',
          ),
          nodeStageSecret: defaulted(labels, {}, 'Names of secrets for staging.', { omitEmpty: true }),
          nodePublishSecret: defaulted(labels, {}, 'Names of secrets for publishing.', { omitEmpty: true }),
          volumeContext: defaulted(labels, {}, 'What the plugin wants to know.', { omitEmpty: true }),
        }),
        'For the plugin.',
      ),
    }),
    'A volume of a CSI plugin.',
  ),
  mode: required(mode, 'Whether it may be written.'),
});
const secret = record({
  containerPath,
  secret: required(text({ minLength: 1 }), 'The secret that the file holds.'),
});

/** The same kind, whose values say in memory which of several shapes they have. */
function tagged<const K extends string, T extends object>(kind: K, inner: Kind<T>): Kind<T & { readonly kind: K }> {
  return {
    read(value, path, problems) {
      const found = inner.read(value, path, problems);
      return found === undefined ? undefined : { ...found, kind };
    },
    write: (value) => inner.write(value),
    schema: inner.schema,
  };
}

function has(value: unknown, field: string): boolean {
  return isObject(value) && Object.hasOwn(value, field) && value[field] !== undefined && value[field] !== null;
}

function isCsi(value: unknown): boolean {
  return isObject(value) && isObject(value.external) && value.external.provider === 'csi';
}

function byKind<T extends { readonly kind: string }>(
  kinds: { readonly [K in T['kind']]: Kind<Extract<T, { kind: K }>> },
  kindOf: (value: unknown) => T['kind'],
): Kind<T> {
  const all = kinds as Readonly<Record<string, Kind<T>>>;
  const schemas: readonly JsonSchema[] = Object.values(all).map(({ schema }) => schema);
  return choice<T>(
    (value) => all[kindOf(value)]!,
    (value) => all[value.kind]!.write(value),
    schemas,
  );
}

const appVolumes = {
  host: tagged('host', host),
  persistent: tagged('persistent', persistent),
  dvdi: tagged('dvdi', dvdi),
  csi: tagged('csi', csi),
  secret: tagged('secret', secret),
};
type ReadBy<K extends Readonly<Record<string, Kind<unknown>>>> = {
  [N in keyof K]: K[N] extends Kind<infer T> ? T : never;
}[keyof K];

/** A volume of an app as its document has it. */
export type VolumeDocument = ReadBy<typeof appVolumes>;

export const appVolume = byKind<VolumeDocument>(appVolumes, (value) => {
  if (has(value, 'persistent')) return 'persistent';
  if (has(value, 'external')) return isCsi(value) ? 'csi' : 'dvdi';
  return has(value, 'secret') ? 'secret' : 'host';
});

const volumeName = required(name, 'What containers mount it by.');
const podVolumes = {
  ephemeral: tagged('ephemeral', record({ name: volumeName })),
  host: tagged('host', record({ name: volumeName, host: required(text(), "The path on the agent's machine.") })),
  secret: tagged(
    'secret',
    record({
      name: required(text({ minLength: 1 }), 'What containers mount it by.'),
      secret: required(text({ minLength: 1 }), 'The secret.'),
    }),
  ),
  persistent: tagged(
    'persistent',
    record({
      name: required(text({ minLength: 1 }), 'What containers mount it by.'),
      persistent: required(persistentInfo, 'Local disk that is kept when the tasks end.'),
    }),
  ),
};

/** A volume of a pod as its document has it. */
export type PodVolumeDocument = ReadBy<typeof podVolumes>;

export const podVolume = byKind<PodVolumeDocument>(podVolumes, (value) => {
  if (has(value, 'persistent')) return 'persistent';
  if (has(value, 'secret')) return 'secret';
  return has(value, 'host') ? 'host' : 'ephemeral';
});
