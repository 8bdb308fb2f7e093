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
  /** Ends the answer after what was written. */
  close(): void;
  /** Calls back once, at once if it has ended already. */
  onClose(callback: (end: StreamEnd) => void): void;
  /** Bytes written that the kernel has not taken yet. */
  readonly queuedBytes: number;
  readonly closed: boolean;
}
