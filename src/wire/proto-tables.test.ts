import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { readDescriptors } from '../../script/wire/descriptors.ts';

const shared = process.env.MESETA_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const tables = join(shared, 'facts/mesos/wire');
const skip = existsSync(tables) ? false : `upstream's wire tables are not at ${tables}: set MESETA_SHARED`;
const registry = skip ? undefined : readDescriptors();

/** The lines of the given tables without their headings. */
function expected(kind: '' | '-enums'): string[] {
  return ['v1', 'v0', 'internal'].flatMap((version) =>
    readFileSync(join(tables, `${version}${kind}.tsv`), 'utf8')
      .split('\n')
      .slice(1)
      .filter((line) => line !== ''),
  );
}

function row(cells: readonly (string | number)[]): string {
  return cells.join('\t');
}

function typeName(field: DescField): string {
  if (field.fieldKind === 'map') return `${field.parent.typeName}.${mapEntryName(field)}`;
  const type = field.message ?? field.enum;
  return type ? type.typeName : ScalarType[field.scalar as ScalarType].toLowerCase();
}

function mapEntryName(field: DescField): string {
  return field.proto.typeName.slice(field.proto.typeName.lastIndexOf('.') + 1);
}

function inner(message: DescMessage): string {
  return message.typeName.slice(message.file.proto.package.length + 1);
}

function fieldRow(field: DescField, proto3: boolean): string {
  const { parent } = field;
  const repeated = field.fieldKind === 'list' || field.fieldKind === 'map';
  const label = repeated ? 'repeated' : field.presence === 3 ? 'required' : 'optional';
  const flags = [
    field.deprecated ? 'deprecated' : '',
    field.oneof ? `oneof:${field.oneof.name}` : '',
    proto3 ? 'proto3' : '',
  ];
  return row([
    parent.file.proto.package,
    inner(parent),
    field.name,
    field.number,
    label,
    typeName(field),
    field.proto.defaultValue,
    flags.filter((flag) => flag !== '').join(','),
    `${parent.file.name}.proto`,
  ]);
}

/** A map is a repeated message with a key and a value, which the descriptors fold away. */
function mapRows(field: DescField, proto3: boolean): string[] {
  if (field.fieldKind !== 'map') return [];
  const value = field.message?.typeName ?? ScalarType[field.scalar as ScalarType].toLowerCase();
  const entry = `${inner(field.parent)}.${mapEntryName(field)} (map_entry)`;
  const rest = ['', proto3 ? 'proto3' : '', `${field.parent.file.name}.proto`];
  const { package: packageName } = field.parent.file.proto;
  return [
    row([packageName, entry, 'key', 1, 'optional', 'string', ...rest]),
    row([packageName, entry, 'value', 2, 'optional', value, ...rest]),
  ];
}

function messageRows(message: DescMessage): string[] {
  const proto3 = message.file.proto.syntax === 'proto3';
  if (message.fields.length === 0) {
    return [
      row([
        message.file.proto.package,
        inner(message),
        '(no fields)',
        '',
        '',
        '',
        '',
        proto3 ? 'proto3' : '',
        `${message.file.name}.proto`,
      ]),
    ];
  }
  return message.fields.flatMap((field) => [fieldRow(field, proto3), ...mapRows(field, proto3)]);
}

function assertSameRows(ours: readonly string[], theirs: readonly string[]): void {
  const [have, want] = [new Set(ours), new Set(theirs)];
  assert.ok(want.size > 500, 'the tables are there');
  assert.deepEqual(
    { missing: [...want].filter((r) => !have.has(r)), extra: [...have].filter((r) => !want.has(r)) },
    { missing: [], extra: [] },
  );
}

test('proto/ has the messages and fields of upstream, none missing and none more', { skip }, () => {
  const ours = [...registry!].flatMap((type) =>
    type.kind === 'message' && type.file.proto.package !== 'google.protobuf' ? messageRows(type) : [],
  );
  assertSameRows(ours, expected(''));
});

test('proto/ has the enum values of upstream, none missing and none more', { skip }, () => {
  const ours = [...registry!].flatMap((type) => {
    if (type.kind !== 'enum') return [];
    const packageName = type.file.proto.package;
    const alias = type.proto.options?.allowAlias ? 'allow_alias' : '';
    return type.values.map(({ name, number, deprecated }) =>
      row([
        packageName,
        type.typeName.slice(packageName.length + 1),
        name,
        number,
        deprecated ? 'deprecated' : '',
        alias,
        `${type.file.name}.proto`,
      ]),
    );
  });
  assertSameRows(ours, expected('-enums'));
});

test('the fields stand in the order of upstream, which is the order of its JSON', { skip }, () => {
  const wanted = new Map<string, string[]>();
  for (const line of expected('')) {
    const [packageName, message, field] = line.split('\t') as [string, string, string];
    if (field === '(no fields)' || message.includes('(map_entry)')) continue;
    const name = `${packageName}.${message}`;
    wanted.set(name, [...(wanted.get(name) ?? []), field]);
  }
  for (const [name, fields] of wanted) {
    assert.deepEqual(
      registry!.getMessage(name)?.fields.map((field) => field.name),
      fields,
      name,
    );
  }
});
