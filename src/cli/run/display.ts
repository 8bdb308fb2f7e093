import type { TaskStatus } from '../../wire/v1.ts';
import { describeStatus, isTerminal } from './outcome.ts';

/** Where a run shows itself: the task's own output on stdout and stderr, everything about it on stderr. */
export interface Terminal {
  readonly out: (bytes: Uint8Array | string) => void;
  readonly error: (bytes: Uint8Array | string) => void;
  /** Whether stderr is a terminal, where a line can be drawn over. */
  readonly live: boolean;
}

const NEWLINE = 0x0a;

/** Puts a label before each line, holding back a line until it is complete, so that lines of tasks do not mix. */
export function labelled(
  label: string,
  write: (bytes: Uint8Array | string) => void,
): { write(bytes: Uint8Array): void; end(): void } {
  let held = Buffer.alloc(0);
  return {
    write(bytes) {
      held = Buffer.concat([held, bytes]);
      for (let at = held.indexOf(NEWLINE); at >= 0; at = held.indexOf(NEWLINE)) {
        write(Buffer.concat([Buffer.from(label), held.subarray(0, at + 1)]));
        held = held.subarray(at + 1);
      }
    },
    end() {
      if (held.length > 0) write(Buffer.concat([Buffer.from(label), held, Buffer.from('\n')]));
      held = Buffer.alloc(0);
    },
  };
}

/** Counts what the instances of a run are doing: one line that is drawn over on a terminal, a line per end elsewhere. */
export class Progress {
  private readonly terminal: Terminal;
  private readonly total: number;
  private readonly states = new Map<string, TaskStatus>();
  private drawn = false;

  constructor(terminal: Terminal, total: number) {
    this.terminal = terminal;
    this.total = total;
  }

  update(label: string, status: TaskStatus): void {
    this.states.set(label, status);
    if (this.total === 1) return;
    if (this.terminal.live) this.draw();
    else if (isTerminal(status.state)) this.say(`${label}: ${describeStatus(status)}; ${this.summary()}`);
  }

  /** A remark for the person, on a line of its own. */
  say(text: string): void {
    this.clear();
    this.terminal.error(`meseta: ${text}\n`);
    if (this.terminal.live && this.total > 1) this.draw();
  }

  /** Removes the live line before something else is written. */
  clear(): void {
    if (this.drawn) this.terminal.error('\r\u001b[K');
    this.drawn = false;
  }

  summary(): string {
    const counts = new Map<string, number>();
    for (const { state } of this.states.values()) {
      const word = state.replace('TASK_', '').toLowerCase();
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const waiting = this.total - this.states.size;
    const parts = [...counts].map(([word, count]) => `${count} ${word}`);
    if (waiting > 0) parts.unshift(`${waiting} waiting`);
    return `${parts.join(', ')} of ${this.total}`;
  }

  private draw(): void {
    this.clear();
    this.terminal.error(this.summary());
    this.drawn = true;
  }
}
