import assert from 'node:assert/strict';
import { mkdtemp, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ok } from '../../base/result.ts';
import { PingSlaveMessage, PongSlaveMessage } from '../../wire/internal.ts';
import { type AgentSurroundings, agentPerformers } from './perform.ts';
import { readMessage } from './receive.ts';

test('a message becomes an event; what is unknown or broken is told for the log', () => {
  const ping = readMessage(
    'a@1.2.3.4:5',
    'mesos.internal.PingSlaveMessage',
    PingSlaveMessage.encode({ connected: true }),
  );
  assert.deepEqual(ping, {
    ok: true,
    value: {
      kind: 'message',
      from: 'a@1.2.3.4:5',
      name: 'mesos.internal.PingSlaveMessage',
      body: { connected: true },
    },
  });
  for (const [name, body] of [
    ['mesos.internal.PingSlaveMessage', new Uint8Array([255])],
    ['mesos.internal.PongSlaveMessage', PongSlaveMessage.encode({})],
    ['toString', new Uint8Array()],
  ] as const) {
    const dropped = readMessage('a@1.2.3.4:5', name, body);
    assert.match(dropped.ok ? '' : dropped.error, /^Dropping a .* from a@1.2.3.4:5/);
  }
});

test('effects reach what they are meant for', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'meseta-shell-'));
  t.after(() => rm(folder, { recursive: true }));
  const said: string[] = [];
  const around: AgentSurroundings = {
    process: 'slave(1)',
    libprocess: {
      send: (from, to, name, body) => {
        said.push(`${from} ${to} ${name} ${body.length}`);
        return ok(undefined);
      },
      link: (pid, options) => {
        said.push(`link ${pid} ${options?.reconnect}`);
        return ok(undefined);
      },
    },
    containers: {
      launch: ({ containerId }) => said.push(`launch ${containerId}`),
      kill: (id, signal) => said.push(`kill ${id} ${signal}`),
      destroy: (id) => said.push(`destroy ${id}`),
      clear: (id, sandbox) => said.push(`clear ${id} ${sandbox}`),
    },
    calls: {
      answered: (ticket, { status }) => said.push(`answer ${ticket} ${status}`),
      over: (key, { status }) => said.push(`over ${key} ${status}`),
    },
    findUser: () => undefined,
    executors: {
      tell: (stream, event) => said.push(`tell ${stream} ${event.type}`),
      close: (stream) => said.push(`close ${stream}`),
    },
    probe: ({ check }) => said.push(`probe ${check}`),
    files: {
      attach: async (real, virtual) => {
        said.push(`attach ${real} ${virtual}`);
        return ok(undefined);
      },
      detach: (virtual) => said.push(`detach ${virtual}`),
    },
    tell: (event) => said.push(`event ${JSON.stringify(event)}`),
    detect: () => said.push('detect'),
    terminate: (status, reason) => said.push(`terminate ${status} ${reason}`),
    log: (level, text) => said.push(`${level} ${text}`),
  };
  const perform = agentPerformers(around);
  perform.send({ kind: 'send', to: 'm@1.2.3.4:5', name: 'mesos.internal.PongSlaveMessage', message: {} });
  perform.link({ kind: 'link', pid: 'm@1.2.3.4:5', reconnect: true });
  perform.killContainer({ kind: 'killContainer', containerId: 'c', signal: 15 });
  perform.destroyContainer({ kind: 'destroyContainer', containerId: 'c' });
  perform.detectMaster({ kind: 'detectMaster' });
  perform.terminate({ kind: 'terminate', status: 0, reason: 'done' });
  perform.detachFiles({ kind: 'detachFiles', virtual: '/v' });
  perform.executorEvent({ kind: 'executorEvent', stream: 3, event: { type: 'SHUTDOWN' } });
  perform.closeExecutorStream({ kind: 'closeExecutorStream', stream: 3 });
  perform.log({ kind: 'log', level: 'info', text: 'hello' });
  const owner = { frameworkId: 'f', executorId: 'e' };
  perform.attachFiles({ kind: 'attachFiles', virtual: '/v', real: '/r', owner });
  perform.changeVolumes({
    kind: 'changeVolumes',
    operation: 'o',
    changes: [{ do: 'make', path: join(folder, 'v/a') }],
  });
  perform.changeVolumes({
    kind: 'changeVolumes',
    operation: 'p',
    changes: [{ do: 'empty', path: join(folder, 'v/b') }],
  });
  assert.deepEqual(await readdir(join(folder, 'v')), ['a']);
  const [unmade = ''] = said.splice(
    said.findIndex((line) => line.includes('"operation":"p"')),
    1,
  );
  assert.match(unmade, /Cannot empty the volume at '.*\/v\/b': ENOENT/);
  assert.deepEqual(said, [
    'slave(1) m@1.2.3.4:5 mesos.internal.PongSlaveMessage 0',
    'link m@1.2.3.4:5 true',
    'kill c 15',
    'destroy c',
    'detect',
    'terminate 0 done',
    'detach /v',
    'tell 3 SHUTDOWN',
    'close 3',
    'info hello',
    'attach /r /v',
    'event {"kind":"volumesChanged","operation":"o"}',
  ]);
  const link = { link: join(folder, 'slaves/latest'), target: 'a-S0' };
  perform.agentDirectory({ kind: 'agentDirectory', path: join(folder, 'slaves/a-S0'), link });
  while ((await readlink(link.link).catch(() => '')) !== 'a-S0') await new Promise(setImmediate);
  const sandbox = join(folder, 'runs/c');
  perform.makeSandbox({ kind: 'makeSandbox', path: sandbox, user: 'somebody' });
  while (!(await stat(join(sandbox, 'stderr')).catch(() => undefined))) await new Promise(setImmediate);
  assert.equal((await stat(join(sandbox, 'stdout'))).size, 0);
  perform.removeDirectory({
    kind: 'removeDirectory',
    path: join(folder, 'slaves/a-S0'),
    via: join(folder, 'removed/1'),
  });
  while (await stat(join(folder, 'slaves/a-S0')).catch(() => undefined)) await new Promise(setImmediate);
  while (said.at(-1) !== 'event {"kind":"directoryRemoved","ok":true}') await new Promise(setImmediate);
});
