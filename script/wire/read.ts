import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import type { Registry } from './descriptors.ts';
import type { DefaultModel, EnumModel, FieldModel, MessageModel, ModuleModel, TypeModel } from './model.ts';
import { type Twins, twinsOf } from './twins.ts';

/**
 * Turns descriptors into modules, one per protobuf package. A version 0 message that is the same on the wire as its v1 namesake
 * yields no code: references to it become references to the namesake, which learns the old spellings. One that differs
 * (mesos.scheduler.Call) becomes a message of its own, in the v1 spelling.
 */
export function readModules(registry: Registry): ModuleModel[] {
  return new Reading(registry).modules();
}

class Reading {
  readonly #registry: Registry;
  readonly #twins: Twins;
  readonly #modules = new Map<string, ModuleModel>();
  readonly #messages = new Map<string, MessageModel>();
  readonly #enums = new Map<string, EnumModel>();

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#twins = twinsOf(registry);
  }

  modules(): ModuleModel[] {
    for (const type of this.#registry) {
      if (type.kind === 'message' && !this.#twins.v1Of(type)) this.#message(type);
      if (type.kind === 'enum' && !this.#twins.v1OfEnum(type)) this.#enum(type);
    }
    for (const module of this.#modules.values()) {
      const names = [...module.messages, ...module.enums].map(({ ts }) => ts);
      if (new Set(names).size !== names.length)
        throw new Error(`two types of ${module.name} have one name in TypeScript`);
    }
    return [...this.#modules.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #module(packageName: string): ModuleModel {
    const name = packageName === 'mesos' ? 'v0' : packageName.replace(/^mesos\./, '').replaceAll('.', '_');
    const module = this.#modules.get(name) ?? { name, enums: [], messages: [] };
    this.#modules.set(name, module);
    return module;
  }

  #message(desc: DescMessage): MessageModel {
    const type = this.#twins.v1Of(desc) ?? desc;
    const known = this.#messages.get(type.typeName);
    if (known) return known;
    const module = this.#module(type.file.proto.package);
    const dialect = /^mesos\.v1(\.|$)|^google\./.test(type.typeName) ? 'v1' : 'v0';
    const model: MessageModel = {
      comment: commentOf(type),
      name: type.typeName,
      ts: tsName(type),
      module: module.name,
      fields: [],
      dialect,
    };
    this.#messages.set(type.typeName, model);
    module.messages.push(model);
    const twin = this.#twins.v0Of(type);
    const own = type.fields.map((field) =>
      this.#field(
        field,
        twin?.fields.find(({ number }) => number === field.number),
      ),
    );
    const extra = (twin?.fields ?? [])
      .filter(({ number }) => !type.fields.some((field) => field.number === number))
      .map((field) => onlyV0(this.#field(field, undefined)));
    model.fields = [...own, ...extra];
    return model;
  }

  #field(field: DescField, twin: DescField | undefined): FieldModel {
    const name = this.#twins.spelling(field);
    const v0 = name === field.name ? twin?.name : field.name;
    const stated = statedDefault(field);
    const statedByV0 = twin && statedDefault(twin);
    return {
      name,
      number: field.number,
      label:
        field.fieldKind === 'map'
          ? 'map'
          : field.fieldKind === 'list'
            ? 'repeated'
            : field.presence === 3
              ? 'required'
              : 'optional',
      type: this.#type(field),
      packed: field.fieldKind === 'list' && field.packed,
      implicit: field.presence === 2 && field.fieldKind !== 'list' && field.fieldKind !== 'map',
      deprecated: field.deprecated,
      always: field.fieldKind === 'list' && !field.deprecated && LISTS_SHOWN.test(field.parent.typeName),
      ...(stated === undefined ? {} : { default: stated }),
      ...(field.oneof ? { oneof: field.oneof.name } : {}),
      ...(v0 === undefined || v0 === name ? {} : { v0 }),
      ...(statedByV0 === undefined || statedByV0 === stated ? {} : { v0Default: statedByV0 }),
    };
  }

  #type(field: DescField): TypeModel {
    if (field.fieldKind === 'map' && field.mapKey !== ScalarType.STRING)
      throw new Error(`${field}: only maps with string keys are known`);
    if (field.message) return { kind: 'message', message: this.#message(field.message) };
    if (field.enum) return { kind: 'enum', enum: this.#enum(field.enum) };
    const scalar = ScalarType[field.scalar as ScalarType].toLowerCase();
    if (!/^(bool|bytes|double|u?int(32|64)|string)$/.test(scalar))
      throw new Error(`${field}: the codec has no ${scalar}`);
    return { kind: 'scalar', scalar };
  }

  #enum(desc: DescEnum): EnumModel {
    const type = this.#twins.v1OfEnum(desc) ?? desc;
    const known = this.#enums.get(type.typeName);
    if (known) return known;
    const module = this.#module(type.file.proto.package);
    const twin = this.#twins.v0OfEnum(type);
    const values = type.values.map(({ name, number }) => {
      const v0 = twin?.values.find((value) => value.number === number)?.name;
      return v0 === undefined || v0 === name ? { name, number } : { name, number, v0 };
    });
    const model: EnumModel = { name: type.typeName, ts: tsName(type), module: module.name, values };
    this.#enums.set(type.typeName, model);
    module.enums.push(model);
    return model;
  }
}

/** The comment before a message in its .proto file, on one line; of messages that are not ours, none. */
function commentOf(type: DescMessage): string {
  if (type.file.proto.package.startsWith('google.')) return '';
  const path = pathOf(type).join();
  const location = type.file.proto.sourceCodeInfo?.location.find((candidate) => candidate.path.join() === path);
  return (location?.leadingComments ?? '').trim().replaceAll(/\s+/g, ' ');
}

/** Where a message stands in its file, as descriptors number it: 4 is the file's list of messages, 3 a message's own. */
function pathOf(type: DescMessage): number[] {
  return type.parent
    ? [...pathOf(type.parent), 3, type.parent.proto.nestedType.indexOf(type.proto)]
    : [4, type.file.proto.messageType.indexOf(type.proto)];
}

/** A field that v1 has not: its default is shown to those who speak version 0. */
function onlyV0({ default: stated, ...field }: FieldModel): FieldModel {
  return { ...field, onlyV0: true, ...(stated === undefined ? {} : { v0Default: stated }) };
}

/** The answers that upstream prints list by list, empty or not, instead of through its general JSON code. */
const LISTS_SHOWN = /^mesos\.v1\.(master|agent)\.Response\.Get(Agents|Executors|Frameworks|Tasks)$/;

function tsName(type: DescMessage | DescEnum): string {
  const inner =
    type.file.proto.package === '' ? type.typeName : type.typeName.slice(type.file.proto.package.length + 1);
  return inner.replaceAll('.', '_');
}

/** The default as the .proto file states it; protobuf's own zeros do not count. */
function statedDefault(field: DescField): DefaultModel | undefined {
  const text = field.proto.defaultValue;
  if (text === '') return undefined;
  if (field.enum || field.scalar === ScalarType.STRING) return text;
  return field.scalar === ScalarType.BOOL ? text === 'true' : Number(text);
}
