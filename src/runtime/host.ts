import { lookup, lookupService } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';

export interface HostOptions {
  /** The address to listen on, where one was given. */
  readonly ip?: string | undefined;
  /** The name to advertise, where one was given. */
  readonly hostname?: string | undefined;
  /** Whether to look a name up; else the address serves as the name. */
  readonly lookup: boolean;
}

export interface Host {
  /** The address that others reach this daemon at (IPv4). */
  readonly ip: string;
  readonly hostname: string;
}

/** Who this machine is to others: the given address, else the one its name has, else its first outward one. */
export async function describeHost(options: HostOptions): Promise<Host> {
  const ip = options.ip === undefined || options.ip === '0.0.0.0' ? await ownAddress() : options.ip;
  if (options.hostname !== undefined) return { ip, hostname: options.hostname };
  if (!options.lookup) return { ip, hostname: ip };
  const name = await lookupService(ip, 0).then(
    (found) => found.hostname,
    () => ip,
  );
  return { ip, hostname: name };
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
