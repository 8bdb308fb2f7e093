import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { Offer, Offer_Operation, OperationStatus, Resource, TaskInfo, TaskStatus } from '../../src/wire/v1.ts';
import type { Call } from '../../src/wire/v1_scheduler.ts';
import { type Daemon, masterState, startDaemons, until } from './daemons.fixture.ts';
import { get, postJson } from './plain-http.fixture.ts';

const ROLE = 'team/db';
const SPACED = 'team db';

const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } });
const RESERVED: Resource = { ...scalar('disk', 16), reservations: [{ type: 'DYNAMIC', role: ROLE }] };
const VOLUME: Resource = {
  ...RESERVED,
  disk: { persistence: { id: 'data' }, volume: { container_path: 'data', mode: 'RW' } },
};
const SHARED: Resource = {
  ...RESERVED,
  disk: { persistence: { id: 'common' }, volume: { container_path: 'data', mode: 'RW' } },
  shared: {},
};

/** A framework that keeps a volume, and remembers what it hears. */
class Keeper {
  readonly tasks: TaskStatus[] = [];
  readonly operations: OperationStatus[] = [];
  readonly scheduler: Scheduler;
  readonly ran: Promise<void>;
  #offers: Offer[] = [];

  constructor(master: string) {
    this.scheduler = new Scheduler({
      master,
      framework: {
        user: process.getuid?.() === 0 ? 'nobody' : (process.env.USER ?? 'nobody'),
        name: 'keeper',
        roles: [ROLE],
        checkpoint: true,
        capabilities: [
          { type: 'MULTI_ROLE' },
          { type: 'RESERVATION_REFINEMENT' },
          { type: 'SHARED_RESOURCES' },
          { type: 'PARTITION_AWARE' },
        ],
      },
      handlers: {
        offers: (offers) => {
          this.#offers.push(...offers);
        },
        rescind: ({ value }) => {
          this.#offers = this.#offers.filter(({ id }) => id.value !== value);
        },
        update: (status) => {
          this.tasks.push(status);
        },
        event: ({ update_operation_status: update }) => {
          if (update !== undefined) this.operations.push(update.status);
        },
      },
    });
    this.ran = this.scheduler.run();
  }

  /** Accepts what there is, of a shared volume one copy; waits until that has the volume (if any) and some cpus. */
  async accept(volume: Resource | undefined, ...operations: ((offer: Offer) => Offer_Operation)[]): Promise<void> {
    const id = volume?.disk?.persistence?.id;
    const has = ({ resources = [] }: Offer): boolean => resources.some(({ disk }) => disk?.persistence?.id === id);
    const cpus = ({ resources = [] }: Offer): number =>
      resources.find(({ name }) => name === 'cpus')?.scalar?.value ?? 0;
    const chosen = (): Offer[] => {
      if (id === undefined) return this.#offers;
      const [most] = this.#offers.filter(has).sort((a, b) => cpus(b) - cpus(a));
      return this.#offers.filter((offer) => offer === most || !has(offer));
    };
    const suffices = (offers: readonly Offer[]): boolean =>
      offers.reduce((sum, offer) => sum + cpus(offer), 0) > 0.2 && (id === undefined || offers.some(has));
    await until('enough is offered', () => suffices(chosen()));
    const offers = chosen();
    this.#offers = this.#offers.filter((offer) => !offers.includes(offer));
    const asked = operations.map((operation) => operation(offers[0]!));
    await this.scheduler.accept(
      offers.map((offer) => offer.id),
      asked,
      { refuse_seconds: 0 },
    );
  }

  async ended(taskId: string): Promise<TaskStatus> {
    const end = (): TaskStatus | undefined =>
      this.tasks.find(({ task_id, state }) => task_id.value === taskId && !/STAGING|STARTING|RUNNING/.test(state));
    await until(`${taskId} ends`, () => end() !== undefined);
    return end()!;
  }

  async told(id: string, count = 1): Promise<OperationStatus> {
    const about = () => this.operations.filter(({ operation_id }) => operation_id?.value === id);
    await until(`${id} is told of`, () => about().length >= count);
    return about()[count - 1]!;
  }

  call(call: Call): Promise<void> {
    return this.scheduler.call(call);
  }
}

const reserve = (id?: string) => (): Offer_Operation => ({
  type: 'RESERVE',
  ...(id !== undefined && { id: { value: id } }),
  reserve: { resources: [RESERVED] },
});
const create = (volume: Resource) => (): Offer_Operation => ({ type: 'CREATE', create: { volumes: [volume] } });
const destroy = (volume: Resource, id: string) => (): Offer_Operation => ({
  type: 'DESTROY',
  id: { value: id },
  destroy: { volumes: [volume] },
});
const launch =
  (volume: Resource, commands: Record<string, string>) =>
  ({ agent_id }: Offer): Offer_Operation => {
    const tasks: TaskInfo[] = Object.entries(commands).map(([id, value]) => ({
      name: id,
      task_id: { value: id },
      agent_id,
      resources: [scalar('cpus', 0.1), scalar('mem', 16), volume],
      command: { value },
    }));
    return { type: 'LAUNCH', launch: { task_infos: tasks } };
  };

async function stage(t: { after(end: () => Promise<void>): void }): Promise<{
  readonly keeper: Keeper;
  readonly agent: Daemon;
  readonly masterPort: number;
}> {
  const daemons = await startDaemons();
  t.after(() => daemons.stop());
  // Tasks are nobody's, and have to find their way to the volumes.
  chmodSync(dirname(daemons.master.workDir), 0o755);
  const agent = await daemons.startAgent('--resources=cpus:2;mem:512;disk:64');
  const keeper = new Keeper(`127.0.0.1:${daemons.master.port}`);
  t.after(async () => {
    keeper.scheduler.stop();
    await keeper.ran;
  });
  return { keeper, agent, masterPort: daemons.master.port };
}

interface AgentStateJson {
  readonly id: string;
  readonly reserved_resources: Record<string, { readonly disk: number }>;
  readonly unreserved_resources: { readonly disk: number };
}

async function agentState(agent: Daemon): Promise<AgentStateJson> {
  return JSON.parse((await get(agent.port, '/state')).body) as AgentStateJson;
}

async function operationsOf(port: number): Promise<readonly { latest_status: { state: string } }[]> {
  const { body } = await postJson(port, '/api/v1', { type: 'GET_OPERATIONS' });
  const parsed = JSON.parse(body) as { get_operations: { operations?: { latest_status: { state: string } }[] } };
  return parsed.get_operations.operations ?? [];
}

/** The newest sandbox of a task. */
function sandboxOf({ workDir }: Daemon, frameworkId: string, taskId: string): string {
  return join(workDir, 'slaves/latest/frameworks', frameworkId, 'executors', taskId, 'runs/latest');
}

test('a volume is made, written by one task, read by the next, and destroyed with what it held', async (t) => {
  const { keeper, agent } = await stage(t);
  const folder = join(agent.workDir, `volumes/roles/${SPACED}/data`);
  await keeper.accept(undefined, reserve(), create(VOLUME), launch(VOLUME, { writer: 'echo precious > data/file' }));
  const { state, message } = await keeper.ended('writer');
  assert.equal(state, 'TASK_FINISHED', message);
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'precious\n');
  const { reserved_resources: reserved, unreserved_resources: free } = await agentState(agent);
  assert.deepEqual([reserved[ROLE]?.disk, free.disk], [16, 48]);
  await keeper.accept(VOLUME, launch(VOLUME, { reader: 'cat data/file; grep -q precious data/file' }));
  assert.equal((await keeper.ended('reader')).state, 'TASK_FINISHED');
  const { frameworkId } = keeper.scheduler;
  assert.match(readFileSync(join(sandboxOf(agent, frameworkId ?? '', 'reader'), 'stdout'), 'utf8'), /precious/);
  await keeper.accept(VOLUME, destroy(VOLUME, 'end'), () => ({
    type: 'UNRESERVE',
    unreserve: { resources: [RESERVED] },
  }));
  assert.equal((await keeper.told('end')).state, 'OPERATION_FINISHED');
  assert.ok(!existsSync(folder), 'the data is gone');
  await until('nothing is reserved', async () => (await agentState(agent)).unreserved_resources.disk === 64);
  await until('nothing is left of it', () => readdirSync(join(agent.workDir, 'volumes/removed')).length === 0);
});

test('a shared volume is used by two tasks at once, and cannot be destroyed meanwhile', async (t) => {
  const { keeper, agent } = await stage(t);
  const tasks = {
    sender: 'echo news > data/note; while [ ! -e data/read ]; do sleep 0.1; done',
    receiver: 'while [ ! -s data/note ]; do sleep 0.1; done; cat data/note',
  };
  await keeper.accept(undefined, reserve(), create(SHARED), launch(SHARED, tasks));
  const received = await keeper.ended('receiver');
  assert.equal(received.state, 'TASK_FINISHED', received.message);
  await keeper.accept(SHARED, destroy(SHARED, 'too-soon'));
  const refused = await keeper.told('too-soon');
  assert.equal(refused.state, 'OPERATION_ERROR');
  assert.match(refused.message ?? '', /in use/);
  await keeper.accept(SHARED, launch(SHARED, { reader: 'touch data/read' }));
  for (const id of ['reader', 'sender']) assert.equal((await keeper.ended(id)).state, 'TASK_FINISHED', id);
  await keeper.accept(SHARED, destroy(SHARED, 'now'));
  const done = await keeper.told('now');
  assert.equal(done.state, 'OPERATION_FINISHED', done.message);
  assert.deepEqual(readdirSync(join(agent.workDir, `volumes/roles/${SPACED}`)), []);
});

test('an operation with an id is told of, can be asked about, and is forgotten when it is acknowledged', async (t) => {
  const { keeper, agent, masterPort } = await stage(t);
  await keeper.accept(undefined, reserve('r'));
  const end = await keeper.told('r');
  const agent_id = { value: (await agentState(agent)).id };
  assert.equal(end.state, 'OPERATION_FINISHED');
  assert.deepEqual(end.agent_id, agent_id);
  assert.ok(end.uuid);
  for (const port of [masterPort, agent.port]) {
    assert.deepEqual(
      (await operationsOf(port)).map((operation) => operation.latest_status.state),
      ['OPERATION_FINISHED'],
    );
  }
  const operation_id = { value: 'r' };
  const operations = [{ operation_id, agent_id }];
  await keeper.call({ type: 'RECONCILE_OPERATIONS', reconcile_operations: { operations } });
  const { uuid: _, ...known } = end;
  assert.deepEqual(await keeper.told('r', 2), known);
  await keeper.call({
    type: 'ACKNOWLEDGE_OPERATION_STATUS',
    acknowledge_operation_status: { agent_id, operation_id, uuid: end.uuid.value },
  });
  for (const port of [masterPort, agent.port]) {
    await until('the operation is forgotten', async () => (await operationsOf(port)).length === 0);
  }
  await keeper.call({ type: 'RECONCILE_OPERATIONS', reconcile_operations: { operations } });
  assert.equal((await keeper.told('r', 3)).state, 'OPERATION_UNKNOWN');
  const metrics = JSON.parse((await get(masterPort, '/metrics/snapshot')).body) as Record<string, number>;
  assert.equal(metrics['master/operations/reserve/finished'], 1);
  assert.equal(metrics['master/operations/pending'], 0);
});

test('reservations and volumes outlive an agent that is killed, and so do their data', async (t) => {
  const { keeper, agent, masterPort } = await stage(t);
  await keeper.accept(undefined, reserve(), create(VOLUME), launch(VOLUME, { writer: 'echo precious > data/file' }));
  assert.equal((await keeper.ended('writer')).state, 'TASK_FINISHED');
  const [before] = (await masterState(masterPort)).slaves;
  await agent.end('SIGKILL');
  const next = agent.restart();
  await until('the agent is back', async () => (await masterState(masterPort)).slaves.some(({ active }) => active));
  const slaves = (await masterState(masterPort)).slaves;
  assert.deepEqual(
    slaves.map(({ id }) => id),
    [before?.id],
  );
  assert.equal((await agentState(next)).reserved_resources[ROLE]?.disk, 16);
  await keeper.accept(VOLUME, launch(VOLUME, { reader: 'grep -q precious data/file' }));
  const { state, message } = await keeper.ended('reader');
  assert.equal(state, 'TASK_FINISHED', message);
});
