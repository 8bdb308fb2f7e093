/**
 * Regular expressions of strangers, in RE2's syntax. They are matched in time linear in the text whatever they say (all
 * alternatives at once, as Thompson 1968 has it), so that no framework can stop a master with `(a+)+$`.
 */

import { type CharTest, type PatternNode, parsePattern } from './pattern-syntax.ts';
import { err, ok, type Result } from './result.ts';

/** Whether the whole of a text matches. */
export type Pattern = (text: string) => boolean;

/** `at` checks the place between two characters; `char` eats one; `fork` goes on at both. */
type Step =
  | { readonly op: 'char'; readonly test: CharTest; readonly next: number }
  | {
      readonly op: 'at';
      readonly test: (before: number | undefined, after: number | undefined) => boolean;
      readonly next: number;
    }
  | { readonly op: 'fork'; next: number; other: number }
  | { readonly op: 'match' };

/** @param maxSize how many steps the compiled expression may have */
export function compilePattern(source: string, maxSize: number): Result<Pattern> {
  const parsed = parsePattern(source);
  if (!parsed.ok) return err(`the regular expression '${source}' cannot be read: ${parsed.error}`);
  const program = new Program(maxSize);
  const start = program.emit(parsed.value, program.emitMatch());
  if (program.isTooLarge) {
    return err(`the regular expression '${source}' is too complex: it has more than ${maxSize} steps`);
  }
  return ok((text) => run(program.steps, start, text));
}

/** Built from the end: every step is given the one that follows it. */
class Program {
  readonly steps: Step[] = [];
  private readonly maxSize: number;

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  get isTooLarge(): boolean {
    return this.steps.length > this.maxSize;
  }

  emitMatch(): number {
    return this.push({ op: 'match' });
  }

  /** @returns where it begins */
  emit(node: PatternNode, next: number): number {
    if (this.isTooLarge) return next;
    switch (node.kind) {
      case 'char':
        return this.push({ op: 'char', test: node.test, next });
      case 'at':
        return this.push({ op: 'at', test: node.test, next });
      case 'sequence':
        return node.parts.reduceRight((following, part) => this.emit(part, following), next);
      case 'choice':
        return node.parts
          .map((part) => this.emit(part, next))
          .reduceRight((other, entry) => this.push({ op: 'fork', next: entry, other }));
      case 'repeat':
        return this.emitRepeat(node.part, node.min, node.max, next);
    }
  }

  private emitRepeat(part: PatternNode, min: number, max: number, next: number): number {
    let at = next;
    if (max === Infinity) {
      const fork: Step = { op: 'fork', next: 0, other: next };
      at = this.push(fork);
      fork.next = this.emit(part, at);
    } else {
      for (let i = min; i < max && !this.isTooLarge; i++) {
        at = this.push({ op: 'fork', next: this.emit(part, at), other: next });
      }
    }
    for (let i = 0; i < min && !this.isTooLarge; i++) at = this.emit(part, at);
    return at;
  }

  private push(step: Step): number {
    this.steps.push(step);
    return this.steps.length - 1;
  }
}

function run(steps: readonly Step[], start: number, text: string): boolean {
  const chars = Array.from(text, (char) => char.codePointAt(0)!);
  let waiting: number[] = [start];
  for (let at = 0; at <= chars.length; at++) {
    const eating = follow(steps, waiting, chars[at - 1], chars[at]);
    if (at === chars.length) return eating.some((step) => steps[step]!.op === 'match');
    waiting = [];
    for (const index of eating) {
      const step = steps[index]!;
      if (step.op === 'char' && step.test(chars[at]!)) waiting.push(step.next);
    }
    if (waiting.length === 0) return false;
  }
  return false;
}

/** The steps that eat a character or match, reached from some steps without eating; each once. */
function follow(
  steps: readonly Step[],
  from: readonly number[],
  before: number | undefined,
  after: number | undefined,
): number[] {
  const seen = new Set<number>();
  const found: number[] = [];
  const stack = [...from];
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const step = steps[index]!;
    if (step.op === 'fork') stack.push(step.other, step.next);
    else if (step.op !== 'at') found.push(index);
    else if (step.test(before, after)) stack.push(step.next);
  }
  return found;
}
