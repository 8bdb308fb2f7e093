/** Definitions and requests about them that are right, for mutations to spoil. */
import type { CallJson, Json } from './calls.fixture.ts';

/** All that apps and pods may ask for is turned on. */
export const FEATURES: ReadonlySet<string> = new Set([
  'task_killing',
  'gpu_resources',
  'secrets',
  'external_volumes',
  'vips',
]);

const BASICS = { cmd: 'sleep 1', cpus: 0.1, mem: 32, instances: 1 };

const CONTAINED: CallJson = {
  ...BASICS,
  user: 'nobody',
  env: { A: 'x', S: { secret: 's' } },
  secrets: { s: { source: 'src' } },
  constraints: [
    ['hostname', 'UNIQUE'],
    ['rack', 'LIKE', 'r.*'],
    ['rack', 'MAX_PER', '2'],
  ],
  acceptedResourceRoles: ['*'],
  dependencies: ['/base/pod'],
  labels: { l: 'v', HAPROXY_GROUP: 'external' },
  backoffSeconds: 2,
  backoffFactor: 2,
  maxLaunchDelaySeconds: 9,
  taskKillGracePeriodSeconds: 3,
  killSelection: 'OLDEST_FIRST',
  networks: [{ mode: 'container', name: 'n', labels: { a: 'b' } }],
  container: {
    type: 'MESOS',
    docker: { image: 'i', forcePullImage: true, pullConfig: { secret: 's' } },
    linuxInfo: { seccomp: { unconfined: true }, ipcInfo: { mode: 'PRIVATE', shmSize: 1 } },
    portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 0, name: 'http', labels: { VIP_0: 'x' } }],
    volumes: [
      { containerPath: '/h', hostPath: '/h', mode: 'RO' },
      { containerPath: '/s', secret: 's' },
    ],
  },
  fetch: [{ uri: 'http://x/y', executable: true, destPath: 'z' }],
  healthChecks: [
    { protocol: 'MESOS_HTTP', path: '/x', portIndex: 0, gracePeriodSeconds: 5 },
    { protocol: 'COMMAND', command: { value: 'true' } },
  ],
  check: { http: { portIndex: 0, path: '/' } },
  readinessChecks: [{ portName: 'http', httpStatusCodesForReady: [200] }],
  resourceLimits: { cpus: 'unlimited', mem: 128 },
  upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.2 },
  unreachableStrategy: { inactiveAfterSeconds: 1, expungeAfterSeconds: 2 },
  tty: true,
};

const HOSTED: CallJson = {
  ...BASICS,
  portDefinitions: [
    { port: 0, name: 'http', protocol: 'tcp', labels: { a: 'b' } },
    { port: 9000, protocol: 'udp' },
  ],
  requirePorts: false,
  healthChecks: [{ protocol: 'HTTP', path: '/', portIndex: 0 }, { protocol: 'TCP' }],
  unreachableStrategy: 'disabled',
};

const OLD: CallJson = {
  ...BASICS,
  ports: [0, 9001],
  uris: ['http://x/y.tgz'],
  storeUrls: [],
  container: {
    type: 'DOCKER',
    docker: {
      image: 'i',
      network: 'BRIDGE',
      privileged: false,
      parameters: [{ key: 'k', value: 'v' }],
      portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 0, protocol: 'tcp' }],
    },
  },
  versionInfo: { lastScalingAt: '2015-09-25T15:13:48.343Z', lastConfigChangeAt: '2015-09-25T15:13:48.343Z' },
};

const PLACED: CallJson = {
  ...BASICS,
  role: 'fuzz',
  container: { type: 'MESOS', volumes: [{ containerPath: 'd', persistent: { size: 1 }, mode: 'RW' }] },
};

const POD: CallJson = {
  labels: { l: 'v' },
  user: 'nobody',
  environment: { A: 'x', S: { secret: 's' } },
  secrets: { s: { source: 'src' } },
  containers: [
    {
      name: 'c',
      exec: { command: { argv: ['sleep', '1'] }, overrideEntrypoint: true },
      resources: { cpus: 0.1, mem: 32, disk: 0, gpus: 0 },
      image: { kind: 'DOCKER', id: 'i', forcePull: true, labels: { a: 'b' } },
      endpoints: [{ name: 'e', containerPort: 80, hostPort: 0, protocol: ['tcp'], labels: { a: 'b' } }],
      environment: { B: 'y' },
      healthCheck: { http: { endpoint: 'e', path: '/' } },
      volumeMounts: [
        { name: 'v', mountPath: '/v', readOnly: true },
        { name: 'h', mountPath: '/h' },
      ],
      artifacts: [{ uri: 'x' }],
      lifecycle: { killGracePeriodSeconds: 1.5 },
      resourceLimits: { mem: 'unlimited' },
    },
  ],
  volumes: [{ name: 'v' }, { name: 'h', host: '/h' }],
  networks: [{ name: 'n', mode: 'container' }],
  scaling: { kind: 'fixed', instances: 1 },
  scheduling: {
    backoff: { backoff: 0.5, backoffFactor: 2, maxLaunchDelay: 10 },
    upgrade: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.5 },
    placement: { constraints: [{ fieldName: 'hostname', operator: 'UNIQUE' }], acceptedResourceRoles: ['*'] },
    killSelection: 'OLDEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 1, expungeAfterSeconds: 2 },
  },
  executorResources: { mem: 64 },
};

const GROUP: CallJson = {
  apps: [
    { id: 'one', ...HOSTED },
    { id: 'two', ...CONTAINED, dependencies: ['/fuzz/group/one'] },
  ],
  groups: [{ id: 'inner', apps: [{ id: 'three', ...BASICS }], dependencies: ['../one'] }],
  dependencies: ['/base'],
};

/** A request whose body is to be spoiled. */
export interface Wish {
  readonly method: string;
  readonly path: string;
  readonly body: Json;
}

/** What is there before anything is spoiled. */
export const BASE: Json = { apps: [{ id: 'app', ...HOSTED, healthChecks: [], portDefinitions: [] }] };
export const BASE_POD: CallJson = { ...POD, id: '/base/pod' };

const wish = (method: string, path: string, body: Json): Wish => ({ method, path, body });

/** The more often one stands here, the more often it is spoiled. */
export const WISHES: readonly Wish[] = [
  ...[CONTAINED, HOSTED, OLD, PLACED].map((app) => wish('POST', '/v2/apps', { id: '/fuzz/app', ...app })),
  ...[CONTAINED, HOSTED, OLD].map((app) => wish('PUT', '/v2/apps/base/app?force=true', app)),
  ...[CONTAINED, HOSTED, OLD].map((app) => wish('PUT', '/v2/apps/base/app?force=true&partialUpdate=false', app)),
  ...[CONTAINED, HOSTED].map((app) => wish('PATCH', '/v2/apps/base/app?force=true', app)),
  wish('PUT', '/v2/apps?force=true', [
    { id: '/base/app', ...HOSTED },
    { id: '/fuzz/app', ...CONTAINED },
  ]),
  wish('PATCH', '/v2/apps?force=true', [{ id: '/base/app', ...HOSTED }]),
  wish('PUT', '/v2/apps/base/app', { version: '2015-09-25T15:13:48.343Z' }),
  ...[1, 2, 3].map(() => wish('POST', '/v2/pods', { id: '/fuzz/pod', ...POD })),
  ...[1, 2].map(() => wish('PUT', '/v2/pods/base/pod?force=true', BASE_POD)),
  wish('DELETE', '/v2/pods/base/pod::instances', ['base_pod.instance-2f1c5a5e-5f0d-11e8-8a5e-70b3d5800001']),
  wish('POST', '/v2/groups', { id: '/fuzz/group', ...GROUP }),
  ...[1, 2].map(() => wish('PUT', '/v2/groups/fuzz/group?force=true', GROUP)),
  wish('PUT', '/v2/groups/fuzz/group?force=true&dryRun=true', GROUP),
  wish('PUT', '/v2/groups/base?force=true', { scaleBy: 2 }),
  wish('PUT', '/v2/groups/base', { version: '2015-09-25T15:13:48.343Z' }),
  wish('PATCH', '/v2/groups/base', { enforceRole: true }),
  wish('POST', '/v2/tasks/delete', { ids: ['base_app.instance-2f1c5a5e-5f0d-11e8-8a5e-70b3d5800001._app.1'] }),
  wish('POST', '/logging', { level: 'info', logger: 'ROOT', durationSeconds: 1 }),
];
