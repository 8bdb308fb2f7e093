/** Where Marathon listens: by HTTP, by HTTPS where there is a key store, or by both. */
import { err, ok, type Result } from '../base/result.ts';
import { type HttpServer, startServer } from '../http/server.ts';
import type { MarathonFlags } from './flags.ts';
import { EXIT } from './framework.ts';
import { readKeyStore } from './http/keystore.ts';

type ServingFlags = Pick<
  MarathonFlags,
  | 'disable_http'
  | 'http_address'
  | 'http_port'
  | 'https_address'
  | 'https_port'
  | 'ssl_keystore_path'
  | 'ssl_keystore_password'
>;

export interface Listening {
  readonly servers: readonly HttpServer[];
  /** The one that others are told. */
  readonly port: number;
  /** Certificates of ours, as PEM. */
  readonly trusted: readonly string[];
}

/** How others reach this Marathon. */
export function schemeOf({ disable_http: onlyTls }: Pick<MarathonFlags, 'disable_http'>): 'http' | 'https' {
  return onlyTls ? 'https' : 'http';
}

/** @returns the exit status and the reason where it cannot listen */
export async function listen(
  flags: ServingFlags,
): Promise<Result<Listening, { readonly status: number; readonly reason: string }>> {
  const { ssl_keystore_path: path, ssl_keystore_password: password = '' } = flags;
  const keystore = path === undefined ? undefined : readKeyStore(path, password);
  if (keystore?.ok === false) return err({ status: EXIT.flags, reason: keystore.error });
  const servers: HttpServer[] = [];
  const wanted = [
    ...(flags.disable_http
      ? []
      : [{ ip: flags.http_address ?? '0.0.0.0', port: flags.http_port, portFlag: '--http_port' }]),
    ...(keystore
      ? [
          {
            ip: flags.https_address ?? '0.0.0.0',
            port: flags.https_port,
            portFlag: '--https_port',
            tls: keystore.value,
          },
        ]
      : []),
  ];
  for (const options of wanted) {
    const server = await startServer(options);
    if (!server.ok) {
      await Promise.all(servers.map((each) => each.close(0)));
      return err({ status: EXIT.bind, reason: server.error });
    }
    servers.push(server.value);
  }
  return ok({ servers, port: servers[0]!.address.port, trusted: keystore?.value.trusted ?? [] });
}
