import { connect, type Socket } from 'node:net';
import type { Pid } from './pid.ts';

/** Limits of an outgoing connection. */
export interface PeerLimits {
  /** Bytes that may wait for a peer that does not read; beyond them the connection is given up. */
  readonly maxQueuedBytes: number;
  /** Milliseconds of silence after which a connection that nobody linked is closed. */
  readonly idleMs: number;
  /** Milliseconds that connecting may take. */
  readonly connectMs: number;
}

/**
 * The one outgoing connection to an address. Messages are written back to back, never waiting for the 202s, which are
 * read and thrown away: a receiver that answers late, or not at all, slows nobody down.
 */
export class Peer {
  /** PIDs whose linkers want to hear of this connection's end. */
  readonly linked = new Set<Pid>();
  private readonly socket: Socket;
  private readonly limits: PeerLimits;
  private corked = false;
  private over = false;

  /** @param onEnd called once when the connection has ended for any reason but `abandon` */
  constructor(host: string, port: number, limits: PeerLimits, onEnd: (peer: Peer, reason: string) => void) {
    this.limits = limits;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    this.socket = socket;
    let reason = 'the peer closed the connection';
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.once('close', () => {
      if (this.over) return;
      this.over = true;
      onEnd(this, reason);
    });
    socket.setTimeout(limits.connectMs);
    socket.on('timeout', () => this.onTimeout());
    socket.once('connect', () => socket.setTimeout(limits.idleMs));
    socket.resume();
  }

  /** True once nothing can be sent on it any more. */
  get ended(): boolean {
    return this.over || this.socket.destroyed || this.socket.writableEnded;
  }

  /** Writes a request, together with all others of this turn of the event loop. */
  send(bytes: Uint8Array): void {
    const { socket } = this;
    if (!this.corked) {
      this.corked = true;
      socket.cork();
      process.nextTick(() => {
        this.corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
    if (socket.writableLength > this.limits.maxQueuedBytes) {
      socket.destroy(new Error(`it does not read: ${socket.writableLength} bytes were waiting for it`));
    }
  }

  /** Forgets one link; without any, the connection closes when it falls silent. */
  unlink(pid: Pid): void {
    if (this.linked.delete(pid) && this.linked.size === 0 && !this.socket.connecting)
      this.socket.setTimeout(this.limits.idleMs);
  }

  /** Lets go without telling anyone: what is queued is still sent. */
  abandon(): void {
    this.over = true;
    this.socket.end();
  }

  private onTimeout(): void {
    if (this.over) this.socket.destroy();
    else if (this.socket.connecting) this.socket.destroy(new Error(`no connection within ${this.limits.connectMs} ms`));
    else if (this.linked.size === 0 && this.socket.writableLength === 0) this.socket.end();
  }
}
