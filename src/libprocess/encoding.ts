import { err, ok, type Result } from '../base/result.ts';
import { isSendable, type Pid, type PidParts, parsePid } from './pid.ts';

/**
 * A message as upstream writes it: one HTTP request with these headers in this order, and a body in one chunk.
 * The id goes raw into the request line (receivers decode it, so nobody needs the escapes).
 */
export function encodeMessage(from: Pid, to: PidParts, name: string, body: Uint8Array): Buffer {
  const path = to.id === '' ? `/${name}` : `/${to.id}/${name}`;
  const head =
    `POST ${path} HTTP/1.1\r\n` +
    `User-Agent: libprocess/${from}\r\n` +
    `Libprocess-From: ${from}\r\n` +
    'Connection: Keep-Alive\r\n' +
    `Host: ${to.host}:${to.port}\r\n`;
  if (body.length === 0) return Buffer.from(`${head}\r\n`, 'latin1');
  const start = `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`;
  const end = '\r\n0\r\n\r\n';
  const bytes = Buffer.allocUnsafe(start.length + body.length + end.length);
  bytes.write(start, 0, 'latin1');
  bytes.set(body, start.length);
  bytes.write(end, start.length + body.length, 'latin1');
  return bytes;
}

/** Checks what would tear a request line apart before it is written. */
export function checkName(name: string): Result<void> {
  if (name !== '' && isSendable(name)) return ok(undefined);
  return err(`'${name}' is not a message name: write a protobuf type name, as in mesos.internal.PingSlaveMessage`);
}

/** What the head of a message says: who sends, to which id, under which name. */
export interface MessageHead {
  readonly from: Pid;
  readonly fromHost: string;
  readonly to: string;
  readonly name: string;
}

/** A message that cannot be taken, with the status that upstream answers. */
export interface MessageRefusal {
  readonly status: 400 | 500;
  readonly sentence: string;
}

const AGENT_PREFIX = 'libprocess/';

/**
 * Tells messages from other requests. The sender is named by `Libprocess-From`, else by the User-Agent.
 * @returns undefined where the request is not a message
 */
export function senderOf(
  method: string | undefined,
  headers: { readonly 'user-agent'?: string | undefined; readonly 'libprocess-from'?: string | string[] | undefined },
): string | undefined {
  if (method !== 'POST') return undefined;
  const from = headers['libprocess-from'];
  if (from !== undefined) return Array.isArray(from) ? from[0] : from;
  const agent = headers['user-agent'];
  return agent?.startsWith(AGENT_PREFIX) ? agent.slice(AGENT_PREFIX.length) : undefined;
}

/** Reads the head of a message. @param target the request target, `/<id>/<name>` with the id percent-encoded or raw */
export function decodeHead(sender: string, target: string): Result<MessageHead, MessageRefusal> {
  if (!target.startsWith('/')) return refuse(400, `Request URL path must start with '/'`);
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  const slash = path.indexOf('/', 1);
  const from = parsePid(sender);
  if (!from.ok) return refuse(500, `The sender is malformed: ${from.error}`);
  const rawId = slash < 0 ? path.slice(1) : path.slice(1, slash);
  let to: string;
  try {
    to = decodeURIComponent(rawId);
  } catch {
    return refuse(500, `The receiver '${rawId}' is not percent-encoded correctly`);
  }
  const name = slash < 0 ? '' : path.slice(slash + 1);
  return ok({ from: sender, fromHost: from.value.host, to, name });
}

function refuse(status: MessageRefusal['status'], sentence: string): Result<never, MessageRefusal> {
  return err({ status, sentence });
}
