/** Runs containers for the agent: performs the core's effects on processes, and tells it what became of them. */
import { constants } from 'node:os';
import type { Millis } from '../../base/machine.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ResourceStatistics } from '../../wire/v1.ts';
import type { LaunchContainer } from '../core/effects.ts';
import type { AgentEvent } from '../core/events.ts';
import { Connection } from './connection.ts';
import { Fetchers, type FetchSettings } from './fetch.ts';
import type { ContainerReport, ProcessId, StartOrder, UserIds } from './launcher/protocol.ts';
import { MARK_VARIABLE } from './launcher/tree.ts';
import { type LauncherPlace, launcherPlace } from './launcher-process.ts';
import { createSandbox } from './sandbox.ts';
import { SecretFiles } from './secret-files.ts';
import { unsupported } from './unsupported.ts';
import { UsageMeter } from './usage.ts';
import { Users } from './users.ts';
import { linkVolumes } from './volumes.ts';

const { SIGKILL } = constants.signals;

/** What a shell finds programs on when nobody says otherwise: upstream's default too. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const RECOVERY_TIMEOUT: Millis = 15 * 60_000;
/** What tasks get between SIGTERM and SIGKILL when everything stops, and the launcher after that to say goodbye. */
const STOP_GRACE: Millis = 2_000;
const STOP_DEADLINE: Millis = 5_000;

const ABANDONED = {
  reason: 'REASON_EXECUTOR_TERMINATED',
  message: 'it was ended because no agent came back within --recovery_timeout, or the launcher was told to end',
} as const;

export type ContainerNews = Extract<AgentEvent, { kind: 'containerStarted' | 'containerExited' | 'containerFailed' }>;

export interface ContainersOptions extends FetchSettings {
  /** Absolute, without symbolic links. */
  readonly workDir: string;
  /** For what need not survive a reboot: the launcher's socket. */
  readonly runtimeDir: string;
  readonly logger: Logger;
  /** Takes news of containers, one event after the other, never from within a call of a method here. */
  readonly tell: (news: ContainerNews) => void;
  /** For how many ms tasks may live without an agent; upstream's 15 minutes unless given. */
  readonly recoveryTimeout?: Millis;
}

interface Container {
  readonly containerId: string;
  readonly mark: string | undefined;
  /** Absent while it is being started. */
  leader: ProcessId | undefined;
}

/** @throws when no launcher can be had: its socket or folder cannot be made, another agent uses it */
export async function openContainers(options: ContainersOptions): Promise<Containers> {
  const place = launcherPlace(options.runtimeDir, options.workDir);
  const connection = await Connection.open(place, options.recoveryTimeout ?? RECOVERY_TIMEOUT);
  return new Containers(options, place, connection);
}

export class Containers {
  /** The ids of a user, by name. */
  readonly findUser: (name: string) => UserIds | undefined;
  private readonly options: ContainersOptions;
  private readonly place: LauncherPlace;
  private readonly meter: UsageMeter;
  private readonly secrets: SecretFiles;
  /** For containers that are not among the others yet. */
  private readonly fetchers: Fetchers;
  /** Those that run, or are on their way to. */
  private readonly containers = new Map<string, Container>();
  /** Those whose launcher has ended: their exit status will never be known. */
  private readonly abandoned = new Set<string>();
  private readonly survivors: readonly ContainerReport[];
  /** Absent after a launcher has ended, until the next one is greeted. */
  private connection: Connection | undefined;
  private reopening: Promise<void> | undefined;
  private stopping = false;

  constructor(options: ContainersOptions, place: LauncherPlace, connection: Connection) {
    this.options = options;
    this.place = place;
    this.findUser = new Users().find;
    this.fetchers = new Fetchers(options);
    this.meter = new UsageMeter(() => this.containers);
    this.secrets = new SecretFiles(options.runtimeDir, options.workDir);
    this.survivors = connection.found;
    for (const { containerId, leader, mark, status } of connection.found) {
      if (status === undefined) this.containers.set(containerId, { containerId, leader, mark });
    }
    this.secrets.keepOnly(new Set(this.containers.keys()));
    this.connection = connection;
    setImmediate(() => this.announce(connection));
    options.logger.info(
      `Tasks are plain process groups, owned by the launcher with process id ${connection.launcherPid}: what they use is measured, not limited`,
    );
  }

  get launcherPid(): number | undefined {
    return this.connection?.launcherPid;
  }

  /**
   * What an earlier agent had left: containers that still run, and those that ended meanwhile, with their status. Soon
   * after opening each is told of by `containerStarted`, and if it has ended by `containerExited`: who does not want it
   * destroys it, which also acknowledges its status.
   */
  recover(): readonly ContainerReport[] {
    return this.survivors;
  }

  /** The containers that run or are being started. */
  list(): string[] {
    return [...this.containers.keys()];
  }

  /** Answered by `containerStarted` and later `containerExited`, or by `containerFailed`. */
  launch(spec: LaunchContainer): void {
    const { containerId } = spec;
    const prepared = this.prepare(spec);
    if (!prepared.ok) {
      setImmediate(() => this.fail(containerId, prepared.error.stage, prepared.error.message));
      return;
    }
    const order = prepared.value;
    if (spec.uris.length === 0) {
      this.startSoon(order);
      return;
    }
    this.fetchers.fetch(spec, order.user, (fetched) => {
      if (this.stopping) return;
      if (fetched.ok) {
        this.startSoon(order);
        return;
      }
      const { message, detail } = fetched.error;
      this.options.logger.warning(`${message}${detail && ` (${detail})`}: see stderr in ${spec.sandbox}`);
      this.fail(containerId, 'launch', message);
    });
  }

  /** Signals every process of the container. */
  kill(containerId: string, signal: number): void {
    this.withLauncher((connection) => connection.request({ op: 'signal', containerId, signal }));
  }

  /** Writes to the first process of the container, or (no data) ends what it reads. Resolves to what was wrong, if anything. */
  write(containerId: string, data: Uint8Array | undefined): Promise<string | undefined> {
    const encoded = data && Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
    return new Promise((resolve) => {
      if (!this.connection) return resolve('the launcher of tasks has ended');
      this.connection.request({ op: 'input', containerId, data: encoded }, (answer) => {
        resolve(answer.ok ? undefined : answer.error.message);
      });
    });
  }

  /** Ends what is left of the container, and forgets it when nothing is. */
  destroy(containerId: string): void {
    if (this.fetchers.cancel(containerId)) {
      setImmediate(() => this.tell({ kind: 'containerExited', containerId, status: SIGKILL }));
      return;
    }
    this.withLauncher((connection) => connection.request({ op: 'destroy', containerId }));
  }

  /** Ends what may be left of a container whose launcher is gone: its processes bear the path of their sandbox. */
  clear(containerId: string, sandbox: string): void {
    this.withLauncher((connection) => connection.request({ op: 'clear', trees: [{ containerId, mark: sandbox }] }));
  }

  /** What the container's processes use now, or used a moment ago. */
  usage(containerId: string): ResourceStatistics | undefined {
    return this.containers.get(containerId)?.leader && this.meter.usage(containerId);
  }

  /** `containerizer/…`, for what is counted here. */
  metrics(): Record<string, number> {
    const { succeeded, failed } = this.fetchers.counts;
    return {
      'containerizer/fetcher/task_fetches_succeeded': succeeded,
      'containerizer/fetcher/task_fetches_failed': failed,
    };
  }

  /** Leaves the tasks to the launcher, which ends them if no agent comes back within the recovery timeout. */
  close(): void {
    this.stopping = true;
    this.fetchers.stop();
    this.connection?.close();
  }

  /** Ends all tasks (SIGTERM, a little later SIGKILL) and the launcher. No news are told from now on. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.fetchers.stop();
    await this.reopening?.catch(() => undefined);
    const connection = this.connection;
    if (!connection) return this.secrets.keepOnly(new Set());
    await new Promise<void>((resolve) => {
      const enough = setTimeout(() => {
        this.options.logger.warning(`The launcher ${connection.launcherPid} did not end within ${STOP_DEADLINE} ms`);
        connection.close();
        resolve();
      }, STOP_DEADLINE);
      const ended = (): void => {
        clearTimeout(enough);
        resolve();
      };
      connection.listen({ exited: () => undefined, lost: ended });
      connection.request({ op: 'shutdown', grace: STOP_GRACE }, (answer) => {
        if (!answer.ok) ended();
      });
    });
    this.secrets.keepOnly(new Set());
  }

  /** What was left is told first, what happens to it next; and neither before whoever opened us can listen. */
  private announce(connection: Connection): void {
    if (this.stopping) return;
    for (const { containerId, leader, status, abandoned } of this.survivors) {
      if (leader) this.tell({ kind: 'containerStarted', containerId, pid: leader.pid });
      if (status === undefined) continue;
      this.tell({ kind: 'containerExited', containerId, status, ...(abandoned && { limitation: ABANDONED }) });
    }
    this.adopt(connection);
  }

  private prepare(spec: LaunchContainer): Result<StartOrder, { stage: 'sandbox' | 'launch'; message: string }> {
    // Upstream's words: schedulers show them to people, and some look for them.
    const noSandbox = (why: string) =>
      err({ stage: 'sandbox', message: `Failed to create executor directory '${spec.sandbox}': ${why}` } as const);
    const user = this.userFor(spec);
    if (!user.ok) return noSandbox(`Failed to chown directory to '${spec.user}': ${user.error}`);
    try {
      createSandbox(spec.sandbox, user.value, spec.links);
    } catch (error) {
      return noSandbox(messageOf(error));
    }
    const missing = this.arrange(spec, user.value);
    if (missing !== undefined) return err({ stage: 'launch', message: missing });
    if (spec.rlimits?.rlimits?.length) {
      this.options.logger.warning(
        `Container ${spec.containerId} asks for rlimits, which are not in this build: it runs without`,
      );
    }
    return ok(orderOf(spec, user.value));
  }

  /** What the sandbox has of other places. @returns what could not be done */
  private arrange(spec: LaunchContainer, user: UserIds | undefined): string | undefined {
    const { containerId, sandbox, volumes, secretFiles = [] } = spec;
    return (
      unsupported(spec) ??
      linkVolumes(sandbox, volumes, user) ??
      this.secrets.give(containerId, sandbox, secretFiles, user)
    );
  }

  private userFor({ user }: LaunchContainer): Result<UserIds | undefined> {
    if (user === undefined) return ok(undefined);
    const ids = this.findUser(user);
    if (!ids) return err(`No such user '${user}'`);
    const own = process.getuid?.();
    // Our own user needs no change, and keeps the groups that we were given.
    if (ids.uid === own) return ok(undefined);
    if (own === 0) return ok(ids);
    return err('only root can become somebody else; start the agent as root, or with --no-switch_user');
  }

  private startSoon(order: StartOrder): void {
    const { containerId, environment } = order;
    this.containers.set(containerId, { containerId, mark: environment[MARK_VARIABLE], leader: undefined });
    this.withLauncher(
      (connection) => this.start(connection, order),
      (error) => this.fail(containerId, 'launch', messageOf(error)),
    );
  }

  private start(connection: Connection, order: StartOrder): void {
    const { containerId } = order;
    connection.request({ op: 'start', order }, (answer) => {
      const container = this.containers.get(containerId);
      // Where the launcher ended in the middle, it may run: the next launcher looks for it, and tells of its end.
      if (!container || (!answer.ok && answer.error.code === 'gone')) return;
      if (answer.ok) {
        container.leader = answer.value.leader;
        this.tell({ kind: 'containerStarted', containerId, pid: answer.value.leader.pid });
      } else if (answer.error.code === 'destroyed') {
        this.containers.delete(containerId);
        this.tell({ kind: 'containerExited', containerId, status: SIGKILL });
      } else this.fail(containerId, 'launch', answer.error.message);
    });
  }

  private fail(containerId: string, stage: 'sandbox' | 'launch', message: string): void {
    this.containers.delete(containerId);
    this.tell({ kind: 'containerFailed', containerId, stage, message });
  }

  private tell(news: ContainerNews): void {
    if (news.kind !== 'containerStarted') this.secrets.remove(news.containerId);
    if (!this.stopping) this.options.tell(news);
  }

  private adopt(connection: Connection): void {
    this.connection = connection;
    connection.listen({
      exited: (containerId, status) => this.exited(containerId, status),
      lost: () => this.lost(connection),
    });
  }

  private exited(containerId: string, status: number): void {
    const container = this.containers.get(containerId);
    this.containers.delete(containerId);
    if (!this.abandoned.delete(containerId)) {
      this.tell({ kind: 'containerExited', containerId, status });
      return;
    }
    const message = 'the launcher that had started it ended, and what was left of it was killed';
    if (container?.leader) {
      const limitation = { reason: 'REASON_EXECUTOR_TERMINATED', message } as const;
      this.tell({ kind: 'containerExited', containerId, status, limitation });
    } else {
      this.connection?.request({ op: 'destroy', containerId });
      this.tell({ kind: 'containerFailed', containerId, stage: 'launch', message });
    }
  }

  /** The launcher was killed: how its tasks end can never be known, so a new one ends them. */
  private lost(connection: Connection): void {
    this.connection = undefined;
    if (this.stopping) return;
    this.options.logger.error(
      `The launcher with process id ${connection.launcherPid} has ended; starting another, which ends the tasks of the old one`,
    );
    for (const containerId of this.containers.keys()) this.abandoned.add(containerId);
    this.reopen().catch((error: unknown) => {
      this.options.logger.error('No launcher of tasks can be had; the next task to be launched tries again', error);
      for (const containerId of [...this.abandoned]) this.exited(containerId, SIGKILL);
    });
  }

  private withLauncher(
    act: (connection: Connection) => void,
    failed: (error: unknown) => void = () => undefined,
  ): void {
    if (this.connection) act(this.connection);
    else if (!this.stopping) this.reopen().then(() => this.connection && act(this.connection), failed);
  }

  private reopen(): Promise<void> {
    this.reopening ??= Connection.open(this.place, this.options.recoveryTimeout ?? RECOVERY_TIMEOUT)
      .then((connection) => {
        const trees = [...this.containers.values()].filter(({ containerId }) => this.abandoned.has(containerId));
        this.adopt(connection);
        if (trees.length > 0) connection.request({ op: 'clear', trees });
      })
      .finally(() => {
        this.reopening = undefined;
      });
    return this.reopening;
  }
}

function orderOf(spec: LaunchContainer, user: UserIds | undefined): StartOrder {
  const { containerId, file, argv, environment, sandbox, input, endsWithAgent } = spec;
  return {
    containerId,
    file,
    argv,
    environment: { PATH: DEFAULT_PATH, ...environment },
    directory: sandbox,
    ...(input && { input }),
    ...(user && { user }),
    ...(endsWithAgent && { endsWithAgent }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
