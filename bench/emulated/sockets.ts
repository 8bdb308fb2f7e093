/**
 * Emulated agents on real sockets: they share a few listening ports, `slave(N)@127.0.0.1:port`, and for each port there is
 * one connection to the master, so that thousands of agents cost neither thousands of ports nor thousands of sockets.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { seededRandom } from '../../src/base/random.ts';
import type { Libprocess } from '../../src/libprocess/libprocess.ts';
import { createLibprocess } from '../../src/libprocess/transport.ts';
import { parseResources } from '../../src/resources/parse.ts';
import { internalMessages } from '../../src/wire/internal.ts';
import type { AgentInfo } from '../../src/wire/v1.ts';
import { type AgentMessages, type AgentWorld, EmulatedAgent, type TaskScript } from './agent.ts';
import { assertLoopbackPid } from './loopback.ts';
import { MessageStream, type Received } from './message-stream.ts';

export interface SocketAgentsOptions {
  readonly count: number;
  /** How many listening ports they share. */
  readonly ports: number;
  /** Of agent number so-and-so; without an id. */
  readonly info: (index: number) => AgentInfo;
  readonly script?: TaskScript;
  readonly seed?: number;
  /** Called whenever the master has admitted an agent (again). */
  readonly registered?: (agent: EmulatedAgent) => void;
}

export interface SocketAgents {
  readonly agents: readonly EmulatedAgent[];
  close(): Promise<void>;
}

export interface Port {
  readonly libprocess: Libprocess;
  readonly close: () => Promise<void>;
}

export type Take = (port: Port, message: Received) => void;

const IP = '127.0.0.1';
const ACCEPTED = 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n';

/** Opens a port of 127.0.0.1 for emulated processes. @param take hears what is sent to them */
export async function openPort(take: Take): Promise<Port> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const stream = new MessageStream();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const messages = stream.push(chunk);
      if (messages.length > 0) socket.write(ACCEPTED.repeat(messages.length));
      for (const message of messages) take(port, message);
    });
  });
  server.listen(0, IP);
  await once(server, 'listening');
  const libprocess = createLibprocess({ ip: IP, port: (server.address() as AddressInfo).port, idleMs: 60_000 });
  const close = async (): Promise<void> => {
    libprocess.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  const port: Port = { libprocess, close };
  return port;
}

/** Opens the ports and makes the agents; nobody is registered yet. */
export async function createSocketAgents(options: SocketAgentsOptions): Promise<SocketAgents> {
  const random = seededRandom(options.seed ?? 1);
  const byPid = new Map<string, EmulatedAgent>();
  let closed = false;
  const take: Take = ({ libprocess }, { from, to, name, body }) => {
    const message = internalMessages[name]?.decode(body);
    if (message?.ok && !closed) byPid.get(libprocess.pid(to))?.receive(from, name, message.value);
  };
  const ports = await Promise.all(Array.from({ length: Math.min(options.ports, options.count) }, () => openPort(take)));
  for (let index = 0; index < options.count; index++) {
    const { libprocess } = ports[index % ports.length]!;
    const agent: EmulatedAgent = new EmulatedAgent(
      {
        pid: libprocess.pid(`slave(${index + 1})`),
        info: options.info(index),
        ...(options.script !== undefined && { script: options.script }),
      },
      worldOf(libprocess, `slave(${index + 1})`, random, options.registered),
    );
    byPid.set(agent.pid, agent);
  }
  return {
    agents: [...byPid.values()],
    close: async () => {
      closed = true;
      await Promise.all(ports.map((port) => port.close()));
    },
  };
}

/** What an emulated agent has unless a bench says otherwise: half a rack of 2018. */
export const AGENT_RESOURCES = 'cpus:24;mem:4096;disk:4096;ports:[31000-32000]';
/** An agent that hears nothing for so long asks again, as real ones do. */
const RETRY = 5000;

/**
 * Makes agents and registers all of them at once with a master.
 * @param master its PID
 * @returns when all are registered, with the milliseconds that it took
 */
export async function registerSocketAgents(
  master: string,
  options: Pick<SocketAgentsOptions, 'count' | 'ports' | 'script'> & { readonly resources?: string },
): Promise<SocketAgents & { readonly took: number }> {
  const resources = parseResources(options.resources ?? AGENT_RESOURCES);
  if (!resources.ok) throw new Error(resources.error);
  const info = { port: 5051, resources: resources.value.toProto() };
  let done = (): void => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  let left = options.count;
  const emulated = await createSocketAgents({
    ...options,
    info: (index) => ({ hostname: `agent-${index}`, ...info }),
    registered: () => {
      left--;
      if (left === 0) done();
    },
  });
  const start = performance.now();
  for (const agent of emulated.agents) agent.insist(master, RETRY);
  await all;
  return { ...emulated, took: performance.now() - start };
}

function worldOf(
  libprocess: Libprocess,
  process: string,
  random: () => number,
  registered: SocketAgentsOptions['registered'],
): AgentWorld {
  return {
    random,
    wall: () => Date.now(),
    // A bench that is over does not wait for the tasks that it left behind.
    after: (milliseconds, action) => void setTimeout(action, milliseconds).unref(),
    send: <Name extends keyof AgentMessages>(
      _: EmulatedAgent,
      to: string,
      name: Name,
      message: AgentMessages[Name],
    ) => {
      assertLoopbackPid(to);
      const type = internalMessages[name];
      if (type === undefined) throw new Error(`${name} is not a message that the wire knows`);
      const sent = libprocess.send(process, to, name, type.encode(message));
      if (!sent.ok) throw new Error(sent.error);
    },
    ...(registered !== undefined && { registered }),
  };
}
