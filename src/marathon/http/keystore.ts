/** The key and the certificate for HTTPS, out of the file that --ssl_keystore_path names. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { err, ok, type Result } from '../../base/result.ts';

export interface KeyStore {
  readonly pfx: Uint8Array;
  readonly passphrase: string;
  /** The certificate and who issued it, as PEM: what other Marathons with the same key store are trusted by. */
  readonly trusted: readonly string[];
}

/** How files of Java's own formats begin: JKS and JCEKS. */
const JAVA: ReadonlySet<number> = new Set([0xfeedfeed, 0xcececece]);

/** Reads a PKCS#12 file. @returns an error that says how to make one out of what is there */
export function readKeyStore(path: string, passphrase: string): Result<KeyStore> {
  const flag = `--ssl_keystore_path=${path}`;
  let pfx: Buffer;
  try {
    pfx = readFileSync(path);
  } catch (error) {
    return err(`${flag} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (pfx.length >= 4 && JAVA.has(pfx.readUInt32BE(0))) {
    return err(
      `${flag} is a Java key store (JKS), and PKCS#12 is read here. Convert it with ` +
        `\`keytool -importkeystore -srckeystore ${path} -destkeystore ${path}.p12 -deststoretype PKCS12\`, and name ${path}.p12`,
    );
  }
  try {
    const { context } = createSecureContext({ pfx, passphrase });
    const issued = context as {
      readonly getCertificate?: () => Buffer | null;
      readonly getIssuer?: () => Buffer | null;
    };
    const certificates = [issued.getCertificate?.(), issued.getIssuer?.()];
    return ok({ pfx, passphrase, trusted: certificates.flatMap((each) => (each ? pemOf(each) : [])) });
  } catch (error) {
    return err(`${flag}: ${explain(error as Error, path)}`);
  }
}

function explain({ message }: Error, path: string): string {
  if (/mac verify|invalid password|bad decrypt/i.test(message)) return '--ssl_keystore_password is not its password';
  if (/unsupported|unknown (pbe|cipher)/i.test(message)) {
    return (
      'it is encrypted in a way that is not taken any more. Write it anew with ' +
      `\`openssl pkcs12 -legacy -nodes -in ${path} | openssl pkcs12 -export -out NEW.p12\`, and name NEW.p12`
    );
  }
  return `it is no PKCS#12 file with a key and its certificate (${message})`;
}

function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
