/** What the generator knows of the protocol: messages, fields and enums, read from the descriptors and joined across versions. */

export interface EnumModel {
  /** Full protobuf name. */
  readonly name: string;
  /** Name in TypeScript: nested names are joined by `_`. */
  readonly ts: string;
  readonly module: string;
  readonly values: readonly { readonly name: string; readonly number: number; readonly v0?: string }[];
}

export type TypeModel =
  | { readonly kind: 'scalar'; readonly scalar: string }
  | { readonly kind: 'message'; readonly message: MessageModel }
  | { readonly kind: 'enum'; readonly enum: EnumModel };

export type DefaultModel = string | number | boolean;

export interface FieldModel {
  /** Name in memory: the v1 spelling. */
  readonly name: string;
  readonly number: number;
  readonly label: 'required' | 'optional' | 'repeated' | 'map';
  readonly type: TypeModel;
  readonly packed: boolean;
  /** proto3: a zero is not written. */
  readonly implicit: boolean;
  readonly default?: DefaultModel;
  readonly deprecated: boolean;
  readonly always: boolean;
  readonly oneof?: string;
  readonly v0?: string;
  readonly v0Default?: DefaultModel;
  readonly onlyV0?: boolean;
}

export interface MessageModel {
  /** What the .proto file says of it, or nothing. */
  readonly comment: string;
  readonly name: string;
  readonly ts: string;
  readonly module: string;
  /** In the order of the .proto file. */
  fields: FieldModel[];
  /** Its own JSON is that of version 0. */
  readonly dialect: 'v1' | 'v0';
}

export interface ModuleModel {
  readonly name: string;
  readonly enums: EnumModel[];
  readonly messages: MessageModel[];
}
