import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Result } from '../base/result.ts';
import type { Pid } from './pid.ts';

/**
 * Receives the messages of one process.
 * @param from the sender, to whom an answer goes
 * @param name the message's full protobuf name, for example `mesos.internal.PingSlaveMessage`
 * @param body the serialized message, not yet checked in any way
 * @param to the id it was sent to: tells `slave-observer(1)` from `slave-observer(2)` under one registration
 */
export type MessageHandler = (from: Pid, name: string, body: Uint8Array, to: string) => void;

/** Upstream's message transport: at most once, in order between two addresses. */
export interface Libprocess {
  /** The address that other programs reach this one at, as it appears in PIDs. */
  readonly address: { readonly ip: string; readonly port: number };
  /** The PID of a process of this program. */
  pid(id: string): Pid;
  /**
   * Registers a process under an exact id (`master`, `slave(1)`), or a family of them (`slave-observer(*)`).
   * @returns a function that removes it
   */
  register(id: string, handler: MessageHandler): () => void;
  /** The ids that are registered, for `/__processes__`. */
  processes(): readonly string[];
  /**
   * Sends without waiting and without a promise of arrival; a dead peer shows as `exited` if it is linked.
   * @returns an error only if a PID or the name cannot be written on the wire
   */
  send(fromId: string, to: Pid, name: string, body: Uint8Array): Result<void>;
  /**
   * Asks to be told by `onExited` when the connection to this process ends; it is one connection for all links to an
   * address. With `reconnect` a fresh connection replaces the present one, without an `exited` for it.
   */
  link(to: Pid, options?: { readonly reconnect?: boolean }): Result<void>;
  /** Takes a link back; the connection stays while others use it. */
  unlink(to: Pid): void;
  /**
   * Calls back once for each linked PID whose connection closed, failed or could not be made; the link is gone then.
   * @returns a function that ends the subscription
   */
  onExited(callback: (pid: Pid) => void): () => void;
  /** Takes a request if it is a message (else false: it belongs to the HTTP endpoints). */
  accept(request: IncomingMessage, response: ServerResponse): boolean;
  /** Ends all connections, without `exited` events. */
  close(): void;
}
