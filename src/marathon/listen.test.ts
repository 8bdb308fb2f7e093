/** HTTP and HTTPS, and key stores that can or cannot be used. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadFlags } from '../config/load.ts';
import { marathonArguments, marathonEnvironment } from './flag-source.ts';
import { marathonFlags, marathonProgram } from './flags.ts';
import { JAVA_KEYSTORE, KEYSTORE, OLD_KEYSTORE, PASSWORD } from './http/keystore.fixture.ts';
import { asker } from './http/serving.fixture.ts';
import { listen } from './listen.ts';

function fileWith(t: TestContext, bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys');
  writeFileSync(file, bytes);
  return file;
}

const LOCAL = {
  http_address: '127.0.0.1',
  https_address: '127.0.0.1',
  http_port: 0,
  https_port: 0,
  disable_http: false,
};

test('with a key store the same is served by HTTPS, and by HTTP unless that is turned off', async (t) => {
  const path = fileWith(t, KEYSTORE);
  const flags = { ...LOCAL, ssl_keystore_path: path, ssl_keystore_password: PASSWORD };
  for (const onlyTls of [false, true]) {
    const listening = await listen({ ...flags, disable_http: onlyTls });
    assert.ok(listening.ok);
    const { servers, port, trusted } = listening.value;
    t.after(() => Promise.all(servers.map((server) => server.close(0))));
    assert.equal(servers.length, onlyTls ? 1 : 2);
    assert.equal(port, servers[0]!.address.port, 'others are told the port of HTTP where there is one');
    for (const server of servers) {
      server.use((_, response) => {
        response.end('served');
        return true;
      });
    }
    const told = await asker(servers.at(-1)!.address.port, trusted)('GET', '/');
    assert.deepEqual([told.status, told.body], [200, 'served']);
    await assert.rejects(asker(servers.at(-1)!.address.port)('GET', '/'), 'plain HTTP is not spoken there');
    await assert.rejects(asker(servers.at(-1)!.address.port, [])('GET', '/'), /certificate/);
    if (!onlyTls) assert.equal((await asker(port)('GET', '/')).body, 'served');
  }
});

test('a key store that cannot be used is refused with what would be right', async (t) => {
  const why = async (path: string, password: string): Promise<string> => {
    const listening = await listen({ ...LOCAL, ssl_keystore_path: path, ssl_keystore_password: password });
    assert.ok(!listening.ok);
    assert.equal(listening.error.status, 112);
    return listening.error.reason;
  };
  assert.match(
    await why(fileWith(t, JAVA_KEYSTORE), PASSWORD),
    /is a Java key store .*keytool -importkeystore .*PKCS12/,
  );
  assert.match(await why(fileWith(t, KEYSTORE), 'wrong'), /--ssl_keystore_password is not its password/);
  assert.match(await why(fileWith(t, OLD_KEYSTORE), PASSWORD), /openssl pkcs12 -legacy/);
  assert.match(await why(fileWith(t, Buffer.from('nonsense')), PASSWORD), /is no PKCS#12 file/);
  assert.match(await why(fileWith(t, Buffer.alloc(0)), PASSWORD), /is no PKCS#12 file/);
  assert.match(await why('/nowhere/keys', PASSWORD), /^--ssl_keystore_path=\/nowhere\/keys cannot be read \(ENOENT\)$/);
});

test('a port that is taken ends the start, and the other one is given up', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { readonly port: number };
  const path = fileWith(t, KEYSTORE);
  const listening = await listen({
    ...LOCAL,
    https_port: port,
    ssl_keystore_path: path,
    ssl_keystore_password: PASSWORD,
  });
  assert.ok(!listening.ok);
  assert.equal(listening.error.status, 111);
  assert.match(listening.error.reason, /--https_port/);
});

test('flags about what is served have to make sense, also together', () => {
  const load = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const given = [...argv, '--master=127.0.0.1:5050'];
    const sources = [marathonArguments(given, marathonFlags), marathonEnvironment(env, marathonFlags)];
    return loadFlags(marathonProgram, sources, () => assert.fail('no file is read'));
  };
  const refusal = (argv: readonly string[]): string => {
    const outcome = load(argv);
    assert.equal(outcome.kind, 'exit');
    return outcome.kind === 'exit' ? outcome.stderr : '';
  };
  assert.match(refusal(['--disable_http']), /--disable_http leaves nothing to listen on/);
  for (const name of ['hostname', 'http_realm', 'access_control_allow_origin']) {
    assert.match(refusal([`--${name}=a"b`]), new RegExp(`${name}.*write printable ASCII`));
    assert.match(refusal([`--${name}=a\nb`]), new RegExp(`${name}[\\s\\S]*write printable ASCII`));
    assert.match(refusal([`--${name}=ö`]), new RegExp(`${name}.*write printable ASCII`));
  }
  assert.match(refusal(['--ssl_keystore_path=/x']), /--ssl_keystore_path needs --ssl_keystore_password/);
  const found = load([], {
    MESOSPHERE_KEYSTORE_PATH: '/x',
    MESOSPHERE_KEYSTORE_PASS: 'y',
    MESOSPHERE_HTTP_CREDENTIALS: 'a:b',
  });
  assert.ok(found.kind === 'run');
  const { ssl_keystore_path: path, ssl_keystore_password: password, http_credentials } = found.flags.values;
  assert.deepEqual([path, password, http_credentials], ['/x', 'y', 'a:b']);
  const own = load(['--ssl_keystore_path=/z'], { MESOSPHERE_KEYSTORE_PATH: '/x', MARATHON_SSL_KEYSTORE_PASSWORD: 'y' });
  assert.ok(own.kind === 'run');
  assert.equal(own.flags.values.ssl_keystore_path, '/z', 'a flag counts more than a variable');
});
