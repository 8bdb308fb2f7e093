/** `zk://[user:password@]host1:port1,host2:port2,…/path`, as upstream's flags have it. */
import { err, ok, type Result } from '../../base/result.ts';
import type { Server } from './core/session.ts';

export interface ZooUrl {
  readonly servers: readonly Server[];
  /** Digest credentials, `user:password`. */
  readonly credentials: string | undefined;
  /** Begins with a slash and does not end with one, unless it is the root. */
  readonly path: string;
}

const FORM = 'write zk://host1:port1,host2:port2/path, or zk://user:password@host1:port1/path';

/** Reads a URL. The error never shows the password. */
export function parseZooUrl(text: string): Result<ZooUrl> {
  const trimmed = text.trim();
  if (!trimmed.startsWith('zk://')) return err(`a ZooKeeper URL begins with zk://; ${FORM}`);
  const rest = trimmed.slice('zk://'.length);
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  const credentials = at < 0 ? undefined : authority.slice(0, at);
  if (credentials !== undefined && !/^[^:]+:.+$/s.test(credentials)) {
    return err(`the part before '@' must be user:password; ${FORM}`);
  }
  const servers: Server[] = [];
  for (const address of authority.slice(at + 1).split(',')) {
    const server = parseServer(address);
    if (!server.ok) return server;
    servers.push(server.value);
  }
  const path = (slash < 0 ? '/' : rest.slice(slash)).replace(/\/+$/, '') || '/';
  const valid = validatePath(path);
  return valid.ok ? ok({ servers, credentials, path }) : valid;
}

function parseServer(address: string): Result<Server> {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(address.trim());
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65535) return err(`'${address}' is not a server; ${FORM}`);
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
