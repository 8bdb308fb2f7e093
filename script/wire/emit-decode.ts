import type { Names } from './emit.ts';
import { tagOf } from './emit-encode.ts';
import type { FieldModel, MessageModel, TypeModel } from './model.ts';

/** A later occurrence of a nested message is merged into the former, as protobuf has it: hence `into`. */
export function emitDecoder(message: MessageModel, names: Names): string {
  const { ts, fields } = message;
  return [
    `export function decode${ts}(r: Reader, into?: ${ts}): ${ts} {`,
    `  const m = (into ?? ${blank(message)}) as Draft<${ts}>;`,
    // What `into` holds may be a list that others hold too.
    ...fields
      .filter(isPooledList)
      .map(({ name }) => `  if (into?.${name} !== undefined) m.${name} = [...into.${name}];`),
    '  let u: Unknown | undefined;',
    '  while (r.pos < r.end) {',
    '    const at = r.pos;',
    '    const tag = r.tag();',
    ...(fields.length === 0
      ? ['    u = r.skip(tag, u, at);']
      : [
          '    switch (tag) {',
          ...fields.flatMap((field) => emitCase(field, message, names)),
          '      default: u = r.skip(tag, u, at);',
          '    }',
        ]),
    '  }',
    ...fields
      .filter(({ label }) => label === 'required')
      .map(({ name }) => `  if (m.${name} === undefined) absent('${name}');`),
    ...fields
      .filter(isPooledList)
      .map(({ name }) => `  if (m.${name} !== undefined) m.${name} = r.sameList(m.${name});`),
    '  if (u !== undefined) m.$unknown = r.gather(u, m.$unknown);',
    `  return m as ${ts};`,
    '}',
    '',
  ].join('\n');
}

/** `{}` has room for four fields, most of which is wasted on the many small messages that have all of their one or two. */
function blank({ fields }: MessageModel): string {
  const isExact = fields.length > 0 && fields.length <= 2 && fields.every(({ label }) => label === 'required');
  return isExact ? `{ ${fields.map(({ name }) => `${name}: undefined`).join(', ')} }` : '{}';
}

function emitCase(field: FieldModel, message: MessageModel, names: Names): string[] {
  const held = `m.${field.name}`;
  const tag = tagOf(field);
  switch (field.label) {
    case 'required':
    case 'optional':
      return [`      case ${tag}: ${others(field, message)}${single(field, held, names)} break;`];
    case 'repeated':
      return [
        `      case ${tag}: ${push(field, held, names)} break;`,
        ...(isPackable(field.type)
          ? [
              `      case ${field.number * 8 + 2}: { const outer = r.open(); while (r.pos < r.end) { const at = r.pos; ${push(field, held, names)} } r.close(outer); break; }`,
            ]
          : []),
      ];
    case 'map':
      return [`      case ${field.number * 8 + 2}: { ${mapEntry(field, held, names)} break; }`];
  }
}

/** Of a oneof the last field stays. */
function others(field: FieldModel, message: MessageModel): string {
  if (field.oneof === undefined) return '';
  return message.fields
    .filter(({ oneof, name }) => oneof === field.oneof && name !== field.name)
    .map(({ name }) => `delete m.${name}; `)
    .join('');
}

function isPackable(type: TypeModel): boolean {
  return type.kind === 'enum' || (type.kind === 'scalar' && type.scalar !== 'string' && type.scalar !== 'bytes');
}

/** Messages of which large lists hold many equal ones: a reader with a pool makes each of them once. */
const POOLED: ReadonlySet<string> = new Set(
  ['AgentID', 'FrameworkID', 'FrameworkInfo', 'Labels', 'Resource'].map((name) => `mesos.v1.${name}`),
);

function isPooled(type: TypeModel): boolean {
  return type.kind === 'message' && POOLED.has(type.message.name);
}

function isPooledList({ label, type }: FieldModel): boolean {
  return label === 'repeated' && isPooled(type);
}

function single({ type }: FieldModel, held: string, names: Names): string {
  if (type.kind === 'message' && POOLED.has(type.message.name)) {
    return `${held} = r.pooled(${names.of(type.message, 'decode')}, ${held});`;
  }
  if (type.kind === 'message')
    return `{ const outer = r.open(); ${held} = ${names.of(type.message, 'decode')}(r, ${held}); r.close(outer); }`;
  if (type.kind === 'enum') {
    return `{ const v = r.enum(${names.of(type.enum)}); if (v === undefined) u = r.unknown(u, at); else ${held} = v; }`;
  }
  return `${held} = ${scalar(type.scalar)};`;
}

function push({ type }: FieldModel, held: string, names: Names): string {
  const list = `(${held} ??= [])`;
  if (type.kind === 'message' && POOLED.has(type.message.name)) {
    return `${list}.push(r.pooled(${names.of(type.message, 'decode')}));`;
  }
  if (type.kind === 'message')
    return `{ const outer = r.open(); ${list}.push(${names.of(type.message, 'decode')}(r)); r.close(outer); }`;
  if (type.kind === 'enum') {
    return `{ const v = r.enum(${names.of(type.enum)}); if (v === undefined) u = r.unknown(u, at); else ${list}.push(v); }`;
  }
  return `${list}.push(${scalar(type.scalar)});`;
}

/** An entry without a key has the empty one; without a value, an empty message or zero. */
function mapEntry({ type }: FieldModel, held: string, names: Names): string {
  const value = (): string => {
    if (type.kind === 'message')
      return `{ const inner = r.open(); value = ${names.of(type.message, 'decode')}(r, value); r.close(inner); }`;
    if (type.kind === 'enum') throw new Error(`${held}: maps of enums are not known`);
    return `value = ${scalar(type.scalar)};`;
  };
  const missing = type.kind === 'message' ? emptyMessage(type.message, names) : zero(type);
  return [
    `const outer = r.open(); let key = ''; let value: ${names.ts(type)} | undefined;`,
    'while (r.pos < r.end) { const start = r.pos; const inside = r.tag();',
    `if (inside === 10) key = r.string(); else if (inside === ${tagOf({ number: 2, type })}) ${value()} else r.skip(inside, undefined, start); }`,
    `${held} = putEntry(${held}, key, value ?? ${missing}); r.close(outer);`,
  ].join(' ');
}

/** Decoding of no bytes: an error where the message has required fields. */
function emptyMessage(message: MessageModel, names: Names): string {
  return `${names.of(message, 'decode')}(r)`;
}

function zero(type: TypeModel): string {
  if (type.kind !== 'scalar') return 'undefined';
  if (type.scalar === 'string') return "''";
  if (type.scalar === 'bool') return 'false';
  return type.scalar === 'bytes' ? 'new Uint8Array(0)' : '0';
}

function scalar(name: string): string {
  return name === 'bytes' ? 'r.byteString()' : `r.${name}()`;
}
