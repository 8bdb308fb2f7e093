/** Real ZooKeeper servers for tests: Debian's package, on loopback, with a temporary data directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from './core/session.ts';

const JARS = '/usr/share/java';
const NEEDED = [
  'zookeeper',
  'zookeeper-jute',
  'slf4j-api',
  'snappy-java',
  'netty',
  'metrics-core',
  'log4j-1.2',
  'slf4j-log4j12',
  'commons-cli',
  'jackson-core',
  'jackson-databind',
  'jackson-annotations',
  'jetty9-server',
  'jetty9-servlet',
  'jetty9-util',
  'jetty9-http',
  'jetty9-io',
  'jetty9-security',
  'servlet-api',
];

/** Why these tests cannot run here, for the `skip` option; false where they can. */
export const withoutZooKeeper: string | false = reasonToSkip();

function reasonToSkip(): string | false {
  if (!existsSync(join(JARS, 'zookeeper.jar'))) return "ZooKeeper is not installed (Debian's package zookeeper)";
  const isJavaThere = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'java')));
  return isJavaThere ? false : 'there is no java on the PATH';
}

const TICK = 200;
const READY_WITHIN = 30_000;

interface Member {
  readonly server: Server;
  readonly config: string;
  process: ChildProcess | undefined;
}

/** Where servers run: at an address of this machine, or on a host of a test's own network. */
export interface Place {
  readonly address: string;
  /** What a command line begins with to run there. */
  readonly enter: readonly string[];
}

const LOOPBACK: Place = { address: '127.0.0.1', enter: [] };

/** One server, or an ensemble of several. */
export class TestEnsemble {
  readonly #folder: string;
  readonly #members: Member[] = [];
  readonly #heap: number;
  readonly #place: Place;

  private constructor(heap: number, place: Place) {
    this.#heap = heap;
    this.#folder = mkdtempSync(join(tmpdir(), 'zookeeper-'));
    this.#place = place;
  }

  /**
   * Starts `size` servers. Sessions may be as short as 400 ms.
   * @param heap of each, in MiB
   * @returns when all of them answer
   */
  static async start(size = 1, heap = 128, place: Place = LOOPBACK): Promise<TestEnsemble> {
    const ensemble = new TestEnsemble(heap, place);
    const ports = await freePorts(size * 3);
    const quorum = Array.from(
      { length: size },
      (_, i) => `server.${i + 1}=${place.address}:${ports[size + i]}:${ports[2 * size + i]}`,
    );
    for (let i = 0; i < size; i++) ensemble.#prepare(i, ports[i]!, size > 1 ? quorum : []);
    await Promise.all(ensemble.#members.map((_, i) => ensemble.startMember(i)));
    return ensemble;
  }

  get servers(): readonly Server[] {
    return this.#members.map(({ server }) => server);
  }

  /** `127.0.0.1:2181,127.0.0.1:2182`. */
  get addresses(): string {
    return this.servers.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  async startMember(index: number): Promise<void> {
    const member = this.#members[index]!;
    const classPath = NEEDED.map((name) => join(JARS, `${name}.jar`)).filter((path) => existsSync(path));
    const small = [`-Xmx${this.#heap}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const [command, ...args] = [
      ...this.#place.enter,
      'java',
      ...small,
      '-cp',
      classPath.join(':'),
      main,
      member.config,
    ];
    member.process = spawn(command!, args, { stdio: 'ignore' });
    const deadline = Date.now() + READY_WITHIN;
    while (!(await isServing(member.server))) {
      if (Date.now() > deadline) throw new Error(`the ZooKeeper on port ${member.server.port} does not serve`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** SIGKILL, and wait for the end. */
  async kill(index: number): Promise<void> {
    const child = this.#members[index]!.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** It neither answers nor hangs up. */
  pause(index: number): void {
    this.#members[index]!.process?.kill('SIGSTOP');
  }

  resume(index: number): void {
    this.#members[index]!.process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((_, i) => this.kill(i)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #prepare(index: number, port: number, quorum: readonly string[]): void {
    const folder = join(this.#folder, String(index + 1));
    mkdirSync(folder, { recursive: true });
    const lines = [
      `tickTime=${TICK}`,
      'initLimit=50',
      'syncLimit=25',
      `dataDir=${folder}`,
      `clientPort=${port}`,
      `clientPortAddress=${this.#place.address}`,
      'admin.enableServer=false',
      'maxClientCnxns=0',
      '4lw.commands.whitelist=*',
      `minSessionTimeout=${TICK * 2}`,
      ...quorum,
    ];
    const config = join(folder, 'zoo.cfg');
    writeFileSync(config, `${lines.join('\n')}\n`);
    if (quorum.length > 0) writeFileSync(join(folder, 'myid'), `${index + 1}\n`);
    this.#members.push({ server: { host: this.#place.address, port }, config, process: undefined });
  }
}

/** Asks `srvr`: an answer with a mode means that it serves clients. */
function isServing({ host, port }: Server): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host, port });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('connect', () => socket.write('srvr'));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(/^Mode: (standalone|leader|follower)$/m.test(text)));
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject);
            server.listen(0, '127.0.0.1', () => {
              const address = server.address();
              if (address === null || typeof address === 'string') reject(new Error('no port'));
              else resolve(address.port);
            });
          }),
      ),
    );
  } finally {
    for (const server of servers) server.close();
  }
}
