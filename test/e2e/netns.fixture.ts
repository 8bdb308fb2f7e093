/** Hosts of a network of their own, as network namespaces of this machine: real TCP, with cables that can be cut. */
import { execFileSync } from 'node:child_process';

/** Begins the names of everything that is made; the process id follows, so that what a killed test left can be told. */
const PREFIX = 'mst';

/** Why there can be no such hosts here, for the `skip` option; false where there can. */
export const withoutNamespaces: string | false = reasonToSkip();

function reasonToSkip(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are only to be had on Linux';
  if (process.getuid?.() !== 0) return 'only root may make network namespaces';
  const probe = `${PREFIX}${process.pid}-probe`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'del', probe);
    return false;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing
      ? "the program ip is missing (Debian's package iproute2)"
      : `network namespaces are forbidden here: ${String(error)}`;
  }
}

/** Nobody's address: what is sent to it goes onto the cable and is heard by none. */
const NOWHERE = '02:00:00:00:00:01';
/** After so many retransmissions that nobody answers a connection is over: seconds instead of a quarter of an hour. */
const RETRANSMISSIONS = 3;

export interface Host {
  readonly address: string;
  /** What a command line begins with to run there. */
  readonly enter: readonly string[];
  readonly namespace: string;
}

let networks = 0;

/** A switch and the hosts at it. This process is at it too, as `observer`, and is never cut off. */
export class Network {
  readonly #id = `${process.pid}-${networks++}`;
  readonly #net: string;
  readonly #hosts: Host[] = [];
  readonly #onExit = (): void => this.remove();

  private constructor(net: string) {
    this.#net = net;
  }

  static create(): Network {
    removeLeftovers();
    // 198.18.0.0/15 is set aside for tests of networks.
    const taken = ip('-o', '-4', 'address');
    const number = Array.from({ length: 512 }, (_, i) => (process.pid * 7 + networks * 3 + i) % 512);
    const net = number.map((n) => `198.${18 + (n >> 8)}.${n & 255}`).find((prefix) => !taken.includes(`${prefix}.`));
    if (net === undefined) throw new Error('every network in 198.18.0.0/15 is in use');
    const network = new Network(net);
    // Also where a test ends this process on its own.
    process.once('exit', network.#onExit);
    ip('link', 'add', network.#switch, 'type', 'bridge');
    ip('address', 'add', `${net}.1/24`, 'dev', network.#switch);
    ip('link', 'set', network.#switch, 'up');
    return network;
  }

  get observer(): string {
    return `${this.#net}.1`;
  }

  /** Plugs one more host in. */
  host(): Host {
    const number = this.#hosts.length + 2;
    const namespace = `${PREFIX}${this.#id}-${number}`;
    const [cable, inside] = [this.#cable(number), `${this.#cable(number)}i`];
    const address = `${this.#net}.${number}`;
    const host = { address, namespace, enter: ['ip', 'netns', 'exec', namespace] };
    this.#hosts.push(host);
    ip('netns', 'add', namespace);
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', inside);
    ip('link', 'set', inside, 'netns', namespace, 'name', 'eth0');
    ip('link', 'set', cable, 'master', this.#switch, 'up');
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    const patience = `/proc/sys/net/ipv4/tcp_retries2`;
    ip('netns', 'exec', namespace, 'sh', '-c', `echo ${RETRANSMISSIONS} > ${patience}`);
    return host;
  }

  /** Nothing gets through between these two any more, silently; connections stand until somebody loses patience. */
  cut(one: Host, other: Host): void {
    this.cutOneWay(one, other);
    this.cutOneWay(other, one);
  }

  /** What `from` sends does not arrive; what is sent to it does. */
  cutOneWay(from: Host, to: Host): void {
    ip('-n', from.namespace, 'neighbour', 'replace', to.address, 'lladdr', NOWHERE, 'dev', 'eth0', 'nud', 'permanent');
  }

  heal(one: Host, other: Host): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      quietly('-n', from.namespace, 'neighbour', 'del', to.address, 'dev', 'eth0');
    }
  }

  /** Pulls the cable of a host, also for the observer. */
  unplug(host: Host): void {
    ip('link', 'set', this.#cable(this.#hosts.indexOf(host) + 2), 'down');
  }

  plugIn(host: Host): void {
    ip('link', 'set', this.#cable(this.#hosts.indexOf(host) + 2), 'up');
  }

  /** Takes everything away. What still runs there keeps running, without a network. */
  remove(): void {
    process.removeListener('exit', this.#onExit);
    for (const [index, { namespace }] of this.#hosts.splice(0).entries()) {
      quietly('link', 'del', this.#cable(index + 2));
      quietly('netns', 'del', namespace);
    }
    quietly('link', 'del', this.#switch);
  }

  /** Names of interfaces have at most 15 characters. */
  get #switch(): string {
    return `${PREFIX}${this.#id}`;
  }

  #cable(number: number): string {
    return `${PREFIX}${this.#id}-${number}`;
  }
}

/** What tests left that were killed. */
function removeLeftovers(): void {
  const isLeft = (name: string): boolean => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  };
  const links = ip('-o', 'link').matchAll(/^\d+: ([^:@]+)/gm);
  for (const [, name = ''] of links) if (isLeft(name)) quietly('link', 'del', name);
  for (const line of ip('netns', 'list').split('\n')) {
    const [name = ''] = line.split(' ');
    if (isLeft(name)) quietly('netns', 'del', name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function quietly(...args: readonly string[]): void {
  try {
    ip(...args);
  } catch {
    // It is not there, or not any more.
  }
}
