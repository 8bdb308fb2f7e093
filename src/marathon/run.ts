import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname as machineName, userInfo } from 'node:os';
import type { Loaded } from '../config/load.ts';
import type { Store } from '../coordination/store/store.ts';
import type { ZooKeeper } from '../coordination/zookeeper/client.ts';
import { Driver } from '../runtime/driver.ts';
import { guardProcess, stopOnSignal } from '../runtime/graceful.ts';
import { Log, type Logger } from '../runtime/logger.ts';
import type { NextLeader } from './backup.ts';
import type { MarathonEffect } from './core/effects.ts';
import type { MarathonEvent } from './core/events.ts';
import { MarathonCore } from './core/machine.ts';
import { NEXT_LEADER_KEY } from './core/stored.ts';
import { coreOptions } from './core-options.ts';
import type { MarathonFlags, marathonFlags } from './flags.ts';
import { EXIT, Framework } from './framework.ts';
import { MarathonHttp } from './http/server.ts';
import { seekLeadership } from './leadership.ts';
import { listen, schemeOf } from './listen.ts';
import { loadState } from './load-state.ts';
import { openStore } from './open-store.ts';
import { type LeaderSecrets, openSecrets } from './secrets/leader-secrets.ts';
import { Shell } from './shell.ts';
import { durable, encodeValue } from './store.ts';

/** How long a stop may take. */
const STOP_WITHIN = 5_000;
/** The answer to who makes the leader abdicate should be on its way first. */
const ABDICATE_AFTER = 500;

/** Runs a Marathon until it is told to stop. */
export async function run(loaded: Loaded<typeof marathonFlags>): Promise<void> {
  const flags = loaded.values;
  const log = new Log({ program: 'marathon', file: 'marathon', level: levelOf(flags), quiet: false });
  const { logger } = log;
  guardProcess(logger);
  const listening = await listen(flags);
  if (!listening.ok) {
    logger.error(listening.error.reason);
    process.exitCode = listening.error.status;
    return;
  }
  const { servers, port, trusted } = listening.value;
  const hostname = flags.hostname ?? machineName();
  const end = (status: number, reason: string): never => {
    logger.fatal(`${reason}; ending the process, restart it to recover`);
    process.exit(status);
  };
  const http = new MarathonHttp({
    loaded,
    address: `${hostname}:${port}`,
    logger,
    verbosity: log.verbosity,
    trusted,
    leaveOrder: (order) => leader.leaveOrder(order),
    abdicate: () => {
      setTimeout(() => end(EXIT.abdicated, 'Leadership was given up on request'), ABDICATE_AFTER);
    },
  });
  for (const server of servers) server.use(http.accept);
  const leader = new Leader({ loaded, hostname, port, logger, http, end });
  const candidacy = await seekLeadership({
    flags,
    hostname,
    port,
    id: randomUUID(),
    logger,
    lead: (session) => leader.begin(session),
    follow: (address) => http.follow(address),
    end,
  });
  logger.info(`Marathon is up at ${schemeOf(flags)}://${hostname}:${port}`);
  stopOnSignal({
    logger,
    deadline: STOP_WITHIN,
    stop: async () => {
      await leader.stop();
      candidacy.stop();
      http.close();
      await Promise.all(servers.map((server) => server.close(1_000)));
      log.close();
    },
  });
}

interface LeaderOptions {
  readonly loaded: Loaded<typeof marathonFlags>;
  readonly hostname: string;
  readonly port: number;
  readonly logger: Logger;
  readonly http: MarathonHttp;
  readonly end: (status: number, reason: string) => never;
}

/** What runs only while this Marathon leads. */
class Leader {
  readonly #options: LeaderOptions;
  #driver: Driver<MarathonEvent, MarathonEffect> | undefined;
  #framework: Framework | undefined;
  #store: Store | undefined;
  #secrets: LeaderSecrets | undefined;

  constructor(options: LeaderOptions) {
    this.#options = options;
  }

  /** Reads the state, subscribes, and begins to answer. */
  async begin(session?: ZooKeeper): Promise<void> {
    const { loaded, logger, http, end } = this.#options;
    const flags = loaded.values;
    const store = await openStore(flags, session);
    if (!store.ok) return end(EXIT.zooKeeperConnect, store.error);
    this.#store = store.value;
    const { backup_location: backupLocation } = flags;
    const state = await loadState({
      store: store.value,
      ...(backupLocation !== undefined && { backupLocation }),
      tell: (level, text) => logger.log(level, text),
    });
    if (!state.ok) return end(EXIT.uncaught, state.error);
    const { instances, current, frameworkId, deployments } = state.value;
    // Those that only wait have never been anywhere.
    if (frameworkId === undefined && [...instances.values()].some(({ tasks }) => tasks.length > 0)) {
      return end(
        EXIT.frameworkIdMissing,
        'There are tasks in the store, but no framework id: they could not be found again. Restore a backup with `meseta marathon restore`, or begin with an empty store',
      );
    }
    logger.info(
      `Read ${current.size} apps and pods, ${instances.size} instances and ${deployments.size} deployments from ${store.value.description}`,
    );
    const user = flags.mesos_user ?? userInfo().username;
    const secrets = openSecrets(flags);
    if (!secrets.ok) return end(EXIT.flags, `--secrets_key_file: ${secrets.error}`);
    const core = new MarathonCore(coreOptions(flags, user), state.value);
    const framework = this.#connect(user, frameworkId);
    const shell = new Shell({
      framework,
      hub: http.hub,
      logger,
      ...(secrets.value && { lookUp: (name) => secrets.value?.lookUp(name) }),
      maxProbes: flags.max_concurrent_marathon_health_checks,
      post: (event) => this.#driver?.post(event),
      end,
    });
    const performers = durable(store.value, shell.performers, (failure) =>
      end(
        failure.kind === 'fenced' ? EXIT.leadershipLost : EXIT.zooKeeperLost,
        `The state cannot be stored: ${failure.message}`,
      ),
    );
    this.#driver = new Driver({ machine: core, performers, timer: (key) => ({ kind: 'timer', key }), logger });
    this.#driver.post({ kind: 'start' });
    this.#secrets = secrets.value;
    secrets.value?.watch(logger, (names) => this.#driver?.post({ kind: 'secrets', names }));
    http.lead(
      core.state,
      (question) => shell.ask(question),
      () => framework.totals.read(),
    );
    void framework.run();
  }

  /** Leaves the next leader something to do. @returns why that is not possible, if it is not */
  async leaveOrder(order: NextLeader): Promise<string | undefined> {
    const stored = await this.#store?.apply([{ key: NEXT_LEADER_KEY, value: encodeValue(order) }]);
    return stored === undefined || stored.ok ? undefined : stored.error.message;
  }

  #connect(user: string, frameworkId: string | undefined): Framework {
    const { loaded, hostname, port, logger, end } = this.#options;
    const flags = loaded.values;
    const secret = secretOf(flags);
    try {
      this.#framework = new Framework({
        flags,
        user,
        hostname,
        webuiUrl: flags.webui_url ?? `${schemeOf(flags)}://${hostname}:${port}`,
        ...(frameworkId !== undefined && { frameworkId }),
        ...(secret !== undefined && { secret }),
        logger,
        post: (event) => this.#driver?.post(event),
        end,
      });
      return this.#framework;
    } catch (error) {
      return end(EXIT.flags, `--master: ${(error as Error).message}`);
    }
  }

  async stop(): Promise<void> {
    this.#secrets?.stop();
    this.#framework?.stop();
    this.#driver?.stop();
    await this.#store?.close();
  }
}

function secretOf(flags: MarathonFlags): string | undefined {
  const file = flags.mesos_authentication_secret_file;
  return flags.mesos_authentication_secret ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim());
}

function levelOf({ logging_level: level }: MarathonFlags): 'INFO' | 'WARNING' | 'ERROR' {
  if (level === 'error' || level === 'off') return 'ERROR';
  return level === 'warn' ? 'WARNING' : 'INFO';
}
