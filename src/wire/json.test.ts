import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryMessage } from '../../script/wire/arbitrary.ts';
import { Registry } from './internal.ts';
import type { MessageType } from './message.ts';
import {
  AgentInfo,
  Attribute,
  ContainerID,
  DrainInfo,
  FrameworkInfo,
  Image_Appc,
  OfferID,
  Parameters,
  Resource,
  TaskInfo,
  TaskStatus,
  TimeInfo,
  Value_Range,
  Value_Scalar,
  Value_Set,
} from './v1.ts';
import { Response_GetTasks } from './v1_master.ts';
import { QuotaRequest } from './v1_quota.ts';
import { AttributeConstraint_Predicate, Call, Event } from './v1_scheduler.ts';

function read<T>(type: MessageType<T>, json: unknown): T {
  const result = type.fromJson(json);
  assert.ok(result.ok, result.ok ? '' : result.error);
  return result.value;
}

function refused<T>(type: MessageType<T>, json: unknown): string {
  const result = type.fromJson(json);
  assert.ok(!result.ok, 'it should have been refused');
  return result.error;
}

test('set fields are printed under their proto names, enums by name, 64-bit numbers as numbers, bytes as base64', () => {
  const status: TaskStatus = {
    task_id: { value: 't' },
    state: 'TASK_RUNNING',
    uuid: new Uint8Array([251, 255, 0]),
    unreachable_time: { nanoseconds: 1_500_000_000_000 },
    source: 'SOURCE_AGENT',
  };
  assert.deepEqual(TaskStatus.toJson(status), {
    task_id: { value: 't' },
    state: 'TASK_RUNNING',
    uuid: '+/8A',
    unreachable_time: { nanoseconds: 1_500_000_000_000 },
    source: 'SOURCE_AGENT',
  });
});

test('an unset field with a stated default is printed, unless it is deprecated', () => {
  assert.deepEqual(FrameworkInfo.toJson({ user: 'u', name: 'n' }), {
    user: 'u',
    name: 'n',
    failover_timeout: 0,
    checkpoint: false,
  });
});

test('an empty list is not printed, save in the answers to the large read calls, which print all their lists', () => {
  assert.deepEqual(Value_Set.toJson({ item: [] }), {});
  assert.deepEqual(Response_GetTasks.toJson({}), { tasks: [], completed_tasks: [], unreachable_tasks: [] });
});

test('a map is an object, and a key named __proto__ is a key', () => {
  const task = { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' } };
  const json = JSON.parse(
    JSON.stringify({ ...task, limits: { cpus: { value: 2 } } }).replace('"cpus"', '"__proto__"'),
  ) as object;
  const message = read(TaskInfo, json);
  assert.deepEqual(Object.keys(message.limits ?? {}), ['__proto__']);
  assert.deepEqual(JSON.parse(TaskInfo.stringify(message)), json);
  const again = TaskInfo.decode(TaskInfo.encode(message));
  assert.deepEqual(again, { ok: true, value: message });
  assert.equal(({} as { value?: number }).value, undefined, 'no prototype was touched');
});

test('null stands for an absent field, and for no element of a list', () => {
  assert.deepEqual(read(Value_Set, { item: null }), {});
  assert.deepEqual(read(Value_Set, { item: ['a', null, 'b'] }), { item: ['a', 'b'] });
  assert.match(refused(OfferID, { value: null }), /value: is required, but missing/);
});

test('one value where a list belongs is a list of one', () => {
  assert.deepEqual(read(Parameters, { parameter: { key: 'k', value: 'v' } }), {
    parameter: [{ key: 'k', value: 'v' }],
  });
  assert.deepEqual(read(Value_Set, { item: 'a' }), { item: ['a'] });
});

test('an unknown field is ignored, also one that every object has', () => {
  assert.deepEqual(read(OfferID, { value: 'o', more: [1, { x: null }], constructor: 1, toString: 2 }), { value: 'o' });
});

test('numbers and booleans may come as strings', () => {
  assert.deepEqual(read(Value_Scalar, { value: '1.5e3' }), { value: 1500 });
  assert.deepEqual(read(Value_Scalar, { value: '-Infinity' }), { value: -Infinity });
  assert.deepEqual(read(Value_Range, { begin: '31000', end: ' 32000 ' }), { begin: 31000, end: 32000 });
  assert.deepEqual(read(FrameworkInfo, { user: 'u', name: 'n', checkpoint: 'true' }), {
    user: 'u',
    name: 'n',
    checkpoint: true,
  });
  for (const value of ['', ' ', 'one', '0x10', '1,5', 'NaN', true, {}, []]) {
    assert.match(refused(Value_Scalar, { value }), /^mesos\.v1\.Value\.Scalar: value: /);
  }
});

test('an infinite number is written as the string that is read as one', () => {
  assert.deepEqual(JSON.parse(Value_Scalar.stringify({ value: -Infinity })), { value: '-Infinity' });
  assert.deepEqual(read(Value_Scalar, { value: 'Infinity' }), { value: Infinity });
});

test('a fraction for a whole number is cut off, and what is out of range is refused', () => {
  assert.deepEqual(read(TimeInfo, { nanoseconds: -1.9 }), { nanoseconds: -1 });
  assert.match(
    refused(Value_Range, { begin: -1, end: 2 }),
    /begin: -1 is out of range: uint64 goes from 0 to 18446744073709552000/,
  );
  assert.match(refused(TimeInfo, { nanoseconds: 1e19 }), /nanoseconds: 10000000000000000000 is out of range/);
});

test('the largest 64-bit numbers survive, rounded to what a double can hold', () => {
  const range = read(Value_Range, JSON.parse('{"begin": 0, "end": 18446744073709551615}'));
  assert.deepEqual(Value_Range.decode(Value_Range.encode(range)), { ok: true, value: range });
});

test('an unknown name of an enum is as if absent: refused where required only', () => {
  assert.deepEqual(read(Call, { type: 'NO_SUCH_CALL' }), {});
  assert.match(
    refused(Attribute, { name: 'a', type: 'TENSOR' }),
    /^mesos\.v1\.Attribute: type: 'TENSOR' is not one of mesos\.v1\.Value\.Type: SCALAR, RANGES, SET, TEXT$/,
  );
  assert.match(
    refused(Call, { type: 1 }),
    /type: a name of mesos\.v1\.scheduler\.Call\.Type belongs here, not the number 1/,
  );
});

test('bytes are read from standard and URL-safe base64, with and without padding', () => {
  const image = (data: string): unknown => read(TaskStatus, { task_id: { value: 't' }, state: 'TASK_LOST', data }).data;
  for (const text of ['+/8=', '-_8=', '+/8', '-_8']) assert.deepEqual(image(text), new Uint8Array([251, 255]), text);
  assert.deepEqual(image(''), new Uint8Array(0));
  assert.match(refused(TaskStatus, { data: 'a b' }), /data: the string "a b" is not base64/);
});

test('an error names the field by its path, also within lists and maps', () => {
  const accept = {
    type: 'ACCEPT',
    accept: { operations: [{ type: 'LAUNCH', launch: { task_infos: [{ name: 'a', task_id: { value: 't' } }] } }] },
  };
  assert.equal(
    refused(Call, accept),
    'mesos.v1.scheduler.Call: accept.operations[0].launch.task_infos[0].agent_id: is required, but missing',
  );
  const task = { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' }, limits: { cpus: { value: [] } } };
  assert.equal(refused(TaskInfo, task), 'mesos.v1.TaskInfo: limits["cpus"].value: a number belongs here, not a list');
  assert.equal(
    refused(Call, { subscribe: 'x' }),
    'mesos.v1.scheduler.Call: subscribe: a JSON object belongs here (mesos.v1.scheduler.Call.Subscribe), not the string "x"',
  );
  assert.equal(
    refused(Call, []),
    'mesos.v1.scheduler.Call: a JSON object belongs here (mesos.v1.scheduler.Call), not a list',
  );
});

test('text that is not JSON is refused with the place', () => {
  const result = Call.parse('{"type":');
  assert.match(result.ok ? '' : result.error, /^mesos\.v1\.scheduler\.Call: this is not JSON: /);
});

test('of fields that exclude each other the last one stays', () => {
  const predicate = read(AttributeConstraint_Predicate, { exists: {}, text_equals: { value: 'x' } });
  assert.deepEqual(predicate, { text_equals: { value: 'x' } });
});

test('version 0 says slave where v1 says agent, in fields and in enum values', () => {
  const status: TaskStatus = {
    task_id: { value: 't' },
    state: 'TASK_LOST',
    agent_id: { value: 's' },
    source: 'SOURCE_AGENT',
    reason: 'REASON_AGENT_REMOVED',
  };
  const json = TaskStatus.v0.toJson(status);
  assert.deepEqual(json, {
    task_id: { value: 't' },
    state: 'TASK_LOST',
    slave_id: { value: 's' },
    source: 'SOURCE_SLAVE',
    reason: 'REASON_SLAVE_REMOVED',
  });
  assert.deepEqual(TaskStatus.v0.fromJson(json), { ok: true, value: status });
  assert.deepEqual(
    read(TaskStatus, json),
    { task_id: { value: 't' }, state: 'TASK_LOST' },
    'v1 knows none of these names',
  );
  const refusal = TaskStatus.v0.fromJson({ ...json, slave_id: {} });
  assert.equal(refusal.ok ? '' : refusal.error, 'mesos.v1.TaskStatus: slave_id.value: is required, but missing');
});

test('version 0 prints the defaults that it states', () => {
  assert.deepEqual(AgentInfo.toJson({ hostname: 'h' }), { hostname: 'h', port: 5051 });
  assert.deepEqual(AgentInfo.v0.toJson({ hostname: 'h' }), { hostname: 'h', port: 5051, checkpoint: false });
  assert.deepEqual(QuotaRequest.toJson({ role: 'r' }), { role: 'r' });
  assert.deepEqual(QuotaRequest.v0.toJson({ role: 'r' }), { role: 'r', force: false });
});

test('messages between masters and agents speak version 0 JSON', () => {
  const registry = { unreachable: { slaves: [{ id: { value: 's' }, timestamp: { nanoseconds: 1 } }] } };
  assert.deepEqual(Registry.toJson(registry), {
    unreachable: { slaves: [{ id: { value: 's' }, timestamp: { nanoseconds: 1 }, deactivated: false }] },
  });
});

test('JSON comes back as the message it was, with the stated defaults filled in', () => {
  for (const type of [Call, Event, TaskInfo, Resource, DrainInfo, Image_Appc] as readonly MessageType<object>[]) {
    fc.assert(
      fc.property(arbitraryMessage(type, 'json'), (message) => {
        for (const codec of [type, type.v0]) {
          const once = codec.parse(codec.stringify(message));
          assert.ok(once.ok, once.ok ? '' : once.error);
          assert.deepEqual(codec.toJson(once.value), JSON.parse(codec.stringify(message)));
        }
      }),
      { numRuns: 50 },
    );
  }
});

test('any JSON gives a message or an error', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      Call.fromJson(value);
      Call.fromJson({ type: 'ACCEPT', accept: value, subscribe: { framework_info: value } });
    }),
  );
});

test('ten thousand levels of nesting are refused', () => {
  const depth = 10_000;
  const message = `${'{"parent":'.repeat(depth)}{}${'}'.repeat(depth)}`;
  const list = `{"item":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  for (const result of [ContainerID.parse(message), Value_Set.parse(list)]) {
    assert.match(result.ok ? '' : result.error, /nested more than 100 deep/);
  }
  assert.match(refused(ContainerID, JSON.parse(message)).slice(0, 30), /^mesos\.v1\.ContainerID: parent/);
});
