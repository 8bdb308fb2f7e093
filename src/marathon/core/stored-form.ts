/** Whether what is in the store is what a Marathon has written: record by record, before anything is made of it. */
import { appKind } from '../definition/app-fields.ts';
import { appOf, writeApp } from '../definition/app-form.ts';
import { podKind } from '../definition/pod-fields.ts';
import { podOf, writePod } from '../definition/pod-form.ts';
import type { App, Pod, Problem } from '../definition/types.ts';
import { CONDITIONS } from './condition.ts';
import type { RunSpec } from './model.ts';
import { misfit, type Shape, unlike } from './shape.ts';
import { FORMAT_KEY, NEXT_LEADER_KEY, RESTORING_KEY, STORAGE_FORMAT, specVersionKey, WAY_OUT } from './stored.ts';

/** What is in the store, parsed: key to value. */
export type StoredValues = ReadonlyMap<string, unknown>;

const CONDITION: Shape = { oneOf: CONDITIONS };

const GROUP: Shape = {
  fields: { id: 'text', version: 'number', enforceRole: 'flag', dependencies: { list: 'text' } },
};

const TASK: Shape = {
  fields: { id: 'text', condition: CONDITION, stagedAt: 'number', hostPorts: { list: { orNull: 'number' } } },
  optional: {
    container: 'text',
    startedAt: 'number',
    unreachableSince: 'number',
    status: { fields: { task_id: { fields: { value: 'text' } }, state: 'text' } },
  },
};

const INSTANCE: Shape = {
  fields: {
    id: 'text',
    specId: 'text',
    specVersion: 'number',
    incarnation: 'number',
    goal: { oneOf: ['Running', 'Stopped', 'Decommissioned'] },
    condition: CONDITION,
    since: 'number',
    tasks: { list: TASK },
    unreachable: {
      word: 'disabled',
      or: { fields: { inactiveAfterSeconds: 'number', expungeAfterSeconds: 'number' } },
    },
  },
  optional: {
    activeSince: 'number',
    healthy: 'flag',
    ready: 'flag',
    placement: {
      fields: { agentId: 'text', host: 'text', attributes: { map: 'text' } },
      optional: { region: 'text', zone: 'text' },
    },
    reservation: {
      fields: {
        volumes: { list: { fields: { persistenceId: 'text', name: 'text', uuid: 'text' } } },
        state: { oneOf: ['new', 'launched', 'suspended'] },
        role: 'text',
      },
      optional: {
        deadline: 'number',
        resources: { list: { fields: { name: 'text', type: 'text' } } },
      },
    },
  },
};

const ACTION: Shape = {
  fields: {
    kind: {
      oneOf: [
        'StartApplication',
        'StopApplication',
        'ScaleApplication',
        'RestartApplication',
        'StartPod',
        'StopPod',
        'ScalePod',
        'RestartPod',
      ],
    },
    specId: 'text',
    specVersion: 'number',
  },
  optional: { scaleTo: 'number', toKill: { list: 'text' } },
};

/** By the first part of the key. */
const SHAPES: Readonly<Record<string, Shape>> = {
  framework: { fields: { id: 'text' }, optional: { residentRoles: { list: 'text' } } },
  spec: { fields: { id: 'text', version: 'number' } },
  group: GROUP,
  root: { fields: { version: 'number', specs: { map: { orNull: 'number' } }, groups: { map: { orNull: GROUP } } } },
  instance: INSTANCE,
  deployment: {
    fields: {
      id: 'text',
      version: 'number',
      steps: { list: { list: ACTION } },
      changes: { list: { fields: { id: 'text' }, optional: { before: 'number', after: 'number' } } },
    },
  },
  failure: {
    fields: {
      specId: 'text',
      taskId: 'text',
      state: 'text',
      message: 'text',
      host: 'text',
      version: 'number',
      timestamp: 'number',
    },
    optional: { agentId: 'text' },
  },
  version: { fields: { kind: { oneOf: ['app', 'pod'] }, id: 'text', version: 'number' } },
};

/** Which format the values have; 0 where nothing says so. */
export function storedFormat(values: StoredValues): number | undefined {
  if (!values.has(FORMAT_KEY)) return 0;
  const format = (values.get(FORMAT_KEY) as { readonly version?: unknown } | null)?.version;
  return typeof format === 'number' && Number.isInteger(format) && format >= 0 ? format : undefined;
}

/** @returns what is wrong with the first record that is not as it must be, and what to do about it */
export function problemWith(values: StoredValues): string | undefined {
  const format = storedFormat(values);
  if (format === undefined) return `'${FORMAT_KEY}' does not say which format the state has; ${WAY_OUT}`;
  if (format > STORAGE_FORMAT) {
    return `the stored state has format ${format}, and this Marathon reads formats up to ${STORAGE_FORMAT} (${FORMAT_KEY}): start the newer version again, or restore a backup that this version has made. Nothing was changed`;
  }
  if (values.has(RESTORING_KEY)) {
    return 'a restore was cut short, and what is there is not a whole state: repeat it with `meseta marathon restore --force`';
  }
  for (const [key, value] of values) {
    const problem = problemOf(key, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOf(key: string, value: unknown): string | undefined {
  if (key === FORMAT_KEY || key === NEXT_LEADER_KEY) return undefined;
  const kind = key.slice(0, key.indexOf('/'));
  const shape = Object.hasOwn(SHAPES, kind) ? SHAPES[kind] : undefined;
  if (shape === undefined) {
    return `there is '${key}', which is nothing that this Marathon knows: start the version that has written it, or take it out of the store. Nothing was changed`;
  }
  const found = misfit(value, shape) ?? (kind === 'version' ? definitionProblem(value as RunSpec) : undefined);
  if (found !== undefined) return `'${key}' is damaged: ${found}; ${WAY_OUT}`;
  const expected = keyOf(kind, value as Keyed);
  return expected === key ? undefined : `'${key}' is damaged: it holds what belongs to '${expected}'; ${WAY_OUT}`;
}

interface Keyed {
  readonly id: string;
  readonly specId: string;
  readonly version: number;
}

function keyOf(kind: string, { id, specId, version }: Keyed): string {
  switch (kind) {
    case 'version':
      return specVersionKey(id, version);
    case 'failure':
      return `failure/${specId}`;
    case 'root':
      return `root/${version}`;
    case 'framework':
      return 'framework/id';
    default:
      return `${kind}/${id}`;
  }
}

/** Written as a document and read again, a definition must have at least what it has then. */
function definitionProblem(spec: RunSpec): string | undefined {
  try {
    const problems: Problem[] = [];
    const model = spec.kind === 'app' ? appAgain(spec, problems) : podAgain(spec, problems);
    const [problem] = problems;
    if (model === undefined || problem !== undefined)
      return `${problem?.path ?? '/'}: ${problem?.error ?? 'unreadable'}`;
    return unlike(spec, model);
  } catch (error) {
    return `it is no definition (${(error as Error).message})`;
  }
}

function appAgain(app: App, problems: Problem[]): App | undefined {
  const document = appKind.read(writeApp(app), '', problems);
  return document && appOf(document, app);
}

function podAgain(pod: Pod, problems: Problem[]): Pod | undefined {
  const document = podKind.read(writePod(pod), '', problems);
  return document && podOf(document, pod);
}
