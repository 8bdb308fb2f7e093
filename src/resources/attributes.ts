import { err, ok, type Result } from '../base/result.ts';
import type { Attribute } from '../wire/v1.ts';
import { equalRanges, formatRanges, rangesOf, rangesToWire } from './ranges.ts';
import { formatMilli, fromMilli, toMilli } from './scalars.ts';
import { equalItems, formatItems } from './sets.ts';
import { parseValue } from './value-text.ts';

/**
 * Reads what an `--attributes` flag says: `rack:r1;zone:eu;slots:[1-3];load:0.5`. Entries end at ';' or a line end; text may
 * contain ':', and loses its spaces.
 */
export function parseAttributes(text: string): Result<readonly Attribute[]> {
  const attributes: Attribute[] = [];
  for (const token of text.split(/[;\n]/).filter((part) => part.trim() !== '')) {
    const attribute = parseAttribute(token);
    if (!attribute.ok) return attribute;
    attributes.push(attribute.value);
  }
  return ok(attributes);
}

function parseAttribute(token: string): Result<Attribute> {
  const shown = token.trim();
  const colon = token.indexOf(':');
  const name = token.slice(0, Math.max(colon, 0)).trim();
  if (colon < 0 || name === '' || token.slice(colon + 1).trim() === '') {
    return err(
      `'${shown}' is not an attribute; write name:value, with ';' between attributes, such as rack:r1;zone:eu`,
    );
  }
  const parsed = parseValue(token.slice(colon + 1));
  if (!parsed.ok) return err(`the value of the attribute '${shown}' cannot be read: ${parsed.error}`);
  const { value } = parsed;
  switch (value.type) {
    case 'SCALAR':
      return ok({ name, type: 'SCALAR', scalar: { value: value.scalar } });
    case 'RANGES':
      return ok({ name, type: 'RANGES', ranges: { range: rangesToWire(value.ranges) } });
    case 'TEXT':
      return ok({ name, type: 'TEXT', text: { value: value.text } });
    case 'SET':
      return err(
        `the attribute '${shown}' is a set, which attributes cannot be; write text, a number or ranges such as [1-3], or ` +
          `one attribute for each item`,
      );
  }
}

/** The "attributes object" of the older endpoints; of attributes with the same name the last one counts. */
export function attributesSummary(attributes: readonly Attribute[]): Record<string, number | string> {
  const summary: Record<string, number | string> = {};
  for (const attribute of attributes) {
    summary[attribute.name] =
      attribute.type === 'SCALAR' ? fromMilli(toMilli(attribute.scalar?.value ?? 0)) : formatValue(attribute);
  }
  return summary;
}

/** `rack=r1` as upstream prints it. */
export function formatAttribute(attribute: Attribute): string {
  return `${attribute.name}=${formatValue(attribute)}`;
}

function formatValue({ type, scalar, ranges, set, text }: Attribute): string {
  switch (type) {
    case 'SCALAR':
      return formatMilli(toMilli(scalar?.value ?? 0));
    case 'RANGES':
      return formatRanges(rangesOf(ranges?.range ?? []));
    case 'SET':
      return formatItems(set?.item ?? []);
    case 'TEXT':
      return text?.value ?? '';
  }
}

/** Name, type and value; scalars to a thousandth. */
export function sameAttribute(a: Attribute, b: Attribute): boolean {
  if (a.name !== b.name || a.type !== b.type) return false;
  switch (a.type) {
    case 'SCALAR':
      return toMilli(a.scalar?.value ?? 0) === toMilli(b.scalar?.value ?? 0);
    case 'RANGES':
      return equalRanges(rangesOf(a.ranges?.range ?? []), rangesOf(b.ranges?.range ?? []));
    case 'SET':
      return equalItems(a.set?.item ?? [], b.set?.item ?? []);
    case 'TEXT':
      return (a.text?.value ?? '') === (b.text?.value ?? '');
  }
}

/** Whether every attribute of `wanted` is among `attributes`. */
export function containsAttributes(attributes: readonly Attribute[], wanted: readonly Attribute[]): boolean {
  return wanted.every((one) => attributes.some((attribute) => sameAttribute(attribute, one)));
}

/** Whether two lists have the same attributes, in whatever order. */
export function sameAttributes(a: readonly Attribute[], b: readonly Attribute[]): boolean {
  return a.length === b.length && containsAttributes(a, b) && containsAttributes(b, a);
}
