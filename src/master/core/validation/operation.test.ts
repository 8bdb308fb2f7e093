import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resources } from '../../../resources/resources.ts';
import type { Offer_Operation, Resource, Resource_ReservationInfo } from '../../../wire/v1.ts';
import { type AgentRecord, newAgent } from '../records.ts';
import { type Requester, validateOperation } from './operation.ts';

const allocation_info = { role: 'a' };
const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } });
const dynamic = (role: string, principal = 'p'): Resource_ReservationInfo => ({ type: 'DYNAMIC', role, principal });
const reserved = (name: string, value: number, ...roles: readonly string[]): Resource => ({
  ...scalar(name, value),
  allocation_info,
  reservations: roles.map((role) => dynamic(role)),
});

function volume(size = 10, id = 'v', more: Partial<Resource> = {}): Resource {
  const disk = { persistence: { id, principal: 'p' }, volume: { container_path: 'data', mode: 'RW' as const } };
  return { ...reserved('disk', size, 'a'), disk, ...more };
}

const RAW: Resource = {
  ...reserved('disk', 10, 'a'),
  provider_id: { value: 'rp' },
  disk: { source: { type: 'RAW', profile: 'fast' } },
};
const ALL = ['HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT', 'RESIZE_VOLUME'];
const FRAMEWORK: Requester = {
  principal: 'p',
  roles: new Set(['a', 'b', 'a/b']),
  capabilities: new Set(['SHARED_RESOURCES']),
};
const bare = ({ allocation_info: _, ...resource }: Resource): Resource => resource;

function agent(capabilities: readonly string[] = ALL): AgentRecord {
  const total = Resources.of([scalar('cpus', 4), bare(volume(10)), bare(volume(10, 'busy')), scalar('disk', 100)]);
  const info = { hostname: 'h' };
  const arrival = { id: 'S', info, pid: 'slave(1)@127.0.0.1:1', version: '1', capabilities: new Set(capabilities) };
  const record = newAgent(
    { ...arrival, total, checkpointed: Resources.EMPTY, resourceVersion: undefined },
    'observer',
    0,
  );
  record.used = Resources.of([volume(10, 'busy')]);
  return record;
}

interface Case {
  readonly what: string;
  readonly operation: Offer_Operation;
  readonly problem: RegExp;
  readonly requester?: Requester;
  readonly capabilities?: readonly string[];
}

const reserve = (...resources: readonly Resource[]): Offer_Operation => ({ type: 'RESERVE', reserve: { resources } });
const unreserve = (...resources: readonly Resource[]): Offer_Operation => ({
  type: 'UNRESERVE',
  unreserve: { resources },
});
const create = (...volumes: readonly Resource[]): Offer_Operation => ({ type: 'CREATE', create: { volumes } });
const destroy = (...volumes: readonly Resource[]): Offer_Operation => ({ type: 'DESTROY', destroy: { volumes } });
const grow = (of: Resource, addition: Resource): Offer_Operation => ({
  type: 'GROW_VOLUME',
  grow_volume: { volume: of, addition },
});
const shrink = (of: Resource, value: number): Offer_Operation => ({
  type: 'SHRINK_VOLUME',
  shrink_volume: { volume: of, subtract: { value } },
});
const createDisk = (source: Resource, more: object = { target_type: 'MOUNT' }): Offer_Operation =>
  ({ type: 'CREATE_DISK', create_disk: { source, ...more } }) as Offer_Operation;
const destroyDisk = (source: Resource): Offer_Operation => ({ type: 'DESTROY_DISK', destroy_disk: { source } });

const disk = (of: Resource, more: NonNullable<Resource['disk']>): Resource => ({
  ...of,
  disk: { ...of.disk, ...more },
});
const without = (of: Resource, part: 'volume' | 'persistence'): Resource => {
  const { [part]: _, ...rest } = of.disk ?? {};
  return { ...of, disk: rest };
};
const revocable = {};
const mount = { source: { type: 'MOUNT', mount: { root: '/m' } } } as const;

const CASES: readonly Case[] = [
  { what: 'RESERVE without its field', operation: { type: 'RESERVE' }, problem: /'reserve' is missing/ },
  { what: 'RESERVE of nothing', operation: reserve(), problem: /no resources; name at least one/ },
  { what: 'RESERVE of none', operation: reserve(reserved('cpus', 0, 'a')), problem: /above nothing/ },
  { what: 'RESERVE of less than none', operation: reserve(reserved('cpus', -1, 'a')), problem: /-1/ },
  {
    what: 'RESERVE without a reservation',
    operation: reserve({ ...scalar('cpus', 1), allocation_info }),
    problem: /must be a dynamic one/,
  },
  {
    what: 'RESERVE with a static reservation',
    operation: reserve({ ...scalar('cpus', 1), allocation_info, reservations: [{ type: 'STATIC', role: 'a' }] }),
    problem: /must be a dynamic one/,
  },
  {
    what: 'RESERVE for a role that it was not offered to',
    operation: reserve(reserved('cpus', 1, 'b')),
    problem: /offered to the role 'a' and cannot be reserved for 'b'/,
  },
  {
    what: 'RESERVE for a role of others',
    operation: reserve({ ...reserved('cpus', 1, 'c'), allocation_info: { role: 'c' } }),
    problem: /'c' is not a role of the framework/,
  },
  {
    what: 'RESERVE for a nested role on an old agent',
    operation: reserve({ ...reserved('cpus', 1, 'a/b'), allocation_info: { role: 'a/b' } }),
    capabilities: ['RESERVATION_REFINEMENT'],
    problem: /does not support hierarchical roles such as 'a\/b'/,
  },
  {
    what: 'RESERVE with a refinement on an old agent',
    operation: reserve({ ...reserved('cpus', 1, 'a', 'a/b'), allocation_info: { role: 'a/b' } }),
    capabilities: ['HIERARCHICAL_ROLE'],
    problem: /does not support refined reservations/,
  },
  {
    what: 'RESERVE that refines a role by one that is not below it',
    operation: reserve({ ...reserved('cpus', 1, 'b', 'a'), allocation_info }),
    problem: /'a'.*'b'/,
  },
  {
    what: 'RESERVE without the own principal',
    operation: reserve({ ...reserved('cpus', 1, 'a'), reservations: [{ type: 'DYNAMIC', role: 'a' }] }),
    problem: /its principal '' must be that of the framework, 'p'/,
  },
  {
    what: 'RESERVE with the principal of somebody else',
    operation: reserve({ ...reserved('cpus', 1, 'a'), reservations: [dynamic('a', 'q')] }),
    problem: /its principal 'q' must be that of the framework, 'p'/,
  },
  {
    what: 'RESERVE of revocable resources',
    operation: reserve({ ...reserved('cpus', 1, 'a'), revocable }),
    problem: /revocable resources cannot be dynamically reserved/,
  },
  {
    what: 'RESERVE with a source by a framework',
    operation: {
      type: 'RESERVE',
      reserve: { source: [reserved('cpus', 1, 'b')], resources: [reserved('cpus', 1, 'a')] },
    },
    problem: /'reserve.source' may only be set by operators/,
  },
  {
    what: 'RESERVE of two providers',
    operation: reserve(reserved('cpus', 1, 'a'), { ...reserved('cpus', 1, 'a'), provider_id: { value: 'rp' } }),
    problem: /several providers \(the agent itself, rp\)/,
  },
  { what: 'UNRESERVE without its field', operation: { type: 'UNRESERVE' }, problem: /'unreserve' is missing/ },
  {
    what: 'UNRESERVE of what is free',
    operation: unreserve(scalar('cpus', 1)),
    problem: /cpus:1 is not dynamically reserved/,
  },
  {
    what: 'UNRESERVE of a volume',
    operation: unreserve(volume()),
    problem: /is a persistent volume; destroy it before/,
  },
  { what: 'CREATE without its field', operation: { type: 'CREATE' }, problem: /'create' is missing/ },
  { what: 'CREATE of nothing', operation: create(), problem: /name at least one/ },
  { what: 'CREATE of a plain disk', operation: create(reserved('disk', 10, 'a')), problem: /set 'disk.persistence'/ },
  {
    what: 'CREATE without a volume',
    operation: create(without(volume(10, 'w'), 'volume')),
    problem: /'disk.volume' must be set/,
  },
  {
    what: 'CREATE of a volume that does not last',
    operation: create(without(volume(10, 'w'), 'persistence')),
    problem: /'disk.volume' needs 'disk.persistence'/,
  },
  {
    what: 'CREATE of a volume that is read only',
    operation: create(disk(volume(10, 'w'), { volume: { container_path: 'data', mode: 'RO' } })),
    problem: /mode RW, not RO/,
  },
  {
    what: 'CREATE with a host path',
    operation: create(disk(volume(10, 'w'), { volume: { container_path: 'd', mode: 'RW', host_path: '/h' } })),
    problem: /'disk.volume.host_path' must be absent/,
  },
  {
    what: 'CREATE on a disk that is not reserved',
    operation: create({ ...volume(10, 'w'), reservations: [] }),
    problem: /unreserved resources; reserve the disk first/,
  },
  {
    what: 'CREATE on a revocable disk',
    operation: create(volume(10, 'w', { revocable })),
    problem: /cannot be made from revocable resources/,
  },
  { what: 'CREATE with an id that is no id', operation: create(volume(10, 'a/b')), problem: /'disk.persistence.id'/ },
  { what: 'CREATE with an empty id', operation: create(volume(10, '')), problem: /'disk.persistence.id'/ },
  { what: 'CREATE with an id that is taken', operation: create(volume(20, 'v')), problem: /this id is used already/ },
  {
    what: 'CREATE with one id twice',
    operation: create(volume(10, 'w'), volume(20, 'w')),
    problem: /this id is used already/,
  },
  {
    what: 'CREATE of a shared volume by who does not know them',
    operation: create(volume(10, 'w', { shared: {} })),
    requester: { ...FRAMEWORK, capabilities: new Set() },
    problem: /lacks the capability SHARED_RESOURCES/,
  },
  {
    what: 'CREATE with the principal of somebody else',
    operation: create(disk(volume(10, 'w'), { persistence: { id: 'w', principal: 'q' } })),
    problem: /its principal 'q' must be that of the framework, 'p'/,
  },
  {
    what: 'CREATE for two roles',
    operation: create(volume(10, 'w'), { ...volume(10, 'x'), allocation_info: { role: 'b' } }),
    problem: /allocated to two roles, 'a' and 'b'/,
  },
  { what: 'DESTROY without its field', operation: { type: 'DESTROY' }, problem: /'destroy' is missing/ },
  {
    what: 'DESTROY of a plain disk',
    operation: destroy(reserved('disk', 10, 'a')),
    problem: /is not a persistent volume/,
  },
  { what: 'DESTROY of what is not there', operation: destroy(volume(10, 'w')), problem: /is not on the agent/ },
  { what: 'DESTROY of what is used', operation: destroy(volume(10, 'busy')), problem: /is in use by a task/ },
  { what: 'GROW_VOLUME without its field', operation: { type: 'GROW_VOLUME' }, problem: /'grow_volume' is missing/ },
  {
    what: 'GROW_VOLUME on an old agent',
    operation: grow(volume(), reserved('disk', 1, 'a')),
    capabilities: [],
    problem: /does not support the resizing of volumes/,
  },
  {
    what: 'GROW_VOLUME by nothing',
    operation: grow(volume(), reserved('disk', 0, 'a')),
    problem: /:0 is none at all; name an amount above nothing/,
  },
  {
    what: 'GROW_VOLUME of a plain disk',
    operation: grow(reserved('disk', 1, 'a'), reserved('disk', 1, 'a')),
    problem: /is not a persistent volume/,
  },
  {
    what: 'GROW_VOLUME by something else',
    operation: grow(volume(), reserved('mem', 1, 'a')),
    problem: /is not of the kind that the volume/,
  },
  {
    what: 'GROW_VOLUME by disk of another role',
    operation: grow(volume(), reserved('disk', 1, 'b')),
    problem: /is not of the kind that the volume/,
  },
  {
    what: 'GROW_VOLUME of a shared volume',
    operation: grow(volume(10, 'v', { shared: {} }), reserved('disk', 1, 'a')),
    problem: /a shared volume cannot be resized/,
  },
  {
    what: 'GROW_VOLUME of a volume of a provider',
    operation: grow(volume(10, 'v', { provider_id: { value: 'rp' } }), reserved('disk', 1, 'a')),
    problem: /a volume of a resource provider cannot be resized/,
  },
  { what: 'SHRINK_VOLUME without its field', operation: { type: 'SHRINK_VOLUME' }, problem: /'shrink_volume' is miss/ },
  {
    what: 'SHRINK_VOLUME by nothing',
    operation: shrink(volume(), 0),
    problem: /more than 0 and less than .* 10, not 0/,
  },
  { what: 'SHRINK_VOLUME by all', operation: shrink(volume(), 10), problem: /less than the volume's 10, not 10/ },
  { what: 'SHRINK_VOLUME by more', operation: shrink(volume(), 11), problem: /less than the volume's 10, not 11/ },
  {
    what: 'SHRINK_VOLUME on a mount point',
    operation: shrink(disk(volume(), mount), 1),
    problem: /on a MOUNT disk cannot be shrunk/,
  },
  {
    what: 'SHRINK_VOLUME of a shared volume',
    operation: shrink(volume(10, 'v', { shared: {} }), 1),
    problem: /a shared volume cannot be resized/,
  },
  {
    what: 'SHRINK_VOLUME of a volume of a provider',
    operation: shrink(volume(10, 'v', { provider_id: { value: 'rp' } }), 1),
    problem: /a volume of a resource provider cannot be resized/,
  },
  {
    what: 'SHRINK_VOLUME on an old agent',
    operation: shrink(volume(), 1),
    capabilities: [],
    problem: /does not support the resizing of volumes/,
  },
  { what: 'CREATE_DISK without its field', operation: { type: 'CREATE_DISK' }, problem: /'create_disk' is missing/ },
  {
    what: 'CREATE_DISK on a disk of the agent',
    operation: createDisk(reserved('disk', 10, 'a')),
    problem: /'source' is disk.*has no resource provider \('provider_id'\)/,
  },
  {
    what: 'CREATE_DISK on a disk that is not raw',
    operation: createDisk(disk(RAW, { source: { type: 'BLOCK' } })),
    problem: /'source' must be a disk of type RAW/,
  },
  {
    what: 'CREATE_DISK of a strange type',
    operation: createDisk(RAW, { target_type: 'PATH' }),
    problem: /'target_type' must be MOUNT or BLOCK, not PATH/,
  },
  {
    what: 'CREATE_DISK with two profiles',
    operation: createDisk(RAW, { target_type: 'MOUNT', target_profile: 'slow' }),
    problem: /'target_profile' \('slow'\) must be absent.*'fast'/,
  },
  {
    what: 'CREATE_DISK without a profile',
    operation: createDisk(disk(RAW, { source: { type: 'RAW' } })),
    problem: /'target_profile' must be set/,
  },
  { what: 'DESTROY_DISK without its field', operation: { type: 'DESTROY_DISK' }, problem: /'destroy_disk' is missing/ },
  {
    what: 'DESTROY_DISK of a disk of the agent',
    operation: destroyDisk(reserved('disk', 10, 'a')),
    problem: /has no resource provider/,
  },
  {
    what: 'DESTROY_DISK of a directory',
    operation: destroyDisk(disk(RAW, { source: { type: 'PATH' } })),
    problem: /must be a disk of type MOUNT, BLOCK or RAW/,
  },
  { what: 'DESTROY_DISK of what was not created', operation: destroyDisk(RAW), problem: /no 'disk.source.id'/ },
  {
    what: 'DESTROY_DISK under a volume',
    operation: destroyDisk({
      ...volume(10, 'w', { provider_id: { value: 'rp' } }),
      disk: { ...volume().disk, source: { type: 'MOUNT', id: 'i' } },
    }),
    problem: /is the persistent volume .*; destroy the volume first/,
  },
  {
    what: 'LAUNCH, which is none of these',
    operation: { type: 'LAUNCH', launch: {} },
    problem: /do not convert resources/,
  },
];

for (const { what, operation, problem, requester = FRAMEWORK, capabilities } of CASES) {
  test(`refused: ${what}`, () => {
    const valid = validateOperation(operation, requester, agent(capabilities));
    assert.ok(!valid.ok, 'it is refused');
    assert.match(valid.error, problem);
  });
}

test('what keeps all rules is let through', () => {
  const good = [
    reserve(reserved('cpus', 1, 'a')),
    reserve({ ...reserved('cpus', 1, 'a', 'a/b'), allocation_info: { role: 'a/b' } }),
    unreserve(reserved('cpus', 1, 'a')),
    create(volume(10, 'w'), volume(5, 'x', { shared: {} })),
    destroy(volume()),
    grow(volume(), reserved('disk', 1, 'a')),
    shrink(volume(), 1),
    createDisk(RAW),
    createDisk(disk(RAW, { source: { type: 'RAW' } }), { target_type: 'BLOCK', target_profile: 'slow' }),
    destroyDisk(disk(RAW, { source: { type: 'RAW', id: 'i' } })),
  ];
  for (const operation of good) {
    assert.deepEqual(validateOperation(operation, FRAMEWORK, agent()), { ok: true, value: undefined });
  }
});
