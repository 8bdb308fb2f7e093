import assert from 'node:assert/strict';
import { test } from 'node:test';
import { full, gained, grouped, NOW, plain, problemsOf } from './definitions.fixture.ts';
import { podSchema } from './json-schema.ts';
import { readPod } from './read-pod.ts';
import type { RuleFacts } from './rule.ts';
import { schemaProblems } from './schema-check.fixture.ts';

const CT = { name: 'c', exec: { command: { shell: 'sleep 1' } } };
const pod = (rest: object): object => ({ id: '/p', containers: [CT], ...rest });
const ct = (rest: object, podRest: object = {}): object => pod({ containers: [{ ...CT, ...rest }], ...podRest });
const mounting = (volume: object, rest: object = {}): object => ({
  ...ct({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { volumes: [{ name: 'v', ...volume }], ...rest }),
  id: '/prod/p',
});
const NETS = [{ name: 'n' }, { name: 'm' }];
const endpoint = (value: object, rest: object = {}): object => ct({ endpoints: [{ name: 'e', ...value }] }, rest);

/** An offending document, and how one of the lines about it begins: the path, then upstream's code or phrase. */
const REFUSED: readonly (readonly [document: unknown, line: string, facts?: RuleFacts])[] = [
  [null, '/ error.expected.jsobject'],
  [{ containers: [CT] }, '/id error.path.missing'],
  [pod({ id: '/' }), '/id Path must contain at least one path element'],
  [pod({ id: '/P' }), '/id error.pattern'],
  [pod({ id: `/${'p'.repeat(190)}` }), '/id must have at most 190 characters, not 191'],
  [
    pod({ id: `/${'p'.repeat(189)}`, containers: [{ ...CT, name: 'abcdef' }] }),
    "/containers(0)/name may have at most 195 characters together with the pod's id",
  ],
  [pod({ labels: { a: 1 } }), '/labels/a error.expected.jsstring'],
  [pod({ user: '' }), '/user must not be empty'],
  [pod({ environment: { '': 'x' } }), '/environment/keys(0) must not be empty'],
  [pod({ environment: { K: { secret: 's' } } }), '/environment/K/secret references an undefined secret', full],
  [pod({ role: 'x' }), '/role got x, expected one of'],
  [mounting({ persistent: { size: 1 } }), '/role Resident pods cannot have the role *', full],
  [pod({ containers: [] }), '/containers error.minLength'],
  [pod({ containers: undefined }), '/containers error.path.missing'],
  [pod({ containers: [CT, CT] }), '/containers container names must be unique'],
  [ct({ name: '_app' }), '/containers(0)/name error.pattern'],
  [ct({ name: 'x'.repeat(64) }), '/containers(0)/name error.maxLength'],
  [ct({ exec: undefined }), '/containers(0)/exec has to be there where there is no image'],
  [ct({ exec: {} }), '/containers(0)/exec/command error.path.missing'],
  [ct({ exec: { command: { shell: 'a', argv: ['b'] } } }), '/containers(0)/exec/command error.multipleTypes'],
  [ct({ exec: { command: { shell: '' } } }), '/containers(0)/exec/command/shell error.minLength'],
  [ct({ exec: { command: { argv: [] } } }), '/containers(0)/exec/command/argv error.minLength'],
  [ct({ resources: { cpus: 0 } }), '/containers(0)/resources/cpus error.min'],
  [ct({ resources: { mem: 0 } }), '/containers(0)/resources/mem error.min'],
  [ct({ resources: { disk: -1 } }), '/containers(0)/resources/disk error.min'],
  [ct({ resources: { gpus: -1 } }), '/containers(0)/resources/gpus error.min'],
  [ct({ resourceLimits: { cpus: 0.5 } }), '/containers(0)/resourceLimits/cpus resource limit must be'],
  [
    ct({ resourceLimits: { cpus: 'unlimited' } }, { legacySharedCgroups: true }),
    '/containers(0)/resourceLimits resourceLimits cannot be defined',
  ],
  [ct({ image: { kind: 'APPC', id: 'i' } }), '/containers(0)/image/kind error.unknown.enum.literal'],
  [ct({ image: { kind: 'DOCKER', id: '' } }), '/containers(0)/image/id error.minLength'],
  [
    ct({ image: { kind: 'DOCKER', id: 'i', pullConfig: { secret: 's' } } }),
    '/containers(0)/image/pullConfig pullConfig.secret must refer',
    full,
  ],
  [endpoint({ name: 'E' }), '/containers(0)/endpoints(0)/name error.pattern'],
  [
    endpoint({ containerPort: 1 }, { networks: [{ mode: 'host' }] }),
    '/containers(0)/endpoints(0)/containerPort is not allowed',
  ],
  [endpoint({}, { networks: [{ name: 'n' }] }), '/containers(0)/endpoints(0)/containerPort is required'],
  [endpoint({ hostPort: 70_000 }), '/containers(0)/endpoints(0)/hostPort error.max'],
  [endpoint({ containerPort: 1, hostPort: 0 }, { networks: NETS }), '/containers(0)/endpoints(0) networkNames must be'],
  [
    endpoint({ containerPort: 1, networkNames: ['x'] }, { networks: NETS }),
    '/containers(0)/endpoints(0)/networkNames(0) is not one of',
  ],
  [endpoint({ protocol: ['tcp', 'tcp'] }), '/containers(0)/endpoints(0)/protocol Duplicate protocols'],
  [ct({ endpoints: [{ name: 'e' }, { name: 'e' }] }), '/ endpoint names must be unique'],
  [
    ct({
      endpoints: [
        { name: 'e', hostPort: 1 },
        { name: 'f', hostPort: 1 },
      ],
    }),
    '/ host ports must be unique',
  ],
  [
    ct(
      {
        endpoints: [
          { name: 'e', containerPort: 1 },
          { name: 'f', containerPort: 1 },
        ],
      },
      { networks: [{ name: 'n' }] },
    ),
    '/ container ports must be unique',
  ],
  [ct({ healthCheck: {} }), '/containers(0)/healthCheck Only one of http, tcp, or command'],
  [ct({ healthCheck: { tcp: { endpoint: 'x' } } }), '/containers(0)/healthCheck/tcp/endpoint contained in'],
  [ct({ healthCheck: { http: { endpoint: 'x', path: '' } } }), '/containers(0)/healthCheck/http/path error.minLength'],
  [
    ct({ healthCheck: { exec: { command: { shell: 'a' } }, timeoutSeconds: 60 } }),
    '/containers(0)/healthCheck/timeoutSeconds got 60',
  ],
  [ct({ healthCheck: { gracePeriodSeconds: -1 } }), '/containers(0)/healthCheck/gracePeriodSeconds error.min'],
  [ct({ check: {} }), '/containers(0)/check Only one of http, tcp, or command'],
  [ct({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }), '/containers(0)/volumeMounts(0)/name Referenced Volume'],
  [ct({ volumeMounts: [{ name: 'v', mountPath: '' }] }), '/containers(0)/volumeMounts(0)/mountPath error.minLength'],
  [ct({ artifacts: [{ uri: '' }] }), '/containers(0)/artifacts(0)/uri error.minLength'],
  [ct({ lifecycle: { killGracePeriodSeconds: -1 } }), '/containers(0)/lifecycle/killGracePeriodSeconds error.min'],
  [ct({ linuxInfo: { seccomp: {} } }), '/containers(0)/linuxInfo/seccomp Seccomp unconfined must'],
  [pod({ volumes: [{ name: 'v' }] }), '/volumes(0) volume must be referenced'],
  [pod({ volumes: [{ name: 'v' }, { name: 'v' }] }), '/volumes volume names must be unique'],
  [mounting({ secret: 's' }), '/volumes(0)/secret volume.secret must refer', full],
  [mounting({ secret: 's' }), '/volumes(0) Feature secrets is not enabled'],
  [mounting({ persistent: { size: 0 } }), '/volumes(0)/persistent/size got 0', grouped],
  [pod({ networks: [{ mode: 'host' }, { name: 'n' }] }), '/networks May specify a single host network'],
  [pod({ networks: [{}] }), '/networks Network name must be specified'],
  [pod({ scaling: { kind: 'linear' } }), '/scaling/kind error.unknown.enum.literal'],
  [pod({ scaling: { kind: 'fixed', instances: -1 } }), '/scaling/instances error.min'],
  [pod({ scheduling: { backoff: { backoff: -1 } } }), '/scheduling/backoff/backoff error.min'],
  [pod({ scheduling: { backoff: { backoffFactor: -1 } } }), '/scheduling/backoff/backoffFactor error.min'],
  [pod({ scheduling: { backoff: { maxLaunchDelay: -1 } } }), '/scheduling/backoff/maxLaunchDelay error.min'],
  [
    pod({ scheduling: { upgrade: { minimumHealthCapacity: 2 } } }),
    '/scheduling/upgrade/minimumHealthCapacity error.max',
  ],
  [
    mounting({ persistent: { size: 1 } }, { scheduling: { upgrade: {} } }),
    '/upgrade/maximumOverCapacity got 1, expected 0.0',
    grouped,
  ],
  [
    pod({ scheduling: { placement: { constraints: [{ fieldName: 'a', operator: 'MAX_PER' }] } } }),
    '/scheduling/placement/constraints(0) MAX_PER requires',
  ],
  [
    pod({ scheduling: { placement: { acceptedResourceRoles: ['x'] } } }),
    '/acceptedResourceRoles acceptedResourceRoles can only',
  ],
  [pod({ scheduling: { killSelection: 'ANY' } }), '/scheduling/killSelection error.unknown.enum.literal'],
  [
    mounting({ persistent: { size: 1 } }, { scheduling: { unreachableStrategy: {} } }),
    '/ unreachableStrategy must be disabled for pods',
    grouped,
  ],
  [pod({ executorResources: { cpus: 0 } }), '/executorResources/cpus error.min'],
  [pod({ secrets: { s: { source: 'x' } } }), '/secrets Feature secrets is not enabled'],
  [pod({ linuxInfo: { seccomp: { unconfined: true } } }), '/linuxInfo/seccomp Seccomp configuration on executor level'],
];

for (const [document, line, facts = plain] of REFUSED) {
  test(`refused: ${line} <- ${JSON.stringify(document)}`, () => {
    const found = problemsOf(readPod(document, facts, { version: NOW }));
    assert.ok(
      found.some((each) => each.startsWith(line)),
      `told ${JSON.stringify(found)}`,
    );
    // What upstream has a code for is wrong by itself, whatever else the document says: editors can tell.
    if (/^\S+ error\./.test(line)) assert.notDeepEqual(schemaProblems(podSchema(), document), []);
  });
}

test('a pod of which little is said gets the defaults', () => {
  const read = gained(readPod(pod({ version: '2001-01-01T00:00:00Z' }), plain, { version: NOW }));
  assert.equal(read.version, NOW, 'the version of the document counts for nothing');
  assert.deepEqual(read.networks, [{ mode: 'host', labels: {} }]);
  assert.deepEqual(read.executorResources, { cpus: 0.1, mem: 32, disk: 10 });
  assert.deepEqual(read.containers[0]?.resources, { cpus: 1, mem: 128, disk: 0, gpus: 0 });
  assert.deepEqual(read.backoff, { backoffSeconds: 1, backoffFactor: 1.15, maxLaunchDelaySeconds: 300 });
  assert.equal(read.instances, 1);
});

test('an endpoint has a port of the host unless the network is its own', () => {
  const onHost = gained(readPod(endpoint({}), plain, { version: NOW }));
  assert.equal(onHost.containers[0]?.endpoints[0]?.hostPort, 0);
  const own = gained(readPod(endpoint({ containerPort: 80 }, { networks: [{ name: 'n' }] }), plain, { version: NOW }));
  assert.equal(own.containers[0]?.endpoints[0]?.hostPort, undefined);
});

test('a pod with persistent volumes is upgraded in place, and never given up', () => {
  const read = gained(readPod(mounting({ persistent: { size: 1 } }), grouped, { version: NOW }));
  assert.equal(read.role, 'prod');
  assert.deepEqual(read.upgradeStrategy, { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 });
  assert.equal(read.unreachableStrategy, 'disabled');
});
