import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import {
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import fc from 'fast-check';
import { arbitraryMessage } from '../../script/wire/arbitrary.ts';
import { readDescriptors } from '../../script/wire/descriptors.ts';
import type { MessageType } from './message.ts';

const registry = readDescriptors();
const folder = new URL('generated/', import.meta.url);
const modules = await Promise.all(
  readdirSync(folder).map((name) => import(new URL(name, folder).href) as Promise<Record<string, object>>),
);
const types = modules.flatMap(
  (module) => Object.values(module).filter((value) => 'fields' in value) as MessageType<object>[],
);

/** Messages that carry others, and therefore see most of the protocol. */
const BROAD = [
  'mesos.v1.scheduler.Call',
  'mesos.v1.scheduler.Event',
  'mesos.v1.executor.Event',
  'mesos.v1.master.Call',
  'mesos.v1.master.Response',
  'mesos.v1.agent.Call',
  'mesos.v1.Offer',
  'mesos.v1.TaskInfo',
  'mesos.v1.TaskStatus',
  'mesos.scheduler.Call',
  'mesos.internal.ReregisterSlaveMessage',
  'mesos.internal.RunTaskMessage',
  'mesos.internal.Registry',
];

function descriptor(type: MessageType<object>): DescMessage {
  const found = registry.getMessage(type.name);
  assert.ok(found, type.name);
  return found;
}

/** The oracle's message in our form: names as in the v1 spelling, absent fields absent, enums by name. */
function plain(message: ReflectMessage, type: MessageType<object>): object {
  const entries = type.fields.flatMap(([name, number, , fieldType]) => {
    const field = message.desc.fields.find((candidate) => candidate.number === number);
    // A field of version 0 alone is unknown to the oracle's v1 message.
    if (field === undefined || !message.isSet(field)) return [];
    return [[name, plainField(message, field, fieldType as MessageType<object>)]];
  });
  return Object.fromEntries(entries);
}

function plainField(message: ReflectMessage, field: DescField, type: MessageType<object>): unknown {
  const one = (value: unknown): unknown => {
    if (field.message) return plain(value as ReflectMessage, type);
    if (field.enum) return (type as unknown as { of(n: number): string }).of(value as number);
    return typeof value === 'bigint' ? Number(value) : value;
  };
  if (field.fieldKind === 'list') return [...message.get(field)].map(one);
  if (field.fieldKind === 'map')
    return Object.fromEntries([...message.get(field)].map(([key, value]) => [key as string, one(value)]));
  return one(message.get(field));
}

function decoded(type: MessageType<object>, bytes: Uint8Array): object {
  const result = type.decode(bytes);
  assert.ok(result.ok, result.ok ? '' : result.error);
  return result.value;
}

function agreesInBinary(type: MessageType<object>, message: object): void {
  const bytes = type.encode(message);
  assert.deepEqual(decoded(type, bytes), message, 'our round trip');
  assert.deepEqual(type.encode(decoded(type, bytes)), bytes, 'our round trip in bytes');
  const theirs = fromBinary(descriptor(type), bytes);
  const reread = decoded(type, toBinary(descriptor(type), theirs));
  assert.deepEqual(type.encode(reread), bytes, 'through the oracle and back');
  const read = withoutV0(decoded(type, bytes), type);
  assert.deepEqual(withoutV0(plain(reflect(descriptor(type), theirs), type), type), read, 'as the oracle reads it');
}

/** Leaves out, at any depth, what only version 0 has (AgentInfo.checkpoint): the oracle keeps it among the unknown fields. */
function withoutV0(message: object, type: MessageType<object>): object {
  const from = message as Record<string, unknown>;
  const one = (value: unknown, fieldType: unknown): unknown =>
    typeof fieldType === 'object' && fieldType !== null && 'fields' in fieldType
      ? withoutV0(value as object, fieldType as MessageType<object>)
      : value;
  const fields = descriptor(type).fields;
  const entries = type.fields.flatMap(([name, number, label, fieldType]) => {
    const value = from[name];
    if (value === undefined || !fields.some((field) => field.number === number)) return [];
    if (label === 'repeated') return [[name, (value as unknown[]).map((element) => one(element, fieldType))]];
    if (label === 'map')
      return [
        [
          name,
          Object.fromEntries(Object.entries(value as object).map(([key, element]) => [key, one(element, fieldType)])),
        ],
      ];
    return [[name, one(value, fieldType)]];
  });
  return Object.fromEntries(entries);
}

test('every message has bytes that the oracle reads and writes alike', () => {
  assert.ok(types.length > 600);
  for (const type of types) {
    const runs = BROAD.includes(type.name) ? 100 : 5;
    fc.assert(
      fc.property(arbitraryMessage(type, 'binary'), (message) => agreesInBinary(type, message)),
      { numRuns: runs },
    );
  }
});

test('the oracle reads the JSON of every v1 message as the same message', () => {
  for (const type of types.filter(
    ({ name }) => name.startsWith('mesos.v1.') && name !== 'mesos.v1.master.Call.DrainAgent',
  )) {
    const runs = BROAD.includes(type.name) ? 100 : 5;
    fc.assert(
      fc.property(arbitraryMessage(type, 'json'), (message) => {
        const json = type.toJson(message);
        // Upstream treats Duration as any message; the oracle knows protobuf's special form of it.
        fc.pre(!JSON.stringify(json).includes('"max_grace_period"'));
        const theirs: Message = fromJson(descriptor(type), json as JsonValue, { registry, ignoreUnknownFields: true });
        assert.deepEqual(
          plain(reflect(descriptor(type), theirs), type),
          plain(reflect(descriptor(type), fromBinary(descriptor(type), type.encode(withDefaults(type, json)))), type),
          'as the oracle reads it',
        );
      }),
      { numRuns: runs },
    );
  }
});

function withDefaults(type: MessageType<object>, json: object): object {
  const result = type.fromJson(json);
  assert.ok(result.ok, result.ok ? '' : result.error);
  return result.value;
}
