/** Requests and answers of a ZooKeeper server (3.4 and later). */
import { type JuteReader, JuteWriter } from './jute.ts';

/** Marks of what is no answer to a request. */
export const XID = { watch: -1, ping: -2, auth: -4, setWatches: -8 } as const;

const OP = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  sync: 9,
  ping: 11,
  getChildren: 12,
  check: 13,
  multi: 14,
  getMany: 22,
  auth: 100,
  setWatches: 101,
  close: -11,
} as const;

/** What a server, or the client itself, may say instead of an answer. */
export const ERRORS = {
  RUNTIME_INCONSISTENCY: -2,
  CONNECTION_LOSS: -4,
  MARSHALLING: -5,
  UNIMPLEMENTED: -6,
  OPERATION_TIMEOUT: -7,
  BAD_ARGUMENTS: -8,
  API: -100,
  NO_NODE: -101,
  NO_AUTH: -102,
  BAD_VERSION: -103,
  NO_CHILDREN_FOR_EPHEMERALS: -108,
  NODE_EXISTS: -110,
  NOT_EMPTY: -111,
  SESSION_EXPIRED: -112,
  INVALID_CALLBACK: -113,
  INVALID_ACL: -114,
  AUTH_FAILED: -115,
  SESSION_MOVED: -118,
  NOT_READ_ONLY: -119,
} as const;
export type ZooErrorCode = keyof typeof ERRORS | 'SYSTEM';
const CODES = new Map<number, ZooErrorCode>(
  Object.entries(ERRORS).map(([name, number]) => [number, name as ZooErrorCode]),
);

export function errorCode(number: number): ZooErrorCode {
  return CODES.get(number) ?? 'SYSTEM';
}

/** A node's bookkeeping. Transaction ids and the owner are 64 bits wide. */
export interface Stat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly ctime: bigint;
  readonly mtime: bigint;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** The session that an ephemeral node lives with; 0 for all others. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: bigint;
}

export const PERMISSIONS = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

/** One line of an access control list. */
export interface Acl {
  /** A sum of `PERMISSIONS`. */
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

/** Everybody may do everything. */
export const OPEN_ACL: readonly Acl[] = [{ permissions: PERMISSIONS.all, scheme: 'world', id: 'anyone' }];
/** Who made it may do everything, everybody else may read: upstream's list where there are credentials. */
export const CREATOR_ALL_WORLD_READ: readonly Acl[] = [
  { permissions: PERMISSIONS.all, scheme: 'auth', id: '' },
  { permissions: PERMISSIONS.read, scheme: 'world', id: 'anyone' },
];

export type CreateMode = 'persistent' | 'ephemeral' | 'persistentSequential' | 'ephemeralSequential';
const MODES: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
};

/** What a transaction consists of. A version of -1 fits any. */
export type Change =
  | {
      readonly op: 'create';
      readonly path: string;
      readonly data: Uint8Array;
      readonly acl: readonly Acl[];
      readonly mode: CreateMode;
    }
  | { readonly op: 'delete'; readonly path: string; readonly version: number }
  | { readonly op: 'setData'; readonly path: string; readonly data: Uint8Array; readonly version: number }
  | { readonly op: 'check'; readonly path: string; readonly version: number };

export type Request =
  | Exclude<Change, { op: 'check' }>
  | { readonly op: 'exists'; readonly path: string; readonly watch: boolean }
  | { readonly op: 'getData'; readonly path: string; readonly watch: boolean }
  | { readonly op: 'getChildren'; readonly path: string; readonly watch: boolean }
  | { readonly op: 'getAcl'; readonly path: string }
  | { readonly op: 'sync'; readonly path: string }
  | { readonly op: 'multi'; readonly changes: readonly Change[] }
  /** Servers from 3.6 on know it as multiRead; earlier ones answer UNIMPLEMENTED. */
  | { readonly op: 'getMany'; readonly paths: readonly string[] }
  | { readonly op: 'close' };

/** What came of one change of a transaction. All or none are done. */
export type ChangeResult =
  | { readonly ok: true; readonly path?: string; readonly stat?: Stat }
  | { readonly ok: false; readonly code: ZooErrorCode };

/** Which of these are there depends on the request. */
export interface Answer {
  /** Of `create`: with the sequence number, if there is one. */
  readonly path?: string;
  /** Absent in the answer of `exists` for a node that does not exist. */
  readonly stat?: Stat;
  readonly data?: Uint8Array;
  readonly children?: readonly string[];
  readonly acl?: readonly Acl[];
  readonly results?: readonly ChangeResult[];
  readonly contents?: readonly NodeContent[];
}

/** One of many nodes that were read together. */
export type NodeContent =
  | { readonly ok: true; readonly data: Uint8Array; readonly stat: Stat }
  | { readonly ok: false; readonly code: ZooErrorCode };

export interface ConnectAnswer {
  /** Milliseconds; 0 or less says that the session is over. */
  readonly timeout: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: bigint;
  readonly error: number;
}

export type WatchType = 'created' | 'deleted' | 'changed' | 'children';
const WATCHES: Readonly<Record<number, WatchType>> = { 1: 'created', 2: 'deleted', 3: 'changed', 4: 'children' };

export interface WatchEvent {
  readonly type: WatchType;
  readonly path: string;
}

/** The first frame on a connection. */
/** @param timeout in ms; it has 32 bits there, and a server gives less anyway */
export function connectFrame(lastZxid: bigint, timeout: number, sessionId: bigint, password: Uint8Array): Uint8Array {
  return new JuteWriter()
    .int(0)
    .long(lastZxid)
    .int(Math.min(timeout, 2 ** 31 - 1))
    .long(sessionId)
    .buffer(password)
    .bool(false)
    .frame();
}

/** Servers before 3.4 leave out the flag at the end; it is not needed. */
export function readConnectAnswer(reader: JuteReader): ConnectAnswer {
  reader.int();
  return { timeout: reader.int(), sessionId: reader.long(), password: reader.buffer() };
}

export function pingFrame(): Uint8Array {
  return new JuteWriter().int(XID.ping).int(OP.ping).frame();
}

export function authFrame(scheme: string, credentials: Uint8Array): Uint8Array {
  return new JuteWriter().int(XID.auth).int(OP.auth).int(0).string(scheme).buffer(credentials).frame();
}

/** What is to be told if it changed after `zxid`, which is what was seen last. */
export function setWatchesFrame(
  zxid: bigint,
  data: readonly string[],
  exists: readonly string[],
  children: readonly string[],
): Uint8Array {
  const writer = new JuteWriter().int(XID.setWatches).int(OP.setWatches).long(zxid);
  return writer.strings(data).strings(exists).strings(children).frame();
}

export function requestFrame(xid: number, request: Request): Uint8Array {
  const writer = new JuteWriter().int(xid).int(OP[request.op]);
  writeRequest(writer, request);
  return writer.frame();
}

function writeRequest(writer: JuteWriter, request: Request): void {
  switch (request.op) {
    case 'exists':
    case 'getData':
    case 'getChildren':
      writer.string(request.path).bool(request.watch);
      return;
    case 'getAcl':
    case 'sync':
      writer.string(request.path);
      return;
    case 'multi':
      for (const change of request.changes) {
        writer.int(OP[change.op]).bool(false).int(-1);
        writeChange(writer, change);
      }
      writer.int(-1).bool(true).int(-1);
      return;
    case 'getMany':
      for (const path of request.paths) writer.int(OP.getData).bool(false).int(-1).string(path).bool(false);
      writer.int(-1).bool(true).int(-1);
      return;
    case 'close':
      return;
    default:
      writeChange(writer, request);
  }
}

function writeChange(writer: JuteWriter, change: Change): void {
  switch (change.op) {
    case 'create':
      writer.string(change.path).buffer(change.data).int(change.acl.length);
      for (const { permissions, scheme, id } of change.acl) writer.int(permissions).string(scheme).string(id);
      writer.int(MODES[change.mode]);
      return;
    case 'setData':
      writer.string(change.path).buffer(change.data).int(change.version);
      return;
    default:
      writer.string(change.path).int(change.version);
  }
}

export function readReplyHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.int(), zxid: reader.long(), error: reader.int() };
}

/** What follows the header of a successful answer. */
export function readAnswer(reader: JuteReader, request: Request): Answer {
  switch (request.op) {
    case 'create':
    case 'sync':
      return { path: reader.string() };
    case 'exists':
    case 'setData':
      return { stat: readStat(reader) };
    case 'getData': {
      const data = reader.buffer();
      return { data, stat: readStat(reader) };
    }
    case 'getChildren': {
      const children = reader.strings();
      return { children, stat: readStat(reader) };
    }
    case 'getAcl': {
      const acl = reader.list(() => ({ permissions: reader.int(), scheme: reader.string(), id: reader.string() }));
      return { acl, stat: readStat(reader) };
    }
    case 'multi':
      return { results: readResults(reader) };
    case 'getMany':
      return { contents: readContents(reader) };
    case 'delete':
    case 'close':
      return {};
  }
}

/** A transaction that failed says for each change what was wrong with it: OK (0) for those before the one that failed. */
function readResults(reader: JuteReader): ChangeResult[] {
  const results: ChangeResult[] = [];
  for (;;) {
    const type = reader.int();
    const isDone = reader.bool();
    reader.int();
    if (isDone) return results;
    if (type === OP.create) results.push({ ok: true, path: reader.string() });
    else if (type === OP.setData) results.push({ ok: true, stat: readStat(reader) });
    else if (type === -1) results.push({ ok: false, code: errorCode(reader.int()) });
    else results.push({ ok: true });
  }
}

/** Each was read for itself: one that is not there says so, and the others are there. */
function readContents(reader: JuteReader): NodeContent[] {
  const contents: NodeContent[] = [];
  for (;;) {
    const type = reader.int();
    const isDone = reader.bool();
    reader.int();
    if (isDone) return contents;
    if (type === -1) contents.push({ ok: false, code: errorCode(reader.int()) });
    else contents.push({ ok: true, data: reader.buffer(), stat: readStat(reader) });
  }
}

function readStat(reader: JuteReader): Stat {
  return {
    czxid: reader.long(),
    mzxid: reader.long(),
    ctime: reader.long(),
    mtime: reader.long(),
    version: reader.int(),
    cversion: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.long(),
    dataLength: reader.int(),
    numChildren: reader.int(),
    pzxid: reader.long(),
  };
}

/** @returns undefined for a type that this client never asked to be told of */
export function readWatchEvent(reader: JuteReader): WatchEvent | undefined {
  const type = WATCHES[reader.int()];
  reader.int();
  const path = reader.string();
  return type === undefined ? undefined : { type, path };
}
