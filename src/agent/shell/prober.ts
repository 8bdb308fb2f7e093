import { type ChildProcess, spawn } from 'node:child_process';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { sleepable } from '../../runtime/timers.ts';
import type { AgentEffect, Probe } from '../core/effects.ts';
import type { AgentEvent, ProbeOutcome } from '../core/events.ts';

type ProbeEffect = Extract<AgentEffect, { kind: 'probe' }>;
type ProbeDone = Extract<AgentEvent, { kind: 'probeDone' }>;

/** The numbers of a user, for running a command as somebody else. */
export type FindUser = (name: string) => { readonly uid: number; readonly gid: number } | undefined;

export interface Prober {
  /** Looks once, and tells once. */
  probe(effect: ProbeEffect): void;
  /** Gives up everything under way, without telling. */
  stop(): void;
}

/** Where redirects of an HTTP check are followed to, at most. */
const MAX_REDIRECTS = 10;

/** Looks at tasks on the core's behalf. @param tell takes the answer, later */
export function createProber(tell: (event: ProbeDone) => void, findUser: FindUser): Prober {
  const running = new Set<() => void>();
  return {
    probe({ containerId, check, probe, timeout }) {
      const finish = (outcome: ProbeOutcome): void => {
        if (!running.delete(stop)) return;
        clearTimeout(timer);
        tell({ kind: 'probeDone', containerId, check, outcome });
      };
      const cancel = startOrFail(probe, findUser, finish);
      const stop = (): void => {
        running.delete(stop);
        clearTimeout(timer);
        cancel();
      };
      const expired = (): void => {
        cancel();
        finish({ type: 'failed', reason: `no answer within ${timeout} ms` });
      };
      const timer = timeout === undefined ? undefined : setTimeout(expired, sleepable(timeout));
      running.add(stop);
    },
    stop() {
      for (const stop of [...running]) stop();
    },
  };
}

type Finish = (outcome: ProbeOutcome) => void;

/** What a framework has written may be such that it cannot even be tried: a zero in a command, or more than a process can be given. */
function startOrFail(probe: Probe, findUser: FindUser, finish: Finish): () => void {
  return orFail(() => start(probe, findUser, finish), finish);
}

function orFail(begin: () => () => void, finish: Finish): () => void {
  try {
    return begin();
  } catch (error) {
    setImmediate(() => finish({ type: 'failed', reason: (error as Error).message }));
    return () => {};
  }
}

/** Begins to look. @returns how to give up @throws Error when there is no way to */
function start(probe: Probe, findUser: FindUser, finish: Finish): () => void {
  switch (probe.type) {
    case 'command':
      return runCommand(probe, findUser, finish);
    case 'http':
      return get(probe.url, finish, MAX_REDIRECTS);
    case 'tcp':
      return tryConnect(probe, finish);
  }
}

function runCommand(probe: Extract<Probe, { type: 'command' }>, findUser: FindUser, finish: Finish): () => void {
  const identity = identityOf(probe.user, findUser);
  if (typeof identity === 'string') {
    setImmediate(() => finish({ type: 'failed', reason: identity }));
    return () => {};
  }
  const child = spawn(probe.file, probe.argv.slice(1), {
    argv0: probe.argv[0] ?? probe.file,
    cwd: probe.directory,
    env: { PATH: process.env.PATH, ...probe.environment },
    stdio: 'ignore',
    // Of its own group, so that all it starts can be ended with it.
    detached: true,
    ...identity,
  });
  child.on('error', (error) => finish({ type: 'failed', reason: error.message }));
  child.on('exit', (code, signal) => {
    if (code === null) finish({ type: 'failed', reason: `terminated by ${signal}` });
    else finish({ type: 'command', exitCode: code });
  });
  return () => endGroup(child);
}

function identityOf(name: string | undefined, findUser: FindUser): { uid?: number; gid?: number } | string {
  if (name === undefined) return {};
  const user = findUser(name);
  if (!user) return `there is no user '${name}'`;
  return user.uid === process.getuid?.() ? {} : user;
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended in this very moment.
  }
}

function get(url: string, finish: Finish, redirects: number): () => void {
  let cancelled = false;
  let isAnswered = false;
  let cancelNext = (): void => {};
  const failed = (error: Error): void => {
    if (!cancelled) finish({ type: 'failed', reason: error.message });
  };
  const target = URL.parse(url);
  if (!target || !/^https?:$/.test(target.protocol)) {
    setImmediate(() => failed(new Error(`'${url}' is not an HTTP address`)));
    return () => {};
  }
  const options: RequestOptions & { rejectUnauthorized: boolean } = { agent: false, rejectUnauthorized: false };
  const call = (target.protocol === 'https:' ? httpsRequest : httpRequest)(target, options, (response) => {
    isAnswered = true;
    response.resume();
    const { statusCode: status = 0, headers } = response;
    if (status >= 300 && status < 400 && headers.location !== undefined && redirects > 0) {
      const next = URL.parse(headers.location, url);
      if (next) {
        // A name and a password in it are not ours to use, and need not even be encoded as they should.
        next.username = '';
        next.password = '';
        cancelNext = orFail(() => get(next.href, finish, redirects - 1), finish);
        return;
      }
    }
    finish({ type: 'http', status });
  });
  call.on('error', failed);
  // Such as after 101, which nobody has asked for.
  call.on('close', () => isAnswered || failed(new Error('the connection was closed without an answer')));
  call.end();
  return () => {
    cancelled = true;
    call.destroy();
    cancelNext();
  };
}

function tryConnect({ ip, port }: Extract<Probe, { type: 'tcp' }>, finish: Finish): () => void {
  const socket = connect({ host: ip, port });
  const settle = (connected: boolean): void => {
    socket.destroy();
    finish({ type: 'tcp', connected });
  };
  socket.once('connect', () => settle(true));
  socket.once('error', () => settle(false));
  return () => socket.destroy();
}
