import { isIPv4 } from 'node:net';
import { parsePid } from '../../src/libprocess/pid.ts';

/** Benches load what they talk to. They talk to this machine, and to no other. @throws Error for any other address */
export function assertLoopback(host: string): void {
  if (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))) return;
  throw new Error(`${host} is not a loopback address: benches connect to this machine only (127.0.0.1)`);
}

/** As `assertLoopback`, for the address in a PID (`id@ip:port`). */
export function assertLoopbackPid(pid: string): void {
  const parts = parsePid(pid);
  if (!parts.ok) throw new Error(parts.error);
  assertLoopback(parts.value.host);
}
