/** Whether a code point is one of those meant. */
export type CharTest = (code: number) => boolean;

export const ANY: CharTest = () => true;
export const ANY_BUT_NEWLINE: CharTest = (code) => code !== 10;

export function oneOf(code: number): CharTest {
  return (other) => other === code;
}

function ranges(...pairs: readonly (readonly [low: string, high: string])[]): CharTest {
  const bounds = pairs.map(([low, high]) => [low.codePointAt(0)!, high.codePointAt(0)!] as const);
  return (code) => bounds.some(([low, high]) => code >= low && code <= high);
}

const DIGIT = ranges(['0', '9']);
const LOWER = ranges(['a', 'z']);
const UPPER = ranges(['A', 'Z']);
const WORD = ranges(['0', '9'], ['A', 'Z'], ['a', 'z'], ['_', '_']);
const SPACE = ranges(['\t', '\n'], ['\f', '\r'], [' ', ' ']);

/** What stands at one side of a word's edge. */
export function isWord(code: number | undefined): boolean {
  return code !== undefined && WORD(code);
}

function not(test: CharTest): CharTest {
  return (code) => !test(code);
}

const ESCAPED_CLASSES: Readonly<Record<string, CharTest>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: SPACE,
  S: not(SPACE),
};

/** `\d` and its like; ASCII only, as in RE2. */
export function escapedClass(char: string): CharTest | undefined {
  return Object.hasOwn(ESCAPED_CLASSES, char) ? ESCAPED_CLASSES[char] : undefined;
}

const ESCAPED_CHARS: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11, '0': 0 };

/** The code point that a backslash and a character stand for: a control character, or punctuation itself. */
export function escapedChar(char: string): number | undefined {
  if (Object.hasOwn(ESCAPED_CHARS, char)) return ESCAPED_CHARS[char];
  const code = char.codePointAt(0)!;
  return code < 128 && !WORD(code) ? code : undefined;
}

const POSIX_CLASSES: Readonly<Record<string, CharTest>> = {
  '[:alnum:]': ranges(['0', '9'], ['A', 'Z'], ['a', 'z']),
  '[:alpha:]': ranges(['A', 'Z'], ['a', 'z']),
  '[:ascii:]': (code) => code < 128,
  '[:blank:]': ranges(['\t', '\t'], [' ', ' ']),
  '[:cntrl:]': (code) => code < 32 || code === 127,
  '[:digit:]': DIGIT,
  '[:graph:]': ranges(['!', '~']),
  '[:lower:]': LOWER,
  '[:print:]': ranges([' ', '~']),
  '[:punct:]': ranges(['!', '/'], [':', '@'], ['[', '`'], ['{', '~']),
  '[:space:]': ranges(['\t', '\r'], [' ', ' ']),
  '[:upper:]': UPPER,
  '[:word:]': WORD,
  '[:xdigit:]': ranges(['0', '9'], ['A', 'F'], ['a', 'f']),
};

/** `[:alpha:]`, or a Unicode general category or script: `Lu`, `Greek`. */
export function namedClass(name: string): CharTest | undefined {
  if (name.startsWith('[')) return Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
  if (!/^[A-Za-z_]+$/.test(name)) return undefined;
  for (const property of [`gc=${name}`, `sc=${name}`]) {
    try {
      const expression = new RegExp(`^\\p{${property}}$`, 'u');
      return (code) => expression.test(String.fromCodePoint(code));
    } catch {
      // Not a name of that kind.
    }
  }
  return undefined;
}
