/** Reads a simulated agent's checkpoints, as `agent/checkpoint/reader.ts` reads them from a real disk. */
import type { Recovered, RecoveredFramework, RecoveredRun, RecoveredTask } from '../agent/core/recovered.ts';
import type { ExecutorKind } from '../agent/core/state.ts';
import { StatusUpdateRecord } from '../wire/internal.ts';
import { ResourceState } from '../wire/internal_slave.ts';
import type { MessageType } from '../wire/message-type.ts';
import { AgentInfo, DrainConfig, ExecutorInfo, FrameworkInfo, Task, TaskInfo } from '../wire/v1.ts';
import type { SimulatedDisk } from './disk.ts';
import { demand } from './violation.ts';

/** @returns undefined if no agent was admitted on this machine before */
export function remembered(
  disk: SimulatedDisk,
  workDir: string,
  containers: ReadonlySet<string>,
): Recovered | undefined {
  const meta = `${workDir}/meta`;
  const latest = disk.target(`${meta}/slaves/latest`);
  const folder = `${meta}/slaves/${latest}`;
  const info = latest === undefined ? undefined : message(disk, `${folder}/slave.info`, AgentInfo);
  if (info === undefined) return undefined;
  const frameworks = disk.names(`${folder}/frameworks`);
  return {
    info,
    drain: message(disk, `${folder}/drain.config`, DrainConfig),
    frameworks: frameworks.flatMap((id) => framework(disk, `${folder}/frameworks/${id}`)),
    resources: message(disk, `${meta}/resources/resources_and_operations.state`, ResourceState) ?? {},
    containers,
    leftovers: [],
    errors: 0,
  };
}

function framework(disk: SimulatedDisk, folder: string): RecoveredFramework[] {
  const info = message(disk, `${folder}/framework.info`, FrameworkInfo);
  if (info === undefined) return [];
  const runs = disk.names(`${folder}/executors`).flatMap((id) => executor(disk, `${folder}/executors/${id}`));
  return [{ info, pid: disk.text(`${folder}/framework.pid`) || undefined, runs }];
}

function executor(disk: SimulatedDisk, folder: string): RecoveredRun[] {
  const info = message(disk, `${folder}/executor.info`, ExecutorInfo);
  if (info === undefined) return [];
  const written = disk.text(`${folder}/meseta.kind`) as ExecutorKind | undefined;
  const kind = written ?? (info.type === 'DEFAULT' ? 'default' : 'custom');
  const latest = disk.target(`${folder}/runs/latest`);
  const containers = disk.names(`${folder}/runs`).filter((name) => name !== 'latest');
  return containers.map((containerId) => {
    const path = `${folder}/runs/${containerId}`;
    const launchedAt = Number(disk.text(`${path}/meseta.launched`) ?? 0);
    return {
      info,
      kind,
      containerId,
      launchedAt,
      modifiedAt: launchedAt,
      isCompleted: disk.content(`${path}/executor.sentinel`) !== undefined || containerId !== latest,
      processId: Number(disk.text(`${path}/pids/forked.pid`) ?? 0) || undefined,
      pid: undefined,
      isHttp: false,
      tasks: disk.names(`${path}/tasks`).flatMap((id) => task(disk, `${path}/tasks/${id}`)),
    };
  });
}

function task(disk: SimulatedDisk, folder: string): RecoveredTask[] {
  const known = message(disk, `${folder}/task.info`, Task);
  const info = message(disk, `${folder}/meseta.task`, TaskInfo);
  if (known === undefined || info === undefined) return [];
  const read = {
    task: known,
    info,
    launch: JSON.parse(disk.text(`${folder}/meseta.launch`) ?? '{}') as RecoveredTask['launch'],
    kill: JSON.parse(disk.text(`${folder}/meseta.kill`) ?? 'null') ?? undefined,
    records: records(disk, `${folder}/task.updates`),
  };
  return [read];
}

/** What was being appended when the machine stopped is cut off: nobody was told of it. */
function records(disk: SimulatedDisk, path: string): StatusUpdateRecord[] {
  const bytes = disk.content(path) ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: StatusUpdateRecord[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = view.getUint32(at, true);
    if (at + 4 + length > bytes.length) break;
    const record = StatusUpdateRecord.decode(bytes.subarray(at + 4, at + 4 + length));
    demand(record.ok, () => `${path} is garbled at byte ${at}`);
    found.push(record.value);
    at += 4 + length;
  }
  if (at < bytes.length) disk.truncate(path, at);
  return found;
}

function message<T>(disk: SimulatedDisk, path: string, type: MessageType<T>): T | undefined {
  const bytes = disk.content(path);
  if (bytes === undefined) return undefined;
  const read = type.decode(bytes.subarray(4));
  demand(read.ok, () => `${path} cannot be read: ${read.ok ? '' : read.error}`);
  return read.value;
}
