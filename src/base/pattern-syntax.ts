import {
  ANY,
  ANY_BUT_NEWLINE,
  type CharTest,
  escapedChar,
  escapedClass,
  isWord,
  namedClass,
  oneOf,
} from './pattern-chars.ts';
import { err, ok, type Result } from './result.ts';

export type { CharTest };

/** What is between two characters; undefined is the end of the text. */
export type PlaceTest = (before: number | undefined, after: number | undefined) => boolean;

export type PatternNode =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'at'; readonly test: PlaceTest }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly part: PatternNode;
      readonly min: number;
      readonly max: number;
      /** How many times its innermost part may be spelled out. */
      readonly copies: number;
    };

/** RE2's bounds, which keep small expressions from meaning huge ones. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;

const EMPTY: PatternNode = { kind: 'sequence', parts: [] };
const NEWLINE = 10;

/** Reads RE2's syntax; see https://github.com/google/re2/wiki/Syntax. There are no references and no look-around. */
export function parsePattern(source: string): Result<PatternNode> {
  const parser = new Parser(source);
  try {
    return ok(parser.parse());
  } catch (problem) {
    if (problem instanceof SyntaxProblem) return err(problem.message);
    throw problem;
  }
}

/** How a parser deep down says no; it never leaves this file. */
class SyntaxProblem extends Error {}

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

class Parser {
  private readonly chars: readonly string[];
  private at = 0;
  private depth = 0;
  private flags: Flags = { ignoreCase: false, multiline: false, dotAll: false };

  constructor(source: string) {
    this.chars = Array.from(source);
  }

  parse(): PatternNode {
    const node = this.choice();
    if (this.at < this.chars.length) throw new SyntaxProblem("a ')' has no '('");
    return node;
  }

  private choice(): PatternNode {
    const parts = [this.sequence()];
    while (this.skip('|')) parts.push(this.sequence());
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.at < this.chars.length && this.peek() !== '|' && this.peek() !== ')') {
      const atoms = this.skip('\\Q') ? this.quoted() : [this.atom()];
      const last = atoms.pop();
      parts.push(...atoms);
      if (last !== undefined) parts.push(this.repeated(last));
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  }

  private quoted(): PatternNode[] {
    const parts: PatternNode[] = [];
    while (this.at < this.chars.length && !this.skip('\\E')) parts.push(this.literal(this.take()));
    return parts;
  }

  private atom(): PatternNode {
    const char = this.take();
    switch (char) {
      case '(':
        return this.group();
      case '[':
        return this.charNode(this.charClass());
      case '.':
        return { kind: 'char', test: this.flags.dotAll ? ANY : ANY_BUT_NEWLINE };
      case '^':
        return this.place(this.flags.multiline ? (before) => before === undefined || before === NEWLINE : atStart);
      case '$':
        return this.place(this.flags.multiline ? (_, after) => after === undefined || after === NEWLINE : atEnd);
      case '\\':
        return this.escaped();
      case '*':
      case '+':
      case '?':
        throw new SyntaxProblem(`'${char}' has nothing to repeat`);
      default:
        return this.literal(char);
    }
  }

  private group(): PatternNode {
    if (++this.depth > MAX_DEPTH) throw new SyntaxProblem(`groups are nested more than ${MAX_DEPTH} deep`);
    const outer = this.flags;
    if (this.skip('?') && this.groupKind() === 'flags') {
      this.depth--;
      return EMPTY;
    }
    const node = this.choice();
    if (!this.skip(')')) throw new SyntaxProblem("a '(' has no ')'");
    this.flags = outer;
    this.depth--;
    return node;
  }

  /** After `(?`: reads up to the body of a group, or, for `(?i)`, to its end. */
  private groupKind(): 'group' | 'flags' {
    if (this.skip('P<') || (this.peek() === '<' && !['=', '!'].includes(this.chars[this.at + 1] ?? ''))) {
      this.skip('<');
      let name = '';
      while (this.at < this.chars.length && this.peek() !== '>') name += this.take();
      if (!this.skip('>') || !/^\w+$/.test(name)) throw new SyntaxProblem('a group has a bad name');
      return 'group';
    }
    let on = true;
    while (this.at < this.chars.length) {
      const char = this.take();
      if (char === ':') return 'group';
      if (char === ')') return 'flags';
      if (char === '-' && on) on = false;
      else if (char === 'i') this.flags = { ...this.flags, ignoreCase: on };
      else if (char === 'm') this.flags = { ...this.flags, multiline: on };
      else if (char === 's') this.flags = { ...this.flags, dotAll: on };
      // Greedy or not makes no difference to whether the whole text matches.
      else if (char !== 'U') break;
    }
    throw new SyntaxProblem('a group begins with (? and is none that RE2 knows; there is no look-around');
  }

  private repeated(node: PatternNode): PatternNode {
    const bounds = this.bounds();
    if (bounds === undefined) return node;
    const [min, max] = bounds;
    // Lazy or not makes no difference to whether the whole text matches.
    this.skip('?');
    if (this.bounds() !== undefined) throw new SyntaxProblem('one repetition follows another');
    const copies = Math.max(1, min, max === Infinity ? 1 : max) * copiesOf(node);
    if (copies > MAX_REPEAT) throw new SyntaxProblem(`something is repeated more than ${MAX_REPEAT} times`);
    return { kind: 'repeat', part: node, min, max, copies };
  }

  private bounds(): [min: number, max: number] | undefined {
    if (this.skip('*')) return [0, Infinity];
    if (this.skip('+')) return [1, Infinity];
    if (this.skip('?')) return [0, 1];
    if (this.peek() !== '{') return undefined;
    const counted = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(this.chars.slice(this.at, this.at + 14).join(''));
    if (counted === null) return undefined;
    this.at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === '' ? Infinity : Number(counted[3]);
    if (min > max || min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) {
      throw new SyntaxProblem(`${counted[0]} is not a count from 0 to ${MAX_REPEAT}`);
    }
    return [min, max];
  }

  private escaped(): PatternNode {
    const char = this.take();
    switch (char) {
      case 'A':
        return this.place(atStart);
      case 'z':
        return this.place(atEnd);
      case 'b':
        return this.place((before, after) => isWord(before) !== isWord(after));
      case 'B':
        return this.place((before, after) => isWord(before) === isWord(after));
      default:
        return this.charNode(this.escape(char));
    }
  }

  /** The part of a class or an atom after a backslash. */
  private escape(char: string): CharTest {
    const known = escapedClass(char);
    if (known !== undefined) return known;
    if (char === 'p' || char === 'P') return this.unicodeClass(char === 'P');
    return oneOf(this.codePoint(char));
  }

  /** The character that an escape stands for. */
  private codePoint(char: string): number {
    const hex = /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(this.chars.slice(this.at, this.at + 8).join(''));
    if (char === 'x' && hex !== null) {
      this.at += hex[0].length;
      return Number.parseInt((hex[1] ?? hex[2])!, 16);
    }
    const code = escapedChar(char);
    if (code === undefined) throw new SyntaxProblem(`\\${char} means nothing`);
    return code;
  }

  private unicodeClass(negated: boolean): CharTest {
    let name = this.take();
    if (name === '{') {
      name = '';
      while (this.at < this.chars.length && this.peek() !== '}') name += this.take();
      if (!this.skip('}')) throw new SyntaxProblem("a '{' has no '}'");
    }
    const found = namedClass(name.replace(/^\^/, ''));
    if (found === undefined) throw new SyntaxProblem(`\\p{${name}} is no class of characters`);
    return name.startsWith('^') !== negated ? (code) => !found(code) : found;
  }

  /** After `[`. */
  private charClass(): CharTest {
    const negated = this.skip('^');
    const tests: CharTest[] = [];
    for (let first = true; first || this.peek() !== ']'; first = false) {
      if (this.at >= this.chars.length) throw new SyntaxProblem("a '[' has no ']'");
      tests.push(this.classItem());
    }
    this.skip(']');
    const test: CharTest = (code) => tests.some((one) => one(code));
    const cased = this.flags.ignoreCase ? ignoringCase(test) : test;
    return negated ? (code) => !cased(code) : cased;
  }

  private classItem(): CharTest {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.chars.slice(this.at, this.at + 12).join(''));
    if (posix !== null) {
      const found = namedClass(`[:${posix[2]}:]`);
      if (found === undefined) throw new SyntaxProblem(`${posix[0]} is no class of characters`);
      this.at += posix[0].length;
      return posix[1] === '^' ? (code) => !found(code) : found;
    }
    const char = this.take();
    if (char === '\\' && (escapedClass(this.peek() ?? '') !== undefined || /^p$/i.test(this.peek() ?? ''))) {
      return this.escape(this.take());
    }
    const low = this.classChar(char);
    if (this.peek() !== '-' || [undefined, ']'].includes(this.chars[this.at + 1])) return oneOf(low);
    this.at++;
    const high = this.classChar(this.take());
    if (high < low) throw new SyntaxProblem('a range of characters ends before it begins');
    return (code) => code >= low && code <= high;
  }

  private classChar(char: string): number {
    return char === '\\' ? this.codePoint(this.take()) : char.codePointAt(0)!;
  }

  private literal(char: string): PatternNode {
    return this.charNode(oneOf(char.codePointAt(0)!));
  }

  private charNode(test: CharTest): PatternNode {
    return { kind: 'char', test: this.flags.ignoreCase ? ignoringCase(test) : test };
  }

  private place(test: PlaceTest): PatternNode {
    return { kind: 'at', test };
  }

  private peek(): string | undefined {
    return this.chars[this.at];
  }

  private take(): string {
    const char = this.chars[this.at++];
    if (char === undefined) throw new SyntaxProblem('it ends too early');
    return char;
  }

  private skip(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.chars[this.at + i] !== text[i]) return false;
    this.at += text.length;
    return true;
  }
}

const atStart: PlaceTest = (before) => before === undefined;
const atEnd: PlaceTest = (_, after) => after === undefined;

function copiesOf(node: PatternNode): number {
  switch (node.kind) {
    case 'repeat':
      return node.copies;
    case 'sequence':
    case 'choice':
      return node.parts.reduce((most, part) => Math.max(most, copiesOf(part)), 1);
    default:
      return 1;
  }
}

function ignoringCase(test: CharTest): CharTest {
  return (code) => {
    if (test(code)) return true;
    const char = String.fromCodePoint(code);
    const lower = char.toLowerCase();
    const upper = char.toUpperCase();
    return [lower, upper].some((other) => other !== char && test(other.codePointAt(0)!));
  };
}
