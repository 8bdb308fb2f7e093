/**
 * Who leads, by way of one ZooKeeper session: the candidate with the lowest sequence number. With a candidate of its own
 * it stands for election too. It ends with the session; whoever wants to go on makes another with the next session.
 *
 * While no server answers (`suspended`) what was known stays known: the session lives, and with it the leader's node. The
 * end of the session ends everything at once.
 */
import type { Env, Machine, Millis } from '../../../base/machine.ts';
import type { Result } from '../../../base/result.ts';
import type { MasterInfo } from '../../../wire/v1.ts';
import type { Acl, Answer, Request, WatchEvent } from '../../zookeeper/core/protocol.ts';
import type { RequestToken, SessionState, ZooFailure } from '../../zookeeper/core/session.ts';
import { JSON_LABEL, type Member, masterInfoOf, membersOf } from './members.ts';

export interface ElectionOptions {
  /** The node under which candidates are; not the root. */
  readonly path: string;
  readonly acl: readonly Acl[];
  /** MasterInfo as JSON text in UTF-8: stand for election with it. Absent: only look who leads. */
  readonly candidate?: Uint8Array;
}

export type ElectionEvent =
  | { readonly kind: 'session'; readonly state: SessionState; readonly id: bigint; readonly reason: string }
  | { readonly kind: 'answer'; readonly token: RequestToken; readonly result: Result<Answer, ZooFailure> }
  | { readonly kind: 'watch'; readonly event: WatchEvent }
  | { readonly kind: 'timer'; readonly key: string };

export type ElectionEffect =
  | { readonly kind: 'request'; readonly token: RequestToken; readonly request: Request }
  | { readonly kind: 'arm'; readonly key: string; readonly after: Millis }
  | { readonly kind: 'disarm'; readonly key: string }
  /** Our own node stands; who leads comes separately. */
  | { readonly kind: 'contending'; readonly node: string }
  /** News of who leads; undefined: nobody, or nobody can know. `isSelf`: it is our own candidate. */
  | { readonly kind: 'leader'; readonly info: MasterInfo | undefined; readonly isSelf: boolean }
  /** Our node is gone, or the session: if this candidate led, it leads no more. Nothing follows. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It cannot work, and trying again will not help. Nothing follows. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning'; readonly text: string };

const RETRY = 'retry';
const RETRY_AFTER: Millis = 500;

/** What the answer to a request is for. */
type Purpose =
  | { readonly step: 'makePath'; readonly depth: number }
  | { readonly step: 'findOwn' }
  | { readonly step: 'checkOwn'; readonly candidates: readonly string[] }
  | { readonly step: 'join' }
  | { readonly step: 'list' }
  | { readonly step: 'read'; readonly member: Member };

export class Election implements Machine<ElectionEvent, ElectionEffect> {
  readonly #options: ElectionOptions;
  readonly #parts: readonly string[];
  readonly #purposes = new Map<RequestToken, Purpose>();
  #emit!: (effect: ElectionEffect) => void;
  #token = 0;
  #sessionId = 0n;
  #isConnected = false;
  #isOver = false;
  #isPathMade = false;
  /** The name of our own node, once it stands. */
  #own: string | undefined;
  /** A node of ours may stand: its creation was not answered. */
  #isUnsure = false;
  /** The list of candidates may be out of date. */
  #isStale = true;
  #isListing = false;
  #leader: string | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#parts = options.path.split('/').slice(1);
  }

  step(event: ElectionEvent, _env: Env, emit: (effect: ElectionEffect) => void): void {
    this.#emit = emit;
    if (this.#isOver) return;
    switch (event.kind) {
      case 'session':
        this.#sessionChanged(event);
        return;
      case 'watch':
        this.#watched(event.event);
        return;
      case 'timer':
        if (event.key === RETRY) this.#goOn();
        return;
      case 'answer':
        this.#answered(event.token, event.result);
        return;
    }
  }

  #sessionChanged({ state, id, reason }: Extract<ElectionEvent, { kind: 'session' }>): void {
    this.#isConnected = state === 'connected';
    if (state === 'connected') {
      this.#sessionId = id;
      this.#goOn();
    } else if (state === 'expired' || state === 'closed') {
      this.#lose(`the ZooKeeper session is over: ${reason}`);
    } else if (state === 'authFailed') {
      this.#fail(`ZooKeeper refuses the credentials: ${reason}`);
    }
  }

  /** Takes the next step that is due. */
  #goOn(): void {
    if (!this.#isConnected || this.#purposes.size > 0) return;
    if (!this.#isPathMade) this.#makePath(1);
    else if (this.#options.candidate !== undefined && this.#own === undefined) this.#join();
    else if (this.#isStale) this.#list();
  }

  #makePath(depth: number): void {
    const path = `/${this.#parts.slice(0, depth).join('/')}`;
    const request = { op: 'create', path, data: NOTHING, acl: this.#options.acl, mode: 'persistent' } as const;
    this.#ask({ step: 'makePath', depth }, request);
  }

  #join(): void {
    const { path, acl, candidate } = this.#options;
    if (this.#isUnsure) {
      this.#ask({ step: 'findOwn' }, { op: 'getChildren', path, watch: false });
      return;
    }
    const data = candidate ?? NOTHING;
    this.#ask(
      { step: 'join' },
      { op: 'create', path: `${path}/${JSON_LABEL}_`, data, acl, mode: 'ephemeralSequential' },
    );
  }

  #list(): void {
    if (this.#isListing) return;
    this.#isListing = true;
    this.#isStale = false;
    this.#ask({ step: 'list' }, { op: 'getChildren', path: this.#options.path, watch: true });
  }

  #ask(purpose: Purpose, request: Request): void {
    const token = this.#token++;
    this.#purposes.set(token, purpose);
    this.#emit({ kind: 'request', token, request });
  }

  #answered(token: RequestToken, result: Result<Answer, ZooFailure>): void {
    const purpose = this.#purposes.get(token);
    if (purpose === undefined) return;
    this.#purposes.delete(token);
    if (purpose.step === 'list') this.#isListing = false;
    if (result.ok) this.#succeeded(purpose, result.value);
    else this.#refused(purpose, result.error);
    if (!this.#isOver) this.#goOn();
  }

  #succeeded(purpose: Purpose, answer: Answer): void {
    switch (purpose.step) {
      case 'makePath':
        this.#pathMade(purpose.depth);
        return;
      case 'join':
        this.#joined((answer.path ?? '').slice(this.#options.path.length + 1));
        return;
      case 'findOwn': {
        const names = membersOf(answer.children ?? []).filter(({ label }) => label === JSON_LABEL);
        this.#checkOwn(names.map(({ name }) => name).reverse());
        return;
      }
      case 'checkOwn': {
        const [name = '', ...others] = purpose.candidates;
        if (answer.stat?.ephemeralOwner === this.#sessionId) this.#joined(name);
        else this.#checkOwn(others);
        return;
      }
      case 'list':
        this.#listed(membersOf(answer.children ?? []));
        return;
      case 'read':
        this.#read(purpose.member, answer);
        return;
    }
  }

  #refused(purpose: Purpose, { code, message }: ZooFailure): void {
    if (code === 'CONNECTION_LOSS') {
      if (purpose.step === 'join') this.#isUnsure = true;
      this.#isStale = true;
      return;
    }
    if (purpose.step === 'makePath' && code === 'NODE_EXISTS') {
      this.#pathMade(purpose.depth);
      return;
    }
    if (purpose.step === 'makePath' && code === 'NO_AUTH') {
      // Somebody else's node above ours may forbid to create in it and still hold what we need.
      this.#pathMade(purpose.depth);
      return;
    }
    if (code === 'NO_NODE') {
      // The candidate, or the whole path, went away between two steps.
      if (purpose.step !== 'read') this.#isPathMade = false;
      this.#isStale = true;
      return;
    }
    if (code === 'NO_AUTH' || code === 'INVALID_ACL') {
      this.#fail(
        `${message}; the node belongs to others: give the credentials in zk://user:password@…, or another path`,
      );
      return;
    }
    this.#isStale = true;
    this.#emit({ kind: 'log', level: 'warning', text: `${message}; trying again` });
    this.#emit({ kind: 'arm', key: RETRY, after: RETRY_AFTER });
  }

  #pathMade(depth: number): void {
    if (depth < this.#parts.length) this.#makePath(depth + 1);
    else this.#isPathMade = true;
  }

  #joined(name: string): void {
    this.#own = name;
    this.#isUnsure = false;
    this.#isStale = true;
    this.#emit({ kind: 'contending', node: `${this.#options.path}/${name}` });
  }

  /** The node whose creation was not answered, if it stands, belongs to our session. */
  #checkOwn(candidates: readonly string[]): void {
    const [first] = candidates;
    if (first === undefined) {
      this.#isUnsure = false;
      return;
    }
    const path = `${this.#options.path}/${first}`;
    this.#ask({ step: 'checkOwn', candidates }, { op: 'exists', path, watch: false });
  }

  #listed(members: readonly Member[]): void {
    if (this.#own !== undefined && !members.some(({ name }) => name === this.#own)) {
      this.#lose(`its node ${this.#options.path}/${this.#own} is gone from ZooKeeper`);
      return;
    }
    const [first] = members;
    if (first === undefined) {
      this.#tell(undefined, undefined);
      return;
    }
    // Children never change: a new leader has another name.
    if (first.name === this.#leader) return;
    const path = `${this.#options.path}/${first.name}`;
    this.#ask({ step: 'read', member: first }, { op: 'getData', path, watch: false });
  }

  #read(member: Member, { data, stat }: Answer): void {
    // A creation that was not answered may have been carried out after it was looked for in vain: then two nodes are ours.
    const isOurs = this.#options.candidate !== undefined && stat?.ephemeralOwner === this.#sessionId;
    if (isOurs) this.#own = member.name;
    // A later list may have shown another candidate already; then it is read next.
    const info = masterInfoOf(member, data ?? NOTHING);
    if (!info.ok) {
      this.#emit({ kind: 'log', level: 'warning', text: `Cannot tell who leads: ${info.error}` });
      this.#tell(undefined, undefined);
      return;
    }
    this.#tell(member.name, info.value);
  }

  #tell(name: string | undefined, info: MasterInfo | undefined): void {
    if (name === this.#leader && info === undefined && name !== undefined) return;
    this.#leader = name;
    this.#emit({ kind: 'leader', info, isSelf: name !== undefined && name === this.#own });
  }

  #watched({ type, path }: WatchEvent): void {
    if (path !== this.#options.path) return;
    if (type === 'deleted') this.#isPathMade = false;
    this.#isStale = true;
    this.#goOn();
  }

  #lose(reason: string): void {
    this.#isOver = true;
    this.#emit({ kind: 'disarm', key: RETRY });
    this.#emit({ kind: 'leader', info: undefined, isSelf: false });
    this.#emit({ kind: 'lost', reason });
  }

  #fail(reason: string): void {
    this.#isOver = true;
    this.#emit({ kind: 'disarm', key: RETRY });
    this.#emit({ kind: 'failed', reason });
  }
}

const NOTHING = new Uint8Array(0);
