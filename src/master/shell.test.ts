import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAllocator } from '../allocator/hierarchical.ts';
import { err, ok } from '../base/result.ts';
import { FilesTable } from '../http/files/table.ts';
import type { Libprocess, MessageHandler } from '../libprocess/libprocess.ts';
import type { Logger } from '../runtime/logger.ts';
import { PongSlaveMessage, ReregisterSlaveMessage } from '../wire/internal.ts';
import type { MasterEvent } from './core/events.ts';
import type { Registrar } from './registrar.ts';
import { Shell } from './shell.ts';
import { clusterState } from './views/state.fixture.ts';

/** A shell whose events, messages and log lines are kept. */
function stand(state = clusterState(), leads = true) {
  const events: MasterEvent[] = [];
  const sent: unknown[][] = [];
  const logged: string[] = [];
  const handlers = new Map<string, MessageHandler>();
  let exited: ((pid: string) => void) | undefined;
  const libprocess: Libprocess = {
    address: { ip: '127.0.0.1', port: 5050 },
    pid: (id) => `${id}@127.0.0.1:5050`,
    register: (id, handler) => {
      handlers.set(id, handler);
      return () => {};
    },
    processes: () => [...handlers.keys()],
    send: (...args) => {
      sent.push(args);
      return args[1] === 'bad' ? err('bad is not a pid') : ok(undefined);
    },
    link: () => ok(undefined),
    unlink: () => {},
    onExited: (callback) => {
      exited = callback;
      return () => {};
    },
    accept: () => false,
    close: () => {},
  };
  const note = (text: string): void => void logged.push(text);
  const logger: Logger = {
    info: note,
    warning: note,
    error: note,
    fatal: note,
    verbose: () => {},
    log: (_level, text) => note(text),
    named: () => logger,
  };
  const master = { state, allocator: createAllocator({}) };
  const shell = new Shell({
    ...(leads && { master }),
    idle: state,
    program: {
      build: { version: '1.12.0', build_date: 'd', build_time: 1, build_user: 'u', git_sha: 'g' },
      flags: {},
    },
    roleWhitelist: undefined,
    perFrameworkMetrics: true,
    maxSubscribers: 10,
    libprocess,
    files: new FilesTable(),
    logLevel: { get: () => 0, set: () => {}, original: 0 },
    logger,
    push: (event) => void events.push(event),
    shutdown: note,
  });
  shell.listen();
  return {
    shell,
    master,
    events,
    sent,
    logged,
    receive: handlers.get('slave-observer(*)')!,
    exit: (pid: string) => exited?.(pid),
  };
}

test('a message becomes an event that tells which process it was for', () => {
  const { receive, events } = stand();
  const body = PongSlaveMessage.encode({});
  receive('slave(1)@h:1', 'mesos.internal.PongSlaveMessage', body, 'slave-observer(2)');
  assert.deepEqual(events, [
    {
      kind: 'message',
      from: 'slave(1)@h:1',
      to: 'slave-observer(2)',
      name: 'mesos.internal.PongSlaveMessage',
      body: {},
    },
  ]);
});

test('a message that is unknown, not for masters, or broken is dropped with a line in the log', () => {
  const { receive, events, logged } = stand();
  receive('a@h:1', 'mesos.internal.NoSuchMessage', new Uint8Array(), 'master');
  receive('a@h:1', 'mesos.internal.ShutdownMessage', new Uint8Array(), 'master');
  receive('a@h:1', 'mesos.internal.RegisterSlaveMessage', new Uint8Array([0xff]), 'master');
  assert.deepEqual(events, []);
  assert.equal(logged.length, 3);
  for (const line of logged) assert.match(line, /^Dropping mesos\.internal\.\w+ from a@h:1: /);
});

test('a broken link becomes an event', () => {
  const { exit, events } = stand();
  exit('slave(1)@h:1');
  assert.deepEqual(events, [{ kind: 'exited', pid: 'slave(1)@h:1' }]);
});

test('effects become messages, answers to commits and lines in the log', () => {
  const { shell, events, sent, logged } = stand();
  const name = 'mesos.internal.PingSlaveMessage';
  shell.performers.send({ kind: 'send', from: 'master', to: 'slave(1)@h:1', name, message: { connected: true } });
  assert.deepEqual(sent[0]?.slice(0, 3), ['master', 'slave(1)@h:1', name]);
  shell.performers.send({ kind: 'send', from: 'master', to: 'bad', name, message: { connected: true } });
  shell.performers.commit({ kind: 'commit', token: 7, operation: { type: 'REMOVE_AGENT', agentId: 'a' } });
  shell.performers.log({ kind: 'log', level: 'info', text: 'hello' });
  shell.performers.shutdown({ kind: 'shutdown', reason: 'the end' });
  assert.deepEqual(events, [{ kind: 'committed', token: 7 }]);
  assert.deepEqual(logged, ['bad is not a pid', 'hello', 'the end']);
});

test('metrics speak of the machine and of the registry too', async () => {
  const metrics = await stand().shell.metrics();
  for (const name of ['system/load_1min', 'registrar/queued_operations', 'master/uptime_secs', 'master/slaves_active'])
    assert.equal(typeof metrics[name], 'number', name);
});

test('what agents say while this master is about to lead is taken when it does, but not once another leads', () => {
  const { shell, master, events, receive } = stand(clusterState(), false);
  const name = 'mesos.internal.ReregisterSlaveMessage';
  const body = ReregisterSlaveMessage.encode({ slave: { hostname: 'h', port: 1 }, version: '1.12.0' });
  receive('slave(1)@h:1', name, body, 'master');
  shell.follow({ id: 'other', ip: 0, port: 5050 });
  shell.recover();
  receive('slave(2)@h:2', name, body, 'master');
  receive('slave(2)@h:2', 'mesos.internal.PongSlaveMessage', PongSlaveMessage.encode({}), 'master');
  assert.equal(events.length, 0);
  shell.lead(master, {} as Registrar);
  shell.catchUp();
  assert.deepEqual(
    events.map((event) => (event.kind === 'message' ? [event.from, event.name] : event.kind)),
    [['slave(2)@h:2', name]],
  );
});
