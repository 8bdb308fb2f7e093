import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Log } from '../../runtime/logger.ts';
import type { LaunchContainer } from '../core/effects.ts';
import { type ContainerNews, type Containers, type ContainersOptions, openContainers } from './containers.ts';

/** A container runner over a real launcher, with all that it told, in a folder that goes away with the test. */
export class Bench {
  readonly folder: string;
  readonly news: ContainerNews[] = [];
  readonly logged: string[] = [];
  containers!: Containers;
  private readonly t: TestContext;
  private waiting: {
    readonly wanted: (news: ContainerNews) => boolean;
    readonly found: (news: ContainerNews) => void;
  }[] = [];

  private constructor(t: TestContext, folder: string) {
    this.t = t;
    this.folder = folder;
  }

  static async open(t: TestContext, more: Partial<ContainersOptions> = {}): Promise<Bench> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'meseta-containers-')));
    const bench = new Bench(t, folder);
    t.after(async () => {
      // None where it could not be opened, which some tests are about.
      await (bench.containers as Containers | undefined)?.stop();
      rmSync(folder, { recursive: true });
    });
    await bench.open(more);
    return bench;
  }

  /** Opens (again): what a restarted agent does. */
  async open(more: Partial<ContainersOptions> = {}): Promise<void> {
    const log = new Log({ program: 'mesos-agent', file: 'agent', write: (lines) => this.logged.push(lines) });
    this.t.after(() => log.close());
    this.containers = await openContainers({
      workDir: this.folder,
      runtimeDir: join(this.folder, 'run'),
      logger: log.logger,
      tell: (news) => this.take(news),
      ...more,
    });
  }

  sandbox(containerId: string): string {
    return join(this.folder, 'runs', containerId);
  }

  /** A line for the shell, or a whole specification. */
  launch(containerId: string, command: string | Partial<LaunchContainer>): void {
    const shell = (line: string) => ({ file: 'sh', argv: ['sh', '-c', line] });
    const sandbox = this.sandbox(containerId);
    this.containers.launch({
      kind: 'launchContainer',
      containerId,
      environment: { MESOS_SANDBOX: sandbox },
      sandbox,
      links: [],
      volumes: [],
      uris: [],
      resources: { cpus: 1, mem: 32, disk: 0, gpus: 0 },
      frameworkId: 'framework',
      executorId: 'executor',
      ...shell('true'),
      ...(typeof command === 'string' ? shell(command) : command),
    });
  }

  started(containerId: string): Promise<Extract<ContainerNews, { kind: 'containerStarted' }>> {
    return this.wait('containerStarted', containerId);
  }

  failed(containerId: string): Promise<Extract<ContainerNews, { kind: 'containerFailed' }>> {
    return this.wait('containerFailed', containerId);
  }

  exited(containerId: string): Promise<Extract<ContainerNews, { kind: 'containerExited' }>> {
    return this.wait('containerExited', containerId);
  }

  read(containerId: string, name = 'stdout'): string {
    return readFileSync(join(this.sandbox(containerId), name), 'utf8');
  }

  readBytes(containerId: string, name: string): Buffer {
    return readFileSync(join(this.sandbox(containerId), name));
  }

  /** Waits until the container has written so many lines. */
  async lines(containerId: string, count: number): Promise<string[]> {
    await this.started(containerId);
    for (;;) {
      const lines = this.read(containerId).split('\n').slice(0, -1);
      if (lines.length >= count) return lines;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private wait<K extends ContainerNews['kind']>(
    kind: K,
    containerId: string,
  ): Promise<Extract<ContainerNews, { kind: K }>> {
    const wanted = (news: ContainerNews): boolean => news.kind === kind && news.containerId === containerId;
    return new Promise((resolve) => {
      const found = (news: ContainerNews): void => resolve(news as Extract<ContainerNews, { kind: K }>);
      const told = this.news.find(wanted);
      if (told) found(told);
      else this.waiting.push({ wanted, found });
    });
  }

  private take(news: ContainerNews): void {
    this.news.push(news);
    for (const one of this.waiting.filter(({ wanted }) => wanted(news))) one.found(news);
    this.waiting = this.waiting.filter(({ wanted }) => !wanted(news));
  }
}

/** Whether a process with this number lives; a zombie does not. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
