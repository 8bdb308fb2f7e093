/** Everything that an app's document may say. */
import { decimal, flag, instant, integer, list, long, oneOf, text } from './kind.ts';
import { changeOf, defaulted, type Given, optional, type Reading, record, required } from './record.ts';
import {
  anyPort,
  artifact,
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
  portName,
  protocol,
  pullConfig,
  resourceLimits,
  scheme,
  seconds,
  secrets,
  unreachableStrategy,
  versionInfo,
} from './shared-fields.ts';
import { appVolume } from './volume-fields.ts';

const OLD = { deprecated: true } as const;

const portMapping = record({
  containerPort: defaulted(anyPort, 0, "The container's port; 0: the same as the host's."),
  hostPort: optional(anyPort, "The host's port; 0: any, absent: none."),
  servicePort: defaulted(anyPort, 0, 'The port under which others find it; 0: assigned.'),
  protocol: defaulted(protocol, 'tcp', 'Transport protocol.'),
  name: optional(portName, 'Name of the port.'),
  labels: defaulted(labels, {}, 'For service discovery.'),
  networkNames: defaulted(list(name), [], 'On which networks; none: on all.', { omitEmpty: true }),
});

const portDefinition = record({
  port: defaulted(anyPort, 0, 'The service port; 0: assigned.'),
  protocol: defaulted(protocol, 'tcp', 'Transport protocol.'),
  name: optional(portName, 'Name of the port.'),
  labels: defaulted(labels, {}, 'For service discovery.', { omitEmpty: true }),
});

const docker = record({
  image: required(text({ minLength: 1 }), 'The image.'),
  forcePullImage: defaulted(flag, false, 'Whether to pull it even if the agent has it.'),
  privileged: defaulted(flag, false, 'Whether to run privileged (Docker engine only).'),
  parameters: defaulted(
    list(
      record({
        key: required(text({ minLength: 1 }), 'Name of the option.'),
        value: required(text(), 'Value of the option.'),
      }),
    ),
    [],
    'Options for `docker run`.',
  ),
  pullConfig: optional(pullConfig, 'Credentials of the registry.'),
  credential: optional(
    record({ principal: required(text(), 'Who.'), secret: optional(text(), 'With which secret.') }),
    'Use pullConfig.',
    OLD,
  ),
  network: optional(oneOf('BRIDGE', 'HOST', 'NONE', 'USER'), 'Use networks.', OLD),
  portMappings: optional(list(portMapping), 'Use container.portMappings.', OLD),
});

const container = record({
  type: defaulted(oneOf('MESOS', 'DOCKER'), 'DOCKER', 'What runs the container.'),
  docker: optional(docker, 'The image and how to run it.'),
  linuxInfo: optional(linuxInfo, 'Settings of the kernel.'),
  volumes: defaulted(list(appVolume), [], 'What is mounted.'),
  portMappings: optional(list(portMapping), 'Ports on networks other than the host.'),
});

const healthCheck = record({
  protocol: defaulted(
    oneOf('HTTP', 'HTTPS', 'TCP', 'COMMAND', 'MESOS_TCP', 'MESOS_HTTP', 'MESOS_HTTPS'),
    'HTTP',
    'How to ask; MESOS_* and COMMAND are asked beside the task.',
  ),
  command: optional(record({ value: required(text(), 'A line for the shell.') }), 'For COMMAND.'),
  path: optional(text(), 'Path of the request; / if not given.'),
  port: optional(anyPort, 'A fixed port.'),
  portIndex: optional(anyPort, 'Which of the ports, counted from 0.'),
  gracePeriodSeconds: defaulted(seconds, 300, 'How long failures do not count before the first success.'),
  intervalSeconds: defaulted(seconds, 60, 'Time between checks.'),
  timeoutSeconds: defaulted(integer(), 20, 'When a check has failed.'),
  maxConsecutiveFailures: defaulted(seconds, 3, 'Failures before the task is killed; 0: never.'),
  delaySeconds: defaulted(seconds, 15, 'Time before the first check (Mesos checks).'),
  ignoreHttp1xx: optional(flag, 'Whether answers 1xx say nothing.'),
  ipProtocol: defaulted(oneOf('IPv4', 'IPv6'), 'IPv4', 'Version of the Internet Protocol.'),
});

const check = record({
  http: optional(
    record({
      portIndex: optional(anyPort, 'Which of the ports, counted from 0.'),
      port: optional(anyPort, 'A fixed port.'),
      path: optional(path, 'Path of the request.'),
      scheme: defaulted(scheme, 'HTTP', 'HTTP or HTTPS.'),
    }),
    'Asks by HTTP.',
  ),
  tcp: optional(
    record({
      portIndex: optional(anyPort, 'Which of the ports, counted from 0.'),
      port: optional(anyPort, 'A fixed port.'),
    }),
    'Connects.',
  ),
  exec: optional(execCheck, 'Runs a command in the task.'),
  intervalSeconds: defaulted(seconds, 60, 'Time between checks.'),
  timeoutSeconds: defaulted(seconds, 20, 'When a check has failed.'),
  delaySeconds: defaulted(seconds, 15, 'Time before the first check.'),
});

const readinessCheck = record({
  name: defaulted(text({ minLength: 1 }), 'readinessCheck', 'Name of the check.'),
  protocol: defaulted(scheme, 'HTTP', 'HTTP or HTTPS.'),
  path: defaulted(path, '/', 'Path of the request.'),
  portName: defaulted(portName, 'http-api', 'Name of the port to ask.'),
  intervalSeconds: defaulted(seconds, 30, 'Time between checks.'),
  timeoutSeconds: defaulted(integer({ minimum: 1 }), 10, 'When a check has failed; less than the interval.'),
  httpStatusCodesForReady: optional(
    list(integer({ minimum: 100, maximum: 999 }), { minItems: 1, unique: true }),
    'Status codes that mean ready; 200 if not given.',
  ),
  preserveLastResponse: defaulted(flag, false, 'Whether deployments show the last answer.'),
});

const capacity = decimal({ minimum: 0, maximum: 1 });
const upgradeStrategy = record({
  minimumHealthCapacity: required(capacity, 'The fraction of instances that stays healthy during an upgrade.'),
  maximumOverCapacity: required(capacity, 'The fraction of instances that may run in addition.'),
});

const ipAddress = record({
  networkName: optional(text({ minLength: 1 }), 'Name of the network.'),
  labels: defaulted(labels, {}, 'For the network plugin.'),
  groups: defaulted(list(text(), { unique: true }), [], 'Has no effect.'),
  discovery: optional(
    record({
      ports: defaulted(
        list(
          record({
            number: defaulted(anyPort, 0, "The container's port."),
            name: required(portName, 'Name of the port.'),
            protocol: defaulted(protocol, 'tcp', 'Transport protocol.'),
            labels: defaulted(labels, {}, 'For service discovery.'),
          }),
        ),
        [],
        "The container's ports.",
      ),
    }),
    'What is found.',
  ),
});

const constraint = list(text(), { minItems: 2, maxItems: 3 });

export const appFields = {
  id: required(pathId, 'Path of the app.', { onChange: 'none' }),
  cmd: optional(text({ minLength: 1 }), 'A line for the shell; or use args.'),
  args: defaulted(list(text()), [], 'A program and its arguments, or arguments for the image.', { omitEmpty: true }),
  user: optional(text(), 'The user that runs it.'),
  env: defaulted(env, {}, 'Environment.', { omitEmpty: true }),
  instances: defaulted(integer({ minimum: 0 }), 1, 'How many to run.', { onChange: 'scale' }),
  cpus: defaulted(decimal({ minimum: 0.001 }), 1, 'CPUs of one instance.'),
  mem: defaulted(decimal({ minimum: 0 }), 128, 'Memory of one instance in MiB.'),
  disk: defaulted(decimal({ minimum: 0 }), 0, 'Disk of one instance in MiB.'),
  gpus: defaulted(integer({ minimum: 0 }), 0, 'GPUs of one instance.'),
  executor: defaulted(
    text({ pattern: /^(\/\/cmd|\/?[^/]+(\/[^/]+)*|)$/, shape: 'empty, //cmd, or the path of an executor' }),
    '',
    'Path of an executor of your own.',
  ),
  executorResources: optional(executorResources, 'Resources for an executor of your own.', { onChange: 'none' }),
  constraints: defaulted(list(constraint, { unique: true }), [], 'Where instances may run: [field, operator, value].', {
    omitEmpty: true,
  }),
  acceptedResourceRoles: optional(list(text(), { unique: true }), 'Roles whose resources may be used.', {
    omitEmpty: true,
  }),
  role: optional(text({ minLength: 1 }), 'The role in Mesos.'),
  dependencies: defaulted(list(pathId, { unique: true }), [], 'What has to run first.', { omitEmpty: true }),
  labels: defaulted(labels, {}, 'For people and tools.'),
  backoffSeconds: defaulted(seconds, 1, 'Wait after the first failure.'),
  backoffFactor: defaulted(decimal({ minimum: 1 }), 1.15, 'How the wait grows with each failure.'),
  maxLaunchDelaySeconds: defaulted(seconds, 300, 'The longest wait.'),
  taskKillGracePeriodSeconds: optional(seconds, 'Time between SIGTERM and SIGKILL.'),
  killSelection: defaulted(killSelection, 'YOUNGEST_FIRST', 'Which instances go first.'),
  unreachableStrategy: optional(unreachableStrategy, 'What becomes of instances on lost agents.'),
  upgradeStrategy: optional(upgradeStrategy, 'How many run during an upgrade.'),
  requirePorts: defaulted(flag, false, 'Whether the ports are those of the host, too.'),
  portDefinitions: optional(list(portDefinition), "Ports on the host's network."),
  networks: defaulted(list(network), [], 'Networks; none given: the host.'),
  container: optional(container, 'What it runs in.'),
  fetch: defaulted(list(artifact), [], 'What is brought into the sandbox first.', { omitEmpty: true }),
  healthChecks: defaulted(list(healthCheck, { unique: true }), [], 'How to see whether it is well.', {
    omitEmpty: true,
  }),
  check: optional(check, 'A check that only tells.'),
  readinessChecks: defaulted(list(readinessCheck), [], 'How to see, during a deployment, whether it is ready.', {
    omitEmpty: true,
  }),
  residency: optional(
    record({
      relaunchEscalationTimeoutSeconds: defaulted(long({ minimum: 0 }), 3600, 'Has no effect.'),
      taskLostBehavior: defaulted(oneOf('WAIT_FOREVER', 'RELAUNCH_AFTER_TIMEOUT'), 'WAIT_FOREVER', 'Has no effect.'),
    }),
    'Has no effect; shown for apps with persistent volumes.',
    { onChange: 'none' },
  ),
  resourceLimits: optional(resourceLimits, 'How much more may be used than is asked for.'),
  secrets: defaulted(secrets, {}, 'Secrets by name.', { omitEmpty: true }),
  tty: optional(flag, 'Whether it gets a terminal.'),
  version: optional(instant, 'When this definition came to be; given by the server.', { onChange: 'none' }),
  versionInfo: optional(versionInfo, 'Given by the server.', { onChange: 'none' }),
  ports: optional(list(anyPort), 'Use portDefinitions.', OLD),
  uris: optional(list(text({ minLength: 1, maxLength: 1024 })), 'Use fetch.', OLD),
  ipAddress: optional(ipAddress, 'Use networks.', OLD),
} as const;

/** An app as its document says it: complete with defaults, still with old spellings, not yet checked as a whole. */
export type AppDocument = Reading<typeof appFields>;
/** What was said of an app. */
export type AppChange = Given<typeof appFields>;
export type ContainerDocument = NonNullable<AppDocument['container']>;
export type NetworkDocument = AppDocument['networks'][number];

export const appKind = record(appFields);
export const appChangeKind = changeOf(appFields);
export type PortMappingDocument = NonNullable<ContainerDocument['portMappings']>[number];
export type HealthCheckDocument = AppDocument['healthChecks'][number];
