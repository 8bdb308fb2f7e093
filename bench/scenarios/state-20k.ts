import { type Reader, type Readings, startReader } from '../emulated/reader.ts';
import { type ServedMaster, serveMaster } from '../emulated/served-master.ts';
import { type Hold, longestHold } from '../emulated/turns.ts';
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

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;

function call(type: string, accept = 'application/json'): string {
  const body = JSON.stringify({ type, [type.toLowerCase()]: {} });
  return (
    `POST /api/v1 HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAccept: ${accept}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

const REQUESTS = {
  v0: get('/state'),
  'v1 json': call('GET_STATE'),
  'v1 protobuf': call('GET_STATE', 'application/x-protobuf'),
};

/** The other answers that grow with the cluster: of these only how long they hold the event loop. */
const OTHERS = {
  '/state-summary': get('/state-summary'),
  '/slaves': get('/slaves'),
  '/frameworks': get('/frameworks'),
  '/tasks': get('/tasks'),
  '/tasks?limit=-1': get('/tasks?limit=-1'),
  '/roles': get('/roles'),
  '/metrics/snapshot': get('/metrics/snapshot'),
  '/metrics': get('/metrics'),
  '/registrar(1)/registry': get('/registrar(1)/registry'),
  '/': get('/'),
  '/allocator/why': get('/allocator/why?task_id=none'),
  GET_AGENTS: call('GET_AGENTS'),
  GET_FRAMEWORKS: call('GET_FRAMEWORKS'),
  GET_TASKS: call('GET_TASKS'),
  GET_ROLES: call('GET_ROLES'),
  GET_OPERATIONS: call('GET_OPERATIONS'),
};

let master: ServedMaster | undefined;
let reader: Reader | undefined;

async function run(): Promise<Sample[]> {
  if (master === undefined || reader === undefined) throw new Error('the master is not prepared');
  const { port, shell } = master;
  const asking = reader;
  const ask = (request: string, times: number): Promise<Readings> => asking.read({ port, request, clients: 1, times });
  shell.answers.kept.clear();
  const unprepared = await ask(REQUESTS.v0, 1);
  const samples: Sample[] = [ms('v0 before anything is prepared', unprepared.total[0]!)];
  const holds = new Map<string, Hold>();
  holds.set('preparing', await longestHold(() => shell.preparer.prepare()));
  for (const [name, request] of Object.entries(REQUESTS)) {
    const work = async (): Promise<void> => {
      samples.push(...named(name, 'cold', await ask(request, 1)));
      samples.push(...named(name, 'warm', await ask(request, WARM)));
    };
    holds.set(name, await longestHold(work));
  }
  samples.push({ metric: 'pieces kept', unit: 'MB', value: shell.answers.kept.bytes / 1e6 });
  for (const [name, request] of Object.entries(OTHERS)) {
    holds.set(name, await longestHold(async () => void (await ask(request, 1 + WARM))));
  }
  const all = [...holds.values()];
  samples.push(ms('longest event loop hold', Math.max(...all.map(({ wall }) => wall))));
  samples.push(ms('longest hold, processor time', Math.max(...all.map(({ processor }) => processor))));
  for (const [name, { wall, processor }] of holds) {
    samples.push(ms(`hold of ${name}`, wall), ms(`hold of ${name}, processor time`, processor));
  }
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
    'A master with 20,000 agents, 200,000 running and 200,000 ended tasks (10 labels each): the whole state over local HTTP, by /state and GET_STATE in JSON and protobuf, the first time (cold) and again (warm); and for how long each answer that grows with the cluster holds the event loop.',
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
  run,
};
