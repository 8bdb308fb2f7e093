import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { type TestContext, test } from 'node:test';
import { serve } from '../../http/testing.fixture.ts';
import { RecordReader } from '../../wire/recordio.ts';
import { Event } from '../../wire/v1_executor.ts';
import { FRAMEWORK, task, World } from '../core/fake-world.ts';
import { ExecutorConnections, executorEndpoint } from './executor.ts';

const HEADERS = { 'content-type': 'application/json', accept: 'application/json' };
const IDS = { framework_id: { value: 'f1' }, executor_id: { value: 'e' } };
const UUID = 'q83vASNFQ4mrze8BI0VniQ==';

/** An agent that has started executor `e` with a group of two tasks; the executor may now connect. */
async function agent(t: TestContext) {
  const world = new World().register();
  const connections = new ExecutorConnections((event) => {
    for (const effect of world.step(event)) {
      if (effect.kind === 'executorEvent') connections.tell(effect.stream, effect.event);
      if (effect.kind === 'closeExecutorStream') connections.close(effect.stream);
    }
  });
  const server = await serve(t, [executorEndpoint('slave(1)', world.agent.state, connections)], {
    delegate: 'slave(1)',
  });
  const call = (body: object) => server.ask('POST', '/api/v1/executor', HEADERS, JSON.stringify({ ...IDS, ...body }));
  const { command: _, ...info } = task('t');
  world.receive('mesos.internal.RunTaskGroupMessage', {
    framework: FRAMEWORK,
    executor: { type: 'CUSTOM', executor_id: { value: 'e' }, command: { value: 'exec' } },
    task_group: { tasks: [info, { ...info, task_id: { value: 'u' } }] },
  });
  world.start();
  const tell = (events: ReturnType<World['step']>) => {
    for (const effect of events) if (effect.kind === 'executorEvent') connections.tell(effect.stream, effect.event);
  };
  return { world, server, call, tell, connections };
}

/** Subscribes over a connection of its own. @returns the next event of the stream, each time it is called */
function subscribe(t: TestContext, port: number): Promise<{ next: () => Promise<Event>; ended: Promise<void> }> {
  return new Promise((resolve) => {
    const call = httpRequest({ host: '127.0.0.1', port, path: '/api/v1/executor', method: 'POST', headers: HEADERS });
    t.after(() => call.destroy());
    call.on('response', (response) => {
      assert.equal(response.statusCode, 200);
      const reader = new RecordReader();
      const arrived: Event[] = [];
      let wake = (): void => {};
      response.on('data', (chunk: Uint8Array) => {
        const records = reader.push(chunk);
        assert.ok(records.ok);
        for (const record of records.value) {
          const event = Event.fromJson(JSON.parse(Buffer.from(record).toString()));
          assert.ok(event.ok);
          arrived.push(event.value);
        }
        wake();
      });
      const ended = new Promise<void>((done) => response.on('end', done));
      const next = async (): Promise<Event> => {
        while (arrived.length === 0) await new Promise<void>((done) => (wake = done));
        return arrived.shift() ?? assert.fail();
      };
      resolve({ next, ended });
    });
    call.end(JSON.stringify({ ...IDS, type: 'SUBSCRIBE', subscribe: {} }));
  });
}

test('an executor that subscribes is given its tasks, and what it tells is acknowledged and passed on', async (t) => {
  const { world, server, call } = await agent(t);
  const early = await call({ type: 'MESSAGE', message: { data: 'aGk=' } });
  assert.deepEqual([early.status, early.body], [403, 'Executor is not subscribed']);
  const { next } = await subscribe(t, server.address.port);
  const { subscribed } = await next();
  assert.equal(subscribed?.executor_info.executor_id.value, 'e');
  assert.equal(subscribed?.agent_info.id?.value, 'm-S0');
  const { launch_group: group } = await next();
  assert.deepEqual(
    group?.task_group.tasks?.map((one) => one.task_id.value),
    ['t', 'u'],
  );
  const status = { task_id: { value: 't' }, state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR', uuid: UUID };
  assert.equal((await call({ type: 'UPDATE', update: { status } })).status, 202);
  const { acknowledged } = await next();
  assert.equal(acknowledged?.task_id.value, 't');
  assert.equal(world.updates()[0]?.status.state, 'TASK_RUNNING');
  assert.equal((await call({ type: 'MESSAGE', message: { data: 'aGk=' } })).status, 202);
  assert.equal(Buffer.from(world.sent('mesos.internal.ExecutorToFrameworkMessage')[0]?.data ?? []).toString(), 'hi');
});

test('kills, messages and the end reach a subscribed executor over its stream', async (t) => {
  const { world, server, tell } = await agent(t);
  const { next } = await subscribe(t, server.address.port);
  await next();
  await next();
  const from = 'master@127.0.0.1:5050';
  const kill = { framework_id: { value: 'f1' }, task_id: { value: 't' } };
  tell(world.step({ kind: 'message', from, name: 'mesos.internal.KillTaskMessage', body: kill }));
  assert.equal((await next()).kill?.task_id.value, 't');
  const data = { ...IDS, slave_id: { value: 'm-S0' }, data: new Uint8Array([1]) };
  tell(world.step({ kind: 'message', from, name: 'mesos.internal.FrameworkToExecutorMessage', body: data }));
  assert.deepEqual([...((await next()).message?.data ?? [])], [1]);
  const end = { framework_id: { value: 'f1' } };
  tell(world.step({ kind: 'message', from, name: 'mesos.internal.ShutdownFrameworkMessage', body: end }));
  assert.equal((await next()).type, 'SHUTDOWN');
});

test('a second subscription takes the place of the first', async (t) => {
  const { world, server } = await agent(t);
  const first = await subscribe(t, server.address.port);
  const second = await subscribe(t, server.address.port);
  await first.ended;
  assert.equal((await second.next()).type, 'SUBSCRIBED');
  const executor = world.agent.state.frameworks.get('f1')?.executors.get('e');
  assert.equal(executor?.stream, 2);
});

test('strangers and malformed calls are refused with the reason', async (t) => {
  const { server, call } = await agent(t);
  const ask = (body: object, headers = HEADERS) =>
    server.ask('POST', '/api/v1/executor', headers, JSON.stringify(body));
  assert.equal((await server.ask('GET', '/api/v1/executor')).status, 405);
  assert.equal((await call({ type: 'HEARTBEAT' })).status, 202);
  assert.equal((await ask({ type: 'SUBSCRIBE', subscribe: {}, framework_id: { value: 'f1' } })).status, 400);
  const strange = { ...IDS, framework_id: { value: 'x' } };
  assert.equal((await ask({ ...strange, type: 'SUBSCRIBE', subscribe: {} })).body, 'Framework cannot be found');
  const html = { ...HEADERS, accept: 'text/html' };
  assert.equal((await ask({ ...strange, type: 'SUBSCRIBE', subscribe: {} }, html)).status, 406);
  assert.equal(
    (await call({ type: 'SUBSCRIBE', subscribe: {}, executor_id: { value: 'x' } })).body,
    'Executor cannot be found',
  );
  const status = { task_id: { value: 't' }, state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR', uuid: UUID };
  for (const [bad, pattern] of [
    [{}, /'type'/],
    [{ type: 'SUBSCRIBE' }, /'subscribe'/],
    [{ type: 'UPDATE' }, /'update'/],
    [{ type: 'MESSAGE' }, /'message'/],
    [{ type: 'UPDATE', update: { status: { ...status, uuid: undefined } } }, /'uuid'/],
    [{ type: 'UPDATE', update: { status: { ...status, uuid: 'AAAAAAAAAAAAAAAAAAAAAA==' } } }, /UUID/],
    [{ type: 'UPDATE', update: { status: { ...status, source: 'SOURCE_AGENT' } } }, /source/],
    [{ type: 'UPDATE', update: { status: { ...status, state: 'TASK_STAGING' } } }, /TASK_STAGING/],
    [{ type: 'UPDATE', update: { status: { ...status, executor_id: { value: 'o' } } } }, /does not match/],
  ] as const) {
    const told = await call(bad);
    assert.equal(told.status, 400);
    assert.match(told.body, pattern);
  }
});
