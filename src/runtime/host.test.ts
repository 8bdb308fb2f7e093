import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectHost } from './host.ts';

test('flags win over what is detected', async () => {
  const flags = { ip: '127.0.0.1', advertise_ip: '192.0.2.7', hostname: 'master.example' };
  assert.deepEqual(await detectHost(flags), {
    ok: true,
    value: { bind: '127.0.0.1', ip: '192.0.2.7', hostname: 'master.example' },
  });
});

test('without name lookup the address is the name', async () => {
  const found = await detectHost({ ip: '127.0.0.1', hostname_lookup: false });
  assert.deepEqual(found, { ok: true, value: { bind: '127.0.0.1', ip: '127.0.0.1', hostname: '127.0.0.1' } });
});

test('without flags it listens everywhere and tells others an IPv4 address', async () => {
  const found = await detectHost({ hostname: 'here' });
  assert.ok(found.ok);
  assert.equal(found.value.bind, '0.0.0.0');
  assert.match(found.value.ip, /^\d+\.\d+\.\d+\.\d+$/);
});

test('the discovery command is asked, and its error names the flag', async () => {
  const good = await detectHost({ ip_discovery_command: 'echo 127.0.0.1', hostname: 'x' });
  assert.ok(good.ok && good.value.bind === '127.0.0.1');
  const wrong = await detectHost({ ip_discovery_command: 'echo nonsense' });
  assert.ok(!wrong.ok && /--ip_discovery_command=echo nonsense printed 'nonsense'/.test(wrong.error));
  const failing = await detectHost({ ip_discovery_command: 'exit 3' });
  assert.ok(!failing.ok && /--ip_discovery_command=exit 3 failed/.test(failing.error));
});
