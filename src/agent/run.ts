import { mkdirSync, realpathSync } from 'node:fs';
import { disabledPaths } from '../config/daemon-flags.ts';
import type { Loaded } from '../config/load.ts';
import { parseZooUrl, type ZooUrl } from '../coordination/zookeeper/url.ts';
import { FilesTable } from '../http/files/table.ts';
import { createPipeline } from '../http/pipeline.ts';
import { type HttpServer, startServer } from '../http/server.ts';
import type { Libprocess } from '../libprocess/libprocess.ts';
import { createLibprocess } from '../libprocess/transport.ts';
import { monotonicTime, secureRandom, wallTime } from '../runtime/clock.ts';
import { Driver } from '../runtime/driver.ts';
import { guardProcess, stopOnSignal } from '../runtime/graceful.ts';
import { detectHost } from '../runtime/host.ts';
import { Log, type Logger } from '../runtime/logger.ts';
import { giveBackMemoryWhenIdle } from '../runtime/memory.ts';
import { agentInfo, createAgent } from './core/agent.ts';
import type { AgentEffect } from './core/effects.ts';
import type { AgentEvent } from './core/events.ts';
import type { AgentOptions } from './core/state.ts';
import { coreOptions } from './core-options.ts';
import { type AgentFlags, type agentFlags, agentProgram, agentWarnings } from './flags.ts';
import { agentResources, inspectMachine } from './machine-resources.ts';
import { recoverCheckpoints } from './recover.ts';
import type { OpenContainers } from './shell/containers.ts';
import { PROCESS, Shell } from './shell/shell.ts';

/** What a stop may take beyond the grace period of the tasks. */
const STOP_MARGIN = 5_000;

/** Runs an agent until it is told to stop; its tasks end with it. */
export async function run(loaded: Loaded<typeof agentFlags>, openContainers: OpenContainers): Promise<void> {
  const flags = loaded.values;
  const log = openLog(flags);
  const { logger } = log;
  guardProcess(logger);
  const workDir = makeWorkDir(flags.work_dir);
  const network = await openNetwork(flags, logger);
  const { server, libprocess } = network;
  const { agent, shell, driver, containers, ended } = await assemble({ loaded, log, workDir, network, openContainers });
  server.use(libprocess.accept);
  server.use(
    createPipeline({
      endpoints: shell.endpoints(),
      delegate: PROCESS,
      disabledPaths: new Set(disabledPaths(flags.firewall_rules)),
      onError: (error, path) => logger.error(`Answering ${path} failed`, error),
    }),
  );
  const finish = stopOnSignal({
    logger,
    deadline: flags.executor_shutdown_grace_period + STOP_MARGIN,
    signals: ['SIGUSR1'],
    stop: async (signal) => {
      // SIGTERM is how supervisors restart an agent; Ctrl-C and SIGUSR1 mean the end of it.
      const isLeaving = signal === 'SIGTERM';
      driver.post(isLeaving ? { kind: 'leave' } : { kind: 'stop', unregister: signal === 'SIGUSR1' });
      await ended;
      shell.stop();
      driver.stop();
      // A launcher without tasks is not needed by the next agent either.
      if (isLeaving && containers.list().length > 0) containers.close();
      else await containers.stop();
      libprocess.close();
      await server.close(1_000);
      log.close();
    },
  });
  void ended.then(finish);
  announce(logger, agent.state.options, loaded);
  shell.start();
  giveBackMemoryWhenIdle();
}

/** Checked when the flags were loaded. */
function masterOf(flags: AgentFlags): string | ZooUrl {
  const master = flags.master?.trim() ?? '';
  if (!master.startsWith('zk://')) return master;
  const url = parseZooUrl(master);
  return url.ok ? url.value : fail(`--master: ${url.error}`);
}

interface Network {
  readonly server: HttpServer;
  readonly libprocess: Libprocess;
  readonly hostname: string;
}

/** Listens, and knows how others reach this agent. */
async function openNetwork(flags: AgentFlags, logger: Logger): Promise<Network> {
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
  return { server: server.value, libprocess, hostname: host.value.hostname };
}

interface Parts {
  readonly loaded: Loaded<typeof agentFlags>;
  readonly log: Log;
  readonly workDir: string;
  readonly network: Network;
  readonly openContainers: OpenContainers;
}

/** Puts the core, its driver, its containers and its shell together. `ended` is the status that the core ends with. */
async function assemble({ loaded, log, workDir, network, openContainers }: Parts) {
  const flags = loaded.values;
  const { logger } = log;
  const { libprocess, hostname } = network;
  const address = { pid: libprocess.pid(PROCESS), hostname, port: libprocess.address.port };
  const options = await optionsOf(flags, workDir, address);
  const { strict, reconfiguration_policy: policy } = flags;
  const info = agentInfo(options);
  const checkpoints = await recoverCheckpoints({ workDir, strict, policy, info, logger });
  if (!checkpoints.ok) return fail(checkpoints.error);
  const files = new FilesTable();
  const logFile = flags.external_log_file ?? log.path;
  if (logFile !== undefined) await files.attach(logFile, '/slave/log');
  let posting: Driver<AgentEvent, AgentEffect> | undefined;
  const push = (event: AgentEvent): void => posting?.post(event);
  const containers = await openContainers({
    workDir,
    runtimeDir: flags.runtime_dir,
    recoveryTimeout: flags.recovery_timeout,
    frameworksHome: flags.frameworks_home,
    stallTimeout: flags.fetcher_stall_timeout,
    tell: push,
    logger,
  });
  const survivors = new Set(containers.recover().map(({ containerId }) => containerId));
  const recovered = { ...checkpoints.value, containers: survivors };
  const env = { now: monotonicTime(), wall: wallTime(), random: secureRandom, chance: () => false };
  const agent = createAgent(options, env, recovered);
  const ended = Promise.withResolvers<number>();
  const shell = new Shell({
    agent,
    master: masterOf(flags),
    zkSessionTimeout: flags.zk_session_timeout,
    flags: loaded.texts,
    logDir: flags.log_dir,
    diskWatchInterval: flags.disk_watch_interval,
    heartbeatInterval: flags.http_heartbeat_interval,
    libprocess,
    containers,
    files,
    logLevel: log.verbosity,
    logger,
    push,
    terminate: (status, reason) => {
      logger.log(status === 0 ? 'info' : 'error', `Ending: ${reason}`);
      ended.resolve(status);
    },
  });
  const driver = new Driver<AgentEvent, AgentEffect>({
    machine: agent,
    performers: shell.performers,
    timer: (key) => ({ kind: 'timer', key }),
    logger,
  });
  posting = driver;
  driver.post({ kind: 'resume', recovered, cleanup: flags.recover === 'cleanup' });
  return { agent, shell, driver, containers, ended: ended.promise };
}

async function optionsOf(
  flags: AgentFlags,
  workDir: string,
  address: { pid: string; hostname: string; port: number },
): Promise<AgentOptions> {
  const machine = await inspectMachine(workDir);
  const resources = agentResources(flags.resources ?? '', flags.default_role, machine);
  if (!resources.ok) return fail(`--resources: ${resources.error}`);
  const options = coreOptions({ ...flags, work_dir: workDir }, agentProgram.version, address, resources.value);
  return options.ok ? options.value : fail(`--attributes: ${options.error}`);
}

function openLog(flags: AgentFlags): Log {
  try {
    return new Log({
      program: 'mesos-agent',
      file: 'slave',
      level: flags.logging_level,
      quiet: flags.quiet,
      folder: flags.log_dir,
    });
  } catch (error) {
    return fail(`--log_dir=${flags.log_dir} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

/** @returns the folder without symbolic links and `..`, so that paths in it can be compared */
function makeWorkDir(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    return realpathSync(folder);
  } catch (error) {
    return fail(`--work_dir=${folder} cannot be made: ${error instanceof Error ? error.message : error}`);
  }
}

function announce(logger: Logger, options: AgentOptions, loaded: Loaded<typeof agentFlags>): void {
  logger.info(`Agent ${options.pid} (${options.hostname}) started`);
  const texts = Object.entries(loaded.texts).map(([name, text]) => `--${name}="${text}"`);
  logger.info(`Flags at startup: ${texts.join(' ')}`);
  for (const warning of [...loaded.warnings, ...agentWarnings(loaded.values)]) logger.warning(warning);
}

/** Ends a start that cannot succeed. */
function fail(sentence: string): never {
  process.stderr.write(`${agentProgram.name}: ${sentence}\n`);
  process.exit(1);
}
