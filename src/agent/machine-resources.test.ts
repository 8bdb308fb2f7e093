import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { toSummary } from '../resources/summary.ts';
import { agentResources, inspectMachine } from './machine-resources.ts';

const GIGABYTE = 1024 ** 3;
const LARGE = { cpus: 8, memory: 16 * GIGABYTE, disk: 100 * GIGABYTE };

function offered(flag: string, machine = LARGE, role = '*'): unknown {
  const resources = agentResources(flag, role, machine);
  assert.ok(resources.ok);
  return toSummary(resources.value);
}

test('what the flag names is taken as it is, the rest is detected', () => {
  assert.deepEqual(offered('cpus:4;mem:4096;disk:8192'), {
    cpus: 4,
    mem: 4096,
    disk: 8192,
    gpus: 0,
    ports: '[31000-32000]',
  });
  assert.deepEqual(offered(''), { cpus: 8, mem: 15 * 1024, disk: 95 * 1024, gpus: 0, ports: '[31000-32000]' });
});

test('a small machine keeps half of its memory and disk for itself', () => {
  assert.deepEqual(offered('ports:[1-2]', { cpus: 1, memory: GIGABYTE, disk: 4 * GIGABYTE }), {
    cpus: 1,
    mem: 512,
    disk: 2048,
    gpus: 0,
    ports: '[1-2]',
  });
});

test('a resource that is named with nothing is not detected', () => {
  assert.deepEqual(offered('cpus:0;mem:1;disk:1;ports:[]'), { cpus: 0, mem: 1, disk: 1, gpus: 0 });
});

test('what has no role gets the default one', () => {
  const resources = agentResources('cpus:1', 'ads', LARGE);
  assert.ok(resources.ok);
  assert.ok(resources.value.every((resource) => resource.reservations?.[0]?.role === 'ads'));
});

test('the machine can be asked', async () => {
  const machine = await inspectMachine(tmpdir());
  assert.ok(machine.cpus >= 1 && machine.memory > 0 && (machine.disk ?? 0) > 0);
  assert.equal((await inspectMachine('/no/such/folder')).disk, undefined);
});
