import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { internalMessages } from './internal.ts';
import type { MessageType } from './message.ts';
import { MasterInfo } from './v1.ts';
import * as agent from './v1_agent.ts';
import * as master from './v1_master.ts';
import * as scheduler from './v1_scheduler.ts';

/** Exchanges recorded from upstream's programs. */
const recorded = join(
  process.env.MESETA_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url)),
  'golden',
);
const skip = existsSync(recorded) ? false : `there are no recorded exchanges at ${recorded}: set MESETA_SHARED`;

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bodyUtf8?: string;
  readonly bodyBase64?: string;
  readonly target?: string;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly bodyUtf8?: string;
  readonly bodyBase64?: string;
  readonly event?: unknown;
}
interface Step {
  readonly do: string;
  readonly stream?: string;
  readonly target?: string;
  readonly request?: Request;
}
interface Case {
  readonly id: string;
  readonly target?: string;
  readonly request?: Request;
  readonly response?: Answer;
  readonly script?: readonly Step[];
  readonly results?: readonly (Answer | null)[];
}
interface Exchange {
  readonly id: string;
  readonly request: Request;
  readonly response: Answer;
  readonly api: Api;
}
interface Api {
  readonly Call: MessageType<object>;
  readonly Response: MessageType<object>;
  readonly Event?: MessageType<object>;
}

function lines<T>(file: string): T[] {
  return readFileSync(join(recorded, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

function apiOf(path: string | undefined, target: string | undefined): Api | undefined {
  if (path === '/api/v1/scheduler' || path === '/master/api/v1/scheduler') return scheduler as Api;
  if (path !== '/api/v1' && path !== '/master/api/v1' && path !== '/slave(1)/api/v1') return undefined;
  return target?.startsWith('agent') ? (agent as unknown as Api) : (master as Api);
}

function cases(): Case[] {
  return readdirSync(recorded)
    .filter((file) => file.endsWith('.jsonl') && !/^(libprocess|ha-znodes|flags)/.test(file))
    .flatMap((file) => lines<Case>(file));
}

function exchanges(): Exchange[] {
  return cases().flatMap(({ id, target, request, response, script, results }) => {
    const single = [{ request, response, target }];
    const steps = (script ?? []).map((step, i) => ({
      request: step.request,
      response: step.do === 'open' ? undefined : (results?.[i] ?? undefined),
      target: step.request?.target ?? step.target ?? target,
    }));
    return [...single, ...steps].flatMap((exchange) => {
      const api = exchange.request && apiOf(exchange.request.path, exchange.target);
      return api && exchange.request && exchange.response
        ? [{ id, request: exchange.request, response: exchange.response, api }]
        : [];
    });
  });
}

function events(): { id: string; event: unknown; type: MessageType<object> }[] {
  return cases().flatMap(({ id, target, script = [], results = [] }) =>
    results.flatMap((result, i) => {
      const open = script.find((step) => step.do === 'open' && step.stream === script[i]?.stream);
      const type = open && apiOf(open.request?.path, open.request?.target ?? open.target ?? target)?.Event;
      return result?.event && type ? [{ id, event: result.event, type }] : [];
    }),
  );
}

function assertSameJson(type: MessageType<object>, json: unknown, id: string): void {
  const message = type.fromJson(json);
  assert.ok(message.ok, message.ok ? '' : `${id}: ${message.error}`);
  assert.deepEqual(JSON.parse(type.stringify(message.value)), json, id);
  const again = type.decode(type.encode(message.value));
  assert.deepEqual(again, message, id);
}

function body(raw: Buffer): Uint8Array {
  const head = raw.indexOf('\r\n\r\n');
  let rest = raw.subarray(head + 4);
  if (!/Transfer-Encoding: chunked/i.test(raw.toString('latin1', 0, head))) return new Uint8Array(rest);
  const parts: Buffer[] = [];
  for (;;) {
    const line = rest.indexOf('\r\n');
    const length = Number.parseInt(rest.toString('latin1', 0, line), 16);
    if (!(length > 0)) return new Uint8Array(Buffer.concat(parts));
    parts.push(rest.subarray(line + 2, line + 2 + length));
    rest = rest.subarray(line + 4 + length);
  }
}

test('every recorded libprocess message is decoded, and encoded to the same bytes', { skip }, () => {
  const seen = new Set<string>();
  for (const { id, name, base64, direction } of lines<{ id: string; name: string; base64: string; direction: string }>(
    'libprocess.jsonl',
  )) {
    if (direction.startsWith('answer')) continue;
    const type = internalMessages[name.slice(name.lastIndexOf('/') + 1)];
    assert.ok(type, `${id}: ${name}`);
    const bytes = body(Buffer.from(base64, 'base64'));
    const message = type.decode(bytes);
    assert.ok(message.ok, message.ok ? '' : `${id}: ${message.error}`);
    assert.deepEqual(type.encode(message.value), bytes, id);
    assert.ok(!JSON.stringify(message.value).includes('$unknown'), `${id}: nothing in it is unknown`);
    seen.add(type.name);
  }
  assert.ok(seen.size >= 15, [...seen].join());
});

test('every recorded JSON answer of the operator and scheduler APIs comes out as it went in', { skip }, () => {
  let count = 0;
  for (const { id, response, api } of exchanges()) {
    if (
      response.status !== 200 ||
      response.headers?.['content-type'] !== 'application/json' ||
      !response.bodyUtf8?.startsWith('{')
    )
      continue;
    assertSameJson(api.Response, JSON.parse(response.bodyUtf8), id);
    count++;
  }
  assert.ok(count > 100, `${count} answers`);
});

test('every recorded event comes out as it went in', { skip }, () => {
  const all = events();
  assert.ok(all.length > 500, `${all.length} events`);
  for (const { id, event, type } of all) assertSameJson(type, event, id);
});

test('every recorded protobuf answer is decoded, and encoded to the same bytes', { skip }, () => {
  let count = 0;
  for (const { id, response, api } of exchanges()) {
    if (
      response.status !== 200 ||
      response.headers?.['content-type'] !== 'application/x-protobuf' ||
      !response.bodyBase64
    )
      continue;
    const bytes = new Uint8Array(Buffer.from(response.bodyBase64, 'base64'));
    const message = api.Response.decode(bytes);
    assert.ok(message.ok, message.ok ? '' : `${id}: ${message.error}`);
    assert.deepEqual(api.Response.encode(message.value), bytes, id);
    count++;
  }
  assert.ok(count > 5, `${count} answers`);
});

/** Upstream takes a negative number for an unsigned one (-3 becomes 4294967293); we refuse it. */
const DIFFERENT = ['agent-calls-064', 'operator-calls-060'];

test('a recorded call is refused as malformed exactly where upstream refused it so', { skip }, () => {
  const malformed = /^(Failed to (convert JSON into|parse body into|parse JSON) |Missing required fields)/;
  const counts = { refused: 0, taken: 0 };
  for (const { id, request, response, api } of exchanges()) {
    const json = request.json === undefined ? request.bodyUtf8 : JSON.stringify(request.json);
    // What a session fills in as it goes: ids and uuids. 'AAAA' is both.
    const text = json?.replaceAll(/\{\{\w+\}\}/g, 'AAAA');
    const type = request.headers?.['Content-Type'] ?? (request.json === undefined ? '' : 'application/json');
    const answer = response.bodyUtf8 ?? '';
    // Before it reads the body, upstream may refuse for other reasons.
    if (
      request.method !== 'POST' ||
      [307, 401, 415, 503].includes(response.status ?? 0) ||
      DIFFERENT.includes(id) ||
      answer.startsWith("Expecting 'Content-Type'")
    )
      continue;
    const result =
      type === 'application/x-protobuf'
        ? api.Call.decode(
            new Uint8Array(
              Buffer.from(
                request.bodyBase64 ?? request.bodyUtf8 ?? '',
                request.bodyBase64 === undefined ? 'utf8' : 'base64',
              ),
            ),
          )
        : type === 'application/json' && text !== undefined
          ? api.Call.parse(text)
          : undefined;
    if (result === undefined) continue;
    assert.equal(
      result.ok,
      !malformed.test(answer),
      `${id}: ${result.ok ? 'taken' : result.error}; upstream: ${response.status} ${answer.slice(0, 300)}`,
    );
    counts[result.ok ? 'taken' : 'refused']++;
  }
  assert.ok(counts.refused > 20 && counts.taken > 100, JSON.stringify(counts));
});

test('the leader that is written to ZooKeeper is read in version 0 JSON', { skip }, () => {
  const infos = lines<{ data?: string }>('ha-znodes.jsonl').flatMap(({ data }) =>
    data?.startsWith('{') ? [data] : [],
  );
  assert.ok(infos.length > 0);
  for (const info of infos) {
    const message = MasterInfo.v0.parse(info);
    assert.ok(message.ok, message.ok ? '' : message.error);
    assert.deepEqual(MasterInfo.v0.toJson(message.value), JSON.parse(info));
  }
});
