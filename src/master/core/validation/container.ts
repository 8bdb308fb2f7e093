import { err, ok, type Result } from '../../../base/result.ts';
import type { ContainerInfo, Volume } from '../../../wire/v1.ts';

const VALID: Result<void> = ok(undefined);

export function validateContainer(container: ContainerInfo): Result<void> {
  for (const volume of container.volumes ?? []) {
    const valid = validateVolume(volume);
    if (!valid.ok) return err(`Invalid volume: ${valid.error}`);
  }
  if (container.type !== 'DOCKER') return VALID;
  if (container.docker === undefined) return err("'docker' is not set for DOCKER typed ContainerInfo");
  if (container.docker.parameters?.some((parameter) => parameter.key === 'name')) {
    return err("Parameter in DockerInfo must not be 'name': the agent names the container");
  }
  return VALID;
}

function validateVolume(volume: Volume): Result<void> {
  const { host_path, image, source } = volume;
  if ([host_path, image, source].filter((field) => field !== undefined).length !== 1) {
    return err(
      `Exactly one of 'host_path', 'image' and 'source' must be set for the volume at '${volume.container_path}'`,
    );
  }
  if (source === undefined) return VALID;
  const fields = {
    DOCKER_VOLUME: 'docker_volume',
    HOST_PATH: 'host_path',
    SANDBOX_PATH: 'sandbox_path',
    SECRET: 'secret',
    CSI_VOLUME: 'csi_volume',
  } as const;
  const type = source.type;
  if (type === undefined || !(type in fields))
    return err(`'source.type' is unknown: ${type ?? 'none'}; use ${Object.keys(fields).join(', ')}`);
  const field = fields[type as keyof typeof fields];
  if (source[field] === undefined) return err(`'source.${field}' is not set for ${type} volume`);
  if (source.csi_volume !== undefined && source.csi_volume.static_provisioning === undefined) {
    return err("'source.csi_volume.static_provisioning' is not set for CSI volume");
  }
  return VALID;
}

/** Whether tasks of this container share the resource limits of their executor; they do unless they say otherwise. */
export function sharesCgroups(container: ContainerInfo | undefined): boolean {
  return container?.linux_info?.share_cgroups ?? true;
}
