import { err, ok, type Result } from '../base/result.ts';

/** Whether the whole of a text matches. */
export type Pattern = (text: string) => boolean;

/** @param maxSize how long the expression may be */
export function compilePattern(source: string, maxSize: number): Result<Pattern> {
  if (source.length > maxSize) return err(`the expression '${source}' is too long`);
  try {
    const expression = new RegExp(`^(?:${source})$`, 'u');
    return ok((text) => expression.test(text));
  } catch (problem) {
    return err(`the expression '${source}' cannot be read: ${String(problem)}`);
  }
}
