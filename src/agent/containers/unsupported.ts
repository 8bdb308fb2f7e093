import type { LaunchContainer } from '../core/effects.ts';

/** What is asked for and does not exist here: better no task than one without what it relies on. @returns a sentence */
export function unsupported({ container, unresolvedSecret }: LaunchContainer): string | undefined {
  if (unresolvedSecret !== undefined) {
    return `Secrets are not looked up in this build: the variable '${unresolvedSecret}' has a secret of type REFERENCE, and it must be VALUE`;
  }
  if (!container) return undefined;
  if (container.type === 'DOCKER') {
    return 'None of the enabled containerizers (mesos) could create a container for it: container.type is DOCKER, and docker is not in this build';
  }
  if (container.mesos?.image) return 'Container images are not in this build: container.mesos.image must be absent';
  const foreign = container.volumes?.find(({ source }) => source?.type !== 'SANDBOX_PATH');
  if (foreign) {
    return `Volumes from outside of sandboxes are not in this build: container.volumes has '${foreign.container_path}', whose source.type must be SANDBOX_PATH`;
  }
  const named = container.network_infos?.find(({ name }) => name !== undefined);
  if (named) return `Container networks are not in this build: container.network_infos names '${named.name}'`;
  if (container.tty_info) return 'Terminals for containers are not in this build: container.tty_info must be absent';
  return undefined;
}
