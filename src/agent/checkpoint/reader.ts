/** Reads what an agent of before has written under `work_dir/meta` (facts: semantics, 8.2). */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { StatusUpdateRecord } from '../../wire/internal.ts';
import { ResourceState } from '../../wire/internal_slave.ts';
import type { MessageType } from '../../wire/message-type.ts';
import { AgentInfo, DrainConfig, ExecutorInfo, FrameworkInfo, Task, TaskInfo } from '../../wire/v1.ts';
import { CHECKPOINT_FORMAT, type TaskLaunch } from '../core/checkpoints.ts';
import type { Recovered, RecoveredFramework, RecoveredRun, RecoveredTask } from '../core/recovered.ts';
import type { ExecutorKind } from '../core/state.ts';

/** Larger than any status update may be; what claims to be larger was not written by us. */
const MAX_RECORD = 64 * 2 ** 20;

/** A checkpoint that cannot be understood. The message names the path. */
class Unreadable extends Error {
  /** Whether an agent can go on without it. */
  readonly isSkippable: boolean;

  constructor(sentence: string, isSkippable: boolean) {
    super(`What an earlier agent has saved cannot be read: ${sentence}`);
    this.isSkippable = isSkippable;
  }
}

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
  const { workDir, strict } = options;
  const latest = join(workDir, 'meta/slaves/latest');
  const reading = new Reading(options);
  try {
    const name = linkTarget(latest);
    if (name === undefined) return ok(undefined);
    const format = textOf(join(workDir, 'meta/meseta.format')) ?? CHECKPOINT_FORMAT;
    if (format !== CHECKPOINT_FORMAT) return err(otherFormat(join(workDir, 'meta'), format));
    return ok(read(reading, workDir, name));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const passOver = strict && error.isSkippable ? 'To pass over it, start with --no-strict; to' : 'To';
    return err(`${error.message}. ${passOver} give up what ran here and begin as a new agent, remove ${latest}`);
  }
}

function otherFormat(folder: string, format: string): string {
  return (
    `${folder} was written in format ${format}, and this agent knows only format ${CHECKPOINT_FORMAT}: run the version ` +
    'that wrote it, or a later one; nothing was changed'
  );
}

/** @param name of the agent's folder */
function read(reading: Reading, workDir: string, name: string): Checkpoints | undefined {
  const folder = join(workDir, 'meta/slaves', name);
  const info = reading.message(join(folder, 'slave.info'), AgentInfo);
  // Without it the agent never got so far as to run anything.
  if (info === undefined) return undefined;
  const drain = reading.message(join(folder, 'drain.config'), DrainConfig);
  const frameworks = reading.names(join(folder, 'frameworks')).flatMap((id) => {
    return reading.framework(join(folder, 'frameworks', id), join(workDir, 'slaves', name, 'frameworks', id));
  });
  const resources =
    reading.message(join(workDir, 'meta/resources/resources_and_operations.state'), ResourceState) ?? {};
  const others = leftovers(reading, workDir, name);
  return { info, drain, frameworks, resources, leftovers: others, errors: reading.errors };
}

/** The folders of agents that this machine was before. */
function leftovers(reading: Reading, workDir: string, latest: string): string[] {
  return ['meta/slaves', 'slaves'].flatMap((folder) => {
    const others = reading.names(join(workDir, folder)).filter((name) => name !== 'latest' && name !== latest);
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
    const pid = this.#text(join(folder, 'framework.pid')) || undefined;
    const runs = this.names(join(folder, 'executors')).flatMap((id) => {
      return this.#executor(join(folder, 'executors', id), join(sandboxes, 'executors', id));
    });
    return [{ info, pid, runs }];
  }

  #executor(folder: string, sandboxes: string): RecoveredRun[] {
    const info = this.message(join(folder, 'executor.info'), ExecutorInfo);
    if (info === undefined) return [];
    const kind = kindOf(info, this.#text(join(folder, 'meseta.kind')));
    const latest = this.#link(join(folder, 'runs/latest'));
    return this.names(join(folder, 'runs')).flatMap((containerId) => {
      if (containerId === 'latest') return [];
      const run = this.#run(join(folder, 'runs', containerId), join(sandboxes, 'runs', containerId), { info, kind });
      // Of one executor only the last run can still go on.
      return run.isCompleted || containerId === latest ? [run] : [{ ...run, isCompleted: true }];
    });
  }

  #run(folder: string, sandbox: string, { info, kind }: Pick<RecoveredRun, 'info' | 'kind'>): RecoveredRun {
    const processId = Number(this.#text(join(folder, 'pids/forked.pid')));
    const launchedAt = Number(this.#text(join(folder, 'meseta.launched')));
    const modifiedAt = modified(join(folder, 'executor.sentinel')) ?? modified(sandbox) ?? Date.now();
    return {
      info,
      kind,
      containerId: basename(folder),
      launchedAt: launchedAt > 0 ? launchedAt : modifiedAt,
      modifiedAt,
      isCompleted: this.#text(join(folder, 'executor.sentinel')) !== undefined,
      processId: processId > 0 ? processId : undefined,
      pid: this.#text(join(folder, 'pids/libprocess.pid')) || undefined,
      isHttp: this.#text(join(folder, 'pids/http.marker')) !== undefined,
      tasks: this.names(join(folder, 'tasks')).flatMap((id) => this.#task(join(folder, 'tasks', id))),
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
      return JSON.parse(this.#text(path) ?? '{}') as TaskLaunch;
    } catch {
      this.#unreadable(`${path} is no JSON`);
      return {};
    }
  }

  #records(path: string): StatusUpdateRecord[] {
    const bytes = this.#content(path);
    const records: StatusUpdateRecord[] = [];
    for (let at = 0; bytes !== undefined && at + 4 <= bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      if (length > MAX_RECORD) {
        this.#unreadable(`${path} is garbled at byte ${at}: no update has ${length} bytes`);
        break;
      }
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
    const bytes = this.#content(path);
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

  names(folder: string): string[] {
    // What was being written when the machine stopped has another name.
    return this.#attempt(() => readdirSync(folder).filter((name) => !name.endsWith('.new')), folder) ?? [];
  }

  #content(path: string): Buffer | undefined {
    return this.#attempt(() => readFileSync(path), path);
  }

  #text(path: string): string | undefined {
    return this.#content(path)?.toString('utf8').trim();
  }

  #link(path: string): string | undefined {
    return this.#attempt(() => basename(readlinkSync(path)), path);
  }

  /** @returns undefined if it is not there, or is passed over */
  #attempt<T>(look: () => T, path: string): T | undefined {
    try {
      return look();
    } catch (error) {
      if (!isMissing(error)) this.#unreadable(sentenceOf(error, path));
      return undefined;
    }
  }

  #unreadable(sentence: string): void {
    if (this.#options.strict) throw new Unreadable(sentence, true);
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

/** Some errors of the system do not name their path. */
function sentenceOf(error: unknown, path: string): string {
  const { message } = error as Error;
  return message.includes(path) ? message : `${path}: ${message}`;
}

/** What an agent cannot do without. */
function needed<T>(look: () => T, path: string): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Unreadable(sentenceOf(error, path), false);
  }
}

function textOf(path: string): string | undefined {
  return needed(() => readFileSync(path, 'utf8').trim(), path);
}

function linkTarget(path: string): string | undefined {
  return needed(() => basename(readlinkSync(path)), path);
}

function modified(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
