import { err, ok, type Result } from '../base/result.ts';
import { checkName, encodeMessage, type MessageHead } from './encoding.ts';
import { Inbox } from './inbox.ts';
import type { Libprocess, MessageHandler } from './libprocess.ts';
import { Peer, type PeerLimits } from './peer.ts';
import { formatPid, isSendable, type Pid, type PidParts, parsePid } from './pid.ts';

/** Where this program listens, and what it tolerates. Sizes in bytes, times in milliseconds. */
export interface LibprocessOptions {
  /** The address that the daemon's server listens on. */
  readonly ip: string;
  readonly port: number;
  /** The address to be reached at, where it differs (`LIBPROCESS_ADVERTISE_IP`, `LIBPROCESS_ADVERTISE_PORT`). */
  readonly advertise?: { readonly ip?: string; readonly port?: number };
  /** Default false. */
  readonly requirePeerAddressMatch?: boolean;
  /** Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** What may wait for a peer that does not read. Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /** After this much silence a connection that nobody linked is closed. Default 5,000. */
  readonly idleMs?: number;
  /** Default 10,000. */
  readonly connectMs?: number;
  /** A body that stands still for so long is given up. Default 30,000. */
  readonly bodyIdleMs?: number;
  /** Hears why connections ended. */
  readonly log?: (line: string) => void;
}

const MIB = 1024 * 1024;

/** Starts the transport. Put its `accept` first into the daemon's server. */
export function createLibprocess(options: LibprocessOptions): Libprocess {
  return new Transport(options);
}

class Transport implements Libprocess {
  readonly address: { readonly ip: string; readonly port: number };
  readonly accept: Libprocess['accept'];
  private readonly limits: PeerLimits;
  private readonly log: (line: string) => void;
  private readonly handlers = new Map<string, MessageHandler>();
  private readonly peers = new Map<string, Peer>();
  private readonly localLinks = new Set<Pid>();
  private readonly exitedCallbacks = new Set<(pid: Pid) => void>();
  private closed = false;

  constructor(options: LibprocessOptions) {
    this.address = { ip: options.advertise?.ip ?? options.ip, port: options.advertise?.port ?? options.port };
    this.limits = {
      maxQueuedBytes: options.maxQueuedBytes ?? 64 * MIB,
      idleMs: options.idleMs ?? 5_000,
      connectMs: options.connectMs ?? 10_000,
    };
    this.log = options.log ?? (() => {});
    const inbox = new Inbox(
      {
        maxMessageBytes: options.maxMessageBytes ?? 64 * MIB,
        bodyIdleMs: options.bodyIdleMs ?? 30_000,
        requirePeerAddressMatch: options.requirePeerAddressMatch ?? false,
      },
      (head, body) => this.deliver(head, body),
    );
    this.accept = (request, response) => inbox.accept(request, response);
  }

  pid(id: string): Pid {
    return formatPid({ id, host: this.address.ip, port: this.address.port });
  }

  register(id: string, handler: MessageHandler): () => void {
    this.handlers.set(id, handler);
    return () => {
      if (this.handlers.get(id) !== handler) return;
      this.handlers.delete(id);
      for (const pid of [...this.localLinks]) {
        const parts = parsePid(pid);
        if (parts.ok && this.handlerOf(parts.value.id) === undefined && this.localLinks.delete(pid)) this.exited(pid);
      }
    };
  }

  processes(): readonly string[] {
    return [...this.handlers.keys()].sort();
  }

  send(fromId: string, to: Pid, name: string, body: Uint8Array): Result<void> {
    const parts = parsePid(to);
    if (!parts.ok) return parts;
    const named = checkName(name);
    if (!named.ok) return named;
    if (!isSendable(fromId)) return err(`cannot send as '${fromId}': ids have no spaces or control characters`);
    const from = this.pid(fromId);
    if (this.closed) return ok(undefined);
    if (this.isLocal(parts.value)) {
      const head = { from, fromHost: this.address.ip, to: parts.value.id, name };
      setImmediate(() => this.closed || this.deliver(head, body));
    } else {
      this.peerOf(parts.value).send(encodeMessage(from, parts.value, name, body));
    }
    return ok(undefined);
  }

  link(to: Pid, options?: { readonly reconnect?: boolean }): Result<void> {
    const parts = parsePid(to);
    if (!parts.ok) return parts;
    if (this.closed) return ok(undefined);
    if (this.isLocal(parts.value)) {
      if (this.handlerOf(parts.value.id) !== undefined) this.localLinks.add(to);
      else setImmediate(() => this.exited(to));
      return ok(undefined);
    }
    this.peerOf(parts.value, options?.reconnect).linked.add(to);
    return ok(undefined);
  }

  unlink(to: Pid): void {
    this.localLinks.delete(to);
    const parts = parsePid(to);
    if (parts.ok) this.peers.get(keyOf(parts.value))?.unlink(to);
  }

  onExited(callback: (pid: Pid) => void): () => void {
    this.exitedCallbacks.add(callback);
    return () => this.exitedCallbacks.delete(callback);
  }

  close(): void {
    this.closed = true;
    for (const peer of this.peers.values()) peer.abandon();
    this.peers.clear();
    this.localLinks.clear();
  }

  private isLocal(parts: PidParts): boolean {
    return parts.port === this.address.port && parts.host === this.address.ip;
  }

  private handlerOf(id: string): MessageHandler | undefined {
    const exact = this.handlers.get(id);
    if (exact !== undefined) return exact;
    const family = /^(.*)\([^()]*\)$/.exec(id);
    return family ? this.handlers.get(`${family[1]}(*)`) : undefined;
  }

  private deliver(head: MessageHead, body: Uint8Array): boolean {
    const handler = this.handlerOf(head.to);
    handler?.(head.from, head.name, body, head.to);
    return handler !== undefined;
  }

  /** The present connection to an address, or a new one, which takes the links over. */
  private peerOf(parts: PidParts, reconnect = false): Peer {
    const key = keyOf(parts);
    const present = this.peers.get(key);
    if (present !== undefined && !present.ended && !reconnect) return present;
    const peer = new Peer(parts.host, parts.port, this.limits, (ended, reason) => this.onPeerEnd(key, ended, reason));
    if (present !== undefined && reconnect) {
      for (const pid of present.linked) peer.linked.add(pid);
      present.abandon();
    }
    this.peers.set(key, peer);
    return peer;
  }

  private onPeerEnd(key: string, peer: Peer, reason: string): void {
    if (this.peers.get(key) === peer) this.peers.delete(key);
    if (peer.linked.size === 0) return;
    this.log(`Lost the connection to ${key}: ${reason}`);
    for (const pid of peer.linked) this.exited(pid);
  }

  private exited(pid: Pid): void {
    if (this.closed) return;
    for (const callback of [...this.exitedCallbacks]) callback(pid);
  }
}

function keyOf(parts: PidParts): string {
  return `${parts.host}:${parts.port}`;
}
