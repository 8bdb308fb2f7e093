import { appendFile, chown, mkdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FilesTable } from '../../http/files/table.ts';
import type { Libprocess } from '../../libprocess/libprocess.ts';
import type { Performers } from '../../runtime/driver.ts';
import { internalMessages } from '../../wire/internal.ts';
import type { Event } from '../../wire/v1_executor.ts';
import { changeVolumes, linkVolumes } from '../containers/volumes.ts';
import type {
  AgentEffect,
  ContainerAnswer,
  ExecutorStream,
  FileOwner,
  SymbolicLink,
  Termination,
} from '../core/effects.ts';
import type { AgentEvent } from '../core/events.ts';
import type { ContainerRunner } from './containers.ts';
import { type DirectPerformers, durable } from './durable.ts';
import type { FindUser } from './prober.ts';

/** The open streams of executors, by the number that their SUBSCRIBE event carried. */
export interface ExecutorStreams {
  tell(stream: ExecutorStream, event: Event): void;
  close(stream: ExecutorStream): void;
}

/** Who hears of containers that operators have to do with. */
export interface ContainerCallers {
  answered(ticket: number, answer: ContainerAnswer): void;
  over(key: string, termination: Termination): void;
}

type ProbeEffect = Extract<AgentEffect, { kind: 'probe' }>;

/** What the agent's effects act upon. */
export interface AgentSurroundings {
  readonly libprocess: Pick<Libprocess, 'send' | 'link'>;
  /** The agent's own process id there: `slave(1)`. */
  readonly process: string;
  readonly containers: ContainerRunner;
  readonly findUser: FindUser;
  readonly probe: (effect: ProbeEffect) => void;
  /** The streams of version 1 executors. */
  readonly executors: ExecutorStreams;
  /** Calls about containers, and those who wait for the end of one. */
  readonly calls: ContainerCallers;
  readonly files: Pick<FilesTable, 'attach' | 'detach'>;
  /** Whether somebody may see the files of this owner; absent: everybody may. */
  readonly mayAccess?: (owner: FileOwner) => Parameters<FilesTable['attach']>[2];
  readonly tell: (event: AgentEvent) => void;
  /** Ask who leads, again. */
  readonly detect: () => void;
  readonly terminate: (status: number, reason: string) => void;
  readonly log: (level: 'info' | 'warning' | 'error', text: string) => void;
}

/** What to do for each effect of the agent's core; nothing here waits, and failures are told in the log. */
export function agentPerformers(around: AgentSurroundings): Performers<AgentEffect> {
  return durable(directPerformers(around), (error) => {
    around.terminate(1, error instanceof Error ? error.message : String(error));
  });
}

function directPerformers(around: AgentSurroundings): DirectPerformers {
  const { libprocess, containers, files, log } = around;
  return {
    send: ({ to, name, message }) => {
      const body = internalMessages[name]?.encode(message);
      const sent = body && libprocess.send(around.process, to, name, body);
      if (sent?.ok === false) log('error', `Cannot send a ${name} to ${to}: ${sent.error}`);
    },
    link: ({ pid, reconnect }) => {
      const linked = libprocess.link(pid, { reconnect });
      if (!linked.ok) log('error', `Cannot link to ${pid}: ${linked.error}`);
    },
    launchContainer: (effect) => containers.launch(effect),
    makeSandbox: ({ path, user }) => {
      inBackground(around, `make ${path}`, () =>
        makeSandbox(path, user === undefined ? undefined : around.findUser(user)),
      );
    },
    linkVolumes: ({ sandbox, volumes, user }) => {
      const problem = linkVolumes(sandbox, volumes, user === undefined ? undefined : around.findUser(user));
      if (problem !== undefined) log('error', problem);
    },
    changeVolumes: ({ operation, changes }) => {
      const problem = changeVolumes(changes, (error) => log('error', error));
      around.tell({ kind: 'volumesChanged', operation, problem });
    },
    killContainer: ({ containerId, signal }) => containers.kill(containerId, signal),
    destroyContainer: ({ containerId }) => containers.destroy(containerId),
    clearContainer: ({ containerId, sandbox }) => containers.clear(containerId, sandbox),
    probe: (effect) => around.probe(effect),
    executorEvent: ({ stream, event }) => around.executors.tell(stream, event),
    closeExecutorStream: ({ stream }) => around.executors.close(stream),
    removeDirectory: ({ path, via }) => {
      inBackground(around, `remove ${path}`, () => removeDirectory(around, path, via));
    },
    containerAnswer: ({ ticket, answer }) => around.calls.answered(ticket, answer),
    containerOver: ({ key, termination }) => around.calls.over(key, termination),
    removeSandbox: ({ path, ticket }) => void removeSandbox(around, path, ticket),
    agentDirectory: ({ path, link }) => {
      inBackground(around, `make ${path}`, async () => {
        await mkdir(path, { recursive: true });
        await replaceLink(link);
      });
    },
    attachFiles: ({ virtual, real, owner }) => {
      inBackground(around, `show ${real}`, async () => {
        const attached = await files.attach(real, virtual, around.mayAccess?.(owner));
        if (!attached.ok) log('warning', attached.error);
      });
    },
    detachFiles: ({ virtual }) => files.detach(virtual),
    detectMaster: () => around.detect(),
    terminate: ({ status, reason }) => around.terminate(status, reason),
    log: ({ level, text }) => log(level, text),
  };
}

function inBackground({ log }: AgentSurroundings, what: string, work: () => Promise<void>): void {
  work().catch((error: Error) => log('error', `Cannot ${what}: ${error.message}`));
}

/** Under another name first: an agent that is killed here must not find half of what it remembered. */
async function removeDirectory({ tell }: AgentSurroundings, path: string, via: string): Promise<void> {
  try {
    await mkdir(dirname(via), { recursive: true });
    const isMoved = await rename(path, via).then(
      () => true,
      ({ code }: NodeJS.ErrnoException) => code === 'ENOENT',
    );
    await rm(isMoved ? via : path, { recursive: true, force: true });
    tell({ kind: 'directoryRemoved', ok: true });
  } catch (error) {
    tell({ kind: 'directoryRemoved', ok: false });
    throw error;
  }
}

async function removeSandbox({ calls }: AgentSurroundings, path: string, ticket: number): Promise<void> {
  try {
    const folder = dirname(path);
    // Whoever runs in the outer sandbox may have put a link there that leads elsewhere.
    const real = await realpath(folder).catch(() => undefined);
    if (real !== undefined && real !== folder) throw new Error(`${folder} leads to ${real}: remove that link first`);
    if (real !== undefined) await rm(path, { recursive: true, force: true });
    calls.answered(ticket, { status: 200 });
  } catch (error) {
    const sentence = `Failed to remove the sandbox ${path}: ${(error as Error).message}`;
    calls.answered(ticket, { status: 500, sentence });
  }
}

async function makeSandbox(path: string, owner: ReturnType<FindUser>): Promise<void> {
  await mkdir(path, { recursive: true });
  const files = [join(path, 'stdout'), join(path, 'stderr')];
  for (const file of files) await appendFile(file, '');
  // Only root can give files away, and has to.
  if (owner && process.getuid?.() === 0) for (const entry of [path, ...files]) await chown(entry, owner.uid, owner.gid);
}

/** Puts a link in the place of an older one in one step, so that nobody ever finds none. */
async function replaceLink({ link, target }: SymbolicLink): Promise<void> {
  await mkdir(dirname(link), { recursive: true });
  const fresh = `${link}.new`;
  await rm(fresh, { force: true });
  await symlink(target, fresh);
  await rename(fresh, link);
}
