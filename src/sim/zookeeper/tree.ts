import type { Stat, WatchEvent } from '../../coordination/zookeeper/core/protocol.ts';

export interface Node {
  readonly data: Uint8Array;
  /** The session that it lives with; 0 for none. */
  readonly owner: bigint;
  readonly created: bigint;
  /** Changes of its children so far, which is also the next sequence number under it. */
  sequence: number;
  /** The transaction that changed its children last. */
  childrenChanged: bigint;
}

export type TreeError = 'NO_NODE' | 'NODE_EXISTS';

/** What the servers of an ensemble agree on: nodes, in the order in which they came and went. */
export class Tree {
  readonly nodes = new Map<string, Node>();
  zxid = 0n;
  /** Hears of every change, after it. */
  private readonly changed: (event: WatchEvent) => void;

  constructor(changed: (event: WatchEvent) => void) {
    this.changed = changed;
    this.nodes.set('', { data: NOTHING, owner: 0n, created: 0n, sequence: 0, childrenChanged: 0n });
  }

  /** @returns the path, with the number that a sequential node gets; or why it cannot be */
  create(path: string, data: Uint8Array, owner: bigint, sequential: boolean): { path: string } | { error: TreeError } {
    const parent = this.nodes.get(parentOf(path));
    if (parent === undefined) return { error: 'NO_NODE' };
    const full = sequential ? path + String(parent.sequence).padStart(10, '0') : path;
    if (this.nodes.has(full)) return { error: 'NODE_EXISTS' };
    this.zxid++;
    parent.sequence++;
    parent.childrenChanged = this.zxid;
    this.nodes.set(full, { data, owner, created: this.zxid, sequence: 0, childrenChanged: this.zxid });
    this.changed({ type: 'created', path: full });
    this.changed({ type: 'children', path: parentOf(full) });
    return { path: full };
  }

  delete(path: string): void {
    if (!this.nodes.delete(path)) return;
    this.zxid++;
    const parent = this.nodes.get(parentOf(path));
    if (parent !== undefined) parent.childrenChanged = this.zxid;
    this.changed({ type: 'deleted', path });
    this.changed({ type: 'children', path: parentOf(path) });
  }

  /** Takes away what lives with a session. */
  endSession(owner: bigint): void {
    for (const [path, node] of [...this.nodes]) if (node.owner === owner) this.delete(path);
  }

  children(path: string): string[] {
    const prefix = `${path}/`;
    const names: string[] = [];
    for (const key of this.nodes.keys()) {
      if (key.startsWith(prefix) && !key.includes('/', prefix.length)) names.push(key.slice(prefix.length));
    }
    return names;
  }

  stat(path: string, { owner, data, created, sequence, childrenChanged }: Node): Stat {
    return {
      czxid: created,
      mzxid: created,
      ctime: 0n,
      mtime: 0n,
      version: 0,
      cversion: sequence,
      aversion: 0,
      ephemeralOwner: owner,
      dataLength: data.length,
      numChildren: this.children(path).length,
      pzxid: childrenChanged,
    };
  }
}

const NOTHING = new Uint8Array(0);

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
