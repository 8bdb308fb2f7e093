import fc from 'fast-check';
import { type Field, type FieldType, isMessage, type MessageType } from '../../src/wire/message-type.ts';

/** `json` leaves out the doubles that JSON cannot say. */
export type Form = 'binary' | 'json';

/** These do not write zeros, so that zeros do not come back. */
const PROTO3 = new Set(['google.protobuf.Duration', 'mesos.csi.state.VolumeState', 'mesos.internal.slave.CSIVolume']);
const ZEROS: readonly unknown[] = [0, '', false, 'UNKNOWN'];

const known = new Map<string, fc.Arbitrary<object>>();

/**
 * Random messages of a type, as they are in memory. Nested messages are left out below the given depth, except required ones; of a oneof
 * one field is set at most.
 */
export function arbitraryMessage(type: MessageType<object>, form: Form, depth = 3): fc.Arbitrary<object> {
  const key = `${type.name} ${form} ${depth}`;
  let arbitrary = known.get(key);
  if (arbitrary === undefined) {
    arbitrary = build(type, form, depth);
    known.set(key, arbitrary);
  }
  return arbitrary;
}

function build(type: MessageType<object>, form: Form, depth: number): fc.Arbitrary<object> {
  const shown = type.fields.filter((field) => depth > 0 || field[2] === 'required' || !isNested(field));
  const required = shown.filter(([, , label]) => label === 'required');
  const optional = shown.filter(([, , label]) => label !== 'required');
  const entry = (field: Field): fc.Arbitrary<readonly [string, unknown]> =>
    fieldValue(field, form, depth)
      .filter((value) => !(PROTO3.has(type.name) && ZEROS.includes(value)))
      .map((value) => [field[0], value] as const);
  // Few of the optional fields at a time: a message with all of them says no more and costs a thousand times as much.
  const some = fc
    .shuffledSubarray([...optional], { maxLength: Math.min(optional.length, 4) })
    .chain((fields) => fc.tuple(...oneOfEach(fields).map(entry)));
  return fc.tuple(fc.tuple(...required.map(entry)), some).map(([must, may]) => Object.fromEntries([...must, ...may]));
}

function isNested([, , , type]: Field): boolean {
  return typeof type !== 'string' && isMessage(type);
}

function oneOfEach(fields: readonly Field[]): readonly Field[] {
  return fields.filter(
    (field, i) =>
      field[4]?.oneof === undefined || fields.findIndex((other) => other[4]?.oneof === field[4]?.oneof) === i,
  );
}

function fieldValue([, , label, type]: Field, form: Form, depth: number): fc.Arbitrary<unknown> {
  const one = value(type, form, depth);
  if (label === 'repeated') return fc.array(one, { minLength: 1, maxLength: 3 });
  if (label === 'map')
    return fc
      .array(fc.tuple(mapKey, one), { minLength: 1, maxLength: 2 })
      .map((entries) => Object.fromEntries(entries));
  return one;
}

const mapKey = fc.oneof(
  { weight: 9, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', '') },
);
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.string({ minLength: 100, maxLength: 300 }));

function value(type: FieldType, form: Form, depth: number): fc.Arbitrary<unknown> {
  if (typeof type !== 'string') {
    if (isMessage(type)) return arbitraryMessage(type, form, depth - 1);
    // Of two names for one number only the first comes back.
    return fc.constantFrom(...type.values.filter((name) => type.of(type.numbers[name]!) === name));
  }
  switch (type) {
    case 'bool':
      return fc.boolean();
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 });
    case 'double':
      return form === 'json' ? fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0) : fc.double();
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff });
    case 'int64':
      return fc.oneof(fc.maxSafeInteger(), fc.integer());
    case 'uint64':
      return fc.oneof(fc.maxSafeNat(), fc.nat());
    case 'string':
      return text;
  }
}
