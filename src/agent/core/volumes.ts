/** The persistent volumes of tasks and executors, and paths of other sandboxes, as folders in a sandbox. */
import type { ContainerInfo, Resource } from '../../wire/v1.ts';
import { type Context, log } from './context.ts';
import type { SecretFile, VolumeLink } from './effects.ts';
import { volumeDirectory } from './paths.ts';
import type { AgentState, ContainerUse } from './state.ts';

/** What shows the persistent volumes among the resources in a sandbox. */
export function volumeLinks(
  context: Context,
  sandbox: string,
  resources: readonly Resource[] | undefined,
): VolumeLink[] {
  const { state } = context;
  const links: VolumeLink[] = [];
  for (const volume of resources ?? []) {
    const { disk } = volume;
    if (disk?.persistence === undefined || disk.volume === undefined) continue;
    const { container_path: path, mode } = disk.volume;
    if (mode === 'RO') {
      log(
        context,
        'warning',
        `The volume '${disk.persistence.id}' at '${path}' can be written: a link cannot forbid it`,
      );
    }
    links.push({
      link: inSandbox(sandbox, path),
      target: volumeDirectory(state.options.workDir, volume),
      within: undefined,
      // Whoever uses it first owns it, as long as it is in use.
      give: volume.shared === undefined || !isInUse(state, volume),
    });
  }
  return links;
}

/** What shows folders of its own or of its executor's sandbox (SANDBOX_PATH volumes) to a task. @param parent the latter */
export function sandboxLinks(
  sandbox: string,
  parent: string | undefined,
  container: ContainerInfo | undefined,
): VolumeLink[] {
  return (container?.volumes ?? []).flatMap(({ container_path, source }) => {
    const path = source?.type === 'SANDBOX_PATH' ? source.sandbox_path : undefined;
    if (path === undefined) return [];
    const from = path.type === 'PARENT' ? parent : sandbox;
    const target = from === undefined ? undefined : inSandbox(from, path.path);
    return { link: inSandbox(sandbox, container_path), target, within: from, give: true };
  });
}

/** The secrets that came with their values, as files. Those that did not are refused by who starts the container. */
export function secretFiles(sandbox: string, container: ContainerInfo | undefined): SecretFile[] {
  return (container?.volumes ?? []).flatMap(({ container_path, source }) => {
    const data = source?.type === 'SECRET' ? source.secret?.value?.data : undefined;
    return data === undefined ? [] : [{ link: inSandbox(sandbox, container_path), data }];
  });
}

/** Absolute paths stay what they are: they are refused, not turned into others, by who makes the links. */
function inSandbox(sandbox: string, path: string): string {
  return path.startsWith('/') ? path : `${sandbox}/${path}`;
}

function isInUse(state: AgentState, volume: Resource): boolean {
  const same = ({ disk, reservations }: Resource): boolean =>
    disk?.persistence?.id === volume.disk?.persistence?.id &&
    reservations?.at(-1)?.role === volume.reservations?.at(-1)?.role;
  return [...state.containers.values()].some((use) => heldBy(use).some(same));
}

/** What a container was started with. */
function heldBy({ executor, taskId }: ContainerUse): readonly Resource[] {
  const { queued, launched, terminated, info } = executor;
  if (taskId === undefined) {
    return [info.resources ?? [], ...[...launched.values()].map((record) => record.info.resources ?? [])].flat();
  }
  return (queued.get(taskId) ?? launched.get(taskId) ?? terminated.get(taskId))?.info.resources ?? [];
}
