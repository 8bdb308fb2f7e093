import type { Names } from './emit.ts';
import type { FieldModel, MessageModel, TypeModel } from './model.ts';

/** Fields are written by number, as upstream writes them, so that equal messages have equal bytes. */
export function emitEncoder(message: MessageModel, names: Names): string {
  const fields = message.fields.toSorted((a, b) => a.number - b.number);
  return [
    `export function encode${message.ts}(m: ${message.ts}, w: Writer): void {`,
    ...fields.flatMap((field) => emitField(field, names)),
    '  if (m.$unknown !== undefined) w.unknown(m.$unknown);',
    '}',
    '',
  ].join('\n');
}

/** Field number and wire type in one. */
export function tagOf({ number, type }: Pick<FieldModel, 'number' | 'type'>): number {
  if (type.kind === 'message') return number * 8 + 2;
  if (type.kind === 'enum') return number * 8;
  if (type.scalar === 'double') return number * 8 + 1;
  return number * 8 + (type.scalar === 'string' || type.scalar === 'bytes' ? 2 : 0);
}

function emitField(field: FieldModel, names: Names): string[] {
  const held = `m.${field.name}`;
  switch (field.label) {
    case 'required':
      return [`  if (${held} === undefined) absent('${field.name}');`, `  ${write(field, held, names)}`];
    case 'optional': {
      const zero = field.implicit ? implicitZero(field.type) : '';
      return [`  if (${held} !== undefined${zero === '' ? '' : ` && ${held}${zero}`}) ${write(field, held, names)}`];
    }
    case 'repeated':
      if (field.packed) throw new Error(`${field.name}: the encoder writes no packed lists; none of upstream's is`);
      return [`  if (${held} !== undefined) for (const v of ${held}) ${write(field, 'v', names)}`];
    case 'map':
      return [
        `  if (${held} !== undefined) for (const k in ${held}) { const at = w.open(${field.number * 8 + 2}); w.string(10, k); ${write(
          { number: 2, type: field.type },
          `${held}[k]!`,
          names,
          'to',
        )} w.close(at); }`,
      ];
  }
}

function implicitZero(type: TypeModel): string {
  if (type.kind === 'message') return '';
  if (type.kind === 'enum') return ` !== '${type.enum.values.find(({ number }) => number === 0)?.name}'`;
  if (type.scalar === 'bytes') return '.length > 0';
  return type.scalar === 'string' ? " !== ''" : type.scalar === 'bool' ? ' !== false' : ' !== 0';
}

function write(field: Pick<FieldModel, 'number' | 'type'>, value: string, names: Names, at = 'at'): string {
  const { type } = field;
  const tag = tagOf(field);
  if (type.kind === 'message')
    return `{ const ${at} = w.open(${tag}); ${names.of(type.message, 'encode')}(${value}, w); w.close(${at}); }`;
  if (type.kind === 'enum') return `w.enum(${tag}, ${value}, ${names.of(type.enum)});`;
  return `w.${type.scalar === 'bytes' ? 'byteString' : type.scalar}(${tag}, ${value});`;
}
