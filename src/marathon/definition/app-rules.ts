/** Rules that an app has to keep as a whole, once its old spellings are gone and its ports are where they belong. */
import type { AppDocument } from './app-fields.ts';
import { hasPersistentVolumes, usualUpgrade } from './app-normal.ts';
import { appConstraintError } from './constraint-rules.ts';
import { networkProblems } from './network-rules.ts';
import { pathProblems } from './path-id.ts';
import { PORT_RULES, portMappingProblems } from './port-rules.ts';
import { broken, brokenIf, FINE, isUri, needsFeature, type Rule, type RuleFacts, secretForRegistry } from './rule.ts';
import {
  acceptedRoleProblems,
  envProblems,
  limitProblems,
  linuxProblems,
  roleProblems,
  secretProblems,
} from './scheduling-rules.ts';
import type { Labels, Problem } from './types.ts';
import { exclusiveVolumes, volumeProblems } from './volume-rules.ts';

/** Upstream says so in one sentence for every way to say too much or too little. */
const WHAT_TO_RUN = "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";

export const APP_RULES: readonly Rule<AppDocument>[] = [
  ({ id }) => pathProblems(id),
  ({ dependencies }) =>
    dependencies.flatMap((id, at) => (id === '/' ? FINE : pathProblems(id, `/dependencies(${at})`))),
  whatToRun,
  ({ cmd }) => brokenIf(cmd?.length === 1, '/', `must not be an empty string: cmd is only '${cmd}'`),
  containerProblems,
  ...PORT_RULES,
  ({ fetch }) =>
    fetch.flatMap(({ uri }, at) =>
      isUri(uri) ? FINE : broken(`/fetch(${at})/uri`, `URI has invalid syntax. '${uri}'`),
    ),
  (app) => limitProblems(app.resourceLimits, app, ''),
  ({ secrets }, facts) => secretProblems(secrets, facts),
  ({ env, secrets }, facts) => envProblems(env, secrets, '/env', facts),
  executorSecretProblems,
  gpuProblems,
  ({ labels }) => migrationLabels(labels),
  singleInstance,
  residentStrategies,
  ({ unreachableStrategy }) =>
    typeof unreachableStrategy === 'object'
      ? brokenIf(
          unreachableStrategy.inactiveAfterSeconds > unreachableStrategy.expungeAfterSeconds,
          '/unreachableStrategy',
          `inactiveAfterSeconds (${unreachableStrategy.inactiveAfterSeconds}) must be less than or equal to expungeAfterSeconds (${unreachableStrategy.expungeAfterSeconds})`,
        )
      : FINE,
  ({ constraints }) =>
    constraints.flatMap((constraint, at) => {
      const error = appConstraintError(constraint);
      return error === undefined ? FINE : broken(`/constraints(${at})`, error);
    }),
  ({ networks }, { context }) => networkProblems(networks, context),
  ({ container, networks }) =>
    brokenIf(
      container?.type === 'DOCKER' && networks.filter(({ mode }) => mode === 'container').length > 1,
      '/',
      'may only specify a single container network when using the Docker container engine',
    ),
  exclusiveVolumes,
  (app, facts) => roleProblems(app.role ?? '', 'apps', hasPersistentVolumes(app), facts),
  (app) =>
    app.acceptedResourceRoles === undefined
      ? FINE
      : [
          ...brokenIf(app.acceptedResourceRoles.length === 0, '/acceptedResourceRoles', 'must not be empty'),
          ...acceptedRoleProblems(
            app.acceptedResourceRoles,
            app.role ?? '',
            'app',
            isResident(app),
            '/acceptedResourceRoles',
          ),
        ],
];

/** Residency may be asked for without volumes; the rules for resident apps hold all the same. */
function isResident(app: AppDocument): boolean {
  return app.residency !== undefined || hasPersistentVolumes(app);
}

function whatToRun({ cmd, args, container }: AppDocument): readonly Problem[] {
  const hasCmd = cmd !== undefined;
  const hasArgs = args.length > 0;
  // Of an image its own command is run; without one there would be nothing to run.
  const hasImage = container?.docker !== undefined;
  return brokenIf((hasCmd && hasArgs) || !(hasCmd || hasArgs || hasImage), '/', WHAT_TO_RUN);
}

function containerProblems(app: AppDocument, facts: RuleFacts): readonly Problem[] {
  const { container } = app;
  if (container === undefined) return FINE;
  const { docker, linuxInfo, type } = container;
  return [
    ...brokenIf(
      type === 'DOCKER' && docker === undefined,
      '/container/docker',
      'not defined: a container of the type DOCKER needs docker.image, one without an image has the type MESOS',
    ),
    ...pullProblems(app, facts),
    ...brokenIf(
      type === 'DOCKER' && linuxInfo !== undefined,
      '/container/linuxInfo',
      'must be empty: only the type MESOS has it',
    ),
    ...(linuxInfo === undefined ? FINE : linuxProblems(linuxInfo, '/container/linuxInfo')),
    ...portMappingProblems(container, app),
    ...volumeProblems(container, app, facts),
  ];
}

/** Masters show how executors are started, with all their variables. */
function executorSecretProblems({ env, container, executor }: AppDocument, { context }: RuleFacts): readonly Problem[] {
  if (context.builtInSecrets !== true || executor === '' || executor === '//cmd') return FINE;
  const variables = Object.entries(env).flatMap(([name, value]) =>
    brokenIf(
      typeof value !== 'string',
      `/env/${name}/secret`,
      'masters would show it: the variables of an executor of its own can be seen by everybody. Leave the executor out',
    ),
  );
  const files = (container?.volumes ?? []).flatMap(({ kind }, at) =>
    brokenIf(
      kind === 'secret',
      `/container/volumes(${at})/secret`,
      'masters would show it: how an executor of its own is started can be seen by everybody. Leave the executor out',
    ),
  );
  return [...variables, ...files];
}

function pullProblems({ container, secrets }: AppDocument, facts: RuleFacts): readonly Problem[] {
  const secret = container?.docker?.pullConfig?.secret;
  const at = '/container/docker/pullConfig';
  if (secret === undefined) return FINE;
  if (container?.type === 'DOCKER')
    return broken(at, 'pullConfig is not supported with Docker containerizer: use the type MESOS');
  return [
    ...needsFeature('secrets', at, facts),
    ...secretForRegistry(at, facts),
    ...brokenIf(
      !Object.hasOwn(secrets, secret),
      at,
      `pullConfig.secret must refer to an existing secret: '${secret}' is not in secrets`,
    ),
  ];
}

function gpuProblems({ gpus, container }: AppDocument, facts: RuleFacts): readonly Problem[] {
  if (gpus === 0) return FINE;
  return [
    ...brokenIf(
      container?.type === 'DOCKER',
      '/',
      'GPU resources only work with the Mesos containerizer: use the type MESOS',
    ),
    ...needsFeature('gpu_resources', '/', facts),
  ];
}

function label(labels: Labels, key: string): string {
  return (Object.hasOwn(labels, key) && labels[key]) || '';
}

/** Labels by which a scheduler of DC/OS offers to be migrated: all of them, or none. */
function migrationLabels(labels: Labels): readonly Problem[] {
  const version = label(labels, 'DCOS_MIGRATION_API_VERSION');
  const isComplete =
    version === 'v1' &&
    label(labels, 'DCOS_PACKAGE_FRAMEWORK_NAME') !== '' &&
    label(labels, 'DCOS_MIGRATION_API_PATH') !== '';
  return brokenIf(
    version !== '' && !isComplete,
    '/',
    'DCOS_PACKAGE_FRAMEWORK_NAME and DCOS_MIGRATION_API_PATH must be defined when using DCOS_MIGRATION_API_VERSION, which must be v1',
  );
}

function singleInstance(app: AppDocument): readonly Problem[] {
  const { labels, instances, upgradeStrategy = usualUpgrade(app) } = app;
  if (label(labels, 'MARATHON_SINGLE_INSTANCE_APP') !== 'true') return FINE;
  return [
    ...brokenIf(instances > 1, '/', `Single instance app may only have one instance, not ${instances}`),
    ...(['minimumHealthCapacity', 'maximumOverCapacity'] as const).flatMap((name) =>
      brokenIf(
        upgradeStrategy[name] !== 0,
        `/upgradeStrategy/${name}`,
        `got ${upgradeStrategy[name]}, expected 0.0: the app may have only one instance, also while it is upgraded`,
      ),
    ),
  ];
}

function residentStrategies(app: AppDocument): readonly Problem[] {
  if (!isResident(app)) return FINE;
  const { upgradeStrategy, unreachableStrategy } = app;
  return [
    ...brokenIf(
      (upgradeStrategy?.maximumOverCapacity ?? 0) !== 0,
      '/upgradeStrategy/maximumOverCapacity',
      `got ${upgradeStrategy?.maximumOverCapacity}, expected 0.0: a second instance could not have the volumes`,
    ),
    ...brokenIf(
      unreachableStrategy !== undefined && unreachableStrategy !== 'disabled',
      '/',
      'unreachableStrategy must be disabled for resident tasks: "unreachableStrategy": "disabled"',
    ),
  ];
}
