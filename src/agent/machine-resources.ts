import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { ok, type Result } from '../base/result.ts';
import { parseResourceList, parseResources } from '../resources/parse.ts';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';

const GIGABYTE = 1024 ** 3;
const MEGABYTE = 1024 ** 2;
/** Upstream's, for what cannot be found out: megabytes. */
const DEFAULT_DISK = 10 * 1024;
const DEFAULT_PORTS = '[31000-32000]';

/** What a machine has, in bytes and cores. */
export interface Machine {
  readonly cpus: number;
  readonly memory: number;
  /** Of the file system that sandboxes are on; absent when it cannot be asked. */
  readonly disk: number | undefined;
}

/** Asks the operating system. @param workDir an existing folder */
export async function inspectMachine(workDir: string): Promise<Machine> {
  const disk = await statfs(workDir).then(
    ({ blocks, bsize }) => blocks * bsize,
    () => undefined,
  );
  return { cpus: availableParallelism(), memory: totalmem(), disk };
}

/**
 * What the agent offers: the flag's word, and for what it does not name what the machine has, less something for the
 * system itself (upstream's rule: 1 GB of memory and 5 GB of disk, or half of either where there is little).
 */
export function agentResources(flag: string, defaultRole: string, machine: Machine): Result<readonly Resource[]> {
  const listed = parseResourceList(flag, defaultRole);
  if (!listed.ok) return listed;
  const named = new Set(listed.value.map((resource) => resource.name));
  const missing: string[] = [];
  const add = (name: string, value: string | number): void => {
    if (!named.has(name)) missing.push(`${name}:${value}`);
  };
  add('cpus', machine.cpus);
  add('mem', megabytes(machine.memory, 2 * GIGABYTE, GIGABYTE));
  add('disk', machine.disk === undefined ? DEFAULT_DISK : megabytes(machine.disk, 10 * GIGABYTE, 5 * GIGABYTE));
  add('ports', DEFAULT_PORTS);
  const given = parseResources(flag, defaultRole);
  if (!given.ok) return given;
  const found = parseResources(missing.join(';'), defaultRole);
  if (!found.ok) return found;
  return ok(Resources.sum([given.value, found.value]).toProto());
}

function megabytes(total: number, much: number, reserve: number): number {
  return Math.floor((total >= much ? total - reserve : total / 2) / MEGABYTE);
}
