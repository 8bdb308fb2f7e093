import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Reader, type Readings, startReader } from '../emulated/reader.ts';
import { type ServedMaster, serveMaster } from '../emulated/served-master.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

/** As upstream's benchmark of its state has it: 200,000 tasks that run, and as many of frameworks that have ended. */
const SIZE = {
  agents: 20_000,
  frameworks: 5,
  tasksPerFramework: 2,
  completedFrameworks: 5,
  tasksPerCompletedFramework: 2,
};
/** Reads of each answer after the first one. */
const WARM = 4;
const BODY = '{"type":"GET_STATE"}';
const getState = (accept: string): string =>
  `POST /api/v1 HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAccept: ${accept}\r\n` +
  `Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
const REQUESTS = {
  v0: 'GET /state HTTP/1.1\r\nHost: bench\r\n\r\n',
  'v1 json': getState('application/json'),
  'v1 protobuf': getState('application/x-protobuf'),
};

let master: ServedMaster | undefined;
let reader: Reader | undefined;

async function run(): Promise<Sample[]> {
  if (master === undefined || reader === undefined) throw new Error('the master is not prepared');
  master.shell.answers.kept.clear();
  const { port } = master;
  const unprepared = await reader.read({ port, request: REQUESTS.v0, clients: 1, times: 1 });
  await master.shell.preparer.prepare();
  const samples: Sample[] = [ms('v0 before anything is prepared', unprepared.total[0]!)];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (const [name, request] of Object.entries(REQUESTS)) {
    samples.push(...named(name, 'cold', await reader.read({ port, request, clients: 1, times: 1 })));
    samples.push(...named(name, 'warm', await reader.read({ port, request, clients: 1, times: WARM })));
  }
  delay.disable();
  samples.push(ms('longest event loop hold', delay.max / 1e6));
  samples.push({ metric: 'pieces kept', unit: 'MB', value: master.shell.answers.kept.bytes / 1e6 });
  return samples;
}

function named(name: string, kind: string, { total, firstByte, bytes }: Readings): Sample[] {
  const samples = [ms(`${name} ${kind}`, median(total)), ms(`${name} ${kind}, first byte`, median(firstByte))];
  return kind === 'cold' ? [...samples, { metric: `${name} size`, unit: 'MB', value: bytes / 1e6 }] : samples;
}

function ms(metric: string, value: number): Sample {
  return { metric, unit: 'ms', value };
}

export const scenario: Scenario = {
  name: 'state-20k',
  about:
    'A master with 20,000 agents, 200,000 running and 200,000 ended tasks (10 labels each): the whole state over local HTTP, by /state and GET_STATE in JSON and protobuf, the first time (cold) and again (warm).',
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
  run,
};
