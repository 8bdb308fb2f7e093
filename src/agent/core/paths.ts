/** Where things lie under the work directory: upstream's layout, which tools and people know. */
import type { Resource } from '../../wire/v1.ts';

export function agentDirectory(workDir: string, agentId: string): string {
  return `${workDir}/slaves/${agentId}`;
}

export function frameworkDirectory(workDir: string, agentId: string, frameworkId: string): string {
  return `${agentDirectory(workDir, agentId)}/frameworks/${frameworkId}`;
}

/** The folder of an executor's runs: `latest` in it links to the newest. */
export function runsDirectory(workDir: string, agentId: string, frameworkId: string, executorId: string): string {
  return `${executorDirectory(workDir, agentId, frameworkId, executorId)}/runs`;
}

/** The folder of an executor: its runs are in it. */
export function executorDirectory(workDir: string, agentId: string, frameworkId: string, executorId: string): string {
  return `${frameworkDirectory(workDir, agentId, frameworkId)}/executors/${executorId}`;
}

/** Where a folder waits for its removal, on the same disk. @param name unique */
export function discardedDirectory(workDir: string, name: string): string {
  return `${workDir}/meta/removed/${name}`;
}

/** The sandbox of a task in a group: inside its executor's, under the id of its own container. */
export function nestedSandbox(executorDirectory: string, containerId: string): string {
  return `${executorDirectory}/containers/${containerId}`;
}

/**
 * Where the data of a persistent volume lies: on its own disk, else in the work directory. Roles may have slashes, which
 * upstream writes as spaces, since no role has one.
 */
export function volumeDirectory(workDir: string, { reservations, disk }: Resource): string {
  const role = (reservations?.at(-1)?.role ?? '').replaceAll('/', ' ');
  const { type, path, mount } = disk?.source ?? {};
  const root = type === 'PATH' ? path?.root : type === 'MOUNT' ? mount?.root : undefined;
  const base = root === undefined ? workDir : root.startsWith('/') ? root : `${workDir}/${root}`;
  return type === 'MOUNT' ? base : `${base}/${VOLUMES}/${role}/${disk?.persistence?.id ?? ''}`;
}

const VOLUMES = 'volumes/roles';

/** Where the folder of a destroyed volume waits for its removal, on the same disk. @param name unique */
export function discardedVolume(path: string, name: string): string {
  return `${path.slice(0, path.lastIndexOf(`/${VOLUMES}/`))}/volumes/removed/${name}`;
}

/** The path under /files that stays the same whatever the agent's id and the run are. */
export function virtualRunPath(frameworkId: string, executorId: string): string {
  return `/frameworks/${frameworkId}/executors/${executorId}/runs/latest`;
}
