/**
 * A master that has just been elected, in this process, with its registry on disk: it knows from before which agents there
 * are, and waits for them. Messages are handed over as bytes, as if they came from a socket.
 */
import { ok } from '../../src/base/result.ts';
import { LmdbStore } from '../../src/coordination/store/lmdb.ts';
import type { Store } from '../../src/coordination/store/store.ts';
import { FilesTable } from '../../src/http/files/table.ts';
import { buildInfo } from '../../src/http/version.ts';
import type { Libprocess, MessageHandler } from '../../src/libprocess/libprocess.ts';
import type { MasterEffect } from '../../src/master/core/effects.ts';
import type { MasterEvent } from '../../src/master/core/events.ts';
import { createMaster } from '../../src/master/core/machine.ts';
import { masterOptions } from '../../src/master/core/options.ts';
import { newMasterState } from '../../src/master/core/records.ts';
import type { MasterState } from '../../src/master/core/state.ts';
import { Registrar } from '../../src/master/registrar.ts';
import { Shell } from '../../src/master/shell.ts';
import { wallTime } from '../../src/runtime/clock.ts';
import { Driver, type DriverMetrics } from '../../src/runtime/driver.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { agentInfoOf } from './reregistration.ts';

const IP = '127.0.0.1';
const PORT = 5050;
const PID = `master@${IP}:${PORT}`;
const MINUTE = 60_000;

/** Drops what is of no interest, as a log with the default level does not; errors and warnings are shown. */
const QUIET: Logger = {
  info: () => {},
  warning: (text) => void process.stderr.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
  fatal: (text) => void process.stderr.write(`${text}\n`),
  verbose: () => {},
  log: () => {},
  named: () => QUIET,
};

export interface RecoveredMaster {
  readonly state: MasterState;
  /** Milliseconds from an empty process to a master that takes messages. */
  readonly recovering: number;
  /** Hands over a message as the transport does. */
  receive(from: string, name: string, body: Uint8Array): void;
  driver(): DriverMetrics;
  close(): Promise<void>;
}

export function registrarOf(store: Store): Registrar {
  return new Registrar({ store, fetchTimeout: MINUTE, storeTimeout: MINUTE, weights: [] });
}

export function openLmdb(folder: string): Store {
  const store = LmdbStore.open(folder);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

/** Writes a registry in which so many agents are admitted. */
export async function writeRegistry(folder: string, agents: number): Promise<void> {
  const registrar = registrarOf(openLmdb(folder));
  await registrar.recover();
  const operations = Array.from({ length: agents }, (_, at) =>
    registrar.commit({ type: 'ADMIT_AGENT', agent: agentInfoOf(at) }),
  );
  const failed = (await Promise.all(operations)).find((outcome) => !outcome.ok);
  if (failed?.ok === false) throw new Error(failed.error);
  await registrar.close();
}

/** Elects a master over the registry in a folder. @param sent hears which message goes to whom */
export async function recoverMaster(
  folder: string,
  sent: (to: string, name: string) => void,
): Promise<RecoveredMaster> {
  const start = performance.now();
  const registrar = registrarOf(openLmdb(folder));
  const registry = await registrar.recover();
  if (!registry.ok) throw new Error(registry.error);
  const info = { id: 'bench', ip: 0x0100007f, port: PORT, pid: PID, hostname: IP, version: '1.12.0' };
  const options = masterOptions({ info, startTime: wallTime(), registry: registry.value });
  const master = createMaster(options);
  const handlers = new Map<string, MessageHandler>();
  const post = (event: MasterEvent): void => driver.post(event);
  const shell = new Shell({
    idle: newMasterState(options),
    program: { build: buildInfo, flags: {} },
    roleWhitelist: undefined,
    perFrameworkMetrics: true,
    maxSubscribers: 1000,
    libprocess: wireless(handlers, sent),
    files: new FilesTable(),
    logLevel: { current: 0, until: undefined } as never,
    logger: QUIET,
    version: () => driver.metrics().steps,
    push: post,
    shutdown: (reason) => {
      throw new Error(reason);
    },
  });
  const timer = (key: string): MasterEvent => ({ kind: 'timer', key });
  const driver: Driver<MasterEvent, MasterEffect> = new Driver({
    machine: master,
    performers: shell.performers,
    timer,
    logger: QUIET,
  });
  shell.lead(master, registrar);
  shell.listen();
  driver.post({ kind: 'started' });
  const receive = handlers.get('master')!;
  return {
    state: master.state,
    recovering: performance.now() - start,
    receive: (from, name, body) => void receive(from, name, body, 'master'),
    driver: () => driver.metrics(),
    close: async () => {
      driver.stop();
      shell.preparer.stop();
      await shell.close();
    },
  };
}

/** A transport that only tells what would be sent. */
function wireless(handlers: Map<string, MessageHandler>, sent: (to: string, name: string) => void): Libprocess {
  return {
    address: { ip: IP, port: PORT },
    pid: (id) => `${id}@${IP}:${PORT}`,
    register: (id, handler) => {
      handlers.set(id, handler);
      return () => {};
    },
    processes: () => [],
    send: (_, to, name) => {
      sent(to, name);
      return ok(undefined);
    },
    link: () => ok(undefined),
    unlink: () => {},
    onExited: () => () => {},
    accept: () => false,
    close: () => {},
  };
}
