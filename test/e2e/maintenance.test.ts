import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { InverseOffer, Offer, TaskInfo, TaskStatus } from '../../src/wire/v1.ts';
import type { Call } from '../../src/wire/v1_master.ts';
import { type Daemon, type Daemons, isHealthy, masterState, startDaemons, until } from './daemons.fixture.ts';
import { get, type PlainAnswer, postJson } from './plain-http.fixture.ts';

interface After {
  after(end: () => Promise<void>): void;
}

const SCALARS = [
  { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
  { name: 'mem', type: 'SCALAR', scalar: { value: 32 } },
] as const;

/** A framework that launches a task on each agent that it is told to, and remembers what it hears. */
class Tenant {
  readonly statuses: TaskStatus[] = [];
  readonly inverse = new Map<string, InverseOffer>();
  readonly offers = new Map<string, Offer>();
  readonly scheduler: Scheduler;

  constructor(t: After, { master }: Daemons) {
    this.scheduler = new Scheduler({
      master: `127.0.0.1:${master.port}`,
      framework: {
        user: 'nobody',
        name: 'tenant',
        checkpoint: true,
        capabilities: [{ type: 'PARTITION_AWARE' }, { type: 'TASK_KILLING_STATE' }],
      },
      handlers: {
        offers: (offers) => {
          for (const offer of offers) this.offers.set(offer.id.value, offer);
        },
        rescind: ({ value }) => {
          this.offers.delete(value);
        },
        update: (status) => {
          this.statuses.push(status);
        },
        event: ({ inverse_offers, rescind_inverse_offer: rescinded }) => {
          for (const offer of inverse_offers?.inverse_offers ?? []) this.inverse.set(offer.id.value, offer);
          if (rescinded !== undefined) this.inverse.delete(rescinded.inverse_offer_id.value);
        },
      },
    });
    const ran = this.scheduler.run();
    t.after(() => {
      this.scheduler.stop();
      return ran;
    });
  }

  offerFrom(agentId: string): Offer | undefined {
    return [...this.offers.values()].find(({ agent_id }) => agent_id.value === agentId);
  }

  /** Runs a shell command on an agent and waits until it has said that it is ready. */
  async run(id: string, agentId: string, value: string): Promise<void> {
    await until(`an offer from ${agentId}`, () => this.offerFrom(agentId) !== undefined);
    const offer = this.offerFrom(agentId)!;
    this.offers.delete(offer.id.value);
    const task: Omit<TaskInfo, 'agent_id'> = {
      name: id,
      task_id: { value: id },
      resources: SCALARS,
      command: { value },
    };
    await this.scheduler.launch(offer, [task], { refuse_seconds: 0 });
    await until(`${id} runs`, () => this.states(id).includes('TASK_RUNNING'));
  }

  states(id: string): string[] {
    return this.statuses.filter(({ task_id }) => task_id.value === id).map(({ state }) => state);
  }

  last(id: string): TaskStatus | undefined {
    return this.statuses.filter(({ task_id }) => task_id.value === id).at(-1);
  }
}

interface Stage {
  readonly daemons: Daemons;
  readonly agents: readonly Daemon[];
  /** Of the agents. */
  readonly ids: readonly string[];
  readonly tenant: Tenant;
}

async function cluster(t: After, ...masterFlags: string[]): Promise<Stage> {
  const daemons = await startDaemons(...masterFlags);
  t.after(() => daemons.stop());
  const agents: Daemon[] = [];
  for (const name of ['one', 'two']) agents.push(await startAgent(daemons, name));
  const slaves = (await masterState(daemons.master.port)).slaves;
  const ids = agents.map(({ port }) => slaves.find((slave) => slave.port === port)!.id);
  return { daemons, agents, ids, tenant: new Tenant(t, daemons) };
}

function startAgent(daemons: Daemons, hostname: string): Promise<Daemon> {
  return daemons.startAgent(`--hostname=${hostname}`, '--resources=cpus:4;mem:1024;disk:1000;ports:[]');
}

const operate = ({ master }: Daemons, call: Call): Promise<PlainAnswer> => postJson(master.port, '/api/v1', call);

interface Slave {
  readonly id: string;
  readonly active: boolean;
  readonly deactivated: boolean;
  readonly drain_info?: { readonly state: string };
  readonly estimated_drain_start_time_seconds?: number;
}

async function slave({ master }: Daemons, id: string): Promise<Slave | undefined> {
  const { slaves } = JSON.parse((await get(master.port, `/slaves?slave_id=${id}`)).body) as { slaves: Slave[] };
  return slaves[0];
}

test('a machine is scheduled, its tenants are asked to leave, it goes down with its agent, and comes up again', async (t) => {
  const { daemons, agents, ids, tenant } = await cluster(t);
  const { port } = daemons.master;
  const [here, there] = ids as readonly [string, string];
  await tenant.run('t', here, 'sleep 1000');

  const machines = [{ hostname: 'ONE', ip: '127.0.0.1' }];
  const unavailability = { start: { nanoseconds: 1_900_000_000e9 }, duration: { nanoseconds: 3600e9 } };
  const schedule = { windows: [{ machine_ids: machines, unavailability }] };
  assert.equal((await postJson(port, '/maintenance/schedule', schedule)).status, 200);
  assert.deepEqual(JSON.parse((await get(port, '/maintenance/schedule')).body), schedule);
  await until('the tenant is asked to leave', () => tenant.inverse.size === 1);
  const [question] = [...tenant.inverse.values()];
  assert.deepEqual([question?.agent_id?.value, question?.unavailability], [here, unavailability]);
  await until('offers say when', () => tenant.offerFrom(here)?.unavailability !== undefined);
  assert.equal(tenant.offerFrom(there)?.unavailability, undefined);

  await tenant.scheduler.call({
    type: 'ACCEPT_INVERSE_OFFERS',
    accept_inverse_offers: { inverse_offer_ids: [question!.id], filters: { refuse_seconds: 1000 } },
  });
  const status = JSON.parse((await get(port, '/maintenance/status')).body);
  assert.deepEqual(status.draining_machines[0].id, machines[0]);
  assert.equal(status.draining_machines[0].statuses[0].status, 'ACCEPT');

  assert.equal((await postJson(port, '/machine/down', machines)).status, 200);
  const ended = await agents[0]!.ended;
  assert.equal(ended.signal, null, ended.stderr);
  await until('the task is lost', () => tenant.last('t')?.state === 'TASK_LOST');
  assert.deepEqual(JSON.parse((await get(port, '/maintenance/status')).body), { down_machines: machines });
  assert.deepEqual(
    (await masterState(port)).slaves.map(({ id }) => id),
    [there],
  );

  assert.equal((await postJson(port, '/machine/up', machines)).status, 200);
  assert.equal((await get(port, '/maintenance/schedule')).body, '{}');
  const again = await startAgent(daemons, 'one');
  await until('what the agent has is offered again', () =>
    [...tenant.offers.values()].some(({ hostname }) => hostname === 'one'),
  );
  assert.equal(
    (await masterState(port)).slaves.some((known) => known.port === again.port),
    true,
  );
});

test('a drain ends a task that ignores SIGTERM when its grace is over; the agent is reactivated afterwards', async (t) => {
  const { daemons, ids, tenant } = await cluster(t);
  const [id] = ids as readonly [string];
  await tenant.run('stubborn', id, 'trap "" TERM; while :; do sleep 1; done');
  const drain_agent = { agent_id: { value: id }, max_grace_period: { seconds: 0, nanos: 200_000_000 } };
  assert.equal((await operate(daemons, { type: 'DRAIN_AGENT', drain_agent })).status, 200);
  await until('the agent is drained', async () => (await slave(daemons, id))?.drain_info?.state === 'DRAINED');
  const drained = await slave(daemons, id);
  assert.deepEqual([drained?.active, drained?.deactivated], [false, true]);
  assert.ok((drained?.estimated_drain_start_time_seconds ?? 0) > 0);
  assert.deepEqual(tenant.states('stubborn').slice(-2), ['TASK_KILLING', 'TASK_KILLED']);
  assert.equal(tenant.last('stubborn')?.reason, 'REASON_AGENT_DRAINING');
  assert.match(tenant.last('stubborn')?.message ?? '', /signal Killed/);
  assert.equal(tenant.offerFrom(id), undefined);

  const reactivate_agent = { agent_id: { value: id } };
  assert.equal((await operate(daemons, { type: 'REACTIVATE_AGENT', reactivate_agent })).status, 200);
  await tenant.run('next', id, 'sleep 1000');
});

test('a drain goes on when the agent was killed and started again, with what was decided meanwhile', async (t) => {
  const { daemons, agents, ids, tenant } = await cluster(t);
  const [id] = ids as readonly [string];
  await tenant.run('stubborn', id, 'trap "" TERM; while :; do sleep 1; done');
  const drain = (seconds: number): Promise<PlainAnswer> =>
    operate(daemons, {
      type: 'DRAIN_AGENT',
      drain_agent: { agent_id: { value: id }, max_grace_period: { seconds } },
    });
  assert.equal((await drain(1000)).status, 200);
  await until('the drain has begun', () => tenant.last('stubborn')?.state === 'TASK_KILLING');
  await agents[0]!.end('SIGKILL');
  assert.equal((await slave(daemons, id))?.drain_info?.state, 'DRAINING');
  assert.equal((await drain(0)).status, 200);
  agents[0]!.restart();
  await until('the agent is drained', async () => (await slave(daemons, id))?.drain_info?.state === 'DRAINED');
  assert.equal(tenant.last('stubborn')?.reason, 'REASON_AGENT_DRAINING');
  assert.equal((await slave(daemons, id))?.active, false);
});

test('what is decided about agents and machines outlives the master', async (t) => {
  const { daemons, ids } = await cluster(t, '--registry=replicated_log');
  const [drained, idle] = ids as readonly [string, string];
  const { port } = daemons.master;
  const drain_agent = { agent_id: { value: drained }, max_grace_period: { seconds: 7 } };
  assert.equal((await operate(daemons, { type: 'DRAIN_AGENT', drain_agent })).status, 200);
  await until('the agent is drained', async () => (await slave(daemons, drained))?.drain_info?.state === 'DRAINED');
  const deactivate_agent = { agent_id: { value: idle } };
  assert.equal((await operate(daemons, { type: 'DEACTIVATE_AGENT', deactivate_agent })).status, 200);
  const machine_ids = [{ hostname: 'three', ip: '127.0.0.1' }];
  const schedule = { windows: [{ machine_ids, unavailability: { start: { nanoseconds: 5 } } }] };
  assert.equal((await postJson(port, '/maintenance/schedule', schedule)).status, 200);
  assert.equal((await postJson(port, '/machine/down', machine_ids)).status, 200);

  await daemons.master.end('SIGKILL');
  daemons.master.restart();
  await until('the master answers', () => isHealthy(port));
  await until('the agents are back', async () => (await masterState(port)).slaves.length === 2);
  const after = await slave(daemons, drained);
  assert.deepEqual(after?.drain_info, {
    state: 'DRAINED',
    config: { max_grace_period: { nanoseconds: 7e9 }, mark_gone: false },
  });
  const { active, deactivated, drain_info } = (await slave(daemons, idle))!;
  assert.deepEqual([active, deactivated, drain_info], [false, true, undefined]);
  assert.deepEqual(JSON.parse((await get(port, '/maintenance/schedule')).body), schedule);
  assert.deepEqual(JSON.parse((await get(port, '/maintenance/status')).body), { down_machines: machine_ids });
});

test('with mark_gone an agent ends when it is empty, its tasks are gone, and nothing of it comes back', async (t) => {
  const { daemons, agents, ids, tenant } = await cluster(t);
  const [id, other] = ids as readonly [string, string];
  await tenant.run('doomed', id, 'sleep 1000');
  const drain_agent = { agent_id: { value: id }, mark_gone: true };
  assert.equal((await operate(daemons, { type: 'DRAIN_AGENT', drain_agent })).status, 200);
  await agents[0]!.ended;
  assert.equal(tenant.last('doomed')?.state, 'TASK_GONE_BY_OPERATOR');
  assert.deepEqual(
    (await masterState(daemons.master.port)).slaves.map((known) => known.id),
    [other],
  );
  const again = await operate(daemons, { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: id } } });
  assert.equal(again.status, 200, 'it is gone already');
  assert.equal((await operate(daemons, { type: 'DRAIN_AGENT', drain_agent })).status, 400);
});
