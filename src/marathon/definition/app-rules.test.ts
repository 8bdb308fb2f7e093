import assert from 'node:assert/strict';
import { test } from 'node:test';
import { full, gained, grouped, NOW, plain, problemsOf } from './definitions.fixture.ts';
import { appSchema } from './json-schema.ts';
import { readApp } from './read-app.ts';
import type { RuleFacts } from './rule.ts';
import { schemaProblems } from './schema-check.fixture.ts';

const CMD = { id: '/a', cmd: 'sleep 1' };
const MESOS = { type: 'MESOS' };
const DOCKER = { type: 'DOCKER', docker: { image: 'nginx' } };
const NETS = [
  { name: 'n', mode: 'container' },
  { name: 'm', mode: 'container' },
];
const persistent = (info: object, volume: object = {}): object => ({
  id: '/prod/a',
  cmd: 'sleep 1',
  container: {
    ...MESOS,
    volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 1, ...info }, ...volume }],
  },
});
const volume = (value: object, container: object = MESOS): object => ({
  ...CMD,
  container: { ...container, volumes: [value] },
});
const dvdi = (external: object, rest: object = {}): object => ({
  containerPath: 'x',
  mode: 'RW',
  external: { provider: 'dvdi', name: 'v', options: { 'dvdi/driver': 'rexray' }, ...external },
  ...rest,
});
const csi = (capability: object, mode = 'RW'): object => ({
  containerPath: 'x',
  mode,
  external: {
    provider: 'csi',
    name: 'v',
    options: {
      pluginName: 'p',
      capability: { accessMode: 'MULTI_NODE_MULTI_WRITER', accessType: 'block', ...capability },
    },
  },
});
const check = (value: object): object => ({ ...CMD, healthChecks: [value] });

/** An offending document, and how one of the lines about it begins: the path, then upstream's code or phrase. */
const REFUSED: readonly (readonly [document: unknown, line: string, facts?: RuleFacts])[] = [
  [[], '/ error.expected.jsobject'],
  [{ cmd: 'a b' }, '/id error.path.missing'],
  [{ id: 1, cmd: 'a b' }, '/id error.expected.jsstring'],
  [{ id: '/A', cmd: 'a b' }, '/id error.pattern'],
  [{ id: '/a_b', cmd: 'a b' }, '/id error.pattern'],
  [{ id: '/', cmd: 'a b' }, '/id Path must contain at least one path element'],
  [{ id: '/a/restart', cmd: 'a b' }, '/id must not end with any of the following reserved keywords'],
  [{ id: '/a/versions', cmd: 'a b' }, '/id must not end with'],
  [{ id: `/${'a'.repeat(190)}`, cmd: 'a b' }, '/id must have at most 190 characters, not 191'],
  [{ id: '/a', cmd: '' }, '/cmd error.minLength'],
  [{ id: '/a', cmd: 'x' }, '/ must not be an empty string'],
  [{ id: '/a' }, "/ AppDefinition must either contain one of 'cmd' or 'args'"],
  [{ id: '/a', container: MESOS }, "/ AppDefinition must either contain one of 'cmd' or 'args'"],
  [{ ...CMD, args: ['x'] }, "/ AppDefinition must either contain one of 'cmd' or 'args'"],
  [{ ...CMD, args: 'x' }, '/args error.expected.jsarray'],
  [{ ...CMD, user: 1 }, '/user error.expected.jsstring'],
  [{ ...CMD, env: { '': 'x' } }, '/env/keys(0) must not be empty'],
  [{ ...CMD, env: { K: 1 } }, '/env/K error.expected.jsstring'],
  [{ ...CMD, env: { K: { secret: 's' } } }, '/env use of secret-references'],
  [{ ...CMD, env: { K: { secret: 's' } } }, '/env/K/secret references an undefined secret', full],
  [{ ...CMD, instances: -1 }, '/instances error.min'],
  [{ ...CMD, instances: 0.1 }, '/instances error.expected.int'],
  [{ ...CMD, instances: '1' }, '/instances error.expected.jsnumber'],
  [
    { ...CMD, instances: 2, labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' } },
    '/ Single instance app may only have one instance',
  ],
  [
    {
      ...CMD,
      labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' },
      upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
    },
    '/upgradeStrategy/minimumHealthCapacity got 1, expected 0.0',
  ],
  [
    { ...CMD, labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' } },
    '/upgradeStrategy/maximumOverCapacity got 1, expected 0.0',
  ],
  [{ ...CMD, cpus: 0 }, '/cpus error.min'],
  [{ ...CMD, mem: -1 }, '/mem error.min'],
  [{ ...CMD, disk: -1 }, '/disk error.min'],
  [{ ...CMD, gpus: -1 }, '/gpus error.min'],
  [{ ...CMD, gpus: 1 }, '/ Feature gpu_resources is not enabled'],
  [{ ...CMD, gpus: 1, container: DOCKER }, '/ GPU resources only work with the Mesos containerizer', full],
  [{ ...CMD, executor: '//' }, '/executor error.pattern'],
  [{ ...CMD, executorResources: { cpus: 0.01 } }, '/executorResources/cpus error.min'],
  [{ ...CMD, executorResources: { mem: 31 } }, '/executorResources/mem error.min'],
  [{ ...CMD, executorResources: { disk: 9 } }, '/executorResources/disk error.min'],
  [{ ...CMD, constraints: [['hostname']] }, '/constraints(0) error.minLength'],
  [{ ...CMD, constraints: [['a', 'IS', 'b', 'c']] }, '/constraints(0) error.maxLength'],
  [{ ...CMD, constraints: [['a', 'NEAR']] }, '/constraints(0) operator must be one of the following'],
  [{ ...CMD, constraints: [['', 'UNIQUE']] }, '/constraints(0) illegal constraint specification'],
  [{ ...CMD, constraints: [['a', 'UNIQUE', 'b']] }, '/constraints(0) UNIQUE does not accept a value'],
  [{ ...CMD, constraints: [['a', 'GROUP_BY', 'b']] }, '/constraints(0) GROUP BY must define an integer value'],
  [{ ...CMD, constraints: [['a', 'MAX_PER']] }, '/constraints(0) MAX_PER requires an integer value'],
  [{ ...CMD, constraints: [['a', 'LIKE']] }, '/constraints(0) LIKE and UNLIKE require'],
  [{ ...CMD, constraints: [['a', 'UNLIKE', '(']] }, '/constraints(0) is not a valid regular expression'],
  [{ ...CMD, constraints: [['a', 'IS', '[1-2]']] }, '/constraints(0) IS only supports'],
  [{ ...CMD, acceptedResourceRoles: [] }, '/acceptedResourceRoles must not be empty'],
  [{ ...CMD, acceptedResourceRoles: ['x'] }, '/acceptedResourceRoles acceptedResourceRoles can only contain'],
  [{ ...CMD, acceptedResourceRoles: [''] }, '/acceptedResourceRoles(0) A role name must not be'],
  [{ ...CMD, acceptedResourceRoles: ['-x'] }, "/acceptedResourceRoles(0) A role name must not start with a '-'"],
  [{ ...CMD, acceptedResourceRoles: ['a b'] }, '/acceptedResourceRoles(0) A role name must not include a space'],
  [{ ...persistent({}), acceptedResourceRoles: ['prod'] }, '/acceptedResourceRoles A resident app must have', grouped],
  [{ ...CMD, role: '' }, '/role error.minLength'],
  [{ ...CMD, role: 'x' }, '/role got x, expected one of'],
  [persistent({}), '/role Resident apps cannot have the role *'],
  [
    persistent({}),
    '/role It is not possible to change the role',
    { ...grouped, roles: { ...grouped.roles, currentRole: 'old' } },
  ],
  [{ ...CMD, dependencies: ['/a/tasks'] }, '/dependencies(0) must not end with'],
  [{ ...CMD, dependencies: ['A'] }, '/dependencies(0) error.pattern'],
  [{ ...CMD, labels: { a: 1 } }, '/labels/a error.expected.jsstring'],
  [{ ...CMD, labels: { DCOS_MIGRATION_API_VERSION: 'v1' } }, '/ DCOS_PACKAGE_FRAMEWORK_NAME and'],
  [{ ...CMD, backoffSeconds: -1 }, '/backoffSeconds error.min'],
  [{ ...CMD, backoffFactor: 0.9 }, '/backoffFactor error.min'],
  [{ ...CMD, maxLaunchDelaySeconds: -1 }, '/maxLaunchDelaySeconds error.min'],
  [{ ...CMD, taskKillGracePeriodSeconds: -1 }, '/taskKillGracePeriodSeconds error.min'],
  [{ ...CMD, killSelection: 'ANY' }, '/killSelection error.unknown.enum.literal'],
  [{ ...CMD, unreachableStrategy: 'off' }, '/unreachableStrategy error.unknown.enum.literal'],
  [
    { ...CMD, unreachableStrategy: { inactiveAfterSeconds: 2, expungeAfterSeconds: 1 } },
    '/unreachableStrategy inactiveAfterSeconds',
  ],
  [
    { ...persistent({}), unreachableStrategy: {} },
    '/ unreachableStrategy must be disabled for resident tasks',
    grouped,
  ],
  [
    { ...CMD, upgradeStrategy: { minimumHealthCapacity: 2, maximumOverCapacity: 0 } },
    '/upgradeStrategy/minimumHealthCapacity error.max',
  ],
  [
    { ...CMD, upgradeStrategy: { minimumHealthCapacity: 1 } },
    '/upgradeStrategy/maximumOverCapacity error.path.missing',
  ],
  [
    { ...persistent({}), upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 } },
    '/upgradeStrategy/maximumOverCapacity got 1, expected 0.0',
    grouped,
  ],
  [{ ...CMD, requirePorts: 'yes' }, '/requirePorts error.expected.jsboolean'],
  [{ ...CMD, portDefinitions: [{ port: 65_536 }] }, '/portDefinitions(0)/port error.max'],
  [{ ...CMD, portDefinitions: [{ protocol: 'tcp,udp' }] }, '/portDefinitions(0)/protocol error.unknown.enum.literal'],
  [{ ...CMD, portDefinitions: [{ name: 'A' }] }, '/portDefinitions(0)/name error.pattern'],
  [{ ...CMD, portDefinitions: [{ port: 1 }, { port: 1 }] }, '/portDefinitions Ports must be unique.'],
  [{ ...CMD, portDefinitions: [{ name: 'a' }, { name: 'a' }] }, '/portDefinitions Port names must be unique.'],
  [{ ...CMD, networks: [{ mode: 'host', name: 'x' }] }, '/networks Host networks may not have names or labels'],
  [{ ...CMD, networks: [{ mode: 'container/bridge', name: 'x' }] }, '/networks Bridge networks may not have names'],
  [{ ...CMD, networks: [{ name: 'x' }, { name: 'x' }] }, '/networks Duplicate networks are not allowed'],
  [{ ...CMD, networks: [{ mode: 'host' }, { name: 'x' }] }, '/networks May specify a single host network'],
  [{ ...CMD, networks: [{}] }, '/networks Network name must be specified'],
  [{ ...CMD, networks: NETS, container: DOCKER }, '/ may only specify a single container network'],
  [{ ...CMD, container: { type: 'RKT' } }, '/container/type error.unknown.enum.literal'],
  [{ ...CMD, container: {} }, '/container/docker not defined'],
  [{ ...CMD, container: { docker: {} } }, '/container/docker/image error.path.missing'],
  [{ ...CMD, container: { docker: { image: '' } } }, '/container/docker/image error.minLength'],
  [
    { ...CMD, container: { docker: { image: 'i', parameters: [{ key: '', value: '' }] } } },
    '/container/docker/parameters(0)/key error.minLength',
  ],
  [
    { ...CMD, container: { ...MESOS, docker: { image: 'i', parameters: [{ key: 'k', value: '' }] } } },
    '/container/docker/parameters must be empty',
  ],
  [
    { ...CMD, container: { docker: { image: 'i', pullConfig: { secret: 's' } } } },
    '/container/docker/pullConfig pullConfig is not supported',
  ],
  [
    { ...CMD, container: { ...MESOS, docker: { image: 'i', pullConfig: { secret: 's' } } } },
    '/container/docker/pullConfig pullConfig.secret must refer',
    full,
  ],
  [
    { ...CMD, container: { docker: { image: 'i', credential: { principal: 'p' } } } },
    '/container/docker/credential must be empty',
  ],
  [{ ...CMD, container: { docker: { image: 'i', network: 'NONE' } } }, 'unsupported docker network type NONE'],
  [
    { ...CMD, networks: NETS.slice(1), container: { docker: { image: 'i', network: 'USER' } } },
    '/ must not specify both container.docker.network and networks',
  ],
  [
    { ...CMD, container: { docker: { image: 'i', network: 'BRIDGE', portMappings: [{}] }, portMappings: [{}] } },
    'cannot specify both portMappings and docker.portMappings',
  ],
  [
    { ...CMD, networks: NETS.slice(1), container: { ...MESOS, portMappings: [{ name: 'a' }, { name: 'a' }] } },
    '/container/portMappings Port names must be unique.',
  ],
  [
    { ...CMD, networks: NETS, container: { ...MESOS, portMappings: [{ hostPort: 0 }] } },
    '/container/portMappings(0) networkNames must be a single item list',
  ],
  [
    { ...CMD, networks: NETS, container: { ...MESOS, portMappings: [{ networkNames: ['x'] }] } },
    '/container/portMappings(0)/networkNames(0) is not one of',
  ],
  [
    { ...CMD, networks: NETS, container: { ...MESOS, portMappings: [{ containerPort: -1 }] } },
    '/container/portMappings(0)/containerPort error.min',
  ],
  [
    { ...CMD, container: { ...MESOS, linuxInfo: { seccomp: { profileName: 'p', unconfined: true } } } },
    '/container/linuxInfo/seccomp Seccomp unconfined can NOT',
  ],
  [
    { ...CMD, container: { ...MESOS, linuxInfo: { seccomp: {} } } },
    '/container/linuxInfo/seccomp Seccomp unconfined must be true',
  ],
  [{ ...CMD, container: { ...DOCKER, linuxInfo: {} } }, '/container/linuxInfo must be empty'],
  [
    { ...CMD, container: { ...MESOS, linuxInfo: { ipcInfo: { mode: 'SHARE_PARENT', shmSize: 1 } } } },
    '/container/linuxInfo/ipcInfo ipcInfo shmSize',
  ],
  [volume({ containerPath: '/x', mode: 'RO' }), '/container/volumes(0)/hostPath error.path.missing'],
  [volume({ containerPath: '', hostPath: '/x', mode: 'RO' }), '/container/volumes(0)/containerPath error.minLength'],
  [
    volume({ containerPath: '/x', hostPath: '/x', mode: 'WO' }),
    '/container/volumes(0)/mode error.unknown.enum.literal',
  ],
  [persistent({ size: 0 }), '/container/volumes(0)/persistent/size got 0', grouped],
  [persistent({ type: 'disk' }), '/container/volumes(0)/persistent/type error.unknown.enum.literal', grouped],
  [persistent({ maxSize: 2 }), '/container/volumes(0)/persistent Only mount volumes can have maxSize', grouped],
  [persistent({ type: 'mount', maxSize: 1 }), '/container/volumes(0)/persistent Max size must be larger', grouped],
  [
    persistent({ constraints: [['path', 'LIKE', 'a']] }),
    '/container/volumes(0)/persistent Constraints on root',
    grouped,
  ],
  [
    persistent({ type: 'path', constraints: [['path', 'IS', 'a']] }),
    '/container/volumes(0)/persistent/constraints(0) Operator must be',
    grouped,
  ],
  [
    persistent({ type: 'path', constraints: [['host', 'LIKE', 'a']] }),
    '/container/volumes(0)/persistent/constraints(0) Unsupported',
    grouped,
  ],
  [
    persistent({ type: 'path', constraints: [['path', 'LIKE', '(']] }),
    '/container/volumes(0)/persistent/constraints(0) Invalid regular',
    grouped,
  ],
  [persistent({}, { containerPath: 'a/b' }), '/container/volumes(0)/containerPath value must not contain "/"', grouped],
  [persistent({}, { containerPath: '..' }), '/container/volumes(0)/containerPath can not be one of', grouped],
  [persistent({}, { mode: 'RO' }), '/container/volumes(0)/mode must be RW', grouped],
  [volume(dvdi({})), '/container/volumes(0) Feature external_volumes is not enabled'],
  [volume(dvdi({ name: undefined })), '/container/volumes(0)/external/name must not be empty', full],
  [volume(dvdi({ provider: 'X' })), '/container/volumes(0)/external/provider must match', full],
  [volume(dvdi({ provider: 'nfs' })), '/container/volumes(0)/external/provider is unknown provider', full],
  [volume(dvdi({ options: { a: 'b' } })), '/container/volumes(0)/external/options option keys look like', full],
  [volume(dvdi({ options: {} })), '/container/volumes(0)/external/options must contain dvdi/driver', full],
  [volume(dvdi({ size: 0 })), '/container/volumes(0)/external/size got 0', full],
  [volume(dvdi({ size: 1 }), DOCKER), '/container/volumes(0)/external/size must be undefined', full],
  [volume(dvdi({}, { mode: 'RO' })), '/container/volumes(0)/mode must be RW', full],
  [
    { ...CMD, container: { ...MESOS, volumes: [dvdi({}), dvdi({})] } },
    '/container/volumes Volume names must be unique',
    full,
  ],
  [{ ...volume(dvdi({})), instances: 2 }, '/ Number of instances is limited to 1', full],
  [
    volume(csi({ accessMode: 'ANY' })),
    '/container/volumes(0)/external/options/capability/accessMode error.unknown.enum.literal',
    full,
  ],
  [
    volume(csi({ accessMode: 'SINGLE_NODE_READER_ONLY' })),
    '/container/volumes(0) CSI volume must be mounted readonly',
    full,
  ],
  [
    { ...volume(csi({ accessMode: 'SINGLE_NODE_WRITER' })), instances: 2 },
    '/instances got 2, expected 1 or less while non-shareable',
    full,
  ],
  [volume({ containerPath: 'x', secret: 's' }), '/container/volumes(0) Feature secrets is not enabled'],
  [volume({ containerPath: 'x', secret: 's' }), '/container/volumes(0) volume.secret must refer', full],
  [{ ...CMD, fetch: [{}] }, '/fetch(0)/uri error.path.missing'],
  [{ ...CMD, fetch: [{ uri: 'http://x y' }] }, '/fetch(0)/uri URI has invalid syntax.'],
  [{ ...CMD, fetch: [{ uri: 'a', destPath: '' }] }, '/fetch(0)/destPath error.minLength'],
  [{ ...CMD, fetch: [{ uri: 'x'.repeat(1025) }] }, '/fetch(0)/uri error.maxLength'],
  [check({ protocol: 'UDP' }), '/healthChecks(0)/protocol error.unknown.enum.literal'],
  [check({ port: 70_000 }), '/healthChecks(0)/port error.max'],
  [check({ portIndex: 1 }), '/healthChecks(0) Health check port indices must address'],
  [{ ...check({}), portDefinitions: [] }, '/healthChecks(0) Health check port indices must address'],
  [check({ port: 1, portIndex: 0 }), '/healthChecks(0) may have either port or portIndex'],
  [check({ protocol: 'COMMAND' }), '/healthChecks(0) a health check of the protocol COMMAND needs'],
  [check({ command: { value: 'true' } }), '/healthChecks(0) command only goes with'],
  [check({ gracePeriodSeconds: -1 }), '/healthChecks(0)/gracePeriodSeconds error.min'],
  [check({ intervalSeconds: -1 }), '/healthChecks(0)/intervalSeconds error.min'],
  [check({ maxConsecutiveFailures: -1 }), '/healthChecks(0)/maxConsecutiveFailures error.min'],
  [check({ delaySeconds: -1 }), '/healthChecks(0)/delaySeconds error.min'],
  [check({ ipProtocol: 'IPv6' }), '/healthChecks(0) IPv6 can only be used'],
  [
    { ...CMD, healthChecks: [{ protocol: 'MESOS_TCP' }, { protocol: 'MESOS_HTTP' }] },
    '/ AppDefinition can contain at most one Mesos health check',
  ],
  [{ ...CMD, check: {} }, '/check must have exactly one of http, tcp and exec'],
  [{ ...CMD, check: { tcp: { portIndex: 3 } } }, '/check check port index must address'],
  [{ ...CMD, check: { exec: { command: { shell: 'a', argv: ['a'] } } } }, '/check/exec/command error.multipleTypes'],
  [{ ...CMD, container: DOCKER, check: { tcp: {} } }, "/ AppDefinition must not use 'checks' if using docker"],
  [
    { ...CMD, readinessChecks: [{}] },
    '/readinessChecks(0)/portName No port definition reference for portName http-api',
  ],
  [{ ...CMD, readinessChecks: [{ portName: 'default' }, { portName: 'default' }] }, '/readinessChecks has size 2'],
  [
    { ...CMD, readinessChecks: [{ portName: 'default', timeoutSeconds: 30 }] },
    '/readinessChecks(0)/timeoutSeconds got 30',
  ],
  [{ ...CMD, readinessChecks: [{ name: '' }] }, '/readinessChecks(0)/name error.minLength'],
  [
    { ...CMD, readinessChecks: [{ httpStatusCodesForReady: [] }] },
    '/readinessChecks(0)/httpStatusCodesForReady error.minLength',
  ],
  [
    { ...CMD, readinessChecks: [{ httpStatusCodesForReady: [99] }] },
    '/readinessChecks(0)/httpStatusCodesForReady(0) error.min',
  ],
  [{ ...CMD, residency: { taskLostBehavior: 'NONE' } }, '/residency/taskLostBehavior error.unknown.enum.literal'],
  [{ ...CMD, resourceLimits: { cpus: 0.5 } }, '/resourceLimits/cpus resource limit must be greater than or equal'],
  [{ ...CMD, resourceLimits: { mem: 'Infinity' } }, '/resourceLimits/mem error.unknown.enum.literal'],
  [{ ...CMD, secrets: { s: {} } }, '/secrets/s/source error.path.missing'],
  [{ ...CMD, secrets: { s: { source: 'x' } } }, '/secrets Feature secrets is not enabled'],
  [{ ...CMD, secrets: { '': { source: 'x' } } }, '/secrets/keys(0) must not be empty', full],
  [{ ...CMD, version: 'yesterday' }, '/version error.expected.date.isoformat'],
  [{ ...CMD, ports: [1, 1] }, '/ ports must be unique'],
  [{ ...CMD, ports: [1], portDefinitions: [{ port: 2 }] }, '/ cannot specify both ports and port definitions'],
  [{ ...CMD, ports: [1], ipAddress: {} }, '/ cannot specify both an IP address and port'],
  [{ ...CMD, uris: ['a'], fetch: [{ uri: 'b' }] }, '/uris may not be set in conjunction with fetch'],
  [{ ...CMD, uris: ['a b'] }, '/uris(0) URI has invalid syntax'],
  [{ ...CMD, networks: NETS, ipAddress: {} }, '/ must not specify both networks and ipAddress'],
  [{ ...CMD, container: DOCKER, ipAddress: { discovery: {} } }, '/ipAddress ipAddress/discovery is not allowed'],
];

for (const [document, line, facts = plain] of REFUSED) {
  test(`refused: ${line} <- ${JSON.stringify(document)}`, () => {
    const found = problemsOf(readApp(document, facts, NOW));
    assert.ok(
      found.some((each) => each.startsWith(line)),
      `told ${JSON.stringify(found)}`,
    );
    // What upstream has a code for is wrong by itself, whatever else the document says: editors can tell.
    if (/^\S+ error\./.test(line)) assert.notDeepEqual(schemaProblems(appSchema(), document), []);
  });
}

/** Documents at the edge of what is allowed. */
const ACCEPTED: readonly (readonly [document: object, facts?: RuleFacts])[] = [
  [CMD],
  [{ id: 'a', args: ['x'], $schema: 'x', storeUrls: ['y'], unknown: {} }],
  [{ id: '/a', container: DOCKER }],
  [{ ...CMD, executor: '//cmd' }],
  [
    {
      ...CMD,
      constraints: [
        ['hostname', 'unique'],
        ['a', 'GROUP_BY'],
        ['a', 'LIKE', '(?i)ab++c'],
        ['a', 'CLUSTER'],
      ],
    },
  ],
  [{ ...CMD, acceptedResourceRoles: ['*'] }],
  [{ ...CMD, networks: NETS.slice(1) }],
  [{ ...CMD, portDefinitions: [{ port: 0 }, { port: 0 }] }],
  [{ ...CMD, resourceLimits: { cpus: 1, mem: 'unlimited' } }],
  [persistent({ type: 'mount', maxSize: 2, constraints: [['path', 'LIKE', '.*']] }), grouped],
  [volume(dvdi({})), full],
  [{ ...volume(csi({})), instances: 2 }, full],
  [
    { ...volume({ containerPath: 'x', secret: 's' }), secrets: { s: { source: 'y' } }, env: { K: { secret: 's' } } },
    full,
  ],
  [{ ...CMD, gpus: 1 }, full],
  [{ ...CMD, readinessChecks: [{ portName: 'default' }] }],
  [check({ protocol: 'COMMAND', command: { value: 'true' } })],
  [{ ...CMD, ports: [1, 0, 0], portDefinitions: undefined }],
];

for (const [document, facts = plain] of ACCEPTED) {
  test(`accepted: ${JSON.stringify(document)}`, () => {
    assert.equal(gained(readApp(document, facts, NOW)).version, NOW);
    assert.deepEqual(schemaProblems(appSchema(), document), []);
  });
}
