import { err, ok, type Result } from '../base/result.ts';
import { toBase64 } from './base64.ts';
import { MAX_DEPTH, WireFault } from './fault.ts';
import { describe, readScalar } from './json-scalar.ts';
import {
  type Field,
  type FieldType,
  isMessage,
  type JsonObject,
  type JsonValue,
  type MessageType,
  type Scalar,
} from './message-type.ts';

/** `v1`, or `v0` with its own spelling of fields and enum values. */
export type Dialect = 'v1' | 'v0';

type Shape = { [key: string]: unknown };

/** How one message looks in one dialect, made from its fields on first use. */
interface Plan {
  /** From the name in memory to the field and its name in JSON. */
  readonly out: ReadonlyMap<string, { readonly field: Field; readonly as: string }>;
  /** From the name in JSON. */
  readonly in: ReadonlyMap<string, Field>;
  readonly required: readonly Field[];
  /** What is printed where the field is absent. */
  readonly defaults: readonly (readonly [name: string, as: string, value: JsonValue])[];
}

const plans = { v1: new WeakMap<object, Plan>(), v0: new WeakMap<object, Plan>() };

function planOf(type: MessageType<object>, dialect: Dialect): Plan {
  let plan = plans[dialect].get(type);
  if (plan === undefined) {
    plan = makePlan(type, dialect);
    plans[dialect].set(type, plan);
  }
  return plan;
}

function makePlan(type: MessageType<object>, dialect: Dialect): Plan {
  const v0 = dialect === 'v0';
  const named = type.fields.map((field) => ({ field, as: (v0 ? field[4]?.v0 : undefined) ?? field[0] }));
  const defaults = named.flatMap(
    ({ field: [name, , label, , options], as }): (readonly [string, string, JsonValue])[] => {
      if (options?.always) return [[name, as, []]];
      const value = (v0 ? options?.v0Default : undefined) ?? options?.default;
      // A required field is never absent, and upstream prints no default of a deprecated one.
      return value === undefined || label !== 'optional' || options?.deprecated ? [] : [[name, as, value] as const];
    },
  );
  return {
    out: new Map(named.map((entry) => [entry.field[0], entry])),
    in: new Map(named.map(({ field, as }) => [as, field])),
    required: type.fields.filter(([, , label]) => label === 'required'),
    defaults,
  };
}

export function toJson(type: MessageType<object>, message: object, dialect: Dialect): JsonObject {
  const plan = planOf(type, dialect);
  const from = message as Shape;
  const json: { [key: string]: JsonValue } = {};
  for (const key in from) {
    const value = from[key];
    const entry = value === undefined ? undefined : plan.out.get(key);
    if (entry === undefined) continue;
    const [, , label, fieldType] = entry.field;
    if (label === 'repeated') {
      const list = value as readonly unknown[];
      if (list.length > 0) json[entry.as] = list.map((element) => valueToJson(fieldType, element, dialect));
    } else if (label === 'map') {
      const map = mapToJson(fieldType, value as Shape, dialect);
      if (map !== undefined) json[entry.as] = map;
    } else {
      json[entry.as] = valueToJson(fieldType, value, dialect);
    }
  }
  for (const [, as, value] of plan.defaults) if (json[as] === undefined) json[as] = value;
  return json;
}

function valueToJson(type: FieldType, value: unknown, dialect: Dialect): JsonValue {
  if (typeof type === 'string') return scalarToJson(type, value as Uint8Array | string | number | boolean);
  if (isMessage(type)) return toJson(type, value as object, dialect);
  return dialect === 'v0' ? type.toV0(value as string) : (value as string);
}

/** JSON has no infinite numbers: they are written as the strings that are read as such. */
function scalarToJson(type: Scalar, value: Uint8Array | string | number | boolean): JsonValue {
  if (type === 'bytes') return toBase64(value as Uint8Array);
  return value === Infinity || value === -Infinity ? String(value) : (value as string | number | boolean);
}

function mapToJson(type: FieldType, map: Shape, dialect: Dialect): JsonObject | undefined {
  const entries = Object.entries(map);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([key, value]) => [key, valueToJson(type, value, dialect)]));
}

export function fromJson(type: MessageType<object>, value: unknown, dialect: Dialect): Result<object> {
  const parser = new Parser(dialect);
  try {
    return ok(parser.message(type, value));
  } catch (fault) {
    if (!(fault instanceof WireFault)) throw fault;
    const path = [...parser.path, ...(fault.field === undefined ? [] : [`.${fault.field}`])]
      .join('')
      .replace(/^\./, '');
    return err(`${type.name}: ${path === '' ? '' : `${path}: `}${fault.what}`);
  }
}

/** Reads JSON into one message; where it stopped, `path` says where it was. */
class Parser {
  readonly path: string[] = [];
  readonly #dialect: Dialect;
  #depth = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  message(type: MessageType<object>, value: unknown): object {
    if (!isObject(value)) throw new WireFault(`a JSON object belongs here (${type.name}), not ${describe(value)}`);
    if (++this.#depth > MAX_DEPTH) throw new WireFault(`messages are nested more than ${MAX_DEPTH} deep`);
    const plan = planOf(type, this.#dialect);
    const message: Shape = {};
    for (const key in value) {
      const field = plan.in.get(key);
      const found = value[key];
      if (field === undefined || found === null || found === undefined) continue;
      this.path.push(`.${key}`);
      this.#field(type, field, found, message);
      this.path.pop();
    }
    for (const [name, , , , options] of plan.required) {
      if (message[name] !== undefined) continue;
      throw new WireFault('is required, but missing', (this.#dialect === 'v0' ? options?.v0 : undefined) ?? name);
    }
    this.#depth--;
    return message;
  }

  #field(type: MessageType<object>, field: Field, value: unknown, message: Shape): void {
    const [name, , label, fieldType, options] = field;
    if (label === 'repeated') {
      const list: unknown[] = [];
      this.#elements(fieldType, value, list, 0);
      if (list.length > 0) message[name] = list;
      return;
    }
    const read = label === 'map' ? this.#map(fieldType, value) : this.#value(fieldType, value, label === 'required');
    if (read === undefined) return;
    if (options?.oneof !== undefined) {
      for (const other of type.fields) if (other[4]?.oneof === options.oneof) delete message[other[0]];
    }
    message[name] = read;
  }

  /** A list, or what stands for a list of one; null stands for no element. Lists within lists are one list to upstream. */
  #elements(type: FieldType, value: unknown, into: unknown[], depth: number): void {
    if (value === null) return;
    if (!Array.isArray(value)) {
      const read = this.#value(type, value, false);
      if (read !== undefined) into.push(read);
      return;
    }
    if (depth > MAX_DEPTH) throw new WireFault(`lists are nested more than ${MAX_DEPTH} deep`);
    for (let i = 0; i < value.length; i++) {
      this.path.push(`[${i}]`);
      this.#elements(type, value[i], into, depth + 1);
      this.path.pop();
    }
  }

  #map(type: FieldType, value: unknown): Shape | undefined {
    if (!isObject(value)) throw new WireFault(`a JSON object belongs here, not ${describe(value)}`);
    const entries: [string, unknown][] = [];
    for (const key of Object.keys(value)) {
      if (value[key] === null) continue;
      this.path.push(`[${JSON.stringify(key)}]`);
      const read = this.#value(type, value[key], false);
      if (read !== undefined) entries.push([key, read]);
      this.path.pop();
    }
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  /** undefined stands for a name that an enum does not have: the field is then as if absent, as proto2 has it. */
  #value(type: FieldType, value: unknown, required: boolean): unknown {
    if (typeof type === 'string') return readScalar(type, value);
    if (isMessage(type)) return this.message(type, value);
    if (typeof value !== 'string') throw new WireFault(`a name of ${type.name} belongs here, not ${describe(value)}`);
    const read = this.#dialect === 'v0' ? type.fromV0(value) : type.has(value) ? value : undefined;
    if (read === undefined && required) {
      throw new WireFault(`'${value}' is not one of ${type.name}: ${type.values.join(', ')}`);
    }
    return read;
  }
}

function isObject(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
