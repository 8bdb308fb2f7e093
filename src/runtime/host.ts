import { execFile } from 'node:child_process';
import { lookup, lookupService } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { err, ok, type Result } from '../base/result.ts';

/** The flags that say who this machine is; each may be left out. */
export interface HostFlags {
  readonly ip?: string | undefined;
  readonly advertise_ip?: string | undefined;
  readonly ip_discovery_command?: string | undefined;
  readonly hostname?: string | undefined;
  readonly hostname_lookup?: boolean | undefined;
}

export interface Host {
  /** The address to listen on. */
  readonly bind: string;
  /** The address that others reach this daemon at (IPv4). */
  readonly ip: string;
  readonly hostname: string;
}

const EVERYWHERE = '0.0.0.0';
const DISCOVERY_TIMEOUT = 30_000;

/** Who this machine is to others: what the flags say, else what it can find out about itself. */
export async function detectHost(flags: HostFlags): Promise<Result<Host>> {
  const discovered = await discover(flags.ip_discovery_command);
  if (!discovered.ok) return discovered;
  const bind = discovered.value ?? flags.ip ?? EVERYWHERE;
  const ip = flags.advertise_ip ?? (bind === EVERYWHERE ? await ownAddress() : bind);
  return ok({ bind, ip, hostname: flags.hostname ?? (await nameOf(ip, flags.hostname_lookup ?? true)) });
}

async function discover(command: string | undefined): Promise<Result<string | undefined>> {
  if (command === undefined) return ok(undefined);
  try {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], { timeout: DISCOVERY_TIMEOUT });
    const ip = stdout.trim();
    if (isIPv4(ip)) return ok(ip);
    return err(`--ip_discovery_command=${command} printed '${ip}'; it has to print one IPv4 address`);
  } catch (error) {
    return err(`--ip_discovery_command=${command} failed: ${error instanceof Error ? error.message : error}`);
  }
}

async function nameOf(ip: string, lookUp: boolean): Promise<string> {
  if (!lookUp) return ip;
  return lookupService(ip, 0).then(
    (found) => found.hostname,
    () => ip,
  );
}

async function ownAddress(): Promise<string> {
  const named = await lookup(hostname(), { family: 4 }).then(
    (found) => found.address,
    () => undefined,
  );
  if (named !== undefined && !named.startsWith('127.')) return named;
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  return outward?.address ?? named ?? '127.0.0.1';
}
