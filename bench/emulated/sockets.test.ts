import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createLibprocess } from '../../src/libprocess/transport.ts';
import { internalMessages, type StatusUpdateMessage } from '../../src/wire/internal.ts';
import { assertLoopback, assertLoopbackPid } from './loopback.ts';
import { createSocketAgents, type SocketAgentsOptions } from './sockets.ts';

interface Heard {
  readonly from: string;
  readonly name: string;
  readonly message: object;
}

/** A master that only listens, and says what the test says. */
async function listener(t: TestContext) {
  const server = createServer({ requireHostHeader: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const libprocess = createLibprocess({ ip: '127.0.0.1', port: (server.address() as AddressInfo).port });
  server.on('request', (request, response) => void libprocess.accept(request, response));
  const heard: Heard[] = [];
  let wake = (): void => {};
  for (const id of ['master', 'slave-observer(*)']) {
    libprocess.register(id, (from, name, body) => {
      const message = internalMessages[name]?.decode(body);
      assert.ok(message?.ok, name);
      heard.push({ from, name, message: message.value });
      wake();
    });
  }
  t.after(() => {
    libprocess.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    pid: libprocess.pid('master'),
    heard,
    say: (to: string, name: string, message: object, from = 'master') =>
      libprocess.send(from, to, `mesos.internal.${name}`, internalMessages[`mesos.internal.${name}`]!.encode(message)),
    have: async (count: number) => {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return heard;
    },
  };
}

async function agentsOf(t: TestContext, options: Partial<SocketAgentsOptions> = {}) {
  const agents = await createSocketAgents({
    count: 4,
    ports: 2,
    info: (index) => ({ hostname: `agent-${index}` }),
    ...options,
  });
  t.after(() => agents.close());
  return agents;
}

test('agents share a few ports and register over the wire, each under its own PID', async (t) => {
  const master = await listener(t);
  const { agents } = await agentsOf(t);
  for (const agent of agents) agent.register(master.pid);
  const heard = await master.have(4);
  assert.ok(heard.every(({ name }) => name === 'mesos.internal.RegisterSlaveMessage'));
  assert.deepEqual(heard.map(({ from }) => from).sort(), agents.map(({ pid }) => pid).sort());
  assert.equal(new Set(agents.map(({ pid }) => pid.slice(pid.lastIndexOf(':')))).size, 2);
});

test('a ping is answered to the observer that sent it', async (t) => {
  const master = await listener(t);
  const { agents } = await agentsOf(t);
  master.say(agents[2]!.pid, 'PingSlaveMessage', { connected: true }, 'slave-observer(7)');
  const [pong] = await master.have(1);
  assert.deepEqual([pong?.from, pong?.name], [agents[2]!.pid, 'mesos.internal.PongSlaveMessage']);
});

test('the updates of a task come one after the other, as they are acknowledged', async (t) => {
  const master = await listener(t);
  const { agents } = await agentsOf(t, { count: 1, script: { runsFor: () => 0, starting: true } });
  const agent = agents[0]!;
  agent.register(master.pid);
  await master.have(1);
  const slave_id = { value: 'S0' };
  const framework_id = { value: 'F' };
  const task_id = { value: 'T' };
  master.say(agent.pid, 'SlaveRegisteredMessage', { slave_id });
  master.say(agent.pid, 'RunTaskMessage', {
    framework: { user: 'root', name: 'f', id: framework_id },
    task: { name: 'T', task_id, agent_id: slave_id },
  });
  const states: string[] = [];
  for (let count = 2; count <= 4; count++) {
    const { message } = (await master.have(count))[count - 1]!;
    const { update } = message as StatusUpdateMessage;
    states.push(update.status.state);
    assert.equal(master.heard.length, count);
    master.say(agent.pid, 'StatusUpdateAcknowledgementMessage', {
      slave_id,
      framework_id,
      task_id,
      uuid: update.uuid!,
    });
  }
  assert.deepEqual(states, ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
});

test('an agent that is told to register where it should not connects to nobody', async (t) => {
  const { agents } = await agentsOf(t);
  assert.throws(() => agents[0]?.register('master@10.1.2.3:5050'), /10\.1\.2\.3 is not a loopback address/);
});

test('only addresses of this machine are loopback addresses', () => {
  for (const host of ['127.0.0.1', '127.8.9.10', 'localhost', '::1']) assertLoopback(host);
  for (const host of ['0.0.0.0', '10.0.0.1', '127.0.0.1.example.org', 'example.org', '::', '128.0.0.1', '']) {
    assert.throws(() => assertLoopback(host), /loopback/, host);
  }
  assert.throws(() => assertLoopbackPid('not a pid'), /not a PID/);
});
