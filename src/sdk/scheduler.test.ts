import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Offer, TaskStatus } from '../wire/v1.ts';
import { type FakeMaster, startFakeMaster } from './fake-master.fixture.ts';
import { CallRefused, FrameworkError, NotConnected, Scheduler, type SchedulerOptions } from './scheduler.ts';

const masters: FakeMaster[] = [];
const schedulers: Scheduler[] = [];
after(async () => {
  for (const framework of schedulers) framework.stop();
  await Promise.all(masters.map((master) => master.close()));
});

async function fakeMaster(): Promise<FakeMaster> {
  const master = await startFakeMaster();
  masters.push(master);
  return master;
}

function scheduler(master: FakeMaster | string, options: Partial<SchedulerOptions> = {}): Scheduler {
  const framework = new Scheduler({
    master: typeof master === 'string' ? master : master.address,
    framework: { user: 'somebody', name: 'test' },
    reconnect: { minimum: 1, maximum: 2 },
    handlers: {},
    ...options,
  });
  schedulers.push(framework);
  return framework;
}

const SUBSCRIBED = {
  type: 'SUBSCRIBED',
  subscribed: { framework_id: { value: 'F1' }, heartbeat_interval_seconds: 15 },
} as const;
const OFFER: Offer = {
  id: { value: 'O1' },
  framework_id: { value: 'F1' },
  agent_id: { value: 'A1' },
  hostname: 'host',
};
const RUNNING: TaskStatus = {
  task_id: { value: 'T1' },
  agent_id: { value: 'A1' },
  state: 'TASK_RUNNING',
  uuid: new Uint8Array(16).fill(7),
};

for (const encoding of ['json', 'protobuf'] as const) {
  test(`over ${encoding}: subscribes, launches on an offer, acknowledges the update, tears down`, async () => {
    const master = await fakeMaster();
    const seen: string[] = [];
    const framework = scheduler(master, {
      encoding,
      handlers: {
        subscribed: (id) => void seen.push(`subscribed ${id}`),
        offers: (offers, self) =>
          self.launch(offers[0]!, [{ name: 'task', task_id: { value: 'T1' }, resources: [] }], { refuse_seconds: 1 }),
        update: (status) => void seen.push(status.state),
      },
    });
    const running = framework.run();
    const stream = await master.nextStream();
    stream.send(SUBSCRIBED);
    stream.send({ type: 'OFFERS', offers: { offers: [OFFER] } });
    const accept = await master.nextCall('ACCEPT');
    assert.deepEqual(accept.framework_id, { value: 'F1' });
    assert.deepEqual(accept.accept?.offer_ids, [{ value: 'O1' }]);
    assert.equal(accept.accept?.operations?.[0]?.launch?.task_infos?.[0]?.agent_id.value, 'A1');
    assert.equal(accept.accept?.filters?.refuse_seconds, 1);
    stream.send({ type: 'UPDATE', update: { status: RUNNING } });
    const acknowledge = await master.nextCall('ACKNOWLEDGE');
    assert.deepEqual(Uint8Array.from(acknowledge.acknowledge?.uuid ?? []), RUNNING.uuid);
    assert.equal(master.headers.at(-1)!['mesos-stream-id'], stream.id);
    await framework.teardown();
    await running;
    assert.deepEqual(seen, ['subscribed F1', 'TASK_RUNNING']);
    assert.equal(master.calls.at(-1)!.type, 'TEARDOWN');
  });
}

test('an update without a uuid is not acknowledged', async () => {
  const master = await fakeMaster();
  const states: string[] = [];
  const framework = scheduler(master, {
    handlers: { update: (status, self) => void (states.push(status.state) === 2 && self.stop()) },
  });
  const running = framework.run();
  const stream = await master.nextStream();
  stream.send(SUBSCRIBED);
  const { uuid: _, ...reconciled } = RUNNING;
  stream.send({ type: 'UPDATE', update: { status: reconciled } });
  stream.send({ type: 'UPDATE', update: { status: { ...reconciled, state: 'TASK_FINISHED' } } });
  await running;
  assert.deepEqual(states, ['TASK_RUNNING', 'TASK_FINISHED']);
  assert.deepEqual(
    master.calls.map((call) => call.type),
    ['SUBSCRIBE'],
  );
});

test('a broken stream is opened again, with the framework id', async () => {
  const master = await fakeMaster();
  const reasons: string[] = [];
  const framework = scheduler(master, { handlers: { disconnected: (reason) => void reasons.push(reason) } });
  const running = framework.run();
  const first = await master.nextStream();
  first.send(SUBSCRIBED);
  first.end();
  const second = await master.nextStream();
  second.send(SUBSCRIBED);
  assert.equal(master.calls[1]!.framework_id?.value, 'F1');
  assert.equal(master.calls[1]!.subscribe?.framework_info.id?.value, 'F1');
  assert.match(reasons[0]!, /closed the stream/);
  framework.stop();
  await running;
});

test('a master that does not lead sends it to the one that does', async () => {
  const [follower, leader] = [await fakeMaster(), await fakeMaster()];
  follower.refuse(307, '', { Location: `//${leader.address}/master/api/v1/scheduler` });
  const framework = scheduler(follower);
  const running = framework.run();
  const stream = await leader.nextStream();
  stream.send(SUBSCRIBED);
  assert.equal(leader.calls[0]!.type, 'SUBSCRIBE');
  framework.stop();
  await running;
});

test('without a leader it goes on to the next master in the list', async () => {
  const [first, second] = [await fakeMaster(), await fakeMaster()];
  first.refuse(503, 'No leader elected');
  const framework = scheduler(`${first.address},${second.address}`);
  const running = framework.run();
  await second.nextStream();
  assert.equal(first.calls.length, 1);
  framework.stop();
  await running;
});

test('masters that redirect in a circle are left to the back-off instead of being asked for ever', async () => {
  const [a, b] = [await fakeMaster(), await fakeMaster()];
  for (let i = 0; i < 20; i++) {
    a.refuse(307, '', { Location: `//${b.address}/` });
    b.refuse(307, '', { Location: `//${a.address}/` });
  }
  const reasons: string[] = [];
  const framework = scheduler(a, {
    handlers: {
      disconnected: (reason, self) => {
        reasons.push(reason);
        self.stop();
      },
    },
  });
  await framework.run();
  assert.match(reasons[0]!, /does not lead/);
  assert.ok(a.calls.length + b.calls.length <= 8, `${a.calls.length + b.calls.length} calls`);
});

test('a refused subscription ends run with the reason', async () => {
  const master = await fakeMaster();
  master.refuse(401, 'who are you?');
  await assert.rejects(
    scheduler(master).run(),
    (error: unknown) => error instanceof CallRefused && error.status === 401 && /who are you/.test(error.message),
  );
});

test('an ERROR event ends run with its message', async () => {
  const master = await fakeMaster();
  const running = scheduler(master).run();
  const stream = await master.nextStream();
  stream.send(SUBSCRIBED);
  stream.send({ type: 'ERROR', error: { message: 'Framework failed over' } });
  await assert.rejects(running, new FrameworkError('Framework failed over'));
});

test('a refused call rejects with the status and the text of the master', async () => {
  const master = await fakeMaster();
  const framework = scheduler(master);
  const running = framework.run();
  const stream = await master.nextStream();
  stream.send(SUBSCRIBED);
  while (framework.frameworkId === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  master.refuse(400, 'no such offer');
  await assert.rejects(framework.decline([{ value: 'O9' }]), /DECLINE was refused \(400\): no such offer/);
  framework.stop();
  await running;
});

test('a call without a subscription says so', async () => {
  await assert.rejects(scheduler('127.0.0.1:1').revive(), NotConnected);
});

test('what a handler throws ends run', async () => {
  const master = await fakeMaster();
  const running = scheduler(master, {
    handlers: {
      subscribed: () => {
        throw new Error('a bug in the framework');
      },
    },
  }).run();
  (await master.nextStream()).send(SUBSCRIBED);
  await assert.rejects(running, /a bug in the framework/);
});

test('a stream that is not RecordIO is dropped and opened again', async () => {
  const master = await fakeMaster();
  const reasons: string[] = [];
  const framework = scheduler(master, { handlers: { disconnected: (reason) => void reasons.push(reason) } });
  const running = framework.run();
  (await master.nextStream()).sendRaw('<html>\nhello');
  await master.nextStream();
  assert.match(reasons[0]!, /RecordIO/);
  framework.stop();
  await running;
});

test('a silent stream is taken for dead after three heartbeat intervals', async () => {
  const master = await fakeMaster();
  const framework = scheduler(master);
  const running = framework.run();
  const first = await master.nextStream();
  first.send({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'F1' }, heartbeat_interval_seconds: 0.01 } });
  await first.closed;
  await master.nextStream();
  framework.stop();
  await running;
});

test('the secret travels as basic authentication, with every call', async () => {
  const master = await fakeMaster();
  const framework = scheduler(master, { credential: { principal: 'me', secret: 'pass:word' } });
  const running = framework.run();
  (await master.nextStream()).send(SUBSCRIBED);
  assert.equal(master.headers[0]!.authorization, `Basic ${Buffer.from('me:pass:word').toString('base64')}`);
  framework.stop();
  await running;
});

test('a master that is no address is refused with advice', () => {
  for (const master of ['', 'host:port', 'host:99999', 'https://m:5050', 'a b']) {
    assert.throws(() => scheduler(master), /master: .*(host:port|http:\/\/)/, master);
  }
  const zk = { master: 'zk://z/mesos', framework: { user: 'u', name: 'n' }, handlers: {} };
  assert.throws(
    () => new Scheduler(zk),
    /master: 'zk:\/\/z\/mesos' is no ZooKeeper address: 'z' is not a server.* write zk:/,
  );
});
