import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from '../rig.fixture.ts';

const DEFINITIONS = {
  defaultRole: '*',
  features: new Set(['external_volumes', 'secrets']),
  mesosBridgeName: 'mesos-bridge',
  acceptedResourceRolesDefault: 'any',
} as const;

function rig(): Rig {
  const made = new Rig({ definitions: DEFINITIONS });
  made.addAgent('host0');
  return made;
}

function dvdi(shared: boolean) {
  const external = { name: 'vol', provider: 'dvdi', options: { 'dvdi/driver': 'rexray' }, shared };
  return { containerPath: '/data', mode: 'RW', external };
}

function csi(accessMode: string, mode: 'RO' | 'RW', more: object = {}) {
  const capability = { accessMode, accessType: 'mount', fsType: 'xfs', mountFlags: ['noatime'] };
  const options = { pluginName: 'org.example', capability, ...more };
  return { containerPath: '/data', mode, external: { name: 'vol', provider: 'csi', options } };
}

function create(where: Rig, id: string, volume: object, more: object = {}) {
  const container = { type: 'MESOS', volumes: [volume] };
  return where.change({
    kind: 'createApp',
    document: { id, cmd: 'sleep 1000', cpus: 0.1, mem: 32, container, ...more },
  });
}

test('an external volume that cannot be shared belongs to one app', () => {
  const cases: readonly (readonly [first: object, second: object, isRefused: boolean])[] = [
    [dvdi(false), dvdi(false), true],
    [dvdi(false), dvdi(true), true],
    [dvdi(true), dvdi(false), true],
    [dvdi(true), dvdi(true), false],
    [csi('SINGLE_NODE_WRITER', 'RW'), csi('SINGLE_NODE_WRITER', 'RW'), true],
    [csi('MULTI_NODE_MULTI_WRITER', 'RW'), csi('MULTI_NODE_MULTI_WRITER', 'RW'), false],
    [csi('MULTI_NODE_READER_ONLY', 'RO'), csi('MULTI_NODE_READER_ONLY', 'RO'), false],
    [csi('MULTI_NODE_SINGLE_WRITER', 'RW'), csi('MULTI_NODE_SINGLE_WRITER', 'RO'), false],
    [csi('MULTI_NODE_SINGLE_WRITER', 'RO'), csi('MULTI_NODE_SINGLE_WRITER', 'RW'), false],
    [csi('MULTI_NODE_SINGLE_WRITER', 'RW'), csi('MULTI_NODE_SINGLE_WRITER', 'RW'), true],
    [dvdi(false), csi('SINGLE_NODE_WRITER', 'RW'), false],
  ];
  for (const [first, second, isRefused] of cases) {
    const where = rig();
    assert.ok(create(where, '/one', first).ok);
    const outcome = create(where, '/two', second);
    assert.equal(outcome.ok, !isRefused, JSON.stringify([first, second, outcome]));
    if (outcome.ok || outcome.refusal.kind !== 'invalid') continue;
    const [problem] = outcome.refusal.problems;
    assert.equal(problem?.path, '/container/volumes(0)/external/name');
    assert.match(problem.error, /'vol' in \/two conflicts with .*: \/one/);
    assert.equal(where.core.state.current.has('/two'), false);
  }
});

test('an app with a volume that only one instance can have is not scaled beyond one', () => {
  for (const volume of [dvdi(true), csi('SINGLE_NODE_WRITER', 'RW'), csi('MULTI_NODE_SINGLE_WRITER', 'RW')]) {
    const where = rig();
    assert.ok(create(where, '/one', volume).ok);
    const outcome = where.change({ kind: 'updateApp', id: '/one', document: { instances: 2 }, mode: 'merge' }, true);
    assert.ok(!outcome.ok && outcome.refusal.kind === 'invalid', JSON.stringify(outcome));
  }
  const where = rig();
  assert.ok(create(where, '/one', csi('MULTI_NODE_MULTI_WRITER', 'RW'), { instances: 3 }).ok);
});

test('a CSI volume is handed to Mesos as it is asked for', () => {
  const where = rig();
  const more = { nodeStageSecret: { key: 'mine' }, volumeContext: { a: 'b' } };
  const secrets = { mine: { source: '/vault/key' } };
  assert.ok(create(where, '/one', csi('SINGLE_NODE_WRITER', 'RW', more), { secrets }).ok);
  where.advance(1_000);
  const accept = where.calls.find(({ type }) => type === 'ACCEPT')?.accept;
  const [volume] = accept?.operations?.[0]?.launch?.task_infos?.[0]?.container?.volumes ?? [];
  assert.deepEqual(volume, {
    mode: 'RW',
    container_path: '/data',
    source: {
      type: 'CSI_VOLUME',
      csi_volume: {
        plugin_name: 'org.example',
        static_provisioning: {
          volume_id: 'vol',
          volume_capability: {
            mount: { fs_type: 'xfs', mount_flags: ['noatime'] },
            access_mode: { mode: 'SINGLE_NODE_WRITER' },
          },
          node_stage_secrets: { key: { type: 'REFERENCE', reference: { name: '/vault/key' } } },
          node_publish_secrets: {},
          volume_context: { a: 'b' },
        },
      },
    },
  });
});
