import type { Millis } from '../base/machine.ts';

/** How many lines a failure shows. */
const SHOWN = 40;

/** Left out of the transcript: long, and told by what is kept. */
const SILENT: ReadonlySet<string> = new Set([
  'resources',
  'framework',
  'framework_info',
  'frameworks',
  'executor',
  'executor_infos',
  'command',
  'environment',
  'container_status',
  'agent_capabilities',
  'completed_frameworks',
  'master_info',
  'statuses',
  'attributes',
]);

/** What happened, line by line: kept as a hash and the last few lines; the rest goes to `sink`, if there is one. */
export class Transcript {
  lines = 0;
  private readonly last: string[] = [];
  private readonly sink: ((line: string) => void) | undefined;
  private a = 0x811c9dc5;
  private b = 0x01000193;

  constructor(sink?: (line: string) => void) {
    this.sink = sink;
  }

  say(now: Millis, who: string, what: string): void {
    const line = `${now.toFixed(3)} ${who} ${what}`;
    this.lines++;
    this.mix(line);
    this.last[this.lines % SHOWN] = line;
    this.sink?.(line);
  }

  /** Of all lines so far: two runs with the same hash were the same, byte for byte. */
  get hash(): string {
    return [this.a, this.b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /** The last lines, oldest first. */
  tail(): string[] {
    const start = this.lines + 1;
    return Array.from({ length: SHOWN }, (_, i) => this.last[(start + i) % SHOWN]).filter((line) => line !== undefined);
  }

  /** Fowler, Noll and Vo's hash (FNV-1a) over UTF-16 units, in two lanes. */
  private mix(line: string): void {
    let { a, b } = this;
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b ^ (unit + i), 0x5bd1e995);
      b ^= b >>> 15;
    }
    this.a = Math.imul(a ^ 10, 0x01000193);
    this.b = Math.imul(b ^ 10, 0x5bd1e995);
  }
}

/** A message in few words: ids without their wrapping, bytes in hexadecimal, bulky parts left out. */
export function brief(message: unknown): string {
  return JSON.stringify(message, (key, value: unknown) => {
    if (SILENT.has(key)) return undefined;
    if (value instanceof Uint8Array) return hex(value);
    if (typeof value === 'object' && value !== null && 'value' in value && key !== '') {
      const inner = value.value;
      return inner instanceof Uint8Array ? hex(inner) : inner;
    }
    return value;
  });
}

/** The first bytes, which tell one uuid from another well enough for a reader. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, 6)) text += byte.toString(16).padStart(2, '0');
  return text;
}
