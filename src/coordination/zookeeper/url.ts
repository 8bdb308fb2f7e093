/** `zk://[user:password@]host1:port1,host2:port2,…/path`, as upstream's flags have it. */
import { withoutPassword } from '../../base/password.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Server } from './core/session.ts';

export interface ZooUrl {
  readonly servers: readonly Server[];
  /** Digest credentials, `user:password`. */
  readonly credentials: string | undefined;
  /** Begins with a slash, does not end with one, and is not the root. */
  readonly path: string;
}

const FORM = 'write zk://host1:port1,host2:port2/path, or zk://user:password@host1:port1/path';

/** Reads a URL. The error repeats it, but never shows the password. */
export function parseZooUrl(text: string): Result<ZooUrl> {
  const trimmed = text.trim();
  const url = read(trimmed);
  return url.ok ? url : err(`'${withoutPassword(trimmed)}' is no ZooKeeper address: ${url.error}`);
}

function read(trimmed: string): Result<ZooUrl> {
  if (!trimmed.startsWith('zk://')) return err(`it does not begin with zk://; ${FORM}`);
  const rest = trimmed.slice('zk://'.length);
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  const credentials = at < 0 ? undefined : authority.slice(0, at);
  if (credentials !== undefined && !/^[^:]+:.+$/s.test(credentials)) {
    return err(`the part before '@' must be user:password; ${FORM}`);
  }
  if (at < 0 && slash >= 0 && rest.includes('@') && !parseServers(authority).ok) {
    return err(`a slash stands before '@', where neither user nor password may have one; ${FORM}`);
  }
  const servers = parseServers(authority.slice(at + 1));
  if (!servers.ok) return servers;
  const path = (slash < 0 ? '/' : rest.slice(slash)).replace(/\/+$/, '') || '/';
  // What is there belongs to everybody.
  if (path === '/') return err(`it has no path after the servers; ${FORM}`);
  const valid = validatePath(path);
  return valid.ok ? ok({ servers: servers.value, credentials, path }) : valid;
}

function parseServers(addresses: string): Result<readonly Server[]> {
  const servers: Server[] = [];
  for (const address of addresses.split(',')) {
    const server = parseServer(address);
    if (!server.ok) return server;
    servers.push(server.value);
  }
  return ok(servers);
}

function parseServer(address: string): Result<Server> {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(address.trim());
  if (match === null) return err(`'${address}' is not a server, which is host:port; ${FORM}`);
  const port = Number(match[2]);
  if (port < 1 || port > 65535) return err(`the port of '${address}' is not from 1 to 65535; ${FORM}`);
  return ok({ host: match[1]!.replace(/^\[|\]$/g, ''), port });
}

/** Whether a path may name a node. */
export function validatePath(path: string): Result<void> {
  if (!path.startsWith('/')) return err(`the path '${path}' does not begin with a slash`);
  if (path === '/') return ok(undefined);
  if (path.endsWith('/')) return err(`the path '${path}' ends with a slash`);
  for (const part of path.slice(1).split('/')) {
    if (part === '') return err(`the path '${path}' has an empty part`);
    if (part === '.' || part === '..') return err(`the path '${path}' has a part '${part}'; write it without`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what servers refuse
    if (/[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(part)) {
      return err(`the path '${path}' has a character that ZooKeeper refuses`);
    }
  }
  return ok(undefined);
}
