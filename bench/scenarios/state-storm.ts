import { type AddressInfo, createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Reader, startReader } from '../emulated/reader.ts';
import { type ServedMaster, serveMaster } from '../emulated/served-master.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';

/** As upstream's benchmark of its responsiveness has it: 10,000 tasks that run, and as many that have ended. */
const SIZE = {
  agents: 100,
  frameworks: 10,
  tasksPerFramework: 10,
  completedFrameworks: 10,
  tasksPerCompletedFramework: 10,
};
const CLIENTS = 20;
const POLLS = 50;
const GET = 'GET /state HTTP/1.1\r\nHost: bench\r\n';

let master: ServedMaster | undefined;
let reader: Reader | undefined;

async function storm(name: string, headers: string): Promise<Sample[]> {
  if (master === undefined || reader === undefined) throw new Error('the master is not prepared');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const storm = { port: master.port, request: `${GET}${headers}\r\n`, clients: CLIENTS, times: POLLS };
  const { total, probes, bytes } = await reader.read({ ...storm, probe: '/health' });
  delay.disable();
  const ms = (metric: string, value: number): Sample => ({ metric: `${metric}${name}`, unit: 'ms', value });
  return [
    ms(`state mean ${CLIENTS} clients`, mean(total)),
    ms(`state p99 ${CLIENTS} clients`, percentile(total, 0.99)),
    ms('health p50', percentile(probes, 0.5)),
    ms('health p99', percentile(probes, 0.99)),
    ms('longest event loop hold', delay.max / 1e6),
    { metric: `answer size${name}`, unit: 'MB', value: bytes / 1e6 },
  ];
}

/** What the machine can do: as many bytes, from a socket that is given them in one go and knows nothing else. */
async function bare(bytes: number): Promise<Sample[]> {
  if (reader === undefined) throw new Error('the reader is not prepared');
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`;
  const body = Buffer.alloc(bytes, 'x');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write(head);
      socket.write(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { total } = await reader.read({ port, request: `${GET}\r\n`, clients: CLIENTS, times: POLLS });
  server.close();
  return [{ metric: `bare socket mean ${CLIENTS} clients`, unit: 'ms', value: mean(total) }];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

export const scenario: Scenario = {
  name: 'state-storm',
  about: `${CLIENTS} clients at a time, each asking ${POLLS} times for /state of a master with 100 agents, 10,000 running and 10,000 ended tasks, while /health is asked all the time; plain, and with gzip as most HTTP clients accept it.`,
  // As bin/mesos-master starts it.
  flags: ['--max-semi-space-size=4'],
  prepare: async () => {
    const started = await serveMaster(SIZE);
    const asking = await startReader();
    master = started;
    reader = asking;
    return () => {
      asking.close();
      return started.close();
    };
  },
  run: async () => {
    const plain = await storm('', '');
    const bytes = (plain.find(({ metric }) => metric === 'answer size')?.value ?? 0) * 1e6;
    return [...plain, ...(await storm(', gzip', 'Accept-Encoding: gzip\r\n')), ...(await bare(bytes))];
  },
};
