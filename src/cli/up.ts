import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir, totalmem, userInfo } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '../sdk/core/address.ts';
import { fetchAnswer } from '../sdk/exchange.ts';
import { callMaster } from '../sdk/master-operator.ts';
import { type Part, startPart, stopAll, stopOnSignal, watch } from './up-parts.ts';

export interface UpOptions {
  readonly agents: number;
  readonly port: number;
  readonly ip: string;
  readonly workDir?: string;
  readonly resources?: string;
  readonly attributes?: string;
  /** Whether Marathon runs too. */
  readonly marathon: boolean;
  readonly marathonPort?: number;
}

/** So far from the master's port is Marathon's, unless it is given: 5050 and 8080. */
const MARATHON_FROM_MASTER = 3030;

/** How long the cluster may take to be ready. */
const READY_WITHIN = 30_000;
const POLL = 25;
/** Where agents offer ports to tasks, divided between the agents of one machine. */
const TASK_PORTS = { first: 31_000, last: 32_000 };

/** `meseta up`: a master and agents as processes of their own. @returns when they have ended; 0 after Ctrl-C */
export async function up(options: UpOptions): Promise<number> {
  await assertPortsFree(options);
  const workDir = options.workDir ?? join(tmpdir(), `meseta-${userInfo().uid}`, `cluster-${options.port}`);
  if (options.workDir === undefined) rmSync(workDir, { recursive: true, force: true });
  try {
    mkdirSync(workDir, { recursive: true });
  } catch (error) {
    throw new Error(
      `the folder ${workDir} cannot be made (${(error as NodeJS.ErrnoException).code}). Choose one that you may write to with --work-dir.`,
    );
  }
  const parts: Part[] = [];
  const stopped = stopOnSignal(parts);
  try {
    parts.push(startMaster(options, workDir));
    for (let index = 0; index < options.agents; index++) parts.push(startAgent(options, workDir, index));
    if (options.marathon) parts.push(startMarathon(options, workDir));
    const died = watch(parts, stopped);
    const readiness = await Promise.race([whenReady(options).then(() => 'ready' as const), died, stopped]);
    if (readiness === 'ready') {
      process.stdout.write(welcome(options, workDir));
      await Promise.race([died, stopped]);
    }
    return 0;
  } finally {
    await stopAll(parts, (agent) => agentAnswers(options, portOf(options, parts.indexOf(agent) - 1)));
  }
}

/** The agents' ports follow the master's. */
function portOf(options: UpOptions, index: number): number {
  return options.port + 1 + index;
}

function marathonPort({ port, marathonPort: given }: UpOptions): number {
  return given ?? port + MARATHON_FROM_MASTER;
}

async function assertPortsFree(options: UpOptions): Promise<void> {
  const wanted = Array.from({ length: options.agents + 1 }, (_, at) => ({
    port: options.port + at,
    whose: at === 0 ? 'the master' : `agent ${at}`,
    flag: `--port, for example --port ${options.port + 1000} (the master takes it, the agents the ones after it)`,
  }));
  const port = marathonPort(options);
  const marathon = { port, whose: 'Marathon', flag: `--marathon-port, for example --marathon-port ${port + 1000}` };
  for (const { port, whose, flag } of options.marathon ? [...wanted, marathon] : wanted) {
    const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      const probe = createServer();
      probe.once('error', resolve);
      probe.listen({ host: options.ip, port }, () => probe.close(() => resolve(undefined)));
    });
    if (!problem) continue;
    const what =
      problem.code === 'EADDRINUSE'
        ? 'is taken by another program, perhaps a cluster that was killed and left its parts running'
        : `cannot be used (${problem.message})`;
    throw new Error(`port ${port} on ${options.ip}, for ${whose}, ${what}. Choose others with ${flag}.`);
  }
}

function startMaster(options: UpOptions, workDir: string): Part {
  const flags = [
    `--ip=${options.ip}`,
    `--port=${options.port}`,
    `--hostname=${options.ip}`,
    '--registry=in_memory',
    // On one machine no network is slow: who kills an agent to see what happens need not wait for upstream's 75 seconds.
    '--agent_ping_timeout=2secs',
    '--max_agent_ping_timeouts=5',
    `--work_dir=${join(workDir, 'master')}`,
  ];
  return startPart('master', 'mesos-master', flags, workDir);
}

function startAgent(options: UpOptions, workDir: string, index: number): Part {
  const name = options.agents === 1 ? 'agent' : `agent-${index + 1}`;
  const resources = options.resources ?? (options.agents > 1 ? share(options.agents, index) : undefined);
  const flags = [
    `--master=${formatAddress({ host: options.ip, port: options.port })}`,
    `--ip=${options.ip}`,
    `--port=${portOf(options, index)}`,
    `--hostname=${options.ip}`,
    `--work_dir=${join(workDir, name)}`,
    `--runtime_dir=${join(workDir, name, 'runtime')}`,
    '--registration_backoff_factor=10ms',
    ...(process.getuid?.() === 0 ? [] : ['--no-switch_user']),
    ...(resources === undefined ? [] : [`--resources=${resources}`]),
    ...(options.attributes === undefined ? [] : [`--attributes=${options.attributes}`]),
  ];
  return startPart(name, 'mesos-agent', flags, workDir);
}

function startMarathon(options: UpOptions, workDir: string): Part {
  const flags = [
    `--master=${formatAddress({ host: options.ip, port: options.port })}`,
    `--http_address=${options.ip}`,
    `--http_port=${marathonPort(options)}`,
    `--hostname=${options.ip}`,
    `--work_dir=${join(workDir, 'marathon')}`,
  ];
  return startPart('marathon', 'marathon', flags, workDir);
}

/** An equal share of this machine for one of several agents, with task ports that do not overlap. */
function share(agents: number, index: number): string {
  const megabytes = Math.floor(totalmem() / 1024 / 1024);
  const memory = Math.floor((megabytes > 2048 ? megabytes - 1024 : megabytes / 2) / agents);
  const processors = Math.floor((availableParallelism() / agents) * 1000) / 1000;
  const width = Math.floor((TASK_PORTS.last - TASK_PORTS.first + 1) / agents);
  const first = TASK_PORTS.first + index * width;
  return `cpus:${processors};mem:${memory};ports:[${first}-${first + width - 1}]`;
}

/** Resolves when the master leads and every agent has registered. */
async function whenReady(options: UpOptions): Promise<void> {
  const address = { host: options.ip, port: options.port };
  const deadline = performance.now() + READY_WITHIN;
  for (;;) {
    const agents = await callMaster(address, { type: 'GET_AGENTS' })
      .then((response) => (response.get_agents?.agents ?? []).filter((agent) => agent.active).length)
      .catch(() => 0);
    if (agents >= options.agents && (await agentsAnswer(options)) && (await marathonAnswers(options))) return;
    if (performance.now() > deadline) {
      throw new Error(
        `the cluster was not ready within ${READY_WITHIN / 1000} s: ${agents} of ${options.agents} agents registered`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

async function marathonAnswers(options: UpOptions): Promise<boolean> {
  if (!options.marathon) return true;
  return fetchAnswer({ address: { host: options.ip, port: marathonPort(options) }, path: '/v2/info' }).then(
    ({ status, body }) =>
      status === 200 && (JSON.parse(body.toString('utf8')) as { frameworkId?: unknown }).frameworkId !== null,
    () => false,
  );
}

async function agentsAnswer(options: UpOptions): Promise<boolean> {
  const answers = Array.from({ length: options.agents }, (_, index) => agentAnswers(options, portOf(options, index)));
  return (await Promise.all(answers)).every(Boolean);
}

function agentAnswers({ ip }: UpOptions, port: number): Promise<boolean> {
  return fetchAnswer({ address: { host: ip, port }, path: '/health' }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

function welcome(options: UpOptions, workDir: string): string {
  const agents = Array.from(
    { length: options.agents },
    (_, index) => `  agent    http://${options.ip}:${portOf(options, index)}`,
  );
  const flag = options.port === 5050 && options.ip === '127.0.0.1' ? '' : ` --master ${options.ip}:${options.port}`;
  const marathon = marathonPort(options);
  const marathonFlag = marathon === 8080 && options.ip === '127.0.0.1' ? '' : ` --marathon ${options.ip}:${marathon}`;
  return [
    'The cluster is running.',
    '',
    `  master   http://${options.ip}:${options.port}`,
    ...agents,
    ...(options.marathon ? [`  marathon http://${options.ip}:${marathonPort(options)}`] : []),
    `  logs and sandboxes in ${workDir}`,
    '',
    'Try it from another terminal, in this folder:',
    '',
    `  npx meseta run${flag} -- sh -c 'echo hello; hostname'`,
    `  npx meseta agents${flag}`,
    ...(options.marathon ? [`  npx meseta app list${marathonFlag}`] : []),
    '',
    'Ctrl-C ends the cluster and every task on it.',
    '',
  ].join('\n');
}
