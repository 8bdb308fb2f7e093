/** A real master and real agents, each a process of its own, on free ports of this machine and with a directory of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchAnswer } from '../../src/sdk/exchange.ts';
import { callMaster } from '../../src/sdk/master-operator.ts';
import { assertLoopback } from '../emulated/loopback.ts';
import { type Daemon, endDaemon, endOfLog, isAlive, startDaemon } from './daemon.ts';
import { freePort } from './ports.ts';
import { descendantsOf, memoryOf, type ProcessMemory } from './process-memory.ts';

export interface ClusterOptions {
  readonly agents: number;
  /** `--resources` of each agent. */
  readonly resources?: string;
  readonly masterFlags?: readonly string[];
}

export interface Cluster {
  /** `127.0.0.1:port` */
  readonly master: string;
  /** The master's PID in libprocess' sense. */
  readonly masterPid: string;
  masterMemory(): ProcessMemory;
  agentMemory(index: number): ProcessMemory;
  /** Of all that an agent started and that still runs: its launcher, when no task runs. */
  childrenMemory(index: number): ProcessMemory;
  stop(): Promise<void>;
}

const IP = '127.0.0.1';
const READY_WITHIN = 30_000;
const POLL = 10;

function startMaster(folder: string, port: number, flags: readonly string[]): Daemon {
  const defaults = ['--registry=in_memory', `--work_dir=${join(folder, 'master')}`].filter((given) => {
    const name = given.slice(0, given.indexOf('=') + 1);
    return !flags.some((flag) => flag.startsWith(name));
  });
  return startDaemon(folder, 'master', 'mesos-master', [
    `--ip=${IP}`,
    `--port=${port}`,
    `--hostname=${IP}`,
    ...defaults,
    ...flags,
  ]);
}

function startAgent(folder: string, index: number, port: number, master: number, resources?: string): Daemon {
  const name = `agent-${index + 1}`;
  return startDaemon(folder, name, 'mesos-agent', [
    `--master=${IP}:${master}`,
    `--ip=${IP}`,
    `--port=${port}`,
    `--hostname=${IP}`,
    `--work_dir=${join(folder, name)}`,
    `--runtime_dir=${join(folder, name, 'runtime')}`,
    '--registration_backoff_factor=10ms',
    ...(process.getuid?.() === 0 ? [] : ['--no-switch_user']),
    ...(resources === undefined ? [] : [`--resources=${resources}`]),
  ]);
}

/** Starts a master, then the agents. @returns when all have registered @throws Error with the end of the log when one dies */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  assertLoopback(IP);
  const folder = mkdtempSync(join(tmpdir(), 'meseta-bench-'));
  const port = await freePort();
  const master = startMaster(folder, port, options.masterFlags ?? []);
  const agents: Daemon[] = [];
  const stop = async (): Promise<void> => {
    // An agent that is interrupted takes its tasks with it.
    await Promise.all(agents.map((agent) => endDaemon(agent, 'SIGINT')));
    await endDaemon(master, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (let index = 0; index < options.agents; index++) {
      agents.push(startAgent(folder, index, await freePort(), port, options.resources));
    }
    await whenReady([master, ...agents], port, options.agents);
  } catch (error) {
    await stop();
    throw error;
  }
  const pidOf = (index: number): number => agents[index]?.process.pid ?? 0;
  return {
    master: `${IP}:${port}`,
    masterPid: `master@${IP}:${port}`,
    masterMemory: () => memoryOf(master.process.pid ?? 0),
    agentMemory: (index) => memoryOf(pidOf(index)),
    childrenMemory: (index) => sumOf(descendantsOf(pidOf(index)).map(memoryOf)),
    stop,
  };
}

function sumOf(parts: readonly ProcessMemory[]): ProcessMemory {
  return parts.reduce((a, b) => ({ resident: a.resident + b.resident, peak: a.peak + b.peak }), {
    resident: 0,
    peak: 0,
  });
}

async function whenReady(daemons: readonly Daemon[], port: number, agents: number): Promise<void> {
  const address = { host: IP, port };
  const deadline = performance.now() + READY_WITHIN;
  for (;;) {
    const dead = daemons.find((daemon) => !isAlive(daemon));
    const late = performance.now() > deadline;
    if (dead !== undefined || late) {
      const what = dead === undefined ? `was not ready within ${READY_WITHIN / 1000} s` : `lost its ${dead.name}`;
      throw new Error(`the cluster ${what}. The end of the log:\n${endOfLog(dead ?? daemons.at(-1)!)}`);
    }
    const registered = await activeAgents(address);
    if (registered !== undefined && registered >= agents) return;
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

/** @returns undefined while the master does not answer */
async function activeAgents(address: { host: string; port: number }): Promise<number | undefined> {
  try {
    const { status } = await fetchAnswer({ address, path: '/health' });
    if (status !== 200) return undefined;
    const response = await callMaster(address, { type: 'GET_AGENTS' });
    return (response.get_agents?.agents ?? []).filter((agent) => agent.active === true).length;
  } catch {
    return undefined;
  }
}
