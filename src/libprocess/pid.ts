import { err, ok, type Result } from '../base/result.ts';

/** Names a process across the network: `id@host:port`, for example `slave(1)@10.0.0.2:5051`. */
export type Pid = string;

/** The parts of a `Pid`. */
export interface PidParts {
  readonly id: string;
  /** An IPv4 address; a host name is accepted when it comes from outside. */
  readonly host: string;
  readonly port: number;
}

/** Takes `id@host:port` apart. The id may be empty and may itself contain `@`: the last one separates. */
export function parsePid(text: string): Result<PidParts> {
  const shape = `write it as id@ip:port, for example master@10.0.0.1:5050`;
  const at = text.lastIndexOf('@');
  if (at < 0) return err(`'${text}' is not a PID: it has no '@'; ${shape}`);
  const colon = text.lastIndexOf(':');
  if (colon < at) return err(`'${text}' is not a PID: it has no port; ${shape}`);
  const host = text.slice(at + 1, colon);
  if (!/^[A-Za-z0-9._-]+$/.test(host)) return err(`'${text}' is not a PID: '${host}' is not a host; ${shape}`);
  const digits = text.slice(colon + 1);
  const port = Number(digits);
  if (!/^\d{1,5}$/.test(digits) || port > 65535)
    return err(`'${text}' is not a PID: '${digits}' is not a port (0 to 65535); ${shape}`);
  const id = text.slice(0, at);
  if (!isSendable(id)) return err(`'${text}' is not a PID: its id must not contain spaces or control characters`);
  return ok({ id, host, port });
}

/** Puts the parts together; the inverse of `parsePid`. */
export function formatPid(parts: PidParts): Pid {
  return `${parts.id}@${parts.host}:${parts.port}`;
}

/** Ids travel raw inside a request line and headers, so what would break these apart cannot be part of one. */
export function isSendable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}
