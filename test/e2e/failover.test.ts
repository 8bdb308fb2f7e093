import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Daemons, masterState, startDaemons, until } from './daemons.fixture.ts';
import { PlainScheduler, plainTask } from './plain-http.fixture.ts';

let daemons: Daemons;

before(async () => {
  daemons = await startDaemons('--allocation_interval=100ms');
});
after(async () => daemons.stop());

test('the scheduler that takes over is told what its predecessor was told and never acknowledged', async () => {
  const agent = await daemons.startAgent('--resources=cpus:4;mem:4096;disk:4096');
  const { port } = daemons.master;
  const info = { name: 'failover', failover_timeout: 60 };
  const first = await PlainScheduler.subscribe(port, info);
  first.acknowledges = false;
  const offer = await first.offer(agent.port);
  await first.launch(offer, [plainTask('t', offer, 'true')]);
  const told = await first.update('t', 'TASK_STARTING');
  first.disconnect();
  await until('the master notices', async () => {
    return (await masterState(port)).frameworks.some(({ id, connected }) => id === first.id && !connected);
  });
  const second = await PlainScheduler.subscribe(port, { ...info, id: { value: first.id } });
  const again = await second.update('t', 'TASK_STARTING');
  assert.equal(again.uuid, told.uuid, 'the same update');
  await second.update('t', 'TASK_FINISHED');
  await until('the end is acknowledged', async () => {
    const framework = (await masterState(port)).frameworks.find(({ id }) => id === first.id);
    return framework?.tasks.length === 0 && framework.completed_tasks[0]?.state === 'TASK_FINISHED';
  });
  assert.equal((await second.teardown()).status, 202);
});
