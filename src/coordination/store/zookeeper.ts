/**
 * Keeps everything in ZooKeeper: a node for each key, so that nothing grows beyond what a node may hold, and one node,
 * `writer`, that says whose turn it is. Every batch is a transaction that also rewrites that node in the version that this
 * writer left it in: once another has taken over, nothing of an earlier one can get through.
 */
import { randomUUID } from 'node:crypto';
import { err, ok, type Result } from '../../base/result.ts';
import { type ZooKeeper, ZooKeeperError } from '../zookeeper/client.ts';
import type { Acl, Stat, Change as ZooChange } from '../zookeeper/core/protocol.ts';
import { Batches } from './batches.ts';
import type { Change, Store, StoreFailure } from './store.ts';

/** Servers refuse what is larger than 1 MB; names of nodes and their access lists count too. */
const LIMITS = { count: 2_000, bytes: 600_000 };
/** What a node may hold. */
const MAX_VALUE = 900_000;
/** Requests under way at once while everything is read. */
const WINDOW = 64;
/** Nodes that are read by one request: so many of the largest fit into an answer. */
const TOGETHER = 16;

/** What a writer calls itself. */
const WRITER = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What was read, and in which state of the writer's node: as long as that stays as it was, nothing has been written. */
interface Reading {
  readonly created: bigint;
  readonly version: number;
  readonly contents: Contents;
}

interface Contents {
  readonly values: ReadonlyMap<string, Uint8Array>;
  /** Keys and kinds for which there are nodes. */
  readonly known: Set<string>;
}

/** Somebody else keeps things here. The message says what was found. */
class Foreign extends Error {}

export interface ZooStoreOptions {
  /** Its session must outlive the store; when it ends, so does the store. */
  readonly client: ZooKeeper;
  /** The node under which everything is kept. */
  readonly path: string;
  readonly acl: readonly Acl[];
}

export class ZooKeeperStore implements Store {
  readonly description: string;
  readonly limits = LIMITS;
  readonly #options: ZooStoreOptions;
  readonly #me = Buffer.from(randomUUID());
  readonly #batches = new Batches(LIMITS, (changes) => this.#write(changes));
  /** Keys and kinds for which there are nodes. */
  #known = new Set<string>();
  #version = 0;
  #ahead: Reading | undefined;
  #isLoading = false;

  constructor(options: ZooStoreOptions) {
    this.#options = options;
    this.description = `ZooKeeper at ${options.path}`;
  }

  async read(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    try {
      const isThere = (await this.#options.client.exists(this.#options.path)) !== undefined;
      if (!isThere) return ok(new Map());
      await this.#checkOwn();
      return ok((await this.#readAll()).values);
    } catch (error) {
      return err(this.#failureOf(error));
    }
  }

  async readAhead(): Promise<Result<ReadonlyMap<string, Uint8Array> | undefined, StoreFailure>> {
    try {
      const before = await this.#writerStat();
      if (before === undefined) return ok(undefined);
      if (this.#ahead !== undefined && isSame(before, this.#ahead)) return ok(this.#ahead.contents.values);
      this.#ahead = undefined;
      await this.#checkOwn();
      const contents = await this.#readAll(() => this.#isLoading);
      const after = await this.#writerStat();
      // Every batch changes the writer's node, and a session never sees what is older than what it has seen: if that node is as
      // it was, all of this is of one moment.
      if (after === undefined || !isSame(before, after) || this.#isLoading) return ok(undefined);
      this.#ahead = { created: after.czxid, version: after.version, contents };
      return ok(contents.values);
    } catch (error) {
      return err(this.#failureOf(error));
    }
  }

  #writerStat(): Promise<Stat | undefined> {
    return this.#options.client.exists(this.#writer);
  }

  async load(): Promise<Result<ReadonlyMap<string, Uint8Array>, StoreFailure>> {
    try {
      this.#isLoading = true;
      const created = await this.#takeOver();
      const ahead = this.#ahead;
      this.#ahead = undefined;
      // Nobody has written since it was read: the one change of the writer's node is the one that was just made.
      const isCurrent = ahead !== undefined && ahead.created === created && ahead.version + 1 === this.#version;
      const contents = isCurrent ? ahead.contents : await this.#readAll();
      this.#known = contents.known;
      return ok(contents.values);
    } catch (error) {
      return err(this.#failureOf(error));
    }
  }

  apply(changes: readonly Change[]): Promise<Result<void, StoreFailure>> {
    const large = changes.find(({ value }) => (value?.length ?? 0) > MAX_VALUE);
    if (large !== undefined) {
      const message = `the value of '${large.key}' has ${large.value?.length} bytes; a ZooKeeper node holds ${MAX_VALUE}`;
      return Promise.resolve(err({ kind: 'refused', message }));
    }
    return this.#batches.apply(changes);
  }

  close(): Promise<void> {
    return this.#batches.idle();
  }

  get #writer(): string {
    return `${this.#options.path}/writer`;
  }

  /** @returns when the writer's node was made, by which it is known */
  async #takeOver(): Promise<bigint> {
    const { client, path, acl } = this.#options;
    await client.mkdirp(path, acl);
    await client.sync(path);
    await this.#checkOwn();
    await client.mkdirp(this.#writer, acl);
    let created = 0n;
    await this.#persevere(async () => {
      const stat = await client.setData(this.#writer, this.#me);
      this.#version = stat.version;
      created = stat.czxid;
    });
    return created;
  }

  /** Where there is something, but no writer of ours has ever been, it is somebody else's. */
  async #checkOwn(): Promise<void> {
    const { client, path } = this.#options;
    const names = await client.getChildren(path);
    if (names.length === 0) return;
    if (!names.includes('writer')) throw new Foreign(`'${names[0]}' is there, and no node 'writer'`);
    const { data } = await client.getData(this.#writer);
    const text = Buffer.from(data).toString('latin1');
    // Empty: its maker went away before it wrote anything.
    if (text !== '' && !WRITER.test(text)) throw new Foreign("the node 'writer' holds something else");
  }

  /** @param isOver asked now and then; if so, the rest is left out */
  async #readAll(isOver = (): boolean => false): Promise<Contents> {
    const { client, path } = this.#options;
    const known = new Set<string>();
    const values = new Map<string, Uint8Array>();
    const kinds = (await client.getChildren(path)).filter((name) => name !== 'writer');
    for (const kind of kinds) {
      known.add(kind);
      const names = await client.getChildren(`${path}/${kind}`);
      let next = 0;
      const readOn = async (): Promise<void> => {
        while (next < names.length && !isOver()) {
          const some = names.slice(next, next + TOGETHER);
          next += TOGETHER;
          const contents = await this.#readTogether(some.map((name) => `${path}/${kind}/${name}`));
          for (const [at, name] of some.entries()) {
            const content = contents[at];
            // Removed since the names were read, by a writer who was there before.
            if (content === undefined) continue;
            const key = `${kind}/${decodeName(name)}`;
            known.add(key);
            values.set(key, content);
          }
        }
      };
      await Promise.all(Array.from({ length: WINDOW }, readOn));
    }
    return { values, known };
  }

  /** @returns undefined for those that are not there */
  async #readTogether(paths: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { client } = this.#options;
    try {
      const contents = await client.getMany(paths);
      return contents.map((content, at) => {
        if (content.ok) return content.data;
        if (content.code === 'NO_NODE') return undefined;
        throw new ZooKeeperError({ code: content.code, message: `getData of '${paths[at]}': ${content.code}` });
      });
    } catch (error) {
      if (!(error instanceof ZooKeeperError) || error.code !== 'UNIMPLEMENTED') throw error;
      return Promise.all(paths.map(async (path) => (await client.getData(path)).data));
    }
  }

  async #write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<Result<void, StoreFailure>> {
    const { client } = this.#options;
    try {
      await this.#makeKinds(changes.keys());
      const transaction = this.#transactionOf(changes);
      await this.#persevere(async (isAgain) => {
        if (isAgain && (await this.#isWritten())) return;
        const results = await client.multi(transaction);
        // Only the change at fault carries a reason of its own.
        const failed = results.filter((result) => !result.ok);
        const refused = failed.find(({ code }) => code !== 'SYSTEM' && code !== 'RUNTIME_INCONSISTENCY') ?? failed[0];
        if (refused !== undefined) {
          throw new ZooKeeperError({ code: refused.code, message: `a transaction under ${this.#options.path}` });
        }
      });
      this.#version++;
      for (const [key, value] of changes) {
        if (value === undefined) this.#known.delete(key);
        else this.#known.add(key);
      }
      return ok(undefined);
    } catch (error) {
      return err(this.#failureOf(error));
    }
  }

  /** After an unanswered transaction: the writer's node says whether it was done. */
  async #isWritten(): Promise<boolean> {
    const { data, stat } = await this.#options.client.getData(this.#writer);
    if (Buffer.compare(Buffer.from(data), this.#me) !== 0) {
      throw new ZooKeeperError({ code: 'BAD_VERSION', message: 'another writer has taken over' });
    }
    return stat.version === this.#version + 1;
  }

  #transactionOf(changes: ReadonlyMap<string, Uint8Array | undefined>): ZooChange[] {
    const { acl } = this.#options;
    const transaction: ZooChange[] = [{ op: 'setData', path: this.#writer, data: this.#me, version: this.#version }];
    for (const [key, data] of changes) {
      const path = this.#pathOf(key);
      const isKnown = this.#known.has(key);
      if (data === undefined) {
        if (isKnown) transaction.push({ op: 'delete', path, version: -1 });
      } else if (isKnown) transaction.push({ op: 'setData', path, data, version: -1 });
      else transaction.push({ op: 'create', path, data, acl, mode: 'persistent' });
    }
    return transaction;
  }

  async #makeKinds(keys: Iterable<string>): Promise<void> {
    for (const key of keys) {
      const kind = key.slice(0, key.indexOf('/'));
      if (this.#known.has(kind)) continue;
      await this.#persevere(() => this.#options.client.mkdirp(`${this.#options.path}/${kind}`, this.#options.acl));
      this.#known.add(kind);
    }
  }

  /** Tries again while the session lives: what broke was a connection. */
  async #persevere(attempt: (isAgain: boolean) => Promise<void>): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await attempt(tries > 0);
        return;
      } catch (error) {
        if (!(error instanceof ZooKeeperError) || error.code !== 'CONNECTION_LOSS') throw error;
      }
    }
  }

  #pathOf(key: string): string {
    const slash = key.indexOf('/');
    return `${this.#options.path}/${key.slice(0, slash)}/${encodeName(key.slice(slash + 1))}`;
  }

  #failureOf(error: unknown): StoreFailure {
    const where = `the store in ZooKeeper at ${this.#options.path}`;
    if (error instanceof Foreign) {
      const message = `${where} belongs to others: ${error.message}; take another path. Nothing was changed`;
      return { kind: 'refused', message };
    }
    if (!(error instanceof ZooKeeperError)) throw error;
    switch (error.code) {
      case 'BAD_VERSION':
        return { kind: 'fenced', message: `${where} was taken over by another leader` };
      case 'NO_AUTH':
      case 'INVALID_ACL':
        return {
          kind: 'refused',
          message: `${where} belongs to others (${error.message}): give the credentials in zk://user:password@…, or another path`,
        };
      case 'SESSION_EXPIRED':
        return { kind: 'unavailable', message: `${where} cannot be reached: ${error.message}` };
      default:
        return { kind: 'unavailable', message: `${where}: ${error.message}` };
    }
  }
}

function isSame(now: Stat, then: Stat | Reading): boolean {
  return now.version === then.version && now.czxid === ('created' in then ? then.created : then.czxid);
}

/** A name of a node has no slash, and is not `.` or `..`. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E'));
}

/** @throws Foreign for a name that no store of ours has written */
function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new Foreign(`no store of ours would name a node '${name}'`);
  }
}
