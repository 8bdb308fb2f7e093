import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { decodeHead, encodeMessage, senderOf } from './encoding.ts';
import type { Libprocess } from './libprocess.ts';
import { formatPid, parsePid } from './pid.ts';
import { recordedMessages } from './recorded.fixture.ts';
import { createLibprocess, type LibprocessOptions } from './transport.ts';

/** A program with one server and the transport on it; ended with the test. */
async function program(t: TestContext, options: Partial<LibprocessOptions> = {}): Promise<Libprocess> {
  const server: Server = createServer({ requireHostHeader: false, keepAliveTimeout: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const libprocess = createLibprocess({ ip: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options });
  server.on('request', (request, response) => {
    if (!libprocess.accept(request, response)) response.writeHead(418).end();
  });
  t.after(() => {
    libprocess.close();
    server.closeAllConnections();
    server.close();
  });
  return libprocess;
}

/** Collects what a process receives, and waits for a number of messages. */
function mailbox(libprocess: Libprocess, id: string) {
  const got: { from: string; name: string; body: string; to: string }[] = [];
  let wake: () => void = () => {};
  const remove = libprocess.register(id, (from, name, body, to) => {
    got.push({ from, name, body: Buffer.from(body).toString(), to });
    wake();
  });
  const have = async (count: number) => {
    while (got.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return got;
  };
  return { got, have, remove };
}

/** Sends raw bytes and returns all that came back up to the given number of answers. */
async function exchange(port: number, bytes: string | Uint8Array, answers: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.split('HTTP/1.1 ').length > answers && text.includes('\r\n\r\n')) break;
  }
  socket.destroy();
  return text;
}

const exitOf = (libprocess: Libprocess): Promise<string> =>
  new Promise((resolve) => {
    libprocess.onExited(resolve);
  });

test('a PID reads back as itself, and a malformed one is refused with the right form', () => {
  for (const pid of ['master@10.0.0.1:5050', 'slave(1)@host.example:5051', '@1.2.3.4:0', 'a@b@1.2.3.4:1']) {
    const parts = parsePid(pid);
    assert.ok(parts.ok, pid);
    assert.equal(formatPid(parts.value), pid);
  }
  for (const pid of [
    '',
    'master',
    'master@',
    'master@1.2.3.4',
    'm@1.2.3.4:',
    'm@1.2.3.4:99999',
    'm@:1',
    'a b@1.2.3.4:1',
  ]) {
    const parts = parsePid(pid);
    assert.equal(parts.ok, false, pid);
  }
  fc.assert(fc.property(fc.string(), (text) => void parsePid(text)));
});

test('messages are written byte for byte as upstream wrote them', () => {
  for (const { from, to, name, bytes } of recordedMessages) {
    const text = Buffer.from(bytes);
    const body = text.subarray(text.indexOf('\r\n\r\n') + 4);
    const line = body.indexOf('\r\n');
    const length = line < 0 ? 0 : Number.parseInt(body.toString('latin1', 0, line), 16);
    const parts = parsePid(to);
    assert.ok(parts.ok);
    const written = encodeMessage(from, parts.value, name, body.subarray(line + 2, line + 2 + length));
    assert.equal(written.toString('latin1'), text.toString('latin1'));
  }
});

test('recorded messages of upstream are received, in order, and answered with 202 each', async (t) => {
  const libprocess = await program(t);
  const boxes = ['master', 'slave(1)', 'slave-observer(*)'].map((id) => mailbox(libprocess, id));
  const bytes = Buffer.concat(recordedMessages.map((message) => message.bytes));
  const answers = await exchange(libprocess.address.port, bytes, recordedMessages.length);
  assert.equal(answers.match(/HTTP\/1\.1 202 Accepted/g)?.length, recordedMessages.length);
  const names = boxes.map((box) => box.got.map((message) => `${message.to} ${message.name}`));
  assert.deepEqual(names, [
    ['master mesos.internal.RegisterSlaveMessage'],
    ['slave(1) mesos.internal.PingSlaveMessage', 'slave(1) mesos.internal.RegisterExecutorMessage'],
    ['slave-observer(1) mesos.internal.PongSlaveMessage'],
  ]);
});

test('the sender is told by Libprocess-From before the User-Agent, and only a POST is a message', () => {
  assert.equal(
    senderOf('POST', { 'user-agent': 'libprocess/a@1.1.1.1:1', 'libprocess-from': 'b@1.1.1.1:1' }),
    'b@1.1.1.1:1',
  );
  assert.equal(senderOf('POST', { 'user-agent': 'libprocess/a@1.1.1.1:1' }), 'a@1.1.1.1:1');
  assert.equal(senderOf('POST', { 'user-agent': 'curl/8' }), undefined);
  assert.equal(senderOf('GET', { 'libprocess-from': 'b@1.1.1.1:1' }), undefined);
});

test('the receiver is percent-decoded', () => {
  const head = decodeHead('a@1.1.1.1:1', '/slave%281%29/mesos.internal.PingSlaveMessage');
  assert.ok(head.ok);
  assert.equal(head.value.to, 'slave(1)');
  assert.equal(head.value.name, 'mesos.internal.PingSlaveMessage');
});

test('an unknown receiver gets 404, a malformed sender or receiver 500, and the connection serves on', async (t) => {
  const libprocess = await program(t);
  const box = mailbox(libprocess, 'master');
  const post = (path: string, from: string) => `POST ${path} HTTP/1.1\r\nLibprocess-From: ${from}\r\n\r\n`;
  const text = await exchange(
    libprocess.address.port,
    post('/nobody/m', 'a@127.0.0.1:1') +
      post('/unknown', 'a@127.0.0.1:1') +
      post('/master/m', 'nonsense') +
      post('/%zz/m', 'a@127.0.0.1:1') +
      post('/master/m', 'a@127.0.0.1:1'),
    5,
  );
  assert.deepEqual(
    [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]),
    ['404', '404', '500', '500', '202'],
  );
  assert.equal(box.got.length, 1);
});

test('a message from another address than its PID names is refused where that is asked for', async (t) => {
  const libprocess = await program(t, { requirePeerAddressMatch: true });
  mailbox(libprocess, 'master');
  const text = await exchange(
    libprocess.address.port,
    'POST /master/m HTTP/1.1\r\nLibprocess-From: a@10.9.8.7:1\r\n\r\n',
    1,
  );
  assert.match(text, /400 Bad Request[\s\S]*10\.9\.8\.7/);
});

test('a message beyond the bound gets 413 and is not delivered', async (t) => {
  const libprocess = await program(t, { maxMessageBytes: 1000 });
  const box = mailbox(libprocess, 'master');
  const parts = { id: 'master', host: '127.0.0.1', port: libprocess.address.port };
  const text = await exchange(parts.port, encodeMessage('a@127.0.0.1:1', parts, 'm', new Uint8Array(2000)), 1);
  assert.match(text, /413 /);
  assert.equal(box.got.length, 0);
});

test('thousands of messages of any size arrive complete and in order', async (t) => {
  const [a, b] = [await program(t), await program(t)];
  const box = mailbox(b, 'sink');
  const bodies = Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? '' : `${i}:`.padEnd((i % 97) * 13 + 8, 'x')));
  for (const body of bodies) assert.ok(a.send('source', b.pid('sink'), 'm', Buffer.from(body)).ok);
  const got = await box.have(bodies.length);
  assert.deepEqual(
    got.map((message) => message.body),
    bodies,
  );
  assert.equal(got[0]?.from, a.pid('source'));
});

test('messages are not held up by answers that never come', async (t) => {
  const a = await program(t);
  const received = new Promise<string>((resolve) => {
    const server = createTcpServer((socket: Socket) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
        if (text.includes('/x/third')) resolve(text);
      });
      socket.on('error', () => {});
      t.after(() => socket.destroy());
    }).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      for (const name of ['first', 'second', 'third']) a.send('me', `x@127.0.0.1:${port}`, name, new Uint8Array(0));
    });
    t.after(() => server.close());
  });
  const text = await received;
  assert.deepEqual(
    [...text.matchAll(/POST \/x\/(\w+)/g)].map((match) => match[1]),
    ['first', 'second', 'third'],
  );
});

test('every linked PID of an address exits once when its connection cannot be made', async (t) => {
  const a = await program(t);
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const exited: string[] = [];
  const both = new Promise<void>((resolve) => {
    a.onExited((pid) => {
      exited.push(pid);
      if (exited.length === 2) resolve();
    });
  });
  for (const id of ['x', 'y', 'x']) assert.ok(a.link(`${id}@127.0.0.1:${port}`).ok);
  await both;
  assert.deepEqual(exited, [`x@127.0.0.1:${port}`, `y@127.0.0.1:${port}`]);
});

test('a linked process exits when its program goes, an unlinked one does not, and it can be linked again', async (t) => {
  const a = await program(t);
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.resume();
    server.emit('accepted');
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (let round = 0; round < 2; round++) {
    const exit = exitOf(a);
    const arrival = once(server, 'accepted');
    a.link(`stays@${at}`);
    a.link(`leaves@${at}`);
    a.unlink(`leaves@${at}`);
    await arrival;
    sockets.pop()?.destroy();
    assert.equal(await exit, `stays@${at}`);
  }
});

test('a link that is made anew replaces the connection without an exit', async (t) => {
  const a = await program(t);
  const exited: string[] = [];
  a.onExited((pid) => exited.push(pid));
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => {}).resume());
    server.emit('accepted', socket);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const pid = `x@127.0.0.1:${(server.address() as AddressInfo).port}`;
  a.link(pid);
  const [first] = (await once(server, 'accepted')) as [Socket];
  const replaced = Promise.all([once(first, 'close'), once(server, 'accepted')]);
  a.link(pid, { reconnect: true });
  await replaced;
  assert.deepEqual(exited, []);
  const exit = exitOf(a);
  sockets[1]?.destroy();
  assert.equal(await exit, pid);
});

test('a connection that nobody links closes when it falls silent, a linked one stays until it is unlinked', async (t) => {
  const a = await program(t, { idleMs: 20 });
  const exited: string[] = [];
  a.onExited((pid) => exited.push(pid));
  const server = createTcpServer((socket) => server.emit('accepted', socket.on('error', () => {}).resume()));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const pid = `x@127.0.0.1:${(server.address() as AddressInfo).port}`;
  a.send('me', pid, 'm', new Uint8Array(0));
  const [temporary] = (await once(server, 'accepted')) as [Socket];
  await once(temporary, 'close');
  a.link(pid);
  const [linked] = (await once(server, 'accepted')) as [Socket];
  const closed = once(linked, 'close').then(() => 'closed');
  const later = new Promise((resolve) => setTimeout(() => resolve('open'), 100));
  assert.equal(await Promise.race([closed, later]), 'open');
  a.unlink(pid);
  await closed;
  assert.deepEqual(exited, []);
});

test('a peer that never reads is given up when too much waits for it', async (t) => {
  const a = await program(t, { maxQueuedBytes: 1_000_000 });
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.pause();
    t.after(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const pid = `x@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const exit = exitOf(a);
  a.link(pid);
  for (let i = 0; i < 200; i++) a.send('me', pid, 'm', new Uint8Array(100_000));
  assert.equal(await exit, pid);
});

test('a process of the same program is reached without a connection, and exits when it is removed', async (t) => {
  const a = await program(t);
  const box = mailbox(a, 'here');
  a.send('me', a.pid('here'), 'm', Buffer.from('body'));
  assert.deepEqual(await box.have(1), [{ from: a.pid('me'), name: 'm', body: 'body', to: 'here' }]);
  a.link(a.pid('here'));
  const exit = exitOf(a);
  box.remove();
  assert.equal(await exit, a.pid('here'));
  const none = exitOf(a);
  a.link(a.pid('nobody'));
  assert.equal(await none, a.pid('nobody'));
});

test('what cannot be written on the wire is refused', async (t) => {
  const a = await program(t);
  assert.equal(a.send('me', 'nonsense', 'm', new Uint8Array(0)).ok, false);
  assert.equal(a.send('me', 'x@127.0.0.1:1', 'a b', new Uint8Array(0)).ok, false);
  assert.equal(a.send('m\r\ne', 'x@127.0.0.1:1', 'm', new Uint8Array(0)).ok, false);
  assert.equal(a.link('nonsense').ok, false);
});

test('the advertised address stands in PIDs', async (t) => {
  const a = await program(t, { advertise: { ip: '10.1.2.3', port: 9 } });
  assert.equal(a.pid('master'), 'master@10.1.2.3:9');
});
