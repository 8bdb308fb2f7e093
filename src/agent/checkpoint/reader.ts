/** Reads what an agent of before has written under `work_dir/meta` (facts: semantics, 8.2). */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { StatusUpdateRecord } from '../../wire/internal.ts';
import { ResourceState } from '../../wire/internal_slave.ts';
import type { MessageType } from '../../wire/message-type.ts';
import { AgentInfo, DrainConfig, ExecutorInfo, FrameworkInfo, Task, TaskInfo } from '../../wire/v1.ts';
import { CHECKPOINT_FORMAT, type TaskLaunch } from '../core/checkpoints.ts';
import { KEPT_FILE, type KeptContainer } from '../core/kept-containers.ts';
import type { Leftover, Recovered, RecoveredFramework, RecoveredRun, RecoveredTask } from '../core/recovered.ts';
import type { ExecutorKind, TaskKill } from '../core/state.ts';
import { contentOf, latestIn, modifiedAt, namesIn, recordsIn } from './files.ts';
import { agentFolders, strayFolders } from './leftovers.ts';

/** A checkpoint that cannot be understood. The message names the path. */
class Unreadable extends Error {}

export interface ReadOptions {
  /** Absolute, without symbolic links. */
  readonly workDir: string;
  /** Stop at the first thing that cannot be read; otherwise pass over it. */
  readonly strict: boolean;
  readonly warn: (text: string) => void;
}

export interface Checkpoints extends Omit<Recovered, 'containers'> {
  /** Files of records whose end is of no use: to be cut off there, before anything is appended. */
  readonly torn: readonly { readonly path: string; readonly length: number }[];
}

/** @returns an error that names the path and the way out */
export function readCheckpoints(options: ReadOptions): Result<Checkpoints> {
  const meta = join(options.workDir, 'meta');
  const reading = new Reading(options);
  try {
    const format = reading.format(join(meta, 'meseta.format')) ?? CHECKPOINT_FORMAT;
    if (format !== CHECKPOINT_FORMAT) {
      return err(
        `${meta} was written in format ${format}, and this agent knows only format ${CHECKPOINT_FORMAT}: run the ` +
          'version that wrote it, or a later one; nothing was changed',
      );
    }
    const agent = readAgent(reading, options.workDir);
    const path = join(meta, 'resources/resources_and_operations.state');
    const resources = reading.message(path, ResourceState) ?? {};
    const operatorContainers = reading.containers(join(meta, 'containers'));
    return ok({ ...agent, resources, operatorContainers, torn: reading.torn, errors: reading.errors });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return err(
      `${error.message}. To pass over it, start with --no-strict; to give up what ran here and begin as a new agent, ` +
        `remove ${join(meta, 'slaves/latest')}`,
    );
  }
}

type ReadAgent = Pick<Recovered, 'info' | 'drain' | 'frameworks' | 'leftovers'>;

function readAgent(reading: Reading, workDir: string): ReadAgent {
  const latest = reading.latest(join(workDir, 'meta/slaves'));
  const folder = latest === undefined ? undefined : join(workDir, 'meta/slaves', latest);
  const info = folder === undefined ? undefined : reading.agent(folder);
  // Without it the agent never got so far as to run anything.
  if (folder === undefined || latest === undefined || info?.id === undefined) {
    return { info: undefined, drain: undefined, frameworks: [], leftovers: agentFolders(workDir, undefined) };
  }
  const drain = reading.message(join(folder, 'drain.config'), DrainConfig);
  const frameworks = reading.names(join(folder, 'frameworks')).flatMap((id) => {
    return reading.framework(join(folder, 'frameworks', id), join(workDir, 'slaves', latest, 'frameworks', id));
  });
  const leftovers: Leftover[] = [...agentFolders(workDir, latest), ...strayFolders(workDir, latest)];
  return { info, drain, frameworks, leftovers };
}

class Reading {
  errors = 0;
  readonly torn: { path: string; length: number }[] = [];
  readonly #options: ReadOptions;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  format(path: string): string | undefined {
    const text = this.text(path);
    if (text === undefined || /^[1-9]\d*$/.test(text)) return text;
    this.#unreadable(`${path} is garbled: it should be a number`);
    return undefined;
  }

  /** @param folder where the link to the newest leads */
  agent(folder: string): AgentInfo | undefined {
    const path = join(folder, 'slave.info');
    const info = this.message(path, AgentInfo);
    const id = info?.id?.value;
    if (id === basename(folder)) return info;
    if (id !== undefined) this.#unreadable(`${path} is of the agent '${id}', and lies in the folder of another`);
    // What is in there came after the file, and had to wait for it.
    else if (existsSync(join(folder, 'frameworks')) && !existsSync(path)) this.#unreadable(`${path} is missing`);
    else if (!existsSync(folder)) {
      this.#options.warn(`${join(dirname(folder), 'latest')} leads to nothing: beginning as a new agent`);
    }
    return undefined;
  }

  framework(folder: string, sandboxes: string): RecoveredFramework[] {
    const info = this.required(join(folder, 'framework.info'), FrameworkInfo, folder);
    if (info === undefined) return [];
    const pid = this.text(join(folder, 'framework.pid')) || undefined;
    const runs = this.names(join(folder, 'executors')).flatMap((id) => {
      return this.#executor(join(folder, 'executors', id), join(sandboxes, 'executors', id));
    });
    return [{ info: { ...info, id: { value: basename(folder) } }, pid, runs }];
  }

  /** Those that operators had launched, outer ones before what is nested in them. */
  containers(folder: string): KeptContainer[] {
    return this.names(folder).flatMap((name) => {
      const kept = this.#json(join(folder, name, KEPT_FILE), isKept);
      return [...(kept === undefined ? [] : [kept]), ...this.containers(join(folder, name, 'containers'))];
    });
  }

  #executor(folder: string, sandboxes: string): RecoveredRun[] {
    const info = this.required(join(folder, 'executor.info'), ExecutorInfo, folder);
    if (info === undefined) return [];
    const kind = this.#kind(join(folder, 'meseta.kind'), info);
    const runs = join(folder, 'runs');
    const latest = this.latest(runs);
    if (latest === undefined && hasHistory(folder)) this.#unreadable(`${join(runs, 'latest')} is missing`);
    if (kind === undefined) return [];
    return this.names(runs).flatMap((containerId) => {
      const run = this.#run(join(runs, containerId), join(sandboxes, 'runs', containerId), { info, kind });
      // Of one executor only the last run can still go on.
      return run.isCompleted || containerId === latest ? [run] : [{ ...run, isCompleted: true }];
    });
  }

  #kind(path: string, info: ExecutorInfo): ExecutorKind | undefined {
    const written = this.text(path);
    if (written === 'command' || written === 'default' || written === 'custom') return written;
    if (written === undefined && !existsSync(path)) {
      if (!hasHistory(dirname(path))) return info.type === 'DEFAULT' ? 'default' : 'custom';
      this.#unreadable(`${path} is missing`);
    } else if (written !== undefined) {
      this.#unreadable(`${path} is garbled: it says neither command nor default nor custom`);
    }
    return undefined;
  }

  #run(folder: string, sandbox: string, { info, kind }: Pick<RecoveredRun, 'info' | 'kind'>): RecoveredRun {
    const sentinel = join(folder, 'executor.sentinel');
    const modified = modifiedAt(sentinel) ?? modifiedAt(sandbox) ?? Date.now();
    return {
      info,
      kind,
      containerId: basename(folder),
      launchedAt: this.#number(join(folder, 'meseta.launched')) ?? modified,
      modifiedAt: modified,
      isCompleted: existsSync(sentinel),
      processId: this.#number(join(folder, 'pids/forked.pid')),
      pid: this.#pid(join(folder, 'pids/libprocess.pid')),
      isHttp: existsSync(join(folder, 'pids/http.marker')),
      tasks: this.names(join(folder, 'tasks')).flatMap((id) => this.#task(join(folder, 'tasks', id))),
    };
  }

  #number(path: string): number | undefined {
    const text = this.text(path);
    if (text === undefined) return undefined;
    if (/^[1-9]\d*(\.\d+)?$/.test(text)) return Number(text);
    this.#unreadable(`${path} is garbled: it should be a number`);
    return undefined;
  }

  #pid(path: string): string | undefined {
    const text = this.text(path);
    if (text === undefined) return undefined;
    if (/^[^@\s]+@[^@\s]+:\d+$/.test(text)) return text;
    this.#unreadable(`${path} is garbled: it should be a libprocess address, name@ip:port`);
    return undefined;
  }

  #task(folder: string): RecoveredTask[] {
    const task = this.required(join(folder, 'task.info'), Task, folder);
    const info = this.required(join(folder, 'meseta.task'), TaskInfo, folder);
    if (task === undefined || info === undefined) return [];
    const launch = this.#json(join(folder, 'meseta.launch'), isLaunch) ?? {};
    const kill = this.#json(join(folder, 'meseta.kill'), isKill);
    return [{ task, info, launch, kill, records: this.#records(join(folder, 'task.updates')) }];
  }

  #json<T>(path: string, isRight: (value: unknown) => value is T): T | undefined {
    const text = this.text(path);
    if (text === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      if (isRight(value)) return value;
    } catch {
      // The same as JSON of another shape.
    }
    this.#unreadable(`${path} is garbled: it is not the JSON that it should be`);
    return undefined;
  }

  #records(path: string): readonly StatusUpdateRecord[] {
    const bytes = this.#read(contentOf(path));
    if (bytes === undefined) return [];
    const { records, length, problem } = recordsIn(bytes);
    if (problem !== undefined) this.#unreadable(`${path} ${problem}`);
    if (length < bytes.length) this.torn.push({ path, length });
    return records;
  }

  /** @returns undefined if there is no such file, or it is passed over */
  message<T>(path: string, type: MessageType<T>): T | undefined {
    const bytes = this.#read(contentOf(path));
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

  /** A message that is there before anything around it has a history; without one it may be that the agent was killed. */
  required<T>(path: string, type: MessageType<T>, around: string): T | undefined {
    const message = this.message(path, type);
    if (message === undefined && !existsSync(path) && hasHistory(around)) this.#unreadable(`${path} is missing`);
    return message;
  }

  text(path: string): string | undefined {
    return this.#read(contentOf(path))?.toString('utf8').trim();
  }

  names(folder: string): readonly string[] {
    return this.#read(namesIn(folder)) ?? [];
  }

  latest(folder: string): string | undefined {
    return this.#read(latestIn(folder));
  }

  #read<T>(result: Result<T>): T | undefined {
    if (result.ok) return result.value;
    this.#unreadable(result.error);
    return undefined;
  }

  #unreadable(sentence: string): void {
    if (this.#options.strict) throw new Unreadable(`What an earlier agent has saved cannot be read: ${sentence}`);
    this.errors++;
    this.#options.warn(`Passing over what an earlier agent has saved: ${sentence}`);
  }
}

/** Whether anything was ever told of a task in there: until then the agent may have been killed between two files. */
function hasHistory(folder: string): boolean {
  if (existsSync(join(folder, 'task.updates'))) return true;
  const names = namesIn(folder);
  return names.ok && names.value.some((name) => hasHistory(join(folder, name)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKept(value: unknown): value is KeptContainer {
  if (!isObject(value)) return false;
  const { id, sandbox, user = '', environment, termination = {} } = value;
  const named = Array.isArray(id) && id.length > 0 && id.every((part) => typeof part === 'string');
  const placed = typeof sandbox === 'string' && typeof user === 'string';
  return named && placed && isObject(environment) && isObject(termination);
}

function isLaunch(value: unknown): value is TaskLaunch {
  if (!isObject(value)) return false;
  const { container = '', group = [] } = value;
  return typeof container === 'string' && Array.isArray(group) && group.every((id) => typeof id === 'string');
}

function isKill(value: unknown): value is TaskKill {
  if (!isObject(value) || typeof value.startedAt !== 'number' || typeof value.deadline !== 'number') return false;
  const { verdict, healthy } = value;
  const isVerdict = isObject(verdict) && typeof verdict.state === 'string' && typeof verdict.reason === 'string';
  return (verdict === undefined || isVerdict) && (healthy === undefined || healthy === false);
}
