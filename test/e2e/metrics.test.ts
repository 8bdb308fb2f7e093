import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExposition, type Sample } from '../../src/http/endpoints/exposition.fixture.ts';
import { startServer } from '../../src/http/server.ts';
import { createLibprocess } from '../../src/libprocess/transport.ts';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import {
  FrameworkErrorMessage,
  FrameworkRegisteredMessage,
  RegisterFrameworkMessage,
  ReviveOffersMessage,
} from '../../src/wire/internal.ts';
import type { Offer, Resource } from '../../src/wire/v1.ts';
import { startDaemons, until } from './daemons.fixture.ts';
import { get } from './plain-http.fixture.ts';

const ESTIMATOR = 'org_apache_mesos_FixedResourceEstimator';

async function samplesOf(port: number): Promise<Sample[]> {
  const { status, body } = await get(port, '/metrics');
  assert.equal(status, 200);
  return parseExposition(body);
}

async function metric(port: number, name: string): Promise<number> {
  return JSON.parse((await get(port, '/metrics/snapshot')).body)[name] as number;
}

test('what an agent can oversubscribe reaches a framework that takes it, runs a task, and is in the metrics', async (t) => {
  const daemons = await startDaemons();
  t.after(() => daemons.stop());
  const parameters = [{ key: 'resources', value: 'cpus:3' }];
  const modules = JSON.stringify({ libraries: [{ modules: [{ name: ESTIMATOR, parameters }] }] });
  const agent = await daemons.startAgent(
    '--resources=cpus:1;mem:512;disk:0;ports:[]',
    `--resource_estimator=${ESTIMATOR}`,
    `--modules=${modules}`,
  );
  const states: string[] = [];
  const scheduler = new Scheduler({
    master: `127.0.0.1:${daemons.master.port}`,
    framework: { user: 'nobody', name: 'taker', capabilities: [{ type: 'REVOCABLE_RESOURCES' }] },
    handlers: {
      offers: (offers, self) => {
        const offer = offers.find((one) => revocable(one) === 3);
        if (offer === undefined) return;
        const cpus: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, revocable: {} };
        const task = {
          name: 't',
          task_id: { value: 't' },
          agent_id: offer.agent_id,
          resources: [cpus],
          command: { value: 'sleep 60' },
        };
        self.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos: [task] } }]);
      },
      update: ({ state }) => void states.push(state),
    },
  });
  const ran = scheduler.run();
  t.after(async () => {
    scheduler.stop();
    await ran;
  });
  await until('the task runs', () => states.includes('TASK_RUNNING'));
  assert.equal(await metric(daemons.master.port, 'master/cpus_revocable_total'), 3);
  assert.equal(await metric(daemons.master.port, 'master/cpus_revocable_used'), 2);
  assert.equal(await metric(daemons.master.port, 'master/cpus_total'), 1);
  for (const [port, program] of [
    [daemons.master.port, 'master'],
    [agent.port, 'slave'],
  ] as const) {
    const samples = await samplesOf(port);
    const used = samples.find(({ family }) => family === `mesos_${program}_cpus_revocable_used`);
    assert.deepEqual([used?.type, used?.value], ['gauge', 2]);
  }
  const samples = await samplesOf(daemons.master.port);
  const runs = samples.find(({ family }) => family === 'mesos_allocator_mesos_allocation_runs');
  assert.ok(runs?.type === 'counter' && runs.value > 0);
});

function revocable(offer: Offer): number {
  const found = offer.resources?.find((resource) => resource.name === 'cpus' && resource.revocable !== undefined);
  return found?.scalar?.value ?? 0;
}

test('an old driver that says too much too fast is slowed down, and told when it goes too far', async (t) => {
  const limits = JSON.stringify({ limits: [{ principal: 'chatty', qps: 0.001, capacity: 2 }] });
  const daemons = await startDaemons(`--rate_limits=${limits}`);
  t.after(() => daemons.stop());
  const master = daemons.master.port;
  const server = await startServer({ ip: '127.0.0.1', port: 0 });
  assert.ok(server.ok);
  const libprocess = createLibprocess({ ip: '127.0.0.1', port: server.value.address.port });
  server.value.use(libprocess.accept);
  t.after(async () => {
    libprocess.close();
    await server.value.close(0);
  });
  const said: [name: string, body: Uint8Array][] = [];
  libprocess.register('scheduler(1)', (_from, name, body) => void said.push([name, body]));
  const send = (name: string, body: Uint8Array): void => {
    assert.ok(libprocess.send('scheduler(1)', `master@127.0.0.1:${master}`, name, body).ok);
  };
  const heard = (name: string): Uint8Array | undefined => said.find(([other]) => other === name)?.[1];
  const framework = { user: 'nobody', name: 'old', principal: 'chatty', failover_timeout: 60 };
  send('mesos.internal.RegisterFrameworkMessage', RegisterFrameworkMessage.encode({ framework }));
  await until('it is registered', () => heard('mesos.internal.FrameworkRegisteredMessage') !== undefined);
  const registered = FrameworkRegisteredMessage.decode(heard('mesos.internal.FrameworkRegisteredMessage')!);
  assert.ok(registered.ok);
  const revive = ReviveOffersMessage.encode({ framework_id: registered.value.framework_id });
  // One is taken, two wait for a quarter of an hour, and the fourth is too much.
  for (let i = 0; i < 4; i++) send('mesos.internal.ReviveOffersMessage', revive);
  await until('it is told', () => heard('mesos.internal.FrameworkErrorMessage') !== undefined);
  const error = FrameworkErrorMessage.decode(heard('mesos.internal.FrameworkErrorMessage')!);
  assert.ok(error.ok);
  assert.equal(error.value.message, 'Message mesos.internal.ReviveOffersMessage dropped: capacity(2) exceeded');
  assert.equal(await metric(master, 'master/messages_revive_offers'), 1);
  assert.equal(await metric(master, 'frameworks/chatty/messages_received'), 4);
  assert.equal(await metric(master, 'frameworks/chatty/messages_processed'), 1);
});
