import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callMaster } from '../../src/sdk/master-operator.ts';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import type { Offer, Resource } from '../../src/wire/v1.ts';
import type { Call } from '../../src/wire/v1_master.ts';
import { type Daemons, masterState, startDaemons, until } from './daemons.fixture.ts';
import { get, type PlainAnswer, post, postJson } from './plain-http.fixture.ts';

/** A framework that holds on to all that it is offered. */
class Holder {
  readonly offers = new Map<string, Offer>();
  readonly #scheduler: Scheduler;
  readonly #ran: Promise<void>;

  constructor(daemons: Daemons, role: string) {
    this.#scheduler = new Scheduler({
      master: `127.0.0.1:${daemons.master.port}`,
      framework: {
        user: 'nobody',
        name: `holder of ${role}`,
        roles: [role],
        capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
      },
      handlers: {
        offers: (offers) => {
          for (const offer of offers) this.offers.set(offer.id.value, offer);
        },
        rescind: ({ value }) => {
          this.offers.delete(value);
        },
      },
    });
    this.#ran = this.#scheduler.run();
  }

  get connected(): boolean {
    return this.#scheduler.connected;
  }

  get resources(): Resource[] {
    return [...this.offers.values()].flatMap(({ resources }) => resources ?? []);
  }

  /** How much it holds of a scalar. @param isReserved only what is reserved, or only what is not */
  sum(name: string, isReserved?: boolean): number {
    const wanted = ({ reservations = [] }: Resource) =>
      isReserved === undefined || reservations.length > 0 === isReserved;
    const found = this.resources.filter((resource) => resource.name === name && wanted(resource));
    return found.reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0);
  }

  stop(): Promise<void> {
    this.#scheduler.stop();
    return this.#ran;
  }
}

/** A master with agents. */
async function cluster(t: { after(end: () => Promise<void>): void }, agents: number): Promise<Daemons> {
  const daemons = await startDaemons();
  t.after(() => daemons.stop());
  for (let i = 0; i < agents; i++) await daemons.startAgent('--resources=cpus:4;mem:1024;disk:1000;ports:[]');
  return daemons;
}

function holder(t: { after(end: () => Promise<void>): void }, daemons: Daemons, role: string): Holder {
  const made = new Holder(daemons, role);
  t.after(() => made.stop());
  return made;
}

const operate = ({ master }: Daemons, call: Call): Promise<PlainAnswer> => postJson(master.port, '/api/v1', call);

function form({ master }: Daemons, path: string, fields: Readonly<Record<string, string>>): Promise<PlainAnswer> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return post(master.port, path, type, new URLSearchParams(fields).toString());
}

test('a quota holds: its role is offered no more than the limit, and its guarantee is kept for it', async (t) => {
  const daemons = await cluster(t, 1);
  const update_quota = {
    quota_configs: [
      { role: 'limited', limits: { cpus: { value: 1.5 } } },
      { role: 'sure', guarantees: { cpus: { value: 2 } } },
    ],
  };
  assert.equal((await operate(daemons, { type: 'UPDATE_QUOTA', update_quota })).status, 200);
  const limited = holder(t, daemons, 'limited');
  await until('the limited role has its part', () => limited.offers.size > 0);
  assert.equal(limited.sum('cpus'), 1.5);
  const other = holder(t, daemons, 'other');
  await until('another role has what is left beside the guarantee', () => other.offers.size > 0);
  assert.equal(other.sum('cpus'), 0.5);
  const sure = holder(t, daemons, 'sure');
  await until('what is guaranteed is there', () => sure.sum('cpus') === 2);

  const { roles } = JSON.parse((await get(daemons.master.port, '/roles')).body);
  const shown = roles.find(({ name }: { name: string }) => name === 'limited');
  assert.deepEqual(shown.quota, { role: 'limited', guarantee: {}, limit: { cpus: 1.5 }, consumed: {} });
  assert.equal((await fetch(`http://127.0.0.1:${daemons.master.port}/quota/sure`, { method: 'DELETE' })).status, 200);
  const again = await operate(daemons, { type: 'REMOVE_QUOTA', remove_quota: { role: 'sure' } });
  assert.equal(again.status, 400);
  assert.match(again.body, /no quota/);
});

test('what an operator reserves is offered to that role only', async (t) => {
  const daemons = await cluster(t, 1);
  const [agent] = (await masterState(daemons.master.port)).slaves;
  const slaveId = agent!.id;
  const reserved = (name: string, value: number): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value },
    reservations: [{ type: 'DYNAMIC', role: 'a', principal: 'op' }],
  });
  const greedy = holder(t, daemons, 'b');
  await until('everything is offered to one role', () => greedy.sum('cpus') === 4);

  const too = await form(daemons, '/reserve', { slaveId, resources: JSON.stringify([reserved('cpus', 5)]) });
  assert.equal(too.status, 409);
  assert.equal(greedy.sum('cpus'), 4);

  const resources = [reserved('cpus', 3), reserved('disk', 100)];
  const done = await form(daemons, '/reserve', { slaveId, resources: JSON.stringify(resources) });
  assert.equal(done.status, 202, done.body);
  await until('the rest is offered again', () => greedy.sum('cpus') === 1);
  assert.equal(greedy.sum('cpus', true), 0);
  const owner = holder(t, daemons, 'a');
  await until('the role has what is reserved to it', () => owner.sum('cpus', true) === 3);

  const disk = { persistence: { id: 'v', principal: 'op' }, volume: { container_path: 'data', mode: 'RW' as const } };
  const volumes = [{ ...reserved('disk', 40), disk }];
  const address = { host: '127.0.0.1', port: daemons.master.port };
  await callMaster(address, { type: 'CREATE_VOLUMES', create_volumes: { agent_id: { value: slaveId }, volumes } });
  await until('the volume is offered', () => owner.resources.some((resource) => resource.disk !== undefined));
  const { slaves } = JSON.parse((await get(daemons.master.port, '/slaves')).body);
  assert.deepEqual(slaves[0].reserved_resources.a, { ...slaves[0].reserved_resources.a, cpus: 3, disk: 100 });

  const gone = await form(daemons, '/destroy-volumes', { slaveId, volumes: JSON.stringify(volumes) });
  assert.equal(gone.status, 202, gone.body);
  const free = await form(daemons, '/unreserve', { slaveId, resources: JSON.stringify(resources) });
  assert.equal(free.status, 202, free.body);
  await until('nothing is reserved', () => owner.sum('cpus', true) + owner.sum('disk', true) === 0);
});

test('weights change who gets how much', async (t) => {
  const daemons = await cluster(t, 4);
  const holders = [holder(t, daemons, 'a'), holder(t, daemons, 'b')] as const;
  await until('both are there', () => holders.every(({ connected }) => connected));
  const counts = (): number[] => holders.map(({ offers }) => offers.size);
  await until('all is offered', () => counts()[0]! + counts()[1]! === 4);
  const weights = JSON.stringify([{ role: 'a', weight: 3 }]);
  const url = `http://127.0.0.1:${daemons.master.port}/weights`;
  assert.equal((await fetch(url, { method: 'PUT', body: weights })).status, 200);
  await until('three for one', () => counts().join() === '3,1');
  assert.deepEqual(await (await fetch(url)).json(), [{ role: 'a', weight: 3 }]);
});
