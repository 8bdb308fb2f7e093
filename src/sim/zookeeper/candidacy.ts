import type { Env } from '../../base/machine.ts';
import { Election, type ElectionEffect, type ElectionEvent } from '../../coordination/election/core/election.ts';
import { OPEN_ACL } from '../../coordination/zookeeper/core/protocol.ts';
import { Session, type SessionEffect, type SessionEvent } from '../../coordination/zookeeper/core/session.ts';
import { MasterInfo } from '../../wire/v1.ts';
import type { Clock } from '../clock.ts';
import { type Ensemble, SERVERS, type ZooConnection } from './ensemble.ts';

const SERVER_LIST = Array.from({ length: SERVERS }, (_, i) => ({ host: `zk${i}`, port: 2181 }));

export interface CandidacyOptions {
  readonly name: string;
  readonly ensemble: Ensemble;
  readonly clock: Clock;
  readonly timeout: number;
  /** Stands for election as this master; absent: only looks who leads. */
  readonly candidate?: Uint8Array;
  /** Runs what happens when the program has time for it. */
  readonly turn: (run: () => void) => void;
  readonly leader: (info: MasterInfo | undefined, isSelf: boolean) => void;
  /** The session is over, and with it the candidacy. */
  readonly lost: (reason: string) => void;
}

/** A program's part in an election: the cores of session and election, and the connections to the simulated servers. */
export class Candidacy {
  private readonly options: CandidacyOptions;
  private readonly session: Session;
  private readonly election: Election;
  private readonly connections = new Map<number, ZooConnection>();
  private readonly queue: SessionEvent[] = [];
  private stepping = false;
  private stopped = false;

  constructor(options: CandidacyOptions) {
    this.options = options;
    this.session = new Session({ servers: SERVER_LIST, timeout: options.timeout });
    const { candidate } = options;
    this.election = new Election({ path: '/mesos', acl: OPEN_ACL, ...(candidate && { candidate }) });
  }

  start(): void {
    this.sessionStep({ kind: 'start' });
  }

  /** The program ends: its connections do, and its session lives until its time is over. */
  stop(): void {
    this.stopped = true;
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  /** Says goodbye to the servers, who end the session at once. */
  close(): void {
    this.sessionStep({ kind: 'close' });
    this.stop();
  }

  private get env(): Env {
    return this.options.clock.env();
  }

  /** One event after the other, also when the election asks for something in the middle of one. */
  private sessionStep(event: SessionEvent): void {
    this.queue.push(event);
    if (this.stepping) return;
    this.stepping = true;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const effects: SessionEffect[] = [];
      if (!this.stopped) this.session.step(next, this.env, (effect) => effects.push(effect));
      for (const effect of effects) this.performSession(effect);
    }
    this.stepping = false;
  }

  private electionStep(event: ElectionEvent): void {
    if (this.stopped) return;
    const effects: ElectionEffect[] = [];
    this.election.step(event, this.env, (effect) => effects.push(effect));
    for (const effect of effects) this.performElection(effect);
  }

  private performSession(effect: SessionEffect): void {
    if (this.stopped) return;
    const { clock, turn } = this.options;
    switch (effect.kind) {
      case 'connect':
        this.connect(effect.connection, Number(effect.server.host.slice(2)));
        break;
      case 'write':
        this.connections.get(effect.connection)?.write(effect.bytes);
        break;
      case 'disconnect':
        this.connections.get(effect.connection)?.close();
        this.connections.delete(effect.connection);
        break;
      case 'arm':
        clock.arm(`session ${effect.key}`, effect.after, () =>
          turn(() => this.sessionStep({ kind: 'timer', key: effect.key })),
        );
        break;
      case 'disarm':
        clock.disarm(`session ${effect.key}`);
        break;
      case 'answer':
        this.electionStep({ kind: 'answer', token: effect.token, result: effect.result });
        break;
      case 'watch':
        this.electionStep({ kind: 'watch', event: effect.event });
        break;
      case 'state':
        this.electionStep({ kind: 'session', state: effect.state, id: this.session.id, reason: effect.reason });
        break;
    }
  }

  private performElection(effect: ElectionEffect): void {
    if (this.stopped) return;
    const { clock, turn, leader, lost } = this.options;
    switch (effect.kind) {
      case 'request':
        this.sessionStep({ kind: 'request', token: effect.token, request: effect.request });
        break;
      case 'arm':
        clock.arm(`election ${effect.key}`, effect.after, () =>
          turn(() => this.electionStep({ kind: 'timer', key: effect.key })),
        );
        break;
      case 'disarm':
        clock.disarm(`election ${effect.key}`);
        break;
      case 'leader':
        leader(effect.info, effect.isSelf);
        break;
      case 'lost':
      case 'failed':
        lost(effect.reason);
        break;
      default:
    }
  }

  private connect(id: number, server: number): void {
    const { ensemble, name, turn } = this.options;
    const connection = ensemble.connect(server, {
      name,
      opened: () => turn(() => this.sessionStep({ kind: 'opened', connection: id })),
      received: (bytes) => turn(() => this.sessionStep({ kind: 'received', connection: id, bytes })),
      ended: (reason) => turn(() => this.sessionStep({ kind: 'ended', connection: id, reason })),
    });
    this.connections.set(id, connection);
  }
}

/** MasterInfo as candidates write it: JSON in UTF-8, which here is ASCII. */
export function candidateBytes(info: MasterInfo): Uint8Array {
  return Uint8Array.from(MasterInfo.v0.stringify(info), (letter) => letter.charCodeAt(0));
}
