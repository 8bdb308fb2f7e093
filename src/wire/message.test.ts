import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryMessage } from '../../script/wire/arbitrary.ts';
import { InvariantError } from '../base/invariant.ts';
import {
  internalMessages,
  PingSlaveMessage,
  RegisterSlaveMessage,
  V0SchedulerCall,
  V0SchedulerEvent,
} from './internal.ts';
import type { MessageType } from './message.ts';
import {
  AgentInfo,
  CapabilityInfo,
  ContainerID,
  FrameworkInfo,
  OfferID,
  TaskInfo,
  TaskStatus,
  TimeInfo,
  Value_Range,
  Value_Set,
} from './v1.ts';
import { Response as AgentResponse } from './v1_agent.ts';
import { AttributeConstraint_Predicate, Call, Event } from './v1_scheduler.ts';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function decoded<T>(type: MessageType<T>, from: Uint8Array): T {
  const result = type.decode(from);
  assert.ok(result.ok, result.ok ? '' : result.error);
  return result.value;
}

function refused<T>(type: MessageType<T>, from: Uint8Array): string {
  const result = type.decode(from);
  assert.ok(!result.ok, 'it should have been refused');
  return result.error;
}

test('a required field is written whatever its value', () => {
  assert.deepEqual(PingSlaveMessage.encode({ connected: false }), bytes(8, 0));
  assert.deepEqual(Value_Range.encode({ begin: 0, end: 0 }), bytes(8, 0, 16, 0));
  assert.deepEqual(OfferID.encode({ value: '' }), bytes(10, 0));
});

test('fields are written by number, as upstream writes them', () => {
  assert.deepEqual(TaskStatus.encode({ state: 'TASK_RUNNING', task_id: { value: 't' } }), hex('0a03 0a0174 1001'));
});

test('a message without a required field is not read, and the error names the path', () => {
  const call = Call.encode({ subscribe: { framework_info: { user: 'u', name: 'n' } } });
  assert.equal(refused(OfferID, bytes()), 'mesos.v1.OfferID: value: is required, but missing');
  const cut = hex('1a 05 0a 03 0a 01 75');
  assert.equal(call.length, cut.length + 3);
  assert.equal(refused(Call, cut), 'mesos.v1.scheduler.Call: subscribe.framework_info.name: is required, but missing');
});

test('the path of an error goes through maps', () => {
  const task = TaskInfo.encode({ name: 'n', task_id: { value: 't' }, agent_id: { value: 'a' } });
  const limits = TaskInfo.fields.find(([name]) => name === 'limits')!;
  const entry = new Uint8Array([
    ...task,
    limits[1] * 8 + 2 - 128 + 128,
    ...(limits[1] >= 16 ? [1] : []),
    5,
    10,
    1,
    99,
    18,
    0,
  ]);
  assert.match(refused(TaskInfo, entry), /^mesos\.v1\.TaskInfo: limits\.value: is required, but missing$/);
});

test('a message that lacks a required field is not written either', () => {
  const call = { type: 'KILL', kill: {} } as unknown as Call;
  assert.deepEqual(Call.tryEncode(call), {
    ok: false,
    error: 'mesos.v1.scheduler.Call: kill.task_id: is required, but missing',
  });
  assert.throws(() => Call.encode(call), InvariantError);
});

test('values that do not fit their type are refused with their path', () => {
  const status = (more: object): TaskStatus => ({ task_id: { value: 't' }, state: 'TASK_RUNNING', ...more });
  const errors: readonly [object, RegExp][] = [
    [{ state: 'TASK_HAPPY' }, /: state: the string "TASK_HAPPY" is not one of mesos\.v1\.TaskState: TASK_STAGING/],
    [{ agent_id: { value: 7 } }, /: agent_id\.value: the number 7 is not of type string/],
    [{ uuid: 'abc' }, /: uuid: the string "abc" is not of type bytes/],
    [
      { unreachable_time: { nanoseconds: 0.5 } },
      /: unreachable_time\.nanoseconds: the number 0\.5 is not of type int64/,
    ],
    [{ unreachable_time: { nanoseconds: Number.NaN } }, /unreachable_time\.nanoseconds: /],
    [{ labels: { labels: [{ key: 'a' }, { key: null }] } }, /: labels\.labels\[1\]\.key: null is not of type string/],
    [{ labels: { labels: 'x' } }, /: labels\.labels: a list belongs here, not the string "x"/],
  ];
  for (const [more, pattern] of errors) {
    const result = TaskStatus.tryEncode(status(more));
    assert.match(result.ok ? 'written' : result.error, pattern);
  }
});

test('the writer is as good as new after a message that it refused', () => {
  assert.equal(OfferID.tryEncode({} as OfferID).ok, false);
  assert.deepEqual(OfferID.encode({ value: 'o' }), bytes(10, 1, 111));
});

test('fields that are not known are kept and written again, in the order they came', () => {
  const known = hex('0a 01 6f');
  const unknown = hex('f87f 01 fa7f 02 6869 f97f 0000000000000000 fd7f 00000000 fb7f 0801 fc7f');
  const message = decoded(OfferID, new Uint8Array([...unknown.slice(0, 3), ...known, ...unknown.slice(3)]));
  assert.deepEqual(message, { value: 'o', $unknown: unknown });
  assert.deepEqual(OfferID.encode(message), new Uint8Array([...known, ...unknown]));
  assert.deepEqual(OfferID.toJson(message), { value: 'o' });
});

test('a field that is known, but comes with another wire type, is an unknown one', () => {
  assert.deepEqual(decoded(Value_Set, bytes(8, 5)), { $unknown: bytes(8, 5) });
});

test('a number that an enum does not know is kept as unknown, and is missing where required', () => {
  const status = hex('0a03 0a0174 1001 4863');
  assert.deepEqual(decoded(TaskStatus, status), {
    task_id: { value: 't' },
    state: 'TASK_RUNNING',
    $unknown: bytes(0x48, 0x63),
  });
  assert.equal(refused(TaskStatus, hex('0a03 0a0174 1063')), 'mesos.v1.TaskStatus: state: is required, but missing');
});

test('a packed list is read as a list', () => {
  const [name, number] = CapabilityInfo.fields[0]!;
  assert.equal(name, 'capabilities');
  const separate = decoded(
    CapabilityInfo,
    bytes(number * 8, (1000 & 127) | 128, 1000 >> 7, number * 8, (1001 & 127) | 128, 1001 >> 7),
  );
  const packed = decoded(
    CapabilityInfo,
    bytes(number * 8 + 2, 4, (1000 & 127) | 128, 1000 >> 7, (1001 & 127) | 128, 1001 >> 7),
  );
  assert.equal(separate.capabilities?.length, 2);
  assert.deepEqual(packed, separate);
});

test('a nested message that comes twice is merged; a plain field that comes twice is the last', () => {
  const twice = hex('0a05 0a0174 1801 0a03 0a0175');
  assert.deepEqual(decoded(Call, new Uint8Array([...hex('0a03 0a0161'), ...hex('0a03 0a0162')])), {
    framework_id: { value: 'b' },
  });
  assert.equal(refused(TaskStatus, twice), 'mesos.v1.TaskStatus: state: is required, but missing');
});

test('of fields that exclude each other the last one stays', () => {
  assert.deepEqual(decoded(AttributeConstraint_Predicate, hex('0a00 1a03 0a0178')), { text_equals: { value: 'x' } });
});

test('numbers beyond 2^53 are read as the nearest double and written back as that', () => {
  for (const nanoseconds of [2 ** 53, 1_790_000_000_123_456_800, 2 ** 63, -(2 ** 63), -1, -(2 ** 32), -(2 ** 53)]) {
    assert.deepEqual(decoded(TimeInfo, TimeInfo.encode({ nanoseconds })), { nanoseconds });
  }
  assert.deepEqual(TimeInfo.encode({ nanoseconds: -1 }), hex('08 ffffffffffffffffff01'));
  assert.deepEqual(TimeInfo.encode({ nanoseconds: 2 ** 63 }), hex('08 ffffffffffffffff7f'));
  assert.deepEqual(Value_Range.encode({ begin: 0, end: 2 ** 64 }), hex('0800 10 ffffffffffffffffff01'));
});

test('text of every length and kind survives', () => {
  for (const value of [
    '\ufeff',
    `\ufeff${'x'.repeat(100)}`,
    'ascii',
    'ä',
    '€',
    '😀',
    'x'.repeat(127),
    'x'.repeat(128),
    '€'.repeat(42),
    '€'.repeat(43),
    '😀'.repeat(6000),
    'x'.repeat(3_000_000),
  ]) {
    const written = OfferID.encode({ value });
    assert.deepEqual(decoded(OfferID, written), { value });
    const length = Buffer.byteLength(value);
    assert.deepEqual(written.subarray(written.length - length), new Uint8Array(Buffer.from(value)));
  }
  assert.deepEqual(decoded(OfferID, OfferID.encode({ value: 'a\ud800b' })), { value: 'a\ufffdb' });
  assert.deepEqual(decoded(OfferID, bytes(10, 2, 0xff, 0x61)), { value: '\ufffda' });
});

test('what was decoded does not change when its buffer is used again', () => {
  const buffer = TaskStatus.encode({
    task_id: { value: 't' },
    state: 'TASK_RUNNING',
    uuid: bytes(1, 2, 3),
    $unknown: hex('f87f01'),
  });
  const status = decoded(TaskStatus, buffer);
  buffer.fill(0);
  assert.deepEqual(status.uuid, bytes(1, 2, 3));
  assert.deepEqual(status.$unknown, hex('f87f01'));
});

test('a length of a trillion bytes is refused at once', () => {
  assert.equal(
    refused(OfferID, hex('0a 80a094a58d1d')),
    'mesos.v1.OfferID: a field says that it has 1000000000000 bytes, but 0 are left',
  );
  assert.match(
    refused(Call, hex('1a 08 0a 80a094a58d1d 00')),
    /^mesos\.v1\.scheduler\.Call: subscribe: a field says that it has 1000000000000 bytes/,
  );
});

test('ten thousand levels of nesting are refused', () => {
  const parts: Uint8Array[] = [];
  for (let i = 0, length = 0; i < 10_000; i++) {
    const head: number[] = [18];
    let rest = length;
    for (; rest >= 128; rest >>>= 7) head.push((rest & 127) | 128);
    head.push(rest);
    parts.push(new Uint8Array(head));
    length += head.length;
  }
  const nested = new Uint8Array(Buffer.concat(parts.reverse()));
  assert.match(refused(ContainerID, nested), /parent: messages are nested more than 100 deep$/);
  assert.match(refused(OfferID, new Uint8Array(20_000).fill(0x13)), /nested more than 100 deep/);
  let inMemory: ContainerID = { value: 'x' };
  for (let i = 0; i < 10_000; i++) inMemory = { value: 'x', parent: inMemory };
  const result = ContainerID.tryEncode(inMemory);
  assert.match(result.ok ? '' : result.error, /nested more than 100 deep/);
});

test('broken tags and numbers are refused', () => {
  for (const broken of [
    '00',
    '07',
    '0e00',
    '0c',
    '80',
    '8080808080808080808001',
    'ffffffffffffffffffff01',
    '08',
    '08ff',
    '0dffff',
    '0b',
    '0b14',
    '0a05 61',
  ]) {
    assert.match(refused(OfferID, hex(broken)), /^mesos\.v1\.OfferID: /, broken);
  }
});

test('bytes that were cut or changed give a message or an error', () => {
  fc.assert(
    fc.property(arbitraryMessage(Event, 'binary'), fc.nat(), fc.nat(255), (message, at, byte) => {
      const whole = Event.encode(message);
      Event.decode(whole.slice(0, at % (whole.length + 1)));
      if (whole.length > 0) whole[at % whole.length] = byte;
      const changed = Event.decode(whole);
      if (changed.ok) assert.deepEqual(Event.decode(Event.encode(changed.value)), changed);
    }),
    { numRuns: 500 },
  );
});

test('random bytes give a message or an error', () => {
  const types = [Event, Call, AgentResponse, RegisterSlaveMessage, FrameworkInfo] as readonly MessageType<object>[];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
      for (const type of types) type.decode(random);
    }),
    { numRuns: 2000 },
  );
});

test('version 0 calls have their own numbers, and events their own name', () => {
  const call: V0SchedulerCall = {
    type: 'SUBSCRIBE',
    subscribe: { framework_info: { user: 'u', name: 'n' }, force: true, suppressed_roles: ['r'] },
  };
  const asV0 = V0SchedulerCall.encode(call);
  assert.deepEqual(asV0, hex('1001 1a0d 0a06 0a0175 12016e 1001 1a0172'));
  assert.deepEqual(decoded(V0SchedulerCall, asV0), call);
  assert.equal(internalMessages['mesos.scheduler.Call'], V0SchedulerCall);
  assert.equal(internalMessages.constructor, undefined);
  assert.equal(internalMessages['mesos.scheduler.Event'], V0SchedulerEvent);
  assert.deepEqual(V0SchedulerEvent.toJson({ type: 'FAILURE', failure: { agent_id: { value: 's' } } }), {
    type: 'FAILURE',
    failure: { slave_id: { value: 's' } },
  });
});

test('what an agent says of itself in version 0 alone is carried along', () => {
  const info: AgentInfo = { hostname: 'h', port: 5051, checkpoint: true };
  assert.deepEqual(AgentInfo.encode(info), hex('0a0168 3801 40bb27'));
  assert.deepEqual(decoded(AgentInfo, AgentInfo.encode(info)), info);
});
