import type { EnumType } from './enum.ts';
import type { MessageType } from './message.ts';

export type Scalar = 'bool' | 'bytes' | 'double' | 'int32' | 'int64' | 'string' | 'uint32' | 'uint64';
export type FieldType = Scalar | EnumType<string> | MessageType<object>;
export type Label = 'required' | 'optional' | 'repeated' | 'map';

/** What few fields have. */
export interface FieldOptions {
  /** The default that the .proto file states; readers apply it, JSON prints it where the field is absent. */
  readonly default?: string | number | boolean;
  readonly deprecated?: boolean;
  /** Version 0 calls the field so. */
  readonly v0?: string;
  /** Version 0 states this default, v1 none (or has no such field). */
  readonly v0Default?: string | number | boolean;
  /** A list that JSON shows even if it is empty: upstream prints the answers to its larger read calls so. */
  readonly always?: boolean;
  /** Fields with the same group exclude each other: the last one read stays. */
  readonly oneof?: string;
}

/** One field of a message: name in memory, number, label, type (for a map that of the values; all keys are strings), options. */
export type Field = readonly [name: string, number: number, label: Label, type: FieldType, options?: FieldOptions];

export function isMessage(type: FieldType): type is MessageType<object> {
  return typeof type === 'object' && 'fields' in type;
}
