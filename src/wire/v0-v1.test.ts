import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDescriptors } from '../../script/wire/descriptors.ts';
import { readModules } from '../../script/wire/read.ts';
import { twinsOf } from '../../script/wire/twins.ts';

const registry = readDescriptors();
const twins = twinsOf(registry);
const messages = [...registry].flatMap((type) => (type.kind === 'message' ? [type] : []));
const v1Packages = new Set(
  messages.map(({ file }) => file.proto.package).filter((name) => /^mesos\.v1(\.|$)/.test(name)),
);

/** The name that a version 0 message would have in v1. */
function v1Spelling(name: string): string {
  return /^mesos\.(?!v1\.)/.test(name)
    ? name.replace(/^mesos\./, 'mesos.v1.').replace(/\bSlave(ID|Info)\b/, 'Agent$1')
    : '';
}

test('version 0 and v1 are one on the wire, but for the four messages that are known to differ', () => {
  const differing = messages
    .filter(
      (type) =>
        !v1Packages.has(type.file.proto.package) && registry.getMessage(v1Spelling(type.typeName)) && !twins.v1Of(type),
    )
    .map(({ typeName }) => typeName);
  assert.deepEqual(differing.sort(), [
    // DrainAgent.max_grace_period is a DurationInfo here and a google.protobuf.Duration there.
    'mesos.master.Call',
    'mesos.master.Call.DrainAgent',
    // Subscribe.force pushes the fields after it up by one.
    'mesos.scheduler.Call',
    'mesos.scheduler.Call.Subscribe',
  ]);
});

test('every v1 message but one has its namesake in version 0', () => {
  const alone = messages
    .filter(
      (type) =>
        v1Packages.has(type.file.proto.package) &&
        !messages.some(({ typeName }) => v1Spelling(typeName) === type.typeName),
    )
    .map(({ typeName }) => typeName);
  assert.deepEqual(alone, ['mesos.v1.scheduler.APIResult']);
});

test('one field alone exists in version 0 and not in the v1 namesake that stands for it', () => {
  const fields = readModules(registry)
    .flatMap((module) => module.messages)
    .flatMap((message) => message.fields.filter(({ onlyV0 }) => onlyV0).map(({ name }) => `${message.name}.${name}`));
  assert.deepEqual(fields, ['mesos.v1.AgentInfo.checkpoint']);
});

test('no field in memory is of a version 0 type where v1 has the same', () => {
  const held = readModules(registry).flatMap((module) =>
    module.messages.flatMap(({ fields }) => fields.map(({ type }) => type)),
  );
  const named = new Set(
    held.flatMap((type) =>
      type.kind === 'message' ? [type.message.name] : type.kind === 'enum' ? [type.enum.name] : [],
    ),
  );
  assert.ok(named.size > 300);
  const old = [...named].filter((name) => registry.getMessage(v1Spelling(name)) ?? registry.getEnum(v1Spelling(name)));
  assert.deepEqual(old.sort(), ['mesos.master.Call.DrainAgent', 'mesos.scheduler.Call.Subscribe']);
});
