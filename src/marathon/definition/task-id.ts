/** Ids of instances and of their tasks, in the spellings of all versions that may have left tasks behind. */
import { err, ok, type Result } from '../../base/result.ts';
import { fromSafePath, safePath } from './path-id.ts';

/** What stands for the container in task ids of apps; containers of pods cannot be named so. */
export const APP_CONTAINER = '_app';

export interface InstanceIdParts {
  /** Absolute. */
  readonly specId: string;
  /** `instance`; `marathon` where it was taken over from before there were instances. */
  readonly prefix: 'instance' | 'marathon';
  readonly uuid: string;
}

export interface TaskIdParts {
  readonly specId: string;
  /** Of a task from before there were instances: the id that such an instance was given. */
  readonly instanceId: string;
  /** Of a pod; absent for apps. */
  readonly container?: string;
  /** How often the instance was launched; absent in ids from before instances were launched again. */
  readonly incarnation?: number;
}

const UUID = /^[0-9a-fA-F]{1,8}-[0-9a-fA-F]{1,4}-[0-9a-fA-F]{1,4}-[0-9a-fA-F]{1,4}-[0-9a-fA-F]{1,12}$/;
const INSTANCE = /^(.+)\.(instance|marathon)-([^.]+)$/;

/** In the order in which they are tried: each would also take what an earlier one is for. */
const TASK_FORMATS: readonly { readonly pattern: RegExp; readonly parts: (found: readonly string[]) => RawParts }[] = [
  {
    pattern: /^(.+)\.(instance|marathon)-([^_.]+)[._]([^.]+)\.(\d+)$/,
    parts: ([, safe, prefix, uuid, container, incarnation]) => ({ safe, prefix, uuid, container, incarnation }),
  },
  {
    pattern: /^(.+)\.(instance|marathon)-([^_.]+)[._]([^.]+)$/,
    parts: ([, safe, prefix, uuid, container]) => ({ safe, prefix, uuid, container }),
  },
  {
    pattern: /^(.+)[._]([^_.]+)\.(\d+)$/,
    parts: ([, safe, uuid, incarnation]) => ({ safe, uuid, incarnation }),
  },
  { pattern: /^(.+)[._]([^_.]+)$/, parts: ([, safe, uuid]) => ({ safe, uuid }) },
];

interface RawParts {
  readonly safe?: string;
  readonly prefix?: string;
  readonly uuid?: string;
  readonly container?: string;
  readonly incarnation?: string;
}

/** @param uuid time-based (version 1), as upstream's are: some tools read the age of an instance from it */
export function instanceId(specId: string, uuid: string): string {
  return `${safePath(specId)}.instance-${uuid}`;
}

/**
 * @param incarnation from 1
 * @param container of a pod; nothing for apps
 */
export function taskId(instance: string, incarnation: number, container: string = APP_CONTAINER): string {
  return `${instance}.${container}.${incarnation}`;
}

export function readInstanceId(text: string): Result<InstanceIdParts> {
  const [, safe, prefix, uuid] = INSTANCE.exec(text) ?? [];
  if (safe === undefined || uuid === undefined || !UUID.test(uuid)) {
    return err(`'${text}' is no instance id: those look like a_b.instance-<uuid> for the app or pod /a/b`);
  }
  return ok({ specId: fromSafePath(safe), prefix: prefix === 'marathon' ? 'marathon' : 'instance', uuid });
}

export function readTaskId(text: string): Result<TaskIdParts> {
  for (const { pattern, parts } of TASK_FORMATS) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const { safe = '', prefix, uuid = '', container, incarnation } = parts(found);
    if (!UUID.test(uuid)) break;
    return ok({
      specId: fromSafePath(safe),
      instanceId: `${safe}.${prefix ?? 'marathon'}-${uuid}`,
      ...(container !== undefined && container !== APP_CONTAINER && { container }),
      ...(incarnation !== undefined && { incarnation: Number(incarnation) }),
    });
  }
  return err(
    `Invalid task id '${text}': those look like a_b.instance-<uuid>._app.1, or a_b.instance-<uuid>.<container>.1 for pods`,
  );
}
