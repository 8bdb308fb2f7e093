import { err, ok, type Result } from './result.ts';

const UNITS: readonly (readonly [string, number])[] = [
  ['TB', 1024 ** 4],
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
  ['B', 1],
];

/** Reads `2GB`, `10MB`, `512B` (upstream's stout Bytes: whole numbers, binary multiples). @returns bytes */
export function parseBytes(text: string): Result<number> {
  const match = /^(\d+)(TB|GB|MB|KB|B)$/.exec(text.trim());
  const unit = match && UNITS.find(([name]) => name === match[2]);
  if (!match || !unit) return err(`'${text}' is not a size: write a whole number and B, KB, MB, GB or TB, as in 2GB`);
  const bytes = Number(match[1]) * unit[1];
  if (!Number.isSafeInteger(bytes)) return err(`'${text}' is out of range: sizes are at most 9007199254740991B`);
  return ok(bytes);
}

/** Writes a size in the largest unit in which it is a whole number. @param bytes a non-negative integer */
export function formatBytes(bytes: number): string {
  const unit = UNITS.find(([, size]) => bytes !== 0 && bytes % size === 0);
  return unit ? `${bytes / unit[1]}${unit[0]}` : `${bytes}B`;
}

/** How many bytes a text takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
