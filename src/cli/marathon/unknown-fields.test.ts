import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknownFields } from './unknown-fields.ts';

test('a field that is mistyped is told, with the one that may be meant', () => {
  const passed = 'is no field that Marathon knows, and is passed over';
  assert.deepEqual(unknownFields('app', { id: '/a', comand: 'sleep 1', helthChecks: [], zzzzzz: 1 }), [
    `/comand ${passed}: is 'cmd' meant?`,
    `/helthChecks ${passed}: is 'healthChecks' meant?`,
    `/zzzzzz ${passed}`,
  ]);
  assert.deepEqual(unknownFields('app', { container: { portMappings: [{ containerport: 80 }] } }), [
    `/container/portMappings(0)/containerport ${passed}: is 'containerPort' meant?`,
  ]);
  assert.deepEqual(
    unknownFields('app', { container: { volumes: [{ containerPath: 'x', hostpath: 'y', mode: 'RO' }] } }),
    [`/container/volumes(0)/hostpath ${passed}: is 'hostPath' meant?`],
  );
  assert.deepEqual(unknownFields('group', { groups: [{ id: 'g', app: [], groups: [{ apps: [{ memory: 1 }] }] }] }), [
    `/groups(0)/app ${passed}: is 'apps' meant?`,
    `/groups(0)/groups(0)/apps(0)/memory ${passed}: is 'mem' meant?`,
  ]);
});

test('a pod that is applied as an app is told where it belongs, and an app as a pod', () => {
  assert.match(
    unknownFields('app', { id: '/p', containers: [] }).join(),
    /it is one of pods, which are for meseta pod apply/,
  );
  assert.match(
    unknownFields('pod', { id: '/a', cmd: 'x' }).join(),
    /it is one of apps, which are for meseta app apply/,
  );
});

test('what has names of its own, and what Marathon adds by itself, is nothing to tell', () => {
  const fine = {
    labels: { anything: 'x' },
    env: { A: 'x', B: { secret: 's' } },
    secrets: { s: { source: 'x' } },
    container: {
      volumes: [{ containerPath: 'x', mode: 'RW', external: { provider: 'dvdi', options: { 'a/b': 'c' } } }],
    },
    unreachableStrategy: { inactiveAfterSeconds: 1 },
    check: { exec: { command: { argv: ['x'] } } },
    tasks: [],
    tasksRunning: 1,
    deployments: [],
    versionInfo: null,
  };
  assert.deepEqual(unknownFields('app', fine), []);
  for (const odd of [null, 5, 'x', [], [5], { env: 5, container: [], labels: null }]) {
    assert.deepEqual(unknownFields('app', odd), []);
  }
});
