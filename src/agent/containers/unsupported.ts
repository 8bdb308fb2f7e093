import type { Volume } from '../../wire/v1.ts';
import type { LaunchContainer } from '../core/effects.ts';

/** What is asked for and does not exist here: better no task than one without what it relies on. @returns a sentence */
export function unsupported({ container, unresolvedSecret, secretFiles }: LaunchContainer): string | undefined {
  if (unresolvedSecret !== undefined) {
    return `Secrets are not looked up in this build: the variable '${unresolvedSecret}' has a secret of type REFERENCE, and it must be VALUE`;
  }
  if (!container) return undefined;
  if (container.type === 'DOCKER') {
    return 'None of the enabled containerizers (mesos) could create a container for it: container.type is DOCKER, and docker is not in this build';
  }
  if (container.mesos?.image) return 'Container images are not in this build: container.mesos.image must be absent';
  const foreign = container.volumes?.find(({ source }) => source?.type !== 'SANDBOX_PATH' && source?.type !== 'SECRET');
  if (foreign) {
    return `Volumes from outside of sandboxes are not in this build: container.volumes has '${foreign.container_path}', whose source.type must be SANDBOX_PATH or SECRET`;
  }
  const secrets = container.volumes?.filter(({ source }) => source?.type === 'SECRET') ?? [];
  const without = secrets.find(({ source }) => source?.secret?.value === undefined);
  if (without) return noValue(without);
  if (secrets.length > 0 && secretFiles === undefined) {
    return `Only tasks of built-in executors are given secrets as files: container.volumes has '${secrets[0]!.container_path}', whose source.type is SECRET`;
  }
  const named = container.network_infos?.find(({ name }) => name !== undefined);
  if (named) return `Container networks are not in this build: container.network_infos names '${named.name}'`;
  if (container.tty_info) return 'Terminals for containers are not in this build: container.tty_info must be absent';
  return undefined;
}

/** Values are not kept on disk: an agent that was restarted before the task had started has them no more. */
function noValue({ container_path: path, source }: Volume): string {
  if (source?.secret?.type === 'VALUE') {
    return `The value of the secret for the file '${path}' is gone, since agents write none to disk: launch the task again`;
  }
  return `Secrets are not looked up in this build: the volume '${path}' has a secret of type REFERENCE, and it must be VALUE`;
}
