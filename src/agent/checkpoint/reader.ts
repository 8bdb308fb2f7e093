/** Reads what an agent of before has written under `work_dir/meta` (facts: semantics, 8.2). */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { StatusUpdateRecord } from '../../wire/internal.ts';
import { ResourceState } from '../../wire/internal_slave.ts';
import type { MessageType } from '../../wire/message-type.ts';
import { AgentInfo, DrainConfig, ExecutorInfo, FrameworkInfo, Task, TaskInfo } from '../../wire/v1.ts';
import { CHECKPOINT_FORMAT, type TaskLaunch } from '../core/checkpoints.ts';
import { KEPT_FILE, type KeptContainer } from '../core/kept-containers.ts';
import type { Recovered, RecoveredFramework, RecoveredRun, RecoveredTask } from '../core/recovered.ts';
import type { ExecutorKind } from '../core/state.ts';

/** A checkpoint that cannot be understood. The message names the path. */
class Unreadable extends Error {}

export interface ReadOptions {
  /** Absolute, without symbolic links. */
  readonly workDir: string;
  /** Stop at the first thing that cannot be read; otherwise pass over it. */
  readonly strict: boolean;
  readonly warn: (text: string) => void;
}

export type Checkpoints = Omit<Recovered, 'containers'>;

/** @returns undefined if no agent was here before; an error that names the path and the way out */
export function readCheckpoints(options: ReadOptions): Result<Checkpoints | undefined> {
  const slaves = join(options.workDir, 'meta/slaves');
  const latest = linkTarget(join(slaves, 'latest'));
  if (latest === undefined) return ok(undefined);
  const reading = new Reading(options);
  const format = text(join(options.workDir, 'meta/meseta.format')) ?? CHECKPOINT_FORMAT;
  if (format !== CHECKPOINT_FORMAT) {
    return err(
      `${join(options.workDir, 'meta')} was written in format ${format}, and this agent knows only format ` +
        `${CHECKPOINT_FORMAT}: run the version that wrote it, or a later one; nothing was changed`,
    );
  }
  try {
    const folder = join(slaves, latest);
    const info = reading.message(join(folder, 'slave.info'), AgentInfo);
    // Without it the agent never got so far as to run anything.
    if (info === undefined) return ok(undefined);
    const drain = reading.message(join(folder, 'drain.config'), DrainConfig);
    const frameworks = names(join(folder, 'frameworks')).flatMap((id) => {
      return reading.framework(
        join(folder, 'frameworks', id),
        join(options.workDir, 'slaves', latest, 'frameworks', id),
      );
    });
    const resources =
      reading.message(join(options.workDir, 'meta/resources/resources_and_operations.state'), ResourceState) ?? {};
    return ok({
      info,
      drain,
      frameworks,
      resources,
      operatorContainers: reading.containers(join(options.workDir, 'meta/containers')),
      leftovers: leftovers(options.workDir, latest),
      errors: reading.errors,
    });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return err(
      `${error.message}. To pass over it, start with --no-strict; to give up what ran here and begin as a new agent, ` +
        `remove ${join(slaves, 'latest')}`,
    );
  }
}

/** The folders of agents that this machine was before. */
function leftovers(workDir: string, latest: string): string[] {
  return ['meta/slaves', 'slaves'].flatMap((folder) => {
    const others = names(join(workDir, folder)).filter((name) => name !== 'latest' && name !== latest);
    return others.map((name) => join(workDir, folder, name));
  });
}

class Reading {
  errors = 0;
  readonly #options: ReadOptions;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  framework(folder: string, sandboxes: string): RecoveredFramework[] {
    const info = this.message(join(folder, 'framework.info'), FrameworkInfo);
    if (info === undefined) return [];
    const pid = text(join(folder, 'framework.pid')) || undefined;
    const runs = names(join(folder, 'executors')).flatMap((id) => {
      return this.#executor(join(folder, 'executors', id), join(sandboxes, 'executors', id));
    });
    return [{ info, pid, runs }];
  }

  /** Those that operators had launched, outer ones before what is nested in them. */
  containers(folder: string): KeptContainer[] {
    return names(folder).flatMap((name) => {
      const kept = this.#container(join(folder, name, KEPT_FILE));
      return [...(kept === undefined ? [] : [kept]), ...this.containers(join(folder, name, 'containers'))];
    });
  }

  #container(path: string): KeptContainer | undefined {
    const content = text(path);
    if (content === undefined) return undefined;
    try {
      const kept = JSON.parse(content) as Partial<KeptContainer> | null;
      const { id, sandbox, environment } = kept ?? {};
      if (Array.isArray(id) && id.length > 0 && typeof sandbox === 'string' && typeof environment === 'object') {
        return { ...kept, id, sandbox, environment: environment ?? {} };
      }
      this.#unreadable(`${path} does not say which container it is of`);
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      this.#unreadable(`${path} is no JSON`);
    }
    return undefined;
  }

  #executor(folder: string, sandboxes: string): RecoveredRun[] {
    const info = this.message(join(folder, 'executor.info'), ExecutorInfo);
    if (info === undefined) return [];
    const kind = kindOf(info, text(join(folder, 'meseta.kind')));
    const latest = linkTarget(join(folder, 'runs/latest'));
    return names(join(folder, 'runs')).flatMap((containerId) => {
      if (containerId === 'latest') return [];
      const run = this.#run(join(folder, 'runs', containerId), join(sandboxes, 'runs', containerId), { info, kind });
      // Of one executor only the last run can still go on.
      return run.isCompleted || containerId === latest ? [run] : [{ ...run, isCompleted: true }];
    });
  }

  #run(folder: string, sandbox: string, { info, kind }: Pick<RecoveredRun, 'info' | 'kind'>): RecoveredRun {
    const processId = Number(text(join(folder, 'pids/forked.pid')));
    const launchedAt = Number(text(join(folder, 'meseta.launched')));
    const modifiedAt = modified(join(folder, 'executor.sentinel')) ?? modified(sandbox) ?? Date.now();
    return {
      info,
      kind,
      containerId: basename(folder),
      launchedAt: launchedAt > 0 ? launchedAt : modifiedAt,
      modifiedAt,
      isCompleted: text(join(folder, 'executor.sentinel')) !== undefined,
      processId: processId > 0 ? processId : undefined,
      pid: text(join(folder, 'pids/libprocess.pid')) || undefined,
      isHttp: text(join(folder, 'pids/http.marker')) !== undefined,
      tasks: names(join(folder, 'tasks')).flatMap((id) => this.#task(join(folder, 'tasks', id))),
    };
  }

  #task(folder: string): RecoveredTask[] {
    const task = this.message(join(folder, 'task.info'), Task);
    const info = this.message(join(folder, 'meseta.task'), TaskInfo);
    if (task === undefined || info === undefined) return [];
    const launch = this.#launch(join(folder, 'meseta.launch'));
    return [{ task, info, launch, records: this.#records(join(folder, 'task.updates')) }];
  }

  #launch(path: string): TaskLaunch {
    try {
      return JSON.parse(text(path) ?? '{}') as TaskLaunch;
    } catch {
      this.#unreadable(`${path} is no JSON`);
      return {};
    }
  }

  #records(path: string): StatusUpdateRecord[] {
    const bytes = content(path);
    const records: StatusUpdateRecord[] = [];
    for (let at = 0; bytes !== undefined && at + 4 <= bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      // The machine stopped while this was being written: nobody was told of it.
      if (at + 4 + length > bytes.length) break;
      const record = StatusUpdateRecord.decode(bytes.subarray(at + 4, at + 4 + length));
      if (!record.ok) {
        this.#unreadable(`${path} is garbled at byte ${at}: ${record.error}`);
        break;
      }
      records.push(record.value);
      at += 4 + length;
    }
    return records;
  }

  /** @returns undefined if there is no such file, or it is passed over */
  message<T>(path: string, type: MessageType<T>): T | undefined {
    const bytes = content(path);
    if (bytes === undefined) return undefined;
    if (bytes.length < 4 || bytes.readUInt32LE(0) !== bytes.length - 4) {
      this.#unreadable(`${path} is garbled: its length is not what it says`);
      return undefined;
    }
    const message = type.decode(bytes.subarray(4));
    if (message.ok) return message.value;
    this.#unreadable(`${path} is garbled: ${message.error}`);
    return undefined;
  }

  #unreadable(sentence: string): void {
    if (this.#options.strict) throw new Unreadable(`What an earlier agent has saved cannot be read: ${sentence}`);
    this.errors++;
    this.#options.warn(`Passing over what an earlier agent has saved: ${sentence}`);
  }
}

function kindOf(info: ExecutorInfo, written: string | undefined): ExecutorKind {
  if (written === 'command' || written === 'default' || written === 'custom') return written;
  return info.type === 'DEFAULT' ? 'default' : 'custom';
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function content(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Unreadable(`What an earlier agent has saved cannot be read: ${(error as Error).message}`);
  }
}

function text(path: string): string | undefined {
  return content(path)?.toString('utf8').trim();
}

function names(folder: string): string[] {
  try {
    // What was being written when the machine stopped has another name.
    return readdirSync(folder).filter((name) => !name.endsWith('.new'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw new Unreadable(`What an earlier agent has saved cannot be read: ${(error as Error).message}`);
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return basename(readlinkSync(path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function modified(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
