import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from '../../../wire/v1.ts';
import { queueView } from '../../views/queue.ts';
import { whyView } from '../../views/why.ts';
import type { CoreOptions } from '../context.ts';
import { NO_MATCH_REASONS } from '../launch/launching.ts';
import type { AgentOptions } from '../mesos.fixture.ts';
import { Rig, START } from '../rig.fixture.ts';

interface Tried {
  /** What was asked of the master with the first offer. */
  readonly operations: readonly string[];
  readonly reasons: readonly string[];
  readonly details: readonly string[];
  /** What tasks, or reservations, were given, as `name(role):amount`. */
  readonly given: readonly string[];
}

const DEFINITIONS = {
  defaultRole: '*',
  features: new Set(['gpu_resources']),
  mesosBridgeName: 'mesos-bridge',
  acceptedResourceRolesDefault: 'any',
} as const;

/** One app, one agent, one offer. */
function tried(
  app: object,
  agent: AgentOptions = {},
  more: Partial<CoreOptions> & { readonly offer?: Partial<Offer>; readonly id?: string } = {},
): Tried {
  const { offer = {}, id = '/prod/app', ...options } = more;
  const rig = new Rig({ definitions: DEFINITIONS, ...options });
  rig.addAgent('host', agent);
  const document = { id, cmd: 'sleep 1000', cpus: 1, mem: 32, portDefinitions: [], ...app };
  const created = rig.change({ kind: 'createApp', document });
  assert.ok(created.ok, JSON.stringify(created));
  const role = (app as { readonly role?: string }).role ?? '*';
  rig.step({ kind: 'offers', offers: [{ ...rig.offerOf('host', role), ...offer }] });
  const unused = [...(rig.core.state.launching.statistics.get(id)?.lastUnused.values() ?? [])][0];
  const operations = rig.calls.flatMap(({ accept }) => accept?.operations ?? []);
  const [first] = operations;
  const resources = first?.launch?.task_infos?.[0]?.resources ?? first?.reserve?.resources ?? [];
  return {
    operations: operations.map(({ type }) => type ?? ''),
    reasons: unused?.reasons ?? [],
    details: unused?.details ?? [],
    given: resources.map(({ name, role: of, scalar }) => `${name}(${of}):${scalar?.value}`),
  };
}

test('whose resources are taken: reserved ones first, and only of accepted roles', () => {
  const both = { resources: 'cpus(prod):0.5;cpus:4;mem(prod):1000;mem:1000;disk:10' };
  const none = { resources: 'cpus(other):4;mem(other):1000;cpus:0.1' };
  const of = (acceptedResourceRoles?: readonly string[]): object => ({
    role: 'prod',
    ...(acceptedResourceRoles && { acceptedResourceRoles }),
  });
  assert.deepEqual(tried(of(), both).given, ['cpus(prod):0.5', 'cpus(*):0.5', 'mem(prod):32']);
  assert.deepEqual(tried(of(['*']), both).given, ['cpus(*):1', 'mem(*):32']);
  assert.deepEqual(tried({ ...of(['prod']), cpus: 0.5 }, both).given, ['cpus(prod):0.5', 'mem(prod):32']);
  assert.deepEqual(tried(of(['prod']), both).reasons, ['InsufficientCpus']);
  const unreserved = { definitions: { ...DEFINITIONS, acceptedResourceRolesDefault: 'unreserved' } } as const;
  assert.deepEqual(tried(of(), both, unreserved).given, ['cpus(*):1', 'mem(*):32']);
  const reserved = { definitions: { ...DEFINITIONS, acceptedResourceRolesDefault: 'reserved' } } as const;
  assert.deepEqual(tried({ ...of(), cpus: 0.5 }, both, reserved).given, ['cpus(prod):0.5', 'mem(prod):32']);
  const other = tried(of(['prod']), none);
  assert.deepEqual(other.reasons, ['UnfulfilledRole', 'InsufficientCpus', 'InsufficientMemory']);
  assert.match(other.details[0]!, /only of \*/);
});

test('what an offer lacks is named, with what was wanted and what was there', () => {
  const small = { resources: 'cpus:1;mem:100;disk:10;ports:[31000-31001]' };
  const cases: readonly [object, string, RegExp][] = [
    [{ cpus: 1.001 }, 'InsufficientCpus', /^needs 1.001 cpus, 1 are offered$/],
    [{ mem: 101 }, 'InsufficientMemory', /^needs 101 mem, 100 are offered$/],
    [{ disk: 11 }, 'InsufficientDisk', /^needs 11 disk, 10 are offered$/],
    [{ gpus: 1 }, 'InsufficientGpus', /^needs 1 gpus, 0 are offered$/],
    [{ portDefinitions: [{ port: 0 }, { port: 0 }, { port: 0 }] }, 'InsufficientPorts', /needs 3 host ports/],
    [{ portDefinitions: [{ port: 80 }], requirePorts: true }, 'InsufficientPorts', /needs host port 80/],
    [
      { constraints: [['hostname', 'IS', 'x']] },
      'UnfulfilledConstraint',
      /hostname IS x is not met: hostname is 'host'/,
    ],
    [{ constraints: [['rack', 'UNIQUE']] }, 'UnfulfilledConstraint', /no 'rack'/],
  ];
  for (const [app, reason, detail] of cases) {
    const { reasons, details, operations } = tried(app, small);
    assert.deepEqual(reasons, [reason]);
    assert.match(details[0]!, detail);
    assert.deepEqual(operations, []);
  }
  assert.deepEqual(tried({ mem: 100, disk: 10 }, small).operations, ['LAUNCH'], 'all that there is, is enough');
});

test('agents with GPUs are kept for those who need them, unless told otherwise', () => {
  const gpus = { resources: 'cpus:4;mem:1000;gpus:2' };
  const label = (value: string): object => ({ labels: { GPU_SCHEDULING_BEHAVIOR: value } });
  assert.deepEqual(tried({}, gpus).reasons, ['DeclinedScarceResources']);
  assert.deepEqual(tried({ gpus: 1 }, gpus).given, ['cpus(*):1', 'mem(*):32', 'gpus(*):1']);
  assert.deepEqual(tried(label('unrestricted'), gpus).operations, ['LAUNCH']);
  assert.deepEqual(tried(label('nonsense'), gpus).reasons, ['DeclinedScarceResources']);
  assert.deepEqual(tried({}, gpus, { gpuScheduling: 'unrestricted' }).operations, ['LAUNCH']);
  assert.deepEqual(tried(label('restricted'), gpus, { gpuScheduling: 'unrestricted' }).reasons, [
    'DeclinedScarceResources',
  ]);
});

test('agents of other regions are for those who say something about regions or zones', () => {
  const far = { domain: { region: 'far', zone: 'z1' } };
  assert.deepEqual(tried({}, far).reasons, ['UnfulfilledConstraint']);
  assert.deepEqual(tried({ constraints: [['@region', 'IS', 'far']] }, far).operations, ['LAUNCH']);
  assert.deepEqual(tried({ constraints: [['@zone', 'GROUP_BY', '2']] }, far).operations, ['LAUNCH']);
  assert.deepEqual(tried({ constraints: [['@region', 'IS', 'near']] }, far).reasons, ['UnfulfilledConstraint']);
});

test('agents in maintenance, or close to it, are not used', () => {
  const window = (start: number, hours?: number): { readonly offer: Partial<Offer> } => ({
    offer: {
      unavailability: {
        start: { nanoseconds: (START + start) * 1e6 },
        ...(hours !== undefined && { duration: { nanoseconds: hours * 3_600e9 } }),
      },
    },
  });
  const maintained = ['UnfulfilledConstraint', 'AgentMaintenance'];
  assert.deepEqual(tried({}, {}, window(-1_000)).reasons, maintained);
  assert.deepEqual(tried({}, {}, window(-1_000, 1)).reasons, maintained);
  assert.deepEqual(tried({}, {}, window(-7_200_000, 1)).operations, ['LAUNCH'], 'it is over');
  assert.deepEqual(tried({}, {}, window(60_000, 1)).operations, ['LAUNCH'], 'it is far off');
  assert.deepEqual(tried({}, {}, { ...window(60_000, 1), drainingSeconds: 61 }).reasons, maintained);
  assert.deepEqual(tried({}, {}, { ...window(-1_000), maintenanceMode: false }).operations, ['LAUNCH']);
});

const GIB = 1_024;

function disk(type: 'PATH' | 'MOUNT' | 'BLOCK' | 'RAW', root: string, size: number, profile?: string): object {
  const where = type === 'PATH' ? { path: { root } } : type === 'MOUNT' ? { mount: { root } } : {};
  return {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: size },
    disk: { source: { type, ...where, ...(profile !== undefined && { profile }) } },
  };
}

function agentWith(...disks: readonly object[]): AgentOptions {
  const scalar = (name: string, value: number): object => ({ name, type: 'SCALAR', scalar: { value } });
  return { resources: JSON.stringify([scalar('cpus', 4), scalar('mem', GIB), ...disks]) };
}

function withVolumes(...persistent: readonly object[]): object {
  const volumes = persistent.map((each, at) => ({ containerPath: `v${at}`, mode: 'RW', persistent: each }));
  return { role: 'prod', container: { type: 'MESOS', volumes } };
}

const ROOT = (value: number): object => ({ name: 'disk', type: 'SCALAR', scalar: { value } });

test('volumes find disks of their type, size, profile and path', () => {
  const made = ['RESERVE', 'CREATE'];
  const cases: readonly [object, AgentOptions, readonly string[] | RegExp][] = [
    [withVolumes({ size: 10 }), agentWith(ROOT(10)), ['disk(prod):10']],
    [
      withVolumes({ size: 10 }),
      agentWith(ROOT(9)),
      /needs a root disk of 10 MiB for the volume 'v0', offered are root 9 MiB$/,
    ],
    [{ ...withVolumes({ size: 10 }), disk: 5 }, agentWith(ROOT(14)), /needs 5 disk beside its volumes, 4 are offered$/],
    [{ ...withVolumes({ size: 10 }), disk: 5 }, agentWith(ROOT(15)), ['disk(prod):5', 'disk(prod):10']],
    [withVolumes({ size: 10 }, { size: 20 }), agentWith(ROOT(30)), ['disk(prod):20', 'disk(prod):10']],
    [withVolumes({ size: 10 }, { size: 20 }), agentWith(ROOT(29)), /needs a root disk of 10 MiB .* root 9 MiB$/],
    [withVolumes({ size: 10 }), agentWith(disk('PATH', '/p', 50)), /offered are path 50 MiB at \/p$/],
    // Of paths the one with the most room, of mounted disks the smallest, which is used up.
    [
      withVolumes({ size: 10, type: 'path' }),
      agentWith(disk('PATH', '/a', 20), disk('PATH', '/b', 30)),
      ['disk(prod):10'],
    ],
    [
      withVolumes({ size: 10, type: 'mount' }),
      agentWith(disk('MOUNT', '/a', 30), disk('MOUNT', '/b', 20)),
      ['disk(prod):20'],
    ],
    [
      withVolumes({ size: 10, type: 'mount', maxSize: 25 }),
      agentWith(disk('MOUNT', '/a', 30)),
      /a mount disk of 10 to 25 MiB .* mount 30 MiB at \/a$/,
    ],
    [withVolumes({ size: 10, type: 'mount', maxSize: 30 }), agentWith(disk('MOUNT', '/a', 30)), ['disk(prod):30']],
    [
      withVolumes({ size: 10, type: 'mount' }, { size: 10, type: 'mount' }),
      agentWith(disk('MOUNT', '/a', 30)),
      /offered are none$/,
    ],
    [
      withVolumes({ size: 10, type: 'mount' }, { size: 25, type: 'mount' }),
      agentWith(disk('MOUNT', '/a', 30), disk('MOUNT', '/b', 20)),
      ['disk(prod):30', 'disk(prod):20'],
    ],
    [
      withVolumes({ size: 10, type: 'path', constraints: [['path', 'LIKE', '/ssd.*']] }),
      agentWith(disk('PATH', '/hdd', 90)),
      /with path LIKE \/ssd\.\* .* path 90 MiB at \/hdd$/,
    ],
    [
      withVolumes({ size: 10, type: 'path', constraints: [['path', 'LIKE', '/ssd.*']] }),
      agentWith(disk('PATH', '/hdd', 90), disk('PATH', '/ssd1', 11)),
      ['disk(prod):10'],
    ],
    [
      withVolumes({ size: 10, type: 'mount', constraints: [['path', 'UNLIKE', '/ssd.*']] }),
      agentWith(disk('MOUNT', '/ssd1', 11)),
      /UNLIKE/,
    ],
    [withVolumes({ size: 10, profileName: 'fast' }), agentWith(disk('MOUNT', '/a', 30)), /of profile 'fast'/],
    [withVolumes({ size: 10, profileName: 'fast' }), agentWith(disk('MOUNT', '/a', 30, 'fast')), ['disk(prod):30']],
    [
      withVolumes({ size: 10, type: 'mount' }),
      agentWith(disk('MOUNT', '/a', 30, 'fast')),
      /mount 30 MiB at \/a of profile 'fast'$/,
    ],
    [
      withVolumes({ size: 10, type: 'mount' }),
      agentWith(disk('BLOCK', '', 30), disk('RAW', '', 30)),
      /offered are none$/,
    ],
  ];
  for (const [app, agent, expected] of cases) {
    const { operations, reasons, details, given } = tried(app, agent);
    const what = JSON.stringify([app, agent.resources, details]);
    if (expected instanceof RegExp) {
      assert.deepEqual(reasons, ['InsufficientDisk'], what);
      assert.match(details[0]!, expected);
      continue;
    }
    assert.deepEqual(operations.slice(0, 2), made, what);
    assert.deepEqual(
      given.filter((each) => each.startsWith('disk')),
      expected,
      what,
    );
  }
});

test('volumes on path and mounted disks are made there, and launched there', () => {
  const rig = new Rig();
  rig.addAgent('host', agentWith(disk('PATH', '/p', 50), disk('MOUNT', '/m', 70), ROOT(10)));
  const volumes = withVolumes({ size: 10, type: 'path' }, { size: 20, type: 'mount' }, { size: 5 });
  const app = { id: '/prod/app', cmd: 'sleep 1000', cpus: 1, mem: 32, disk: 5, portDefinitions: [], ...volumes };
  assert.ok(rig.change({ kind: 'createApp', document: app }).ok);
  rig.advance(1_000);
  assert.equal(rig.running('/prod/app').length, 1);
  const total = rig.mesos.agents.get('agent-host')!.total.persistentVolumes().toProto();
  const shown = total.map(({ disk: { source, volume } = {}, scalar }) => [
    source?.type,
    volume?.container_path,
    scalar?.value,
  ]);
  assert.deepEqual(
    new Set(shown.map(String)),
    new Set(
      [
        ['PATH', 'v0', 10],
        ['MOUNT', 'v1', 70],
        [undefined, 'v2', 5],
      ].map(String),
    ),
  );
  rig.change({ kind: 'deleteApp', id: '/prod/app' });
  rig.advance(10_000);
  assert.equal(rig.mesos.agents.get('agent-host')!.total.reserved().isEmpty, true);
});

test('nothing is reserved of what is already reserved, statically or for others', () => {
  const { reasons, details } = tried(withVolumes({ size: 10 }), { resources: 'cpus(prod):4;mem:1000;disk(prod):100' });
  assert.deepEqual(reasons, ['InsufficientCpus', 'InsufficientDisk']);
  assert.match(details[0]!, /0 are offered/);
});

test('the summary of offers is a funnel with all of upstream’s reasons, and why says the same in sentences', () => {
  for (const [app, reason, detail] of [
    [{ cpus: 1_000 }, 'InsufficientCpus', 'needs 1000 cpus, 100 are offered'],
    [
      withVolumes({ size: 1_000_000 }),
      'InsufficientDisk',
      "needs a root disk of 1000000 MiB for the volume 'v0', offered are root 100000 MiB",
    ],
    [{ ...withVolumes({ size: 1 }), cpus: 1_000 }, 'InsufficientCpus', 'needs 1000 cpus, 100 are offered'],
  ] as const) {
    const rig = new Rig();
    rig.addAgent('host0');
    rig.addAgent('host1');
    rig.change({ kind: 'createApp', document: { id: '/prod/app', cmd: 'sleep 1000', mem: 32, ...app } });
    rig.advance(0);
    const { state } = rig.core;
    const [item] = queueView(state, START, true) as readonly {
      readonly processedOffersSummary: Record<string, unknown>;
      readonly lastUnusedOffers: readonly { readonly reason: readonly string[]; readonly details: readonly string[] }[];
    }[];
    const summary = item!.processedOffersSummary;
    const funnel = summary.rejectSummaryLastOffers as readonly {
      reason: string;
      declined: number;
      processed: number;
    }[];
    assert.deepEqual(
      funnel.map((each) => each.reason),
      [
        'UnfulfilledRole',
        'UnfulfilledConstraint',
        'NoCorrespondingReservationFound',
        'AgentMaintenance',
        'InsufficientCpus',
        'InsufficientMemory',
        'InsufficientDisk',
        'InsufficientGpus',
        'InsufficientPorts',
        'DeclinedScarceResources',
      ],
    );
    assert.equal(funnel.length, NO_MATCH_REASONS.length);
    const at = funnel.findIndex((each) => each.reason === reason);
    assert.deepEqual(funnel[at], { reason, declined: 2, processed: 2 });
    assert.ok(
      funnel.slice(at + 1).every(({ processed }) => processed === 0),
      'nothing gets past it',
    );
    assert.deepEqual(item!.lastUnusedOffers[0]?.details, [detail]);
    const why = whyView(state, state.current.get('/prod/app')!, START) as { readonly reasons: readonly string[] };
    assert.ok(why.reasons.includes(`2 of 2 agents: ${reason}`), String(why.reasons));
  }
});
