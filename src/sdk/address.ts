import { err, ok, type Result } from '../base/result.ts';
import type { Address } from './core/address.ts';

/**
 * Reads `host`, `host:port`, `[ip6]:port` or an `http://` URL, and comma-separated lists of these.
 * @param defaultPort used where none is given (5050 for masters, 5051 for agents)
 */
export function parseAddresses(text: string, defaultPort: number): Result<readonly Address[]> {
  const addresses: Address[] = [];
  for (const part of text.split(',')) {
    const trimmed = part.trim();
    if (trimmed.startsWith('zk://')) {
      return err(
        `'${trimmed}' cannot stand beside others: write either zk://host:port,host:port/path alone, or host:port,host:port`,
      );
    }
    if (trimmed.startsWith('https://'))
      return err(`'${trimmed}': TLS is not available yet; write http:// or host:port`);
    const match = /^(?:http:\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/[\]\s]+)(?::(\d{1,5}))?\/?$/.exec(trimmed);
    const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
    if (!match || port < 1 || port > 65535)
      return err(`'${trimmed}' is not an address: write host:port, as in 127.0.0.1:${defaultPort}`);
    addresses.push({ host: match[1]!.replace(/^\[|\]$/g, ''), port });
  }
  return ok(addresses);
}

/** The address in a Location header: absolute, or upstream's scheme-relative `//host:port/path`. */
export function addressOfLocation(location: string): Address | undefined {
  try {
    const url = new URL(location, 'http://unnamed.invalid');
    if (url.hostname === 'unnamed.invalid') return undefined;
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 80 : Number(url.port) };
  } catch {
    return undefined;
  }
}
