/** Shapes of stored records: enough to know that what reads them will find what it looks for. */

type Plain = 'text' | 'number' | 'flag' | 'any';
export type Shape =
  | Plain
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly oneOf: readonly (string | null)[] }
  | { readonly orNull: Shape }
  /** This word, or that shape. */
  | { readonly word: string; readonly or: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly optional?: Readonly<Record<string, Shape>> };

type Fields = Readonly<Record<string, unknown>>;

/** @returns where and how a value differs from its shape; undefined if it does not */
export function misfit(value: unknown, shape: Shape, path = ''): string | undefined {
  if (typeof shape === 'string') return plainMisfit(value, shape, path);
  if ('orNull' in shape) return value === null ? undefined : misfit(value, shape.orNull, path);
  if ('word' in shape) return value === shape.word ? undefined : misfit(value, shape.or, path);
  if ('oneOf' in shape) {
    if (shape.oneOf.includes(value as string)) return undefined;
    return wrong(path, `one of ${shape.oneOf.join(', ')}`, value);
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return wrong(path, 'a list', value);
    return first(value.keys(), (at) => misfit(value[at], shape.list, `${path}[${at}]`));
  }
  if (!isFields(value)) return wrong(path, 'an object', value);
  if ('map' in shape) return first(Object.keys(value), (name) => misfit(value[name], shape.map, inside(path, name)));
  return (
    first(Object.keys(shape.fields), (name) => misfit(value[name], shape.fields[name]!, inside(path, name))) ??
    first(Object.keys(shape.optional ?? {}), (name) =>
      value[name] === undefined ? undefined : misfit(value[name], shape.optional![name]!, inside(path, name)),
    )
  );
}

/** @returns where a value lacks something that its model has, or has it as something else */
export function unlike(value: unknown, model: unknown, path = ''): string | undefined {
  if (Array.isArray(model)) {
    if (!Array.isArray(value)) return wrong(path, 'a list', value);
    return first(model.keys(), (at) => unlike(value[at], model[at], `${path}[${at}]`));
  }
  if (isFields(model)) {
    if (!isFields(value)) return wrong(path, 'an object', value);
    return first(Object.keys(model), (name) =>
      model[name] === undefined ? undefined : unlike(value[name], model[name], inside(path, name)),
    );
  }
  return typeof value === typeof model ? undefined : wrong(path, `a ${typeof model}`, value);
}

function plainMisfit(value: unknown, shape: Plain, path: string): string | undefined {
  switch (shape) {
    case 'text':
      return typeof value === 'string' ? undefined : wrong(path, 'a text', value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : wrong(path, 'a number', value);
    case 'flag':
      return typeof value === 'boolean' ? undefined : wrong(path, 'true or false', value);
    case 'any':
      return undefined;
  }
}

function first<T>(items: Iterable<T>, look: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const inside = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function wrong(path: string, expected: string, value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  const seen = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return `${path === '' ? 'it' : `'${path}'`} must be ${expected}, and is ${seen}`;
}
