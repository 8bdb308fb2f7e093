/** A set of words in the order in which they came; no word twice. Order shows in print only, never in comparisons. */
export type Items = readonly string[];

/** Below this a scan beats building a hash set. */
const SMALL = 8;

function has(items: Items): (item: string) => boolean {
  if (items.length <= SMALL) return (item) => items.includes(item);
  const set = new Set(items);
  return (item) => set.has(item);
}

export function itemsOf(list: readonly string[]): Items {
  return [...new Set(list)];
}

export function unionItems(a: Items, b: Items): Items {
  const inA = has(a);
  const added = b.filter((item) => !inA(item));
  return added.length === 0 ? a : [...a, ...added];
}

export function subtractItems(a: Items, b: Items): Items {
  const inB = has(b);
  return a.filter((item) => !inB(item));
}

export function containsItems(a: Items, b: Items): boolean {
  return b.length <= a.length && b.every(has(a));
}

export function equalItems(a: Items, b: Items): boolean {
  return a === b || (a.length === b.length && containsItems(a, b));
}

/** `{a, b}` */
export function formatItems(items: Items): string {
  return `{${items.join(', ')}}`;
}
