/** Everything that a pod's document may say. */
import { decimal, flag, instant, integer, list, oneOf, text } from './kind.ts';
import { defaulted, type Fields, optional, type Reading, record, required } from './record.ts';
import {
  anyPort,
  artifact,
  command,
  env,
  execCheck,
  executorResources,
  killSelection,
  labels,
  linuxInfo,
  name,
  network,
  path,
  pathId,
  pullConfig,
  resourceLimits,
  scheme,
  seconds,
  secrets,
  unreachableStrategy,
} from './shared-fields.ts';
import { podVolume } from './volume-fields.ts';

const WHEN_THERE = { omitEmpty: true } as const;

const endpoint = record({
  name: required(name, 'Name of the port; no other in the pod has it.'),
  containerPort: optional(anyPort, "The container's port; 0: the same as the host's."),
  hostPort: optional(anyPort, "The host's port; 0: any."),
  protocol: defaulted(list(name), [], 'Transport protocols.', WHEN_THERE),
  labels: defaulted(labels, {}, 'For service discovery.', WHEN_THERE),
  networkNames: defaulted(list(name), [], 'On which networks; none: on all.', WHEN_THERE),
});

const probes = {
  http: optional(
    record({
      endpoint: required(name, 'Which port, by its name.'),
      path: optional(path, 'Path of the request.'),
      scheme: defaulted(scheme, 'HTTP', 'HTTP or HTTPS.'),
    }),
    'Asks by HTTP.',
  ),
  tcp: optional(record({ endpoint: required(name, 'Which port, by its name.') }), 'Connects.'),
  exec: optional(execCheck, 'Runs a command in the container.'),
};
const timing = {
  intervalSeconds: defaulted(seconds, 60, 'Time between checks.'),
  timeoutSeconds: defaulted(seconds, 20, 'When a check has failed.'),
  delaySeconds: defaulted(seconds, 15, 'Time before the first check.'),
};
const healthCheck = record({
  ...probes,
  ...timing,
  gracePeriodSeconds: defaulted(seconds, 300, 'How long failures do not count before the first success.'),
  maxConsecutiveFailures: defaulted(seconds, 3, 'Failures before the task is killed.'),
});
const check = record({ ...probes, ...timing });

const resources = record({
  cpus: defaulted(decimal({ minimum: 0.001 }), 1, 'CPUs.'),
  mem: defaulted(decimal({ minimum: 0.001 }), 128, 'Memory in MiB.'),
  disk: defaulted(decimal({ minimum: 0 }), 0, 'Disk in MiB.'),
  gpus: defaulted(integer({ minimum: 0 }), 0, 'GPUs.'),
});

const container = record({
  name: required(name, 'Name of the container; part of the ids of its tasks.'),
  exec: optional(
    record({
      command: required(command, 'What to run.'),
      overrideEntrypoint: optional(flag, "Whether it replaces the image's entrypoint."),
    }),
    'What to run.',
  ),
  resources: defaulted(resources, { cpus: 1, mem: 128, disk: 0, gpus: 0 }, 'What it needs.'),
  resourceLimits: optional(resourceLimits, 'How much more may be used than is asked for.'),
  image: optional(
    record({
      kind: required(oneOf('DOCKER'), 'Form of the image.'),
      id: required(path, 'Name of the image.'),
      forcePull: optional(flag, 'Whether to pull it even if the agent has it.'),
      pullConfig: optional(pullConfig, 'Credentials of the registry.'),
      labels: defaulted(labels, {}, 'For finding the image.', WHEN_THERE),
    }),
    'The image.',
  ),
  endpoints: defaulted(list(endpoint), [], 'Its ports.', WHEN_THERE),
  environment: defaulted(env, {}, "Environment, over the pod's.", WHEN_THERE),
  user: optional(text(), "The user that runs it, over the pod's."),
  healthCheck: optional(healthCheck, 'How to see whether it is well.'),
  check: optional(check, 'A check that only tells.'),
  volumeMounts: defaulted(
    list(
      record({
        name: required(name, "Name of one of the pod's volumes."),
        mountPath: required(path, 'Where the container sees it.'),
        readOnly: optional(flag, 'Whether it must not be written.'),
      }),
    ),
    [],
    'What is mounted.',
    WHEN_THERE,
  ),
  artifacts: defaulted(list(artifact), [], 'What is brought into the sandbox first.', WHEN_THERE),
  labels: defaulted(labels, {}, 'For people and tools.', WHEN_THERE),
  lifecycle: optional(
    record({ killGracePeriodSeconds: optional(decimal({ minimum: 0 }), 'Time between SIGTERM and SIGKILL.') }),
    'How it ends.',
  ),
  tty: optional(flag, 'Whether it gets a terminal.'),
  linuxInfo: optional(linuxInfo, 'Settings of the kernel.'),
});

const operator = oneOf('UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'UNLIKE', 'MAX_PER', 'IS');
const constraint = record({
  fieldName: required(text(), 'An attribute, or hostname, @region or @zone.'),
  operator: required(operator, 'How it is compared.'),
  value: optional(text(), 'What it is compared with.'),
});

const notNegative = decimal({ minimum: 0 });
const capacity = decimal({ minimum: 0, maximum: 1 });
export const schedulingFields = {
  backoff: optional(
    record({
      backoff: defaulted(notNegative, 1, 'Wait after the first failure, in seconds.'),
      backoffFactor: defaulted(notNegative, 1.15, 'How the wait grows with each failure.'),
      maxLaunchDelay: defaulted(notNegative, 300, 'The longest wait, in seconds.'),
    }),
    'How launches slow down after failures.',
  ),
  upgrade: optional(
    record({
      minimumHealthCapacity: defaulted(capacity, 1, 'The fraction of instances that stays healthy during an upgrade.'),
      maximumOverCapacity: defaulted(capacity, 1, 'The fraction of instances that may run in addition.'),
    }),
    'How many run during an upgrade.',
  ),
  placement: optional(
    record({
      constraints: defaulted(list(constraint, { unique: true }), [], 'Where instances may run.', WHEN_THERE),
      acceptedResourceRoles: defaulted(list(text()), [], 'Roles whose resources may be used.', WHEN_THERE),
    }),
    'Where instances may run.',
    WHEN_THERE,
  ),
  killSelection: optional(killSelection, 'Which instances go first.', { onChange: 'none' }),
  unreachableStrategy: optional(unreachableStrategy, 'What becomes of instances on lost agents.', { onChange: 'none' }),
} as const satisfies Fields;

export const podFields = {
  id: required(pathId, 'Path of the pod.', { onChange: 'none' }),
  labels: defaulted(labels, {}, 'For people and tools.', WHEN_THERE),
  version: optional(instant, 'When this definition came to be; given by the server.', { onChange: 'none' }),
  user: optional(text(), 'The user that runs its containers.'),
  environment: defaulted(env, {}, 'Environment of all containers.', WHEN_THERE),
  role: optional(text({ minLength: 1 }), 'The role in Mesos.'),
  containers: required(list(container, { minItems: 1 }), 'What runs together on one agent.'),
  secrets: defaulted(secrets, {}, 'Secrets by name.', WHEN_THERE),
  volumes: defaulted(list(podVolume), [], 'What containers can mount.', WHEN_THERE),
  networks: defaulted(list(network), [], 'Networks; none given: the host.', WHEN_THERE),
  scaling: optional(
    record({
      kind: required(oneOf('fixed'), '`fixed`.'),
      instances: defaulted(integer({ minimum: 0 }), 1, 'How many to run.'),
    }),
    'How many to run.',
    { onChange: 'scale' },
  ),
  // Its fields have rules of their own for what a change asks for.
  scheduling: optional(record(schedulingFields), 'Where and how instances are started.', { onChange: 'none' }),
  executorResources: optional(executorResources, 'For the executor beside its containers.', { onChange: 'none' }),
  linuxInfo: optional(linuxInfo, 'Settings of the kernel.'),
  legacySharedCgroups: optional(flag, 'Whether all containers share one control group.', { onChange: 'none' }),
} as const satisfies Fields;

/** A pod as its document says it. */
export type PodDocument = Reading<typeof podFields>;
export type PodContainerDocument = PodDocument['containers'][number];

export const podKind = record(podFields);
