/** `/v2/events`: Server-Sent Events. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type Served, serve } from './serving.fixture.ts';

interface Reader {
  readonly text: () => string;
  /** Resolves when the text matches. */
  readonly until: (pattern: RegExp) => Promise<void>;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

async function listen({ port }: Served, query = ''): Promise<Reader> {
  const abort = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/v2/events${query}`, {
    headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip', 'last-event-id': '5' },
    signal: abort.signal,
  });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(answer.headers.get('content-encoding'), null, 'a stream is not compressed');
  let text = '';
  let wake = (): void => {};
  const ended = (async () => {
    for await (const chunk of answer.body!) {
      text += Buffer.from(chunk).toString();
      wake();
    }
  })().catch(() => undefined);
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { text: () => text, until, ended, end: () => abort.abort() };
}

function typesIn(text: string): readonly string[] {
  return [...text.matchAll(/^event: (.*)\r$/gm)].map(([, type]) => type!);
}

test('a new reader is told of itself, and then of everything, each in its frame', async (t) => {
  const served = await serve(t);
  const reader = await listen(served);
  await reader.until(/event_stream_attached[\s\S]*\r\n\r\n/);
  assert.match(
    reader.text(),
    /^event: event_stream_attached\r\ndata: \{"remoteAddress":"127\.0\.0\.1","eventType":"event_stream_attached","timestamp":"[^"]+Z"\}\r\n\r\n$/,
  );
  served.rig.addAgent('host1');
  const made = await served.ask('POST', '/v2/apps?force=false', { id: '/web', cmd: 'sleep 1' });
  served.rig.advance(60_000);
  await reader.until(/event: deployment_success/);
  const types = typesIn(reader.text()).slice(1);
  assert.deepEqual(types.slice(0, 3), ['api_post_event', 'group_change_success', 'deployment_info']);
  for (const type of ['deployment_step_success', 'instance_changed_event', 'status_update_event']) {
    assert.ok(types.includes(type), type);
  }
  for (const frame of reader.text().split('\r\n\r\n').filter(Boolean)) {
    const [event, data, ...rest] = frame.split('\r\n');
    assert.deepEqual(rest, [], 'there are no ids, and data is one line');
    const body = JSON.parse(data!.replace(/^data: /, '')) as { eventType: string; timestamp: string };
    assert.equal(event, `event: ${body.eventType}`);
    assert.match(body.timestamp, /Z$/);
  }
  const post = JSON.parse(/^data: (.*"api_post_event".*)\r$/m.exec(reader.text())![1]!) as Record<string, unknown>;
  assert.deepEqual([post.clientIp, post.uri], ['127.0.0.1', '/v2/apps']);
  assert.equal((post.appDefinition as { readonly id: string }).id, '/web');
  assert.ok(reader.text().includes(String(made.headers['marathon-deployment-id'])));
  reader.end();
});

test('a reader gets only the types that it names; plan-format says nothing new', async (t) => {
  const served = await serve(t);
  const reader = await listen(
    served,
    '?event_type=deployment_info&plan-format=light&event_type=group_change_success&event_type=nope',
  );
  await served.ask('POST', '/v2/apps', { id: '/web', cmd: 'sleep 1' });
  await reader.until(/deployment_info[\s\S]*deployment_info/);
  assert.deepEqual([...new Set(typesIn(reader.text()))].sort(), ['deployment_info', 'group_change_success']);
  assert.match(reader.text(), /"actions":\[\{"action":"StartApplication","app":"\/web"\}\]/);
  reader.end();
});

test('others are told when a reader goes', async (t) => {
  const served = await serve(t);
  const stays = await listen(served, '?event_type=event_stream_detached');
  const goes = await listen(served);
  assert.equal(served.http.hub.size, 2);
  goes.end();
  await stays.until(/event_stream_detached/);
  assert.equal(served.http.hub.size, 1);
  stays.end();
});

test('what does not ask for a stream gets none', async (t) => {
  const { ask } = await serve(t);
  for (const [method, accept] of [
    ['GET', '*/*'],
    ['GET', 'application/json'],
    ['POST', 'text/event-stream'],
  ] as const) {
    const { status, headers } = await ask(method, '/v2/events', undefined, { accept });
    assert.deepEqual([status, headers.allow], [405, 'GET']);
  }
});

test('a reader that does not read is let go, and nothing waits for it any more', async (t) => {
  const served = await serve(t, { flags: ['--event_stream_max_outstanding_messages=50'] });
  const quick = await listen(served, '?event_type=api_post_event');
  const slow = connect(served.port, '127.0.0.1');
  const dropped = new Promise<void>((resolve) => slow.once('close', () => resolve()));
  slow.on('error', () => undefined);
  slow.write('GET /v2/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  await new Promise((resolve) => slow.once('readable', resolve));
  const labels = { long: 'x'.repeat(50_000) };
  for (let at = 0; served.http.hub.size > 1; at++) {
    assert.ok(at < 2_000, 'a hundred megabytes wait for a reader that does not read');
    const { status } = await served.ask('POST', '/v2/apps', { id: `/app-${at}`, cmd: 'sleep 1', instances: 0, labels });
    assert.equal(status, 201);
  }
  assert.equal(served.http.hub.size, 1, 'the one that reads stays');
  slow.resume();
  await dropped;
  await quick.until(/"\/app-0"/);
  quick.end();
});

test('streams end with the server', async (t) => {
  const served = await serve(t);
  const reader = await listen(served);
  served.http.close();
  await reader.ended;
  assert.equal(served.http.hub.size, 0);
});
