/** Regular expressions of constraints, which people write in Java's dialect. */
import { err, ok, type Result } from '../../base/result.ts';

const INLINE_FLAGS = /^\(\?([imsu]+)\)/;

/**
 * The expression that matches a whole value as Java's would. Leading flags such as `(?i)`, possessive quantifiers and the
 * ends `\A`, `\z` and `\Z` are understood; what else JavaScript lacks is refused.
 */
export function compilePattern(pattern: string): Result<RegExp> {
  const flags = INLINE_FLAGS.exec(pattern)?.[1] ?? '';
  const body = pattern
    .replace(INLINE_FLAGS, '')
    .replace(/\\\\|\\A|\\[zZ]|(\\.|[*+?}])\+(?!\+)/g, (found: string, before?: string) => {
      if (found === '\\A') return '^';
      if (found === '\\z' || found === '\\Z') return '$';
      // A possessive quantifier only saves work: what it matches, a greedy one mostly matches too.
      return before !== undefined && /^[*+?}]$/.test(before) ? before : found;
    });
  try {
    return ok(new RegExp(`^(?:${body})$`, [...new Set(flags.replaceAll('u', ''))].join('')));
  } catch {
    return err(`'${pattern}' is not a regular expression`);
  }
}
