/** Two real masters that meet in a real ZooKeeper, each a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Elector } from '../../src/coordination/election/elect.ts';
import { TestEnsemble } from '../../src/coordination/zookeeper/server.fixture.ts';
import { parseZooUrl } from '../../src/coordination/zookeeper/url.ts';
import { freePort } from './ports.ts';
import { memoryOf, type ProcessMemory } from './process-memory.ts';

const IP = '127.0.0.1';
const COMMAND = fileURLToPath(new URL('../../bin/mesos-master', import.meta.url));

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

interface Member {
  readonly port: number;
  process: ChildProcess | undefined;
}

/** Who leads, and since when (`performance.now`). */
export interface Leader {
  readonly port: number;
  readonly since: number;
}

export class ElectedMasters {
  readonly #folder = mkdtempSync(join(tmpdir(), 'meseta-bench-'));
  readonly #ensemble: TestEnsemble;
  readonly #sessionTimeout: number;
  readonly #members: readonly Member[];
  readonly #elector: Elector;
  #leader: Leader | undefined;
  #told: ((leader: Leader) => void)[] = [];

  private constructor(ensemble: TestEnsemble, sessionTimeout: number, ports: readonly number[]) {
    this.#ensemble = ensemble;
    this.#sessionTimeout = sessionTimeout;
    this.#members = ports.map((port) => ({ port, process: undefined }));
    const url = parseZooUrl(this.#url);
    if (!url.ok) throw new Error(url.error);
    this.#elector = new Elector({
      url: url.value,
      sessionTimeout,
      onLeader: (info) => this.#follow(info?.port),
      onFailed: (reason) => {
        throw new Error(reason);
      },
      log: () => {},
    });
  }

  /** @param sessionTimeout of the masters' sessions, in ms: how long a dead leader is waited for @returns when one leads */
  static async start(sessionTimeout: number): Promise<ElectedMasters> {
    const masters = new ElectedMasters(await TestEnsemble.start(1, 512), sessionTimeout, [
      await freePort(),
      await freePort(),
    ]);
    masters.#elector.start();
    const led = masters.nextLeader();
    for (const member of masters.#members) masters.#run(member);
    await led;
    return masters;
  }

  get #url(): string {
    return `zk://${this.#ensemble.addresses}/mesos`;
  }

  /** `127.0.0.1:port` of each. */
  get addresses(): readonly string[] {
    return this.#members.map(({ port }) => `${IP}:${port}`);
  }

  /** @returns the libprocess pid of the master that leads */
  get leaderPid(): string {
    return `master@${IP}:${this.#leader?.port}`;
  }

  /** @returns the next one that comes to lead */
  nextLeader(): Promise<Leader> {
    return new Promise((resolve) => this.#told.push(resolve));
  }

  leaderMemory(): ProcessMemory {
    return memoryOf(this.#leading()?.process?.pid ?? 0);
  }

  /** SIGKILL. @returns the moment */
  killLeader(): number {
    const member = this.#leading();
    this.#leader = undefined;
    member?.process?.kill('SIGKILL');
    return performance.now();
  }

  /** Starts those that do not run. */
  revive(): void {
    for (const member of this.#members) if (member.process === undefined) this.#run(member);
  }

  async stop(): Promise<void> {
    this.#elector.stop();
    await Promise.all(
      this.#members.map(
        ({ process: child }) =>
          new Promise<void>((resolve) => {
            if (child === undefined) return resolve();
            child.once('exit', () => resolve());
            child.kill('SIGKILL');
          }),
      ),
    );
    await this.#ensemble.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #leading(): Member | undefined {
    return this.#members.find(({ port }) => port === this.#leader?.port);
  }

  #follow(port: number | undefined): void {
    if (port === undefined || port === this.#leader?.port) return;
    this.#leader = { port, since: performance.now() };
    for (const told of this.#told.splice(0)) told(this.#leader);
  }

  #run(member: Member): void {
    const file = openSync(join(this.#folder, `${member.port}.log`), 'a');
    const flags = [
      `--ip=${IP}`,
      `--port=${member.port}`,
      `--hostname=${IP}`,
      `--zk=${this.#url}`,
      '--quorum=1',
      `--zk_session_timeout=${this.#sessionTimeout}ms`,
      `--work_dir=${join(this.#folder, String(member.port))}`,
    ];
    const child = spawn(COMMAND, flags, { stdio: ['ignore', file, file] });
    closeSync(file);
    alive.add(child);
    member.process = child;
    child.once('exit', () => {
      alive.delete(child);
      member.process = undefined;
    });
  }
}
