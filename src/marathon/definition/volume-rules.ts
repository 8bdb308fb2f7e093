/** Volumes of apps, and what persistent ones of pods have in common with them. */
import type { AppDocument, ContainerDocument } from './app-fields.ts';
import { compilePattern } from './pattern.ts';
import { broken, brokenIf, FINE, needsFeature, type RuleFacts, repeated, secretFilePath } from './rule.ts';
import type { Problem } from './types.ts';
import type { VolumeDocument } from './volume-fields.ts';

type ByKind<K extends VolumeDocument['kind']> = Extract<VolumeDocument, { kind: K }>;
export type PersistentDocument = ByKind<'persistent'>['persistent'];

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const OPTION_KEY = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\/[A-Za-z0-9](?:[-A-Za-z0-9._:]*[A-Za-z0-9])?$/;
const DRIVER = 'dvdi/driver';
const READ_ONLY_MODES: ReadonlySet<string> = new Set(['SINGLE_NODE_READER_ONLY', 'MULTI_NODE_READER_ONLY']);
const SHAREABLE_MODES: ReadonlySet<string> = new Set([
  'MULTI_NODE_READER_ONLY',
  'MULTI_NODE_SINGLE_WRITER',
  'MULTI_NODE_MULTI_WRITER',
]);

export function volumesOf({ container }: Pick<AppDocument, 'container'>): readonly VolumeDocument[] {
  return container?.volumes ?? [];
}

export function volumeProblems(container: ContainerDocument, app: AppDocument, facts: RuleFacts): readonly Problem[] {
  const names = container.volumes.flatMap((volume) =>
    volume.kind === 'dvdi' || volume.kind === 'csi' ? (volume.external.name ?? []) : [],
  );
  const twice = repeated(names);
  return [
    ...brokenIf(twice.length > 0, '/container/volumes', `Volume names must be unique: ${twice.join(', ')}`),
    ...container.volumes.flatMap((volume, at) => oneVolume(volume, `/container/volumes(${at})`, container, app, facts)),
  ];
}

function oneVolume(
  volume: VolumeDocument,
  path: string,
  container: ContainerDocument,
  app: AppDocument,
  facts: RuleFacts,
): readonly Problem[] {
  switch (volume.kind) {
    case 'host':
      return FINE;
    case 'persistent':
      return persistentVolume(volume, path);
    case 'dvdi':
      return [...needsFeature('external_volumes', path, facts), ...dvdiVolume(volume, path, container)];
    case 'csi':
      return [...needsFeature('external_volumes', path, facts), ...csiVolume(volume, path)];
    default:
      return [
        ...needsFeature('secrets', path, facts),
        ...secretFilePath(volume.containerPath, container.docker?.image !== undefined, `${path}/containerPath`),
        ...brokenIf(
          facts.context.builtInSecrets === true && container.type === 'DOCKER',
          path,
          'containers of the type DOCKER are given no secrets as files: use the type MESOS',
        ),
        ...brokenIf(
          !Object.hasOwn(app.secrets, volume.secret),
          path,
          `volume.secret must refer to an existing secret: '${volume.secret}' is not in secrets`,
        ),
      ];
  }
}

function dotPath(containerPath: string, path: string): readonly Problem[] {
  return brokenIf(
    containerPath === '.' || containerPath === '..',
    `${path}/containerPath`,
    `can not be one of (.,..): '${containerPath}'`,
  );
}

function persistentVolume({ containerPath, mode, persistent }: ByKind<'persistent'>, path: string): readonly Problem[] {
  return [
    ...dotPath(containerPath, path),
    ...brokenIf(
      containerPath.includes('/'),
      `${path}/containerPath`,
      `value must not contain "/": it is a name inside the sandbox, not '${containerPath}'`,
    ),
    ...brokenIf(mode !== 'RW', `${path}/mode`, `must be RW for a persistent volume, not ${mode}`),
    ...persistentProblems(persistent, `${path}/persistent`),
  ];
}

/** What is wrong with the disk that a persistent volume asks for. */
export function persistentProblems(info: PersistentDocument, path: string): readonly Problem[] {
  const type = info.type ?? (info.profileName === undefined ? 'root' : 'mount');
  return [
    ...brokenIf(info.size <= 0, `${path}/size`, `got ${info.size}, expected more than 0 MiB`),
    ...info.constraints.flatMap((constraint, at) => diskConstraint(constraint, `${path}/constraints(${at})`)),
    ...brokenIf(type !== 'mount' && info.maxSize !== undefined, path, 'Only mount volumes can have maxSize'),
    ...brokenIf(
      type === 'root' && info.constraints.length > 0,
      path,
      'Constraints on root volumes are not supported: use the type path or mount',
    ),
    ...brokenIf(
      info.maxSize !== undefined && info.maxSize <= info.size,
      path,
      `Max size must be larger than size: ${info.maxSize} is not more than ${info.size}`,
    ),
  ];
}

function diskConstraint(parts: readonly string[], path: string): readonly Problem[] {
  const [field, operator, value] = parts;
  if (field !== 'path' || value === undefined) {
    return broken(
      path,
      `Unsupported constraint ${parts.join(',')}: it has to be path, LIKE or UNLIKE, and an expression`,
    );
  }
  if (operator !== 'LIKE' && operator !== 'UNLIKE')
    return broken(path, `Operator must be one of LIKE, UNLIKE, not ${operator}`);
  const compiled = compilePattern(value);
  return compiled.ok ? FINE : broken(path, `Invalid regular expression '${value}': ${compiled.error}`);
}

function dvdiVolume(volume: ByKind<'dvdi'>, path: string, { type }: ContainerDocument): readonly Problem[] {
  const { name, provider, options, size } = volume.external;
  const at = `${path}/external`;
  const badKey = Object.keys(options).find((key) => !OPTION_KEY.test(key));
  const others = Object.keys(options).filter((key) => key !== DRIVER);
  const isDocker = type === 'DOCKER';
  return [
    ...brokenIf(!name, `${at}/name`, 'must not be empty'),
    ...brokenIf(provider === undefined || !LABEL.test(provider), `${at}/provider`, `must match ${LABEL.source}`),
    ...brokenIf(
      provider !== undefined && LABEL.test(provider) && provider !== 'dvdi',
      `${at}/provider`,
      `is unknown provider '${provider}': there are dvdi and csi`,
    ),
    ...brokenIf(badKey !== undefined, `${at}/options`, `option keys look like label/name, not '${badKey}'`),
    ...brokenIf(!Object.hasOwn(options, DRIVER), `${at}/options`, `must contain ${DRIVER}`),
    ...brokenIf(size !== undefined && size <= 0, `${at}/size`, `got ${size}, expected more than 0`),
    ...brokenIf(
      isDocker && others.length > 0,
      `${at}/options`,
      `must only contain ${DRIVER}, not ${others.join(', ')}`,
    ),
    ...brokenIf(isDocker && size !== undefined, `${at}/size`, 'must be undefined for Docker containers'),
    ...brokenIf(!isDocker && volume.mode !== 'RW', `${path}/mode`, `must be RW, not ${volume.mode}`),
    ...dotPath(volume.containerPath, path),
  ];
}

function csiVolume({ external, mode }: ByKind<'csi'>, path: string): readonly Problem[] {
  const { accessMode, accessType, fsType } = external.options.capability;
  return [
    ...brokenIf(
      READ_ONLY_MODES.has(accessMode) && mode !== 'RO',
      path,
      `CSI volume must be mounted readonly with a read-only access mode: ${accessMode} needs mode RO`,
    ),
    ...brokenIf(
      accessType === 'mount' && fsType === undefined,
      `${path}/external/options/capability/fsType`,
      'must be given for the access type mount',
    ),
  ];
}

/** Volumes that only one instance may have. */
export function exclusiveVolumes(app: AppDocument): readonly Problem[] {
  const volumes = volumesOf(app);
  const { instances, upgradeStrategy } = app;
  const tooMany = instances > 1;
  const csi = volumes.filter((volume) => volume.kind === 'csi');
  const hasDvdi = volumes.some(({ kind }) => kind === 'dvdi');
  const isShareable = csi.every(({ external }) => SHAREABLE_MODES.has(external.options.capability.accessMode));
  const writers = csi.filter(
    ({ external, mode }) => external.options.capability.accessMode === 'MULTI_NODE_SINGLE_WRITER' && mode === 'RW',
  );
  return [
    ...brokenIf(
      hasDvdi && tooMany,
      '/',
      `Number of instances is limited to 1 when declaring DVDI volumes in app ${app.id}`,
    ),
    ...brokenIf(
      hasDvdi && upgradeStrategy !== undefined && upgradeStrategy.maximumOverCapacity !== 0,
      '/upgradeStrategy/maximumOverCapacity',
      `got ${upgradeStrategy?.maximumOverCapacity}, expected 0.0: two instances cannot have the volume`,
    ),
    ...brokenIf(
      tooMany && !isShareable,
      '/instances',
      `got ${instances}, expected 1 or less while non-shareable CSI volumes are defined`,
    ),
    ...brokenIf(
      tooMany && isShareable && writers.length > 0,
      '/instances',
      `got ${instances}, expected 1 or less while a multi-node single-writer volume is defined mounted as read/write`,
    ),
  ];
}
