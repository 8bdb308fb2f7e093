/** What a standby does with requests: it passes them on to the leader, and its answers back. */
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { MarathonFlags } from '../flags.ts';

const VIA = 'x-marathon-via';
/** How long the leader is looked for. */
const TRIES = 10;

export interface ProxyOptions {
  /** `host:port` of this one. */
  readonly address: string;
  readonly flags: Pick<
    MarathonFlags,
    | 'leader_proxy_max_open_connections'
    | 'leader_proxy_connection_timeout'
    | 'leader_proxy_read_timeout'
    | 'leader_proxy_ssl_ignore_hostname'
  >;
  /** How the leader is reached: as this one is. */
  readonly scheme: 'http' | 'https';
  /** Certificates to trust besides those of the system. */
  readonly trusted?: readonly string[];
  /** ms */
  readonly betweenTries: number;
}

export class LeaderProxy {
  readonly #options: ProxyOptions;
  readonly #agent: Agent;
  readonly #request: typeof httpRequest;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { scheme, trusted = [], flags } = options;
    const pool = { keepAlive: true, maxSockets: Math.max(1, flags.leader_proxy_max_open_connections) };
    this.#request = scheme === 'https' ? httpsRequest : httpRequest;
    this.#agent =
      scheme === 'https'
        ? new TlsAgent({
            ...pool,
            ca: [...rootCertificates, ...trusted],
            ...(flags.leader_proxy_ssl_ignore_hostname && { checkServerIdentity: () => undefined }),
          })
        : new Agent(pool);
  }

  /** Passes a request on. @param leader asked anew until it is known, or it takes too long */
  async pass(request: IncomingMessage, response: ServerResponse, leader: () => string | undefined): Promise<void> {
    try {
      await this.#pass(request, response, leader);
    } catch (error) {
      // What somebody else wrote into ZooKeeper is no address, say.
      if (response.headersSent) response.destroy();
      else fail(response, 502, `The leader ${leader()} cannot be asked: ${(error as Error).message}`);
    }
  }

  async #pass(request: IncomingMessage, response: ServerResponse, leader: () => string | undefined): Promise<void> {
    const { address, betweenTries, scheme } = this.#options;
    let target = leader();
    for (let tries = 0; (target === undefined || target === address) && tries < TRIES; tries++) {
      await new Promise((resolve) => setTimeout(resolve, betweenTries));
      target = leader();
    }
    if (response.destroyed) return;
    if (target === undefined || target === address) {
      fail(response, 502, 'Could not determine the current leader');
    } else if (viaOf(request).some((each) => each.endsWith(` ${address}`))) {
      fail(response, 502, 'Detected proxying loop.');
    } else if (request.url?.startsWith('/v2/events')) {
      response.writeHead(302, { location: `${scheme}://${target}${request.url}`, 'content-length': 0 }).end();
    } else {
      this.#forward(request, response, target);
    }
  }

  #forward(request: IncomingMessage, response: ServerResponse, target: string): void {
    const { flags, address } = this.#options;
    const { leader_proxy_connection_timeout: connectWithin, leader_proxy_read_timeout: readWithin } = flags;
    const [host, port] = splitAddress(target);
    const via = `1.1 ${address}`;
    const known = request.headers[VIA];
    const outgoing = this.#request({
      host,
      port,
      method: request.method,
      path: request.url,
      agent: this.#agent,
      headers: {
        ...request.headers,
        host: target,
        connection: 'keep-alive',
        [VIA]: known === undefined ? via : `${String(known)}, ${via}`,
        'x-forwarded-for': [request.headers['x-forwarded-for'], request.socket.remoteAddress]
          .filter(Boolean)
          .join(', '),
      },
      timeout: readWithin,
    });
    const connecting = setTimeout(
      () => outgoing.destroy(new Error(`no connection within --leader_proxy_connection_timeout=${connectWithin}`)),
      connectWithin,
    );
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) clearTimeout(connecting);
      else socket.once('connect', () => clearTimeout(connecting));
    });
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`no answer within --leader_proxy_read_timeout=${readWithin}`)),
    );
    outgoing.on('response', (answer) => {
      clearTimeout(connecting);
      const { connection: _, 'keep-alive': __, ...headers } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, { ...headers, [VIA]: via });
      // An answer that ends too early is to be seen as that.
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(connecting);
      if (response.headersSent) response.destroy();
      else if (error.code === 'ECONNREFUSED') fail(response, 502, 'Connection to leader refused.');
      else fail(response, 502, `The leader ${target} does not answer: ${error.message}`);
    });
    response.on('close', () => outgoing.destroy());
    request.pipe(outgoing);
  }
}

/** The standbys that it has come through, as `1.1 host:port`. */
function viaOf({ headers }: IncomingMessage): readonly string[] {
  return String(headers[VIA] ?? '')
    .split(',')
    .map((each) => each.trim());
}

function splitAddress(address: string): readonly [string, number] {
  const at = address.lastIndexOf(':');
  return [address.slice(0, at), Number(address.slice(at + 1))];
}

function fail(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ message });
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
