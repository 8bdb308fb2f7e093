/** One valid call of every type, in upstream's JSON, for mutations to spoil. */

/** What calls may name of a running cluster. */
export interface Names {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly offerId: string;
  /** Different for each call, for ids that must be new. */
  readonly serial: number;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type CallJson = Readonly<Record<string, Json>>;
type Builder = (names: Names) => CallJson;

/** Several, for as many offers at a time. */
export const ROLES: readonly string[] = ['a', 'a/b', 'c', 'f', 'g', 'h', 'i', 'j'];

const value = (text: string) => ({ value: text });
const scalar = (name: string, amount: number) => ({ name, type: 'SCALAR', scalar: { value: amount } });
const dynamic = (role: string) => [{ type: 'DYNAMIC', role }];
const UUID = 'AAECAwQFRgeICQoLDA0ODw==';

function frameworkInfo(id: string | undefined): CallJson {
  return {
    ...(id !== undefined && { id: value(id) }),
    user: 'nobody',
    name: 'fuzz',
    failover_timeout: 0.01,
    checkpoint: false,
    hostname: 'h',
    webui_url: 'http://h/',
    roles: ROLES,
    capabilities: [
      { type: 'MULTI_ROLE' },
      { type: 'RESERVATION_REFINEMENT' },
      { type: 'PARTITION_AWARE' },
      { type: 'REGION_AWARE' },
    ],
    labels: { labels: [{ key: 'k', value: 'v' }] },
    offer_filters: { a: { min_allocatable_resources: { quantities: [{ quantities: { cpus: { value: 0.01 } } }] } } },
  };
}

const WISHES: CallJson = {
  suppressed_roles: [],
  offer_constraints: {
    role_constraints: {
      c: {
        groups: [
          {
            attribute_constraints: [
              { selector: { attribute_name: 'rack' }, predicate: { text_matches: { regex: 'r[0-9]+' } } },
              { selector: { pseudoattribute_type: 'HOSTNAME' }, predicate: { exists: {} } },
            ],
          },
        ],
      },
    },
  },
};

/** What a framework of this fuzz subscribes with. */
export const subscription = (id?: string): CallJson => ({
  type: 'SUBSCRIBE',
  ...(id !== undefined && { framework_id: value(id) }),
  subscribe: { framework_info: frameworkInfo(id), ...WISHES },
});

export const update = (id: string): CallJson => ({
  type: 'UPDATE_FRAMEWORK',
  framework_id: value(id),
  update_framework: { framework_info: frameworkInfo(id), ...WISHES },
});

function task({ agentId, serial }: Names, id = 't'): CallJson {
  return {
    name: 'fuzz',
    task_id: value(`${id}-${serial}`),
    agent_id: value(agentId),
    resources: [scalar('cpus', 0.01), scalar('mem', 1)],
    limits: { cpus: { value: 0.02 }, mem: { value: 2 } },
    command: { value: 'true', environment: { variables: [{ name: 'A', value: 'b' }] } },
    labels: { labels: [{ key: 'k', value: 'v' }] },
    kill_policy: { grace_period: { nanoseconds: 1_000_000_000 } },
    max_completion_time: { nanoseconds: 60_000_000_000 },
    health_check: { type: 'TCP', tcp: { port: 80 }, delay_seconds: 60 },
    check: { type: 'HTTP', http: { port: 80, path: '/' }, delay_seconds: 60 },
    discovery: { visibility: 'CLUSTER', name: 'd', ports: { ports: [{ number: 80, name: 'p', protocol: 'tcp' }] } },
  };
}

function member(names: Names, id: string): CallJson {
  const { limits: _, check: __, health_check: ___, ...rest } = task(names, id);
  return rest;
}

function executor({ frameworkId, serial }: Names, type: 'DEFAULT' | 'CUSTOM'): CallJson {
  return {
    type,
    executor_id: value(`e-${serial}`),
    framework_id: value(frameworkId),
    resources: [scalar('cpus', 0.01), scalar('mem', 32), scalar('disk', 1)],
    shutdown_grace_period: { nanoseconds: 1_000_000_000 },
    ...(type === 'CUSTOM' && { command: { value: 'true' } }),
  };
}

const volume = (serial: number, size = 4): CallJson => ({
  ...scalar('disk', size),
  reservations: dynamic('a'),
  disk: { persistence: { id: `v-${serial}` }, volume: { container_path: 'path', mode: 'RW' } },
});

const accept =
  (type: string, operation: (names: Names) => CallJson): Builder =>
  (names) => ({
    type: 'ACCEPT',
    framework_id: value(names.frameworkId),
    accept: {
      offer_ids: [value(names.offerId)],
      operations: [{ type, id: value(`o-${names.serial}`), [type.toLowerCase()]: operation(names) }],
      filters: { refuse_seconds: 0 },
    },
  });

/** LAUNCH may not have an id. */
const launching =
  (type: string, operation: (names: Names) => CallJson): Builder =>
  (names) => ({
    type: 'ACCEPT',
    framework_id: value(names.frameworkId),
    accept: {
      offer_ids: [value(names.offerId)],
      operations: [{ type, [type.toLowerCase()]: operation(names) }],
      filters: { refuse_seconds: 0 },
    },
  });

const call =
  (type: string, argument?: (names: Names) => Json): Builder =>
  (names) => ({
    type,
    framework_id: value(names.frameworkId),
    ...(argument !== undefined && { [type.toLowerCase()]: argument(names) }),
  });

const reserved = { ...scalar('cpus', 0.01), reservations: dynamic('a') };

/** Calls that answer an offer. */
export const OFFER_CALLS: readonly Builder[] = [
  launching('LAUNCH', (names) => ({ task_infos: [task(names), task(names, 'u')] })),
  launching('LAUNCH', (names) => {
    const { command: _, limits: __, ...rest } = task(names);
    return { task_infos: [{ ...rest, executor: executor(names, 'CUSTOM') }] };
  }),
  launching('LAUNCH', (names) => ({
    task_infos: [
      {
        ...task(names),
        container: {
          type: 'MESOS',
          mesos: {},
          volumes: [
            {
              container_path: 'p',
              mode: 'RW',
              source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'SELF', path: 'q' } },
            },
          ],
          network_infos: [{ name: 'n', port_mappings: [{ host_port: 1, container_port: 2 }] }],
          linux_info: { share_cgroups: true },
        },
      },
    ],
  })),
  launching('LAUNCH_GROUP', (names) => ({
    executor: executor(names, 'DEFAULT'),
    task_group: { tasks: [member(names, 'g'), member(names, 'h')] },
  })),
  accept('RESERVE', () => ({ resources: [reserved] })),
  accept('UNRESERVE', () => ({ resources: [reserved] })),
  accept('CREATE', ({ serial }) => ({ volumes: [volume(serial)] })),
  accept('DESTROY', ({ serial }) => ({ volumes: [volume(serial)] })),
  accept('GROW_VOLUME', ({ serial }) => ({
    volume: volume(serial),
    addition: { ...scalar('disk', 1), reservations: dynamic('a') },
  })),
  accept('SHRINK_VOLUME', ({ serial }) => ({ volume: volume(serial), subtract: { value: 1 } })),
  accept('CREATE_DISK', () => ({
    source: { ...scalar('disk', 4), disk: { source: { type: 'RAW', profile: 'p' } } },
    target_type: 'MOUNT',
  })),
  accept('DESTROY_DISK', () => ({ source: { ...scalar('disk', 4), disk: { source: { type: 'BLOCK', id: 'x' } } } })),
  call('DECLINE', ({ offerId }) => ({ offer_ids: [value(offerId)], filters: { refuse_seconds: 0.01 } })),
];

export const SCHEDULER_CALLS: readonly Builder[] = [
  () => subscription(),
  (names) => subscription(`old-${names.serial}`),
  ({ frameworkId }) => update(frameworkId),
  call('TEARDOWN'),
  call('ACCEPT_INVERSE_OFFERS', () => ({ inverse_offer_ids: [value('i')], filters: { refuse_seconds: 1 } })),
  call('DECLINE_INVERSE_OFFERS', () => ({ inverse_offer_ids: [value('i')], filters: { refuse_seconds: 1 } })),
  call('REVIVE', () => ({ roles: ['a'] })),
  call('SUPPRESS', () => ({ roles: ['c'] })),
  call('KILL', ({ agentId }) => ({
    task_id: value('t-1'),
    agent_id: value(agentId),
    kill_policy: { grace_period: { nanoseconds: 1 } },
  })),
  call('SHUTDOWN', ({ agentId }) => ({ executor_id: value('e-1'), agent_id: value(agentId) })),
  call('ACKNOWLEDGE', ({ agentId }) => ({ agent_id: value(agentId), task_id: value('t-1'), uuid: UUID })),
  call('ACKNOWLEDGE_OPERATION_STATUS', ({ agentId }) => ({
    agent_id: value(agentId),
    uuid: UUID,
    operation_id: value('o-1'),
  })),
  call('RECONCILE', ({ agentId }) => ({ tasks: [{ task_id: value('t-1'), agent_id: value(agentId) }] })),
  call('RECONCILE_OPERATIONS', ({ agentId }) => ({
    operations: [{ operation_id: value('o-1'), agent_id: value(agentId) }],
  })),
  call('MESSAGE', ({ agentId }) => ({ agent_id: value(agentId), executor_id: value('e-1'), data: 'AAEC' })),
  call('REQUEST', ({ agentId }) => ({ requests: [{ agent_id: value(agentId), resources: [scalar('cpus', 1)] }] })),
];

const operator =
  (type: string, argument?: (names: Names) => Json): Builder =>
  (names) => ({ type, ...(argument !== undefined && { [type.toLowerCase()]: argument(names) }) });

const machines = { machines: [{ hostname: 'nowhere', ip: '10.9.8.7' }] };

/** There is little to spoil in them: one of them now and then is enough. */
const BARE = [
  ...['GET_HEALTH', 'GET_FLAGS', 'GET_VERSION', 'GET_LOGGING_LEVEL', 'GET_STATE', 'GET_AGENTS', 'GET_FRAMEWORKS'],
  ...['GET_EXECUTORS', 'GET_OPERATIONS', 'GET_TASKS', 'GET_ROLES', 'GET_WEIGHTS', 'GET_MASTER', 'GET_QUOTA'],
  ...['GET_MAINTENANCE_STATUS', 'GET_MAINTENANCE_SCHEDULE', 'SUBSCRIBE'],
];

export const OPERATOR_CALLS: readonly Builder[] = [
  ({ serial }) => ({ type: BARE[serial % BARE.length]! }),
  operator('GET_METRICS', () => ({ timeout: { nanoseconds: 1_000_000_000 } })),
  operator('SET_LOGGING_LEVEL', () => ({ level: 0, duration: { nanoseconds: 1_000_000 } })),
  operator('LIST_FILES', () => ({ path: '/master/log' })),
  operator('READ_FILE', () => ({ path: '/master/log', offset: 0, length: 10 })),
  operator('UPDATE_WEIGHTS', () => ({ weight_infos: [{ role: 'a', weight: 2 }] })),
  operator('UPDATE_QUOTA', () => ({
    force: true,
    quota_configs: [
      { role: 'd', guarantees: { cpus: { value: 1 } }, limits: { cpus: { value: 2 }, mem: { value: 9 } } },
    ],
  })),
  operator('SET_QUOTA', () => ({ quota_request: { force: true, role: 'e', guarantee: [scalar('cpus', 1)] } })),
  operator('REMOVE_QUOTA', () => ({ role: 'e' })),
  operator('RESERVE_RESOURCES', ({ agentId }) => ({ agent_id: value(agentId), resources: [reserved] })),
  operator('UNRESERVE_RESOURCES', ({ agentId }) => ({ agent_id: value(agentId), resources: [reserved] })),
  operator('CREATE_VOLUMES', ({ agentId, serial }) => ({ agent_id: value(agentId), volumes: [volume(serial)] })),
  operator('DESTROY_VOLUMES', ({ agentId, serial }) => ({ agent_id: value(agentId), volumes: [volume(serial)] })),
  operator('GROW_VOLUME', ({ agentId, serial }) => ({
    agent_id: value(agentId),
    volume: volume(serial),
    addition: { ...scalar('disk', 1), reservations: dynamic('a') },
  })),
  operator('SHRINK_VOLUME', ({ agentId, serial }) => ({
    agent_id: value(agentId),
    volume: volume(serial),
    subtract: { value: 1 },
  })),
  operator('UPDATE_MAINTENANCE_SCHEDULE', () => ({
    schedule: {
      windows: [
        {
          machine_ids: machines.machines,
          unavailability: { start: { nanoseconds: 1_000 }, duration: { nanoseconds: 1_000_000_000 } },
        },
      ],
    },
  })),
  operator('START_MAINTENANCE', () => machines),
  operator('STOP_MAINTENANCE', () => machines),
  operator('DRAIN_AGENT', ({ agentId }) => ({
    agent_id: value(agentId),
    max_grace_period: { nanoseconds: 1_000_000_000 },
  })),
  operator('DEACTIVATE_AGENT', ({ agentId }) => ({ agent_id: value(agentId) })),
  operator('REACTIVATE_AGENT', ({ agentId }) => ({ agent_id: value(agentId) })),
  // Never a real one: the fuzz would be over.
  operator('MARK_AGENT_GONE', () => ({ agent_id: value('nobody') })),
  operator('TEARDOWN', () => ({ framework_id: value('nobody') })),
];
