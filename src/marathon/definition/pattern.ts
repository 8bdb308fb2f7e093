/**
 * Regular expressions of constraints, which people write in Java's dialect. They are matched in linear time, whatever they
 * say: what that engine cannot do is refused when the definition is read.
 */
import { compilePattern as compile, type Pattern } from '../../base/pattern.ts';
import { err, ok, type Result } from '../../base/result.ts';

/** How many steps an expression may have: enough for a list of a thousand host names. */
const MAX_SIZE = 20_000;

/**
 * The test of a whole value, as Java would have it. Possessive quantifiers, `\Z`, `\uXXXX` and flags such as `(?iu)` are
 * translated; back references, look-around, and intersections and unions of classes are refused.
 */
export function compilePattern(pattern: string): Result<Pattern> {
  const translated = translate(pattern);
  if (!translated.ok) return translated;
  const compiled = compile(translated.value, MAX_SIZE);
  if (compiled.ok) return compiled;
  return err(compiled.error.replace(`the regular expression '${translated.value}' `, 'it '));
}

/** One piece after another: outside of classes, and inside. */
const PIECE =
  /\\Q.*?(?:\\E|$)|\\u[0-9a-fA-F]{4}|\\Z|\\.?|\(\?[a-zA-Z-]+[:)]|\[\^?\]?|(?:[*+?]|\{\d+(?:,\d*)?\})\+?|./gsy;
const CLASS_PIECE = /\\u[0-9a-fA-F]{4}|\\.?|\[:\^?\w+:\]|&&|./gsy;

/** From Java's spelling to RE2's. */
function translate(pattern: string): Result<string> {
  let translated = '';
  let inClass = false;
  for (let at = 0; at < pattern.length; ) {
    const reader: RegExp = inClass ? CLASS_PIECE : PIECE;
    reader.lastIndex = at;
    const piece: string = reader.exec(pattern)?.[0] ?? pattern[at]!;
    at += piece.length;
    if (inClass && (piece === '&&' || piece === '[')) {
      return err(
        `classes of characters cannot be combined: '${piece}' inside of [...]; escape it with \\ if it stands for itself`,
      );
    }
    if (inClass) inClass = piece !== ']';
    else inClass = piece.startsWith('[');
    translated += spelled(piece, inClass && !piece.startsWith('['));
  }
  return ok(translated);
}

function spelled(piece: string, inClass: boolean): string {
  if (/^\\u[0-9a-fA-F]{4}$/.test(piece)) return `\\x{${piece.slice(2)}}`;
  if (inClass) return piece;
  if (piece === '\\Z') return '\\z';
  // Flags about Unicode and line ends: nothing that is matched here depends on them.
  if (/^\(\?[a-zA-Z-]+[:)]$/.test(piece)) return piece.replace(/[udU]/g, '').replace(/^\(\?-?\)$/, '');
  // A possessive quantifier only saves work: what it matches, a greedy one mostly matches too.
  return piece.length > 1 && /^[*+?{]/.test(piece) && piece.endsWith('+') ? piece.slice(0, -1) : piece;
}
