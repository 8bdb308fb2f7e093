/** Follows what a container writes: its output lies in two files, which also are the buffer for those who read slowly. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Between looks at files that had nothing new, in ms. */
const PAUSE = 50;
const PIECE = 64 * 1024;
/** What a user may have put in the place of the files must neither lead elsewhere nor block. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export type OutputType = 'STDOUT' | 'STDERR';

export interface TailOptions {
  /** The sandbox with the files `stdout` and `stderr`. */
  readonly folder: string;
  /** Where to begin: everything, or what comes from now on. */
  readonly from: 'start' | 'end';
  /** Whether there is room for more. */
  readonly hasRoom: () => boolean;
  readonly data: (type: OutputType, bytes: Uint8Array) => void;
  /** Everything was read, or it was stopped. */
  readonly ended: () => void;
}

interface Followed {
  readonly type: OutputType;
  readonly path: string;
  file: FileHandle | undefined;
  position: number;
}

export class OutputTail {
  readonly #options: TailOptions;
  readonly #files: readonly Followed[];
  #isOver = false;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#files = (['STDOUT', 'STDERR'] as const).map((type) => {
      return { type, path: `${options.folder}/${type.toLowerCase()}`, file: undefined, position: 0 };
    });
    this.#run().finally(() => options.ended());
  }

  /** The container is over: what is left is read, and that is the end. */
  finish(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Nobody reads any more. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    try {
      for (const one of this.#files) await this.#open(one, this.#options.from === 'end');
      while (!this.#isStopped) {
        const isLast = this.#isOver;
        const isFull = !this.#options.hasRoom();
        const found = isFull ? false : await this.#look();
        if (isLast && !found && !isFull) return;
        if (!found) await this.#pause();
      }
    } finally {
      for (const { file } of this.#files) await file?.close().catch(() => undefined);
    }
  }

  async #open(one: Followed, atEnd: boolean): Promise<void> {
    try {
      const file = await open(one.path, READ);
      const stat = await file.stat();
      if (!stat.isFile()) {
        await file.close();
        return;
      }
      one.file = file;
      if (atEnd) one.position = stat.size;
    } catch {
      // Not there yet, or nothing that could be read: the next look tries again.
    }
  }

  /** @returns whether there was anything new */
  async #look(): Promise<boolean> {
    let found = false;
    for (const one of this.#files) {
      if (one.file === undefined) await this.#open(one, false);
      const { bytesRead, buffer } = (await one.file?.read(Buffer.allocUnsafe(PIECE), 0, PIECE, one.position)) ?? {
        bytesRead: 0,
        buffer: Buffer.alloc(0),
      };
      one.position += bytesRead;
      if (bytesRead === 0 || this.#isStopped) continue;
      found = true;
      this.#options.data(one.type, buffer.subarray(0, bytesRead));
    }
    return found;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PAUSE);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
