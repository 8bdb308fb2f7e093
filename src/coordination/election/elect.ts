/** Elections in ZooKeeper for a program: sessions are made anew when they end, unless the program stands for election. */
import type { Millis } from '../../base/machine.ts';
import { monotonicTime, secureRandom, wallTime } from '../../runtime/clock.ts';
import { KeyedTimers } from '../../runtime/timers.ts';
import type { MasterInfo } from '../../wire/v1.ts';
import { MasterInfo as MasterInfoType } from '../../wire/v1.ts';
import { ZooKeeper, ZooKeeperError } from '../zookeeper/client.ts';
import { CREATOR_ALL_WORLD_READ, OPEN_ACL } from '../zookeeper/core/protocol.ts';
import type { ZooUrl } from '../zookeeper/url.ts';
import { Election, type ElectionEffect, type ElectionEvent } from './core/election.ts';

export interface ElectOptions {
  readonly url: ZooUrl;
  readonly sessionTimeout: Millis;
  /** Stand for election as this master. */
  readonly candidate?: MasterInfo;
  readonly onLeader: (info: MasterInfo | undefined, isSelf: boolean) => void;
  /** The candidacy is over, led or not. Without a candidate it is not called: a new session is made. */
  readonly onLost?: (reason: string) => void;
  /** ZooKeeper can be reached but not used; trying again will not help. */
  readonly onFailed: (reason: string) => void;
  readonly log: (level: 'info' | 'warning', text: string) => void;
  /** The client of the present session, for whoever stores things beside the election. */
  readonly onSession?: (client: ZooKeeper) => void;
}

/** A running election. */
export class Elector {
  readonly #options: ElectOptions;
  #client: ZooKeeper | undefined;
  #timers: KeyedTimers | undefined;
  #stopped = false;

  constructor(options: ElectOptions) {
    this.#options = options;
  }

  start(): void {
    const { url, sessionTimeout, candidate, log } = this.#options;
    const election = new Election({
      path: url.path,
      acl: url.credentials === undefined ? OPEN_ACL : CREATOR_ALL_WORLD_READ,
      ...(candidate !== undefined && { candidate: Buffer.from(MasterInfoType.v0.stringify(candidate)) }),
    });
    const step = (event: ElectionEvent): void => {
      if (this.#stopped || client !== this.#client) return;
      const effects: ElectionEffect[] = [];
      const env = { now: monotonicTime(), wall: wallTime(), random: secureRandom, chance: () => false };
      election.step(event, env, (effect) => effects.push(effect));
      for (const effect of effects) this.#perform(effect, client, step);
    };
    const client = new ZooKeeper({
      servers: url.servers,
      timeout: sessionTimeout,
      credentials: url.credentials,
      onState: (state, reason) => {
        if (state === 'connecting') log('warning', `No ZooKeeper answers yet (${reason}); trying again`);
        else log(state === 'connected' ? 'info' : 'warning', `ZooKeeper: ${state} (${reason})`);
        step({ kind: 'session', state, id: client.sessionId, reason });
      },
      onWatch: (event) => step({ kind: 'watch', event }),
    });
    this.#client = client;
    this.#timers?.stop();
    this.#timers = new KeyedTimers((key) => step({ kind: 'timer', key }), monotonicTime);
    const addresses = url.servers.map(({ host, port }) => `${host}:${port}`).join(', ');
    log('info', `Connecting to ZooKeeper at ${addresses}; waiting until it answers`);
    client.start();
    this.#options.onSession?.(client);
  }

  /** Gives up the candidacy and the session. */
  stop(): void {
    this.#stopped = true;
    this.#timers?.stop();
    this.#client?.close();
  }

  #perform(effect: ElectionEffect, client: ZooKeeper, step: (event: ElectionEvent) => void): void {
    const { onLeader, onFailed, onLost, log, candidate } = this.#options;
    switch (effect.kind) {
      case 'request': {
        const { token } = effect;
        client.request(effect.request).then(
          (value) => step({ kind: 'answer', token, result: { ok: true, value } }),
          (error: unknown) => {
            if (!(error instanceof ZooKeeperError)) throw error;
            step({ kind: 'answer', token, result: { ok: false, error: { code: error.code, message: error.message } } });
          },
        );
        return;
      }
      case 'arm':
        this.#timers?.arm(effect.key, effect.after);
        return;
      case 'disarm':
        this.#timers?.disarm(effect.key);
        return;
      case 'contending':
        log('info', `Standing for election as ${effect.node}`);
        return;
      case 'leader':
        onLeader(effect.info, effect.isSelf);
        return;
      case 'lost':
        if (candidate !== undefined) onLost?.(effect.reason);
        else this.#again(effect.reason);
        return;
      case 'failed':
        onFailed(effect.reason);
        return;
      case 'log':
        log(effect.level, effect.text);
        return;
    }
  }

  #again(reason: string): void {
    if (this.#stopped) return;
    this.#options.log('warning', `Looking for the leader anew: ${reason}`);
    this.#client?.close();
    this.start();
  }
}
