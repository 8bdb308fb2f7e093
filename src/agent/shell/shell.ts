import { lookupService } from 'node:dns/promises';
import { statfs } from 'node:fs/promises';
import type { ZooUrl } from '../../coordination/zookeeper/url.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import type { LogLevel } from '../../http/endpoints/logging.ts';
import type { FilesTable } from '../../http/files/table.ts';
import { buildInfo } from '../../http/version.ts';
import type { Libprocess } from '../../libprocess/libprocess.ts';
import { wallTime } from '../../runtime/clock.ts';
import type { Performers } from '../../runtime/driver.ts';
import type { Logger } from '../../runtime/logger.ts';
import { sleepable } from '../../runtime/timers.ts';
import { removeLeftovers } from '../containers/volumes.ts';
import type { Agent } from '../core/agent.ts';
import type { AgentEffect } from '../core/effects.ts';
import type { AgentEvent } from '../core/events.ts';
import { AGENT_COUNTERS, agentMetrics } from '../core/views/metrics.ts';
import { ContainerCalls } from '../http/container-calls.ts';
import { agentEndpoints } from '../http/endpoints.ts';
import { ExecutorConnections } from '../http/executor.ts';
import type { Containers } from './containers.ts';
import { type Detector, fixedDetector, zooDetector } from './detector.ts';
import { agentPerformers } from './perform.ts';
import { createProber, type Prober } from './prober.ts';
import { readMessage } from './receive.ts';
import { systemMetrics } from './system-metrics.ts';

/** The agent's one libprocess process, and the first part of its URLs. */
export const PROCESS = 'slave(1)';

/** What the shell needs of the rest of the program. */
export interface ShellOptions {
  readonly agent: Agent;
  /** host:port of the master, or where masters are elected. */
  readonly master: string | ZooUrl;
  readonly zkSessionTimeout: number;
  /** Every flag with its value in text form. */
  readonly flags: Readonly<Record<string, string>>;
  readonly logDir: string | undefined;
  readonly diskWatchInterval: number;
  /** Milliseconds between heartbeats on the streams of containers. */
  readonly heartbeatInterval: number;
  readonly libprocess: Libprocess;
  readonly containers: Containers;
  readonly files: FilesTable;
  readonly logLevel: LogLevel;
  readonly logger: Logger;
  /** Queues an event for the core. */
  readonly push: (event: AgentEvent) => void;
  /** The core has nothing left to do. */
  readonly terminate: (status: number, reason: string) => void;
}

/** The agent's hands: turns messages and requests into events for the core, and its effects into deeds. */
export class Shell {
  readonly #options: ShellOptions;
  readonly #executors: ExecutorConnections;
  readonly #calls: ContainerCalls;
  readonly #prober: Prober;
  readonly #detector: Detector;
  #diskWatch: NodeJS.Timeout | undefined;
  #masterHostname: string | undefined;

  constructor(options: ShellOptions) {
    const { push, containers } = options;
    this.#options = options;
    this.#executors = new ExecutorConnections(push);
    this.#calls = new ContainerCalls(push);
    this.#prober = createProber(push, containers.findUser);
    this.#detector = this.#createDetector();
  }

  #createDetector(): Detector {
    const { master, zkSessionTimeout, logger, terminate } = this.#options;
    const tell = (pid: string | undefined): void => this.#masterDetected(pid);
    if (typeof master === 'string') return fixedDetector(master, tell, (text) => logger.warning(text));
    const fail = (reason: string): void => terminate(1, `--master: ${reason}`);
    return zooDetector({ url: master, sessionTimeout: zkSessionTimeout, tell, fail, logger });
  }

  /** What to do for each effect of the core. */
  get performers(): Performers<AgentEffect> {
    const { libprocess, containers, files, logger, terminate, push } = this.#options;
    return agentPerformers({
      libprocess,
      process: PROCESS,
      containers,
      findUser: containers.findUser,
      probe: (effect) => this.#prober.probe(effect),
      executors: this.#executors,
      calls: this.#calls,
      files,
      tell: push,
      detect: () => this.#detector.detect(),
      terminate,
      log: (level, text) => logger.log(level, text),
    });
  }

  /** Everything that the HTTP server answers. */
  endpoints(): readonly Endpoint[] {
    const { agent, flags, files, logLevel, libprocess, containers, logDir } = this.#options;
    const { meseta_version, ...build } = buildInfo;
    return agentEndpoints({
      process: PROCESS,
      state: agent.state,
      usage: (containerId) => containers.usage(containerId),
      executors: this.#executors,
      calls: this.#calls,
      write: (containerId, data) => containers.write(containerId, data),
      heartbeatInterval: this.#options.heartbeatInterval,
      wall: wallTime,
      about: () => ({ build: { ...build, meseta_version }, masterHostname: this.#masterHostname, logDir }),
      flags: () => flags,
      metrics: () => ({ ...agentMetrics(agent.state, wallTime()), ...containers.metrics(), ...systemMetrics() }),
      metricNames: { rules: [], counters: AGENT_COUNTERS },
      log: logLevel,
      files,
      processes: () => libprocess.processes(),
    });
  }

  /** Takes messages, looks for the master, and watches the disk. */
  start(): void {
    const { agent, libprocess, push, logger, diskWatchInterval } = this.#options;
    const { workDir } = agent.state.options;
    removeLeftovers(workDir).catch((error) => logger.warning('Cannot delete what destroyed volumes held', error));
    libprocess.register(PROCESS, (from, name, body) => {
      const event = readMessage(from, name, body);
      if (event.ok) push(event.value);
      else logger.warning(event.error);
    });
    libprocess.onExited((pid) => push({ kind: 'exited', pid }));
    this.#detector.detect();
    this.#diskWatch = setInterval(() => void this.#lookAtDisk(), sleepable(diskWatchInterval)).unref();
  }

  stop(): void {
    clearInterval(this.#diskWatch);
    this.#detector.stop();
    this.#prober.stop();
  }

  #masterDetected(pid: string | undefined): void {
    this.#options.push({ kind: 'masterDetected', pid });
    if (pid === undefined) return;
    const ip = pid.slice(pid.indexOf('@') + 1, pid.lastIndexOf(':'));
    lookupService(ip, 0).then(
      ({ hostname }) => {
        this.#masterHostname = hostname;
      },
      () => {
        this.#masterHostname = ip;
      },
    );
  }

  async #lookAtDisk(): Promise<void> {
    const { agent, push, logger } = this.#options;
    const { workDir } = agent.state.options;
    try {
      const { blocks, bavail } = await statfs(workDir);
      push({ kind: 'diskUsage', fraction: blocks > 0 ? 1 - bavail / blocks : 0 });
    } catch (error) {
      logger.warning(`Cannot tell how full the disk of ${workDir} is`, error);
    }
  }
}
