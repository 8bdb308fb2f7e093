import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { ok, type Result } from '../base/result.ts';
import { disabledPaths } from '../config/daemon-flags.ts';
import type { Loaded } from '../config/load.ts';
import type { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { FilesTable } from '../http/files/table.ts';
import { createPipeline, type Pipeline } from '../http/pipeline.ts';
import { startServer } from '../http/server.ts';
import { buildInfo } from '../http/version.ts';
import type { Libprocess } from '../libprocess/libprocess.ts';
import { createLibprocess } from '../libprocess/transport.ts';
import { wallTime } from '../runtime/clock.ts';
import { Driver } from '../runtime/driver.ts';
import { guardProcess, stopOnSignal } from '../runtime/graceful.ts';
import { detectHost } from '../runtime/host.ts';
import { Log, type Logger } from '../runtime/logger.ts';
import type { MasterInfo } from '../wire/v1.ts';
import type { MasterEffect } from './core/effects.ts';
import type { MasterEvent } from './core/events.ts';
import { createMaster } from './core/machine.ts';
import { newMasterState } from './core/records.ts';
import type { RegistrySnapshot } from './core/registry.ts';
import { coreOptions } from './core-options.ts';
import { type MasterFlags, type masterFlags, masterProgram, masterWarnings } from './flags.ts';
import { masterEndpoints } from './http/endpoints.ts';
import { notRecovered, toLeader } from './http/pages.ts';
import { PROCESS } from './http/service.ts';
import { seekLeadership } from './leadership.ts';
import { keepsInZooKeeper, openStore } from './open-store.ts';
import { Registrar } from './registrar.ts';
import { Shell } from './shell.ts';
import { Standby } from './standby.ts';
import { AllocationStopwatch } from './stopwatch.ts';
import { watchWhitelist } from './whitelist.ts';

/** How long a stop may take: streams end at once, so only answers under way are waited for. */
const STOP_WITHIN = 5_000;

/** Runs a master until it is told to stop. */
export async function run(loaded: Loaded<typeof masterFlags>): Promise<void> {
  const flags = loaded.values;
  const log = openLog(flags);
  const { logger } = log;
  guardProcess(logger);
  makeWorkDir(flags);

  const host = await detectHost(flags);
  if (!host.ok) return fail(host.error);
  const server = await startServer({ ip: host.value.bind, port: flags.port });
  if (!server.ok) return fail(server.error);
  const { port } = server.value.address;
  const libprocess = createLibprocess({
    ip: host.value.bind,
    port,
    advertise: { ip: host.value.ip, port: flags.advertise_port ?? port },
    log: (line) => logger.verbose(1, line),
  });
  const info = masterInfo(flags, libprocess.address, host.value.hostname);
  const files = new FilesTable();
  const logFile = flags.external_log_file ?? log.path;
  if (logFile !== undefined) await files.attach(logFile, '/master/log');

  const program = assemble({ loaded, info, log, libprocess, files });
  const { shell } = program;
  // Alone it leads from the beginning: nobody ever sees it otherwise.
  const leadership = await seekLeadership({ flags, info, logger, ...program });
  server.value.use(libprocess.accept);
  server.value.use(pipeline(shell, libprocess, flags, logger));
  shell.listen();
  stopOnSignal({
    logger,
    deadline: STOP_WITHIN,
    stop: async () => {
      program.stop();
      await shell.close();
      leadership.stop();
      libprocess.close();
      await server.value.close(1_000);
      log.close();
    },
  });
  announce(logger, info, loaded);
}

interface Parts {
  readonly loaded: Loaded<typeof masterFlags>;
  readonly info: MasterInfo;
  readonly log: Log;
  readonly libprocess: Libprocess;
  readonly files: FilesTable;
}

/** Puts the shell together; the core and its driver are made when this master comes to lead. */
function assemble({ loaded, info, log, libprocess, files }: Parts) {
  const flags = loaded.values;
  const { logger } = log;
  const stopwatch = new AllocationStopwatch();
  const options = coreOptions(flags, info, wallTime(), { stopwatch });
  let driver: Driver<MasterEvent, MasterEffect> | undefined;
  let standby: Standby | undefined;
  let whitelist: { readonly stop: () => void } | undefined;
  const end = (reason: string): never => {
    logger.fatal(`${reason}; ending the process, restart it to recover`);
    process.exit(1);
  };
  const refuse = (reason: string): never => refuseWith(logger, reason);
  const shell = new Shell({
    idle: newMasterState(options),
    program: { build: buildInfo, flags: loaded.texts },
    roleWhitelist: options.roleWhitelist,
    perFrameworkMetrics: flags.publish_per_framework_metrics,
    maxSubscribers: flags.max_operator_event_stream_subscribers,
    libprocess,
    files,
    logLevel: log.verbosity,
    logger,
    push: (event) => driver?.post(event),
    version: () => driver?.metrics().steps ?? 0,
    queued: () => driver?.queuedByKind() ?? new Map(),
    allocationTimes: () => stopwatch.metrics(),
    shutdown: end,
  });
  const open = (session?: ZooKeeper): Promise<Result<Registrar>> =>
    openRegistrar(flags, options.registry.weights, session);
  const prepare = (session: ZooKeeper): void => {
    // Any other registry is this machine's own, and nobody writes to it before this master leads.
    if (keepsInZooKeeper(flags)) standby = new Standby({ open: () => open(session), logger });
  };
  const lead = async (session?: ZooKeeper): Promise<void> => {
    const ready = standby?.end();
    const opened = ready === undefined ? await open(session) : ok(ready);
    if (!opened.ok) return refuse(opened.error);
    const registrar = opened.value;
    const registry = await registrar.recover();
    if (!registry.ok) return refuse(registry.error);
    const { agents } = registry.value;
    logger.info(`Recovered the registry from ${registrar.place}: ${agents.length} agents`);
    const master = createMaster({ ...options, registry: registry.value, electedTime: wallTime() });
    const timer = (key: string): MasterEvent => ({ kind: 'timer', key });
    driver = new Driver({ machine: master, performers: shell.performers, timer, logger });
    shell.lead(master, registrar);
    driver.post({ kind: 'started' });
    shell.catchUp();
    if (flags.whitelist !== undefined)
      whitelist = watchWhitelist(flags.whitelist, logger, (event) => driver?.post(event));
  };
  const stop = (): void => {
    standby?.end();
    whitelist?.stop();
    driver?.stop();
  };
  return { shell, prepare, lead, end, refuse, stop };
}

/** Ends it where another start would find the same. */
function refuseWith(logger: Logger, reason: string): never {
  logger.fatal(`${reason}; ending the process`);
  process.exit(1);
}

async function openRegistrar(
  flags: MasterFlags,
  weights: RegistrySnapshot['weights'],
  session: ZooKeeper | undefined,
): Promise<Result<Registrar>> {
  const store = await openStore(flags, session);
  if (!store.ok) return store;
  const { registry_fetch_timeout: fetchTimeout, registry_store_timeout: storeTimeout } = flags;
  return ok(new Registrar({ store: store.value, fetchTimeout, storeTimeout, weights }));
}

function pipeline(shell: Shell, libprocess: Libprocess, flags: MasterFlags, logger: Logger): Pipeline {
  return createPipeline({
    endpoints: masterEndpoints(shell, () => libprocess.processes()),
    delegate: PROCESS,
    guard: ({ leader }, request) => {
      if (leader === undefined || shell.state !== undefined) return undefined;
      return shell.isRecovering ? notRecovered : toLeader(shell.leader, request);
    },
    disabledPaths: new Set(disabledPaths(flags.firewall_rules)),
    onError: (error, path) => logger.error(`Answering ${path} failed`, error),
  });
}

function openLog(flags: MasterFlags): Log {
  try {
    return new Log({
      program: 'mesos-master',
      file: 'master',
      level: flags.logging_level,
      quiet: flags.quiet,
      folder: flags.log_dir,
    });
  } catch (error) {
    return fail(`--log_dir=${flags.log_dir} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

function makeWorkDir(flags: MasterFlags): void {
  if (!flags.work_dir) return;
  try {
    mkdirSync(flags.work_dir, { recursive: true });
  } catch (error) {
    fail(`--work_dir=${flags.work_dir} cannot be made: ${error instanceof Error ? error.message : error}`);
  }
}

/** What this master tells frameworks, agents and operators about itself. */
function masterInfo(flags: MasterFlags, address: { ip: string; port: number }, hostname: string): MasterInfo {
  const { ip, port } = address;
  return {
    id: randomUUID(),
    ip: ipAsNumber(ip),
    port,
    pid: `${PROCESS}@${ip}:${port}`,
    hostname,
    version: masterProgram.version,
    address: { hostname, ip, port },
    ...(flags.domain !== undefined && { domain: flags.domain }),
    capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, { type: 'QUOTA_V2' }],
  };
}

/** An address as MasterInfo has it: its four bytes in network order, read as a little-endian number. */
function ipAsNumber(ip: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

function announce(logger: Logger, info: MasterInfo, loaded: Loaded<typeof masterFlags>): void {
  logger.info(`Master ${info.id} (${info.hostname}) started on ${info.address?.ip}:${info.port}`);
  const texts = Object.entries(loaded.texts).map(([name, text]) => `--${name}="${text}"`);
  logger.info(`Flags at startup: ${texts.join(' ')}`);
  for (const warning of [...loaded.warnings, ...masterWarnings(loaded.values)]) logger.warning(warning);
}

/** Ends a start that cannot succeed. */
function fail(sentence: string): never {
  process.stderr.write(`${masterProgram.name}: ${sentence}\n`);
  process.exit(1);
}
