/** The servers' side of ZooKeeper's protocol, as far as an election needs it. */
import { type JuteReader, JuteWriter } from '../../coordination/zookeeper/core/jute.ts';
import type { Stat, WatchEvent } from '../../coordination/zookeeper/core/protocol.ts';

const OP = { 1: 'create', 3: 'exists', 4: 'getData', 12: 'getChildren', [-11]: 'close' } as const;
const PING = 11;
const SET_WATCHES = 101;
const WATCH_XID = -1;
const EPHEMERAL = 1;
const SEQUENTIAL = 2;
const WATCH_TYPES = { created: 1, deleted: 2, changed: 3, children: 4 } as const;
const CONNECTED = 3;

export interface Greeting {
  readonly timeout: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

export type Asked =
  | {
      readonly op: 'create';
      readonly xid: number;
      readonly path: string;
      readonly data: Uint8Array;
      readonly ephemeral: boolean;
      readonly sequential: boolean;
    }
  | {
      readonly op: 'exists' | 'getData' | 'getChildren';
      readonly xid: number;
      readonly path: string;
      readonly watch: boolean;
    }
  | { readonly op: 'close' | 'ping' | 'unknown'; readonly xid: number }
  | { readonly op: 'setWatches'; readonly xid: number; readonly seen: bigint; readonly children: readonly string[] };

/** The first frame of a connection. */
export function readGreeting(reader: JuteReader): Greeting {
  reader.int();
  reader.long();
  return { timeout: reader.int(), sessionId: reader.long(), password: reader.buffer() };
}

export function readAsked(reader: JuteReader): Asked {
  const xid = reader.int();
  const code = reader.int();
  if (code === PING) return { op: 'ping', xid };
  if (code === SET_WATCHES) {
    const seen = reader.long();
    reader.strings();
    reader.strings();
    return { op: 'setWatches', xid, seen, children: reader.strings() };
  }
  const op = (OP as Readonly<Record<number, (typeof OP)[keyof typeof OP]>>)[code];
  if (op === undefined || op === 'close') return { op: op ?? 'unknown', xid };
  const path = reader.string();
  if (op !== 'create') return { op, xid, path, watch: reader.bool() };
  const data = reader.buffer();
  reader.list(() => [reader.int(), reader.string(), reader.string()]);
  const mode = reader.int();
  return { op, xid, path, data, ephemeral: (mode & EPHEMERAL) !== 0, sequential: (mode & SEQUENTIAL) !== 0 };
}

export function greetingFrame({ timeout, sessionId, password }: Greeting): Uint8Array {
  return new JuteWriter().int(0).int(timeout).long(sessionId).buffer(password).bool(false).frame();
}

/** @param write what follows the header */
export function replyFrame(
  xid: number,
  zxid: bigint,
  error: number,
  write: (writer: JuteWriter) => void = () => {},
): Uint8Array {
  const writer = new JuteWriter().int(xid).long(zxid).int(error);
  write(writer);
  return writer.frame();
}

export function watchFrame({ type, path }: WatchEvent): Uint8Array {
  return replyFrame(WATCH_XID, -1n, 0, (writer) => writer.int(WATCH_TYPES[type]).int(CONNECTED).string(path));
}

export function writeStat(writer: JuteWriter, stat: Stat): void {
  writer.long(stat.czxid).long(stat.mzxid).long(stat.ctime).long(stat.mtime);
  writer.int(stat.version).int(stat.cversion).int(stat.aversion);
  writer.long(stat.ephemeralOwner).int(stat.dataLength).int(stat.numChildren).long(stat.pzxid);
}
