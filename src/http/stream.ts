import type { ServerResponse } from 'node:http';
import { deliver } from './deliver.ts';

/** How a stream of records begins. */
export interface StreamOptions {
  /** `application/json`, `application/x-protobuf`, or `application/recordio` for the agent's process streams. */
  readonly contentType: string;
  /** Lower-case names, for example `mesos-stream-id`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes that may wait for a reader who does not read; beyond them it is disconnected. Default 16 MiB. */
  readonly maxQueuedBytes?: number;
}

/** Why a stream ended. */
export type StreamEnd = 'closed by us' | 'closed by the client' | 'reader too slow';

/** An open answer to which records are added one by one. */
export interface RecordStream {
  /** Adds bytes that are already framed as a record (`encodeRecord`); one buffer may be given to many streams. */
  write(record: Uint8Array): void;
  /**
   * Keeps a place for bytes that are still being made and may be many. What is written meanwhile waits behind it, within the
   * same bound as ever.
   * @returns what fills the place; the bytes go out as fast as they are read, and do not count as queued
   */
  reserve(): (pieces: readonly Uint8Array[]) => void;
  /** Calls back, never at once, when the kernel has taken what was written, or when the stream has ended. */
  whenRead(callback: () => void): void;
  /** Ends the answer after what was written. What waits behind a reserved place is dropped. */
  close(): void;
  /** Calls back once, at once if it has ended already. */
  onClose(callback: (end: StreamEnd) => void): void;
  /** Bytes written that the kernel has not taken yet. */
  readonly queuedBytes: number;
  readonly closed: boolean;
}

/** What may wait for a reader, unless the stream says otherwise. */
const DEFAULT_MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** Sends the head at once (clients wait for it before the first record), and returns the stream. */
export function openRecordStream(response: ServerResponse, options: StreamOptions): RecordStream {
  response.writeHead(200, { 'content-type': options.contentType, ...options.headers });
  response.flushHeaders();
  return new ChunkedStream(response, options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES);
}

class ChunkedStream implements RecordStream {
  private readonly response: ServerResponse;
  private readonly maxQueuedBytes: number;
  private readonly callbacks: ((end: StreamEnd) => void)[] = [];
  private readonly waiting: (() => void)[] = [];
  private end: StreamEnd | undefined;
  /** Bytes of this turn of the event loop: they leave together as one chunk. */
  private corkedBytes = 0;
  /** What waits behind a reserved place. */
  private held: Uint8Array[] | undefined;
  private heldBytes = 0;

  constructor(response: ServerResponse, maxQueuedBytes: number) {
    this.response = response;
    this.maxQueuedBytes = maxQueuedBytes;
    response.on('error', () => {});
    response.on('drain', () => this.tellWaiting());
    response.once('close', () => this.finish('closed by the client'));
    if (response.destroyed) this.finish('closed by the client');
  }

  get closed(): boolean {
    return this.end !== undefined;
  }

  get queuedBytes(): number {
    return this.held === undefined ? this.response.writableLength + this.corkedBytes : this.heldBytes;
  }

  write(record: Uint8Array): void {
    const { response } = this;
    if (this.end !== undefined || record.length === 0) return;
    if (this.held !== undefined) {
      this.hold(record);
      return;
    }
    if (this.corkedBytes === 0) {
      response.cork();
      process.nextTick(() => this.uncork());
    }
    this.corkedBytes += record.length;
    response.write(record);
    if (this.queuedBytes > this.maxQueuedBytes) this.drop();
  }

  reserve(): (pieces: readonly Uint8Array[]) => void {
    this.held ??= [];
    return (pieces) => {
      if (this.end !== undefined) return;
      this.uncork();
      deliver(this.response, pieces, (whole) => {
        if (whole) this.release();
        else this.finish('reader too slow');
      });
    };
  }

  private hold(record: Uint8Array): void {
    this.held?.push(record);
    this.heldBytes += record.length;
    if (this.heldBytes > this.maxQueuedBytes) this.drop();
  }

  /** The reserved place is filled: what waited behind it follows. */
  private release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    this.heldBytes = 0;
    for (const record of held) this.write(record);
  }

  private drop(): void {
    this.finish('reader too slow');
    this.response.destroy();
  }

  close(): void {
    if (this.end !== undefined) return;
    this.finish('closed by us');
    // Node would write the end of the answer in front of what is still held back.
    this.uncork();
    this.response.end();
  }

  onClose(callback: (end: StreamEnd) => void): void {
    if (this.end === undefined) this.callbacks.push(callback);
    else callback(this.end);
  }

  whenRead(callback: () => void): void {
    this.uncork();
    if (this.end !== undefined || !this.response.writableNeedDrain) {
      setImmediate(callback);
      return;
    }
    this.waiting.push(callback);
  }

  private tellWaiting(): void {
    for (const callback of this.waiting.splice(0)) setImmediate(callback);
  }

  private uncork(): void {
    if (this.corkedBytes === 0) return;
    this.corkedBytes = 0;
    this.response.uncork();
  }

  private finish(end: StreamEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.held = undefined;
    for (const callback of this.callbacks.splice(0)) callback(end);
    this.tellWaiting();
  }
}
