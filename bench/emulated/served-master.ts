/**
 * A whole master in this process, with its HTTP server, full of agents and tasks that are not there: each agent registered
 * again with one message, as after a failover, and answers pings. The message goes through the decoder, so that what the
 * master holds is what it would hold of real agents.
 */
import { randomUUID } from 'node:crypto';
import { ok } from '../../src/base/result.ts';
import { FilesTable } from '../../src/http/files/table.ts';
import { createPipeline } from '../../src/http/pipeline.ts';
import { type HttpServer, startServer } from '../../src/http/server.ts';
import { buildInfo } from '../../src/http/version.ts';
import type { Libprocess, MessageHandler } from '../../src/libprocess/libprocess.ts';
import type { MasterEffect } from '../../src/master/core/effects.ts';
import type { MasterEvent } from '../../src/master/core/events.ts';
import { createMaster } from '../../src/master/core/machine.ts';
import { masterOptions } from '../../src/master/core/options.ts';
import {
  type FrameworkRecord,
  type MasterRecord,
  newFramework,
  newMasterState,
} from '../../src/master/core/records.ts';
import { masterEndpoints } from '../../src/master/http/endpoints.ts';
import { Shell } from '../../src/master/shell.ts';
import { wallTime } from '../../src/runtime/clock.ts';
import { Driver } from '../../src/runtime/driver.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Task } from '../../src/wire/v1.ts';
import { type ClusterSize, frameworkInfoOf, REREGISTER, reregistration, taskOf } from './reregistration.ts';

export interface ServedMaster {
  readonly port: number;
  readonly shell: Shell;
  close(): Promise<void>;
}

const IP = '127.0.0.1';
const SILENT: Logger = {
  info: () => {},
  warning: () => {},
  error: (text) => void process.stderr.write(`${text}\n`),
  fatal: (text) => void process.stderr.write(`${text}\n`),
  verbose: () => {},
  log: () => {},
  named: () => SILENT,
};

/** Starts a master on a free port and waits until all agents are in. */
export async function serveMaster(size: ClusterSize): Promise<ServedMaster> {
  const server = await startServer({ ip: IP, port: 0 });
  if (!server.ok) throw new Error(server.error);
  const { port } = server.value.address;
  const info = { id: randomUUID(), ip: 0x0100007f, port, pid: `master@${IP}:${port}`, hostname: IP, version: '1.12.0' };
  const history = size.agents * size.tasksPerCompletedFramework;
  const options = masterOptions({ info, startTime: wallTime(), maxCompletedTasksPerFramework: history });
  const master = createMaster(options);
  const handlers = new Map<string, MessageHandler>();
  const libprocess = pongs(port, handlers);
  const post = (event: MasterEvent): void => driver.post(event);
  const shell = new Shell({
    master,
    idle: newMasterState(options),
    program: { build: buildInfo, flags: {} },
    roleWhitelist: undefined,
    perFrameworkMetrics: false,
    maxSubscribers: 1000,
    libprocess,
    files: new FilesTable(),
    logLevel: { get: () => 0, set: () => {}, original: 0 },
    logger: SILENT,
    version: () => driver.metrics().steps,
    push: post,
    shutdown: (reason) => {
      throw new Error(reason);
    },
  });
  const driver: Driver<MasterEvent, MasterEffect> = new Driver({
    machine: master,
    performers: { ...shell.performers, commit: ({ token }) => post({ kind: 'committed', token }) },
    timer: (key): MasterEvent => ({ kind: 'timer', key }),
    logger: SILENT,
  });
  server.value.use(createPipeline({ endpoints: masterEndpoints(shell, () => []), delegate: 'master' }));
  shell.listen();
  driver.post({ kind: 'started' });
  const receive = handlers.get('master')!;
  for (let agent = 0; agent < size.agents; agent++) {
    receive(`slave(1)@${IP}:${10_000 + agent}`, REREGISTER, reregistration(agent, size), 'master');
    if (agent % 200 === 199) await idle(driver);
  }
  await idle(driver);
  if (master.state.agents.size !== size.agents) throw new Error(`only ${master.state.agents.size} agents are in`);
  addHistory(master.state as unknown as MasterRecord, size, (id) => newFramework(frameworkInfoOf(id), id, 0, options));
  return { port, shell, close: () => close(driver, shell, server.value) };
}

async function idle(driver: Driver<MasterEvent, MasterEffect>): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (driver.metrics().queued > 0);
}

async function close(driver: Driver<MasterEvent, MasterEffect>, shell: Shell, server: HttpServer): Promise<void> {
  driver.stop();
  shell.close();
  await server.close(0);
}

/** Drops what the master sends, but answers pings. */
function pongs(port: number, handlers: Map<string, MessageHandler>): Libprocess {
  return {
    address: { ip: IP, port },
    pid: (id) => `${id}@${IP}:${port}`,
    register: (id, handler) => {
      handlers.set(id, handler);
      return () => {};
    },
    processes: () => [],
    send: (from, to, name) => {
      if (name === 'mesos.internal.PingSlaveMessage') {
        const pong = handlers.get('slave-observer(*)');
        setImmediate(() => pong?.(to, 'mesos.internal.PongSlaveMessage', new Uint8Array(0), from));
      }
      return ok(undefined);
    },
    link: () => ok(undefined),
    unlink: () => {},
    onExited: () => () => {},
    accept: () => false,
    close: () => {},
  };
}

/** Ended frameworks with their tasks: put into the state by hand, since they would have to run and end first. */
function addHistory(state: MasterRecord, size: ClusterSize, create: (id: string) => FrameworkRecord): void {
  for (let at = 0; at < size.completedFrameworks; at++) {
    const framework = create(`framework${size.frameworks + at}`);
    framework.state = 'DISCONNECTED';
    framework.unregisteredTime = wallTime();
    for (let agent = 0; agent < size.agents; agent++) {
      for (let each = 0; each < size.tasksPerCompletedFramework; each++) {
        const ended = Task.decode(Task.encode(taskOf(`agent${agent}`, framework.id, 'TASK_FINISHED')));
        if (ended.ok) framework.completedTasks.push(ended.value);
      }
    }
    state.completedFrameworks.set(framework.id, framework);
  }
}
