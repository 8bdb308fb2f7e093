import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import type { Registry } from './descriptors.ts';

/** Which messages of version 0 are, on the wire, the same as a message of v1. */
export interface Twins {
  v1Of(v0: DescMessage): DescMessage | undefined;
  v0Of(v1: DescMessage): DescMessage | undefined;
  v1OfEnum(v0: DescEnum): DescEnum | undefined;
  v0OfEnum(v1: DescEnum): DescEnum | undefined;
  /** The name of a field in v1 spelling: `agent_id` for `slave_id` of a message that v1 has too. */
  spelling(field: DescField): string;
}

/** `mesos.SlaveInfo` → `mesos.v1.AgentInfo`. */
function v1Name(name: string): string | undefined {
  if (!name.startsWith('mesos.') || name.startsWith('mesos.v1.')) return undefined;
  return name.replace(/^mesos\./, 'mesos.v1.').replace(/\bSlave(ID|Info)\b/g, 'Agent$1');
}

export function twinsOf(registry: Registry): Twins {
  const namesakes = new Map<DescMessage, DescMessage>();
  const enums = new Map<DescEnum, DescEnum>();
  for (const type of registry) {
    const name = v1Name(type.typeName);
    if (name === undefined) continue;
    if (type.kind === 'message') {
      const v1 = registry.getMessage(name);
      if (v1) namesakes.set(type, v1);
    } else if (type.kind === 'enum') {
      const v1 = registry.getEnum(name);
      if (v1) enums.set(type, sameNumbers(type, v1));
    }
  }
  const same = greatestMatch(namesakes, enums);
  const back = new Map([...same].map(([v0, v1]) => [v1, v0]));
  const enumsBack = new Map([...enums].map(([v0, v1]) => [v1, v0]));
  return {
    v1Of: (type) => same.get(type),
    v0Of: (type) => back.get(type),
    v1OfEnum: (type) => enums.get(type),
    v0OfEnum: (type) => enumsBack.get(type),
    spelling: (field) => {
      const agent = field.name.replace('slave', 'agent');
      return namesakes.get(field.parent)?.fields.some(({ name }) => name === agent) ? agent : field.name;
    },
  };
}

function sameNumbers(v0: DescEnum, v1: DescEnum): DescEnum {
  const numbers = (type: DescEnum) =>
    type.values
      .map(({ number }) => number)
      .sort((a, b) => a - b)
      .join();
  if (numbers(v0) !== numbers(v1)) throw new Error(`${v0.typeName} and ${v1.typeName} have different numbers`);
  return v1;
}

/** Starts by believing all namesakes to be the same and drops those with a field that contradicts, until none does. */
function greatestMatch(
  namesakes: ReadonlyMap<DescMessage, DescMessage>,
  enums: ReadonlyMap<DescEnum, DescEnum>,
): Map<DescMessage, DescMessage> {
  const same = new Map(namesakes);
  const sameType = (a: DescField, b: DescField): boolean => {
    if (a.message && b.message) return a.message === b.message || same.get(a.message) === b.message;
    if (a.enum && b.enum) return a.enum === b.enum || enums.get(a.enum) === b.enum;
    return a.scalar === b.scalar && !a.message === !b.message && !a.enum === !b.enum;
  };
  const sameField = (a: DescField, b: DescField): boolean =>
    a.fieldKind === b.fieldKind &&
    a.presence === b.presence &&
    a.name.replace('slave', 'agent') === b.name &&
    sameType(a, b);
  for (let before = -1; before !== same.size; ) {
    before = same.size;
    for (const [v0, v1] of same) {
      const fits = v1.fields.every((field) =>
        v0.fields.some((other) => other.number === field.number && sameField(other, field)),
      );
      if (!fits) same.delete(v0);
    }
  }
  return same;
}
