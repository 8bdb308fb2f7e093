/** What operators may ask about containers: launch, kill, destroy, remove. Waiting is up to who asks. */
import type { CommandInfo } from '../../wire/v1.ts';
import { formatContainerId, partsOf } from './container-id.ts';
import type { Context } from './context.ts';
import type { ContainerAnswer } from './effects.ts';
import { commandEnvironment, commandLine } from './environment.ts';
import type { AgentEvent, ContainerCall } from './events.ts';
import { keep } from './garbage.ts';
import { rememberContainer } from './kept-containers.ts';
import { destroyExecutor } from './kill.ts';
import { amounts, userOf } from './launch.ts';
import { destroy, forget } from './operator-containers.ts';
import { findLiving, type LivingContainer, nobody, sandboxOf, standaloneSandbox } from './parents.ts';
import { nestedSandbox } from './paths.ts';
import type { OperatorContainer } from './state.ts';
import { sandboxLinks } from './volumes.ts';

/** Linux's own limit for namespaces in one another, and enough to keep paths short. */
const DEEPEST = 32;
const HIGHEST_SIGNAL = 64;

type Call<D extends ContainerCall['do']> = Extract<ContainerCall, { do: D }>;

/** An operator calls. */
export function containerCall(context: Context, event: Extract<AgentEvent, { kind: 'containerCall' }>): void {
  const answer = answerOf(context, event.ticket, event.call);
  if (answer !== undefined) context.emit({ kind: 'containerAnswer', ticket: event.ticket, answer });
}

/** @returns undefined when the call is answered later */
function answerOf(context: Context, ticket: number, call: ContainerCall): ContainerAnswer | undefined {
  switch (call.do) {
    case 'launch':
      return launch(context, ticket, call);
    case 'kill':
      return kill(context, call);
    case 'remove':
      return remove(context, ticket, call);
    case 'destroy': {
      const container = context.state.operatorContainers.get(formatContainerId(call.id));
      if (container !== undefined) destroy(context, container);
      return { status: 200 };
    }
  }
}

const refusal = (status: ContainerAnswer['status'], sentence: string): ContainerAnswer => ({ status, sentence });

function launch(context: Context, ticket: number, call: Call<'launch'>): ContainerAnswer | undefined {
  const { state } = context;
  const { id } = call;
  const key = formatContainerId(id);
  if (state.phase === 'terminating') return refusal(503, 'The agent is ending: it launches nothing');
  if (findLiving(state, id) !== undefined || state.containers.has(key)) return { status: 202 };
  if (call.container?.type === 'DOCKER') {
    return refusal(400, "The provided ContainerInfo is not supported: its 'type' must be MESOS");
  }
  const depth = partsOf(id).length;
  if (depth > DEEPEST) {
    return refusal(400, `Container ${key} is nested ${depth} deep: at most ${DEEPEST} are possible`);
  }
  const parent = id.parent && findLiving(state, id.parent);
  if (id.parent !== undefined) {
    const name = formatContainerId(id.parent);
    if (parent === undefined) return refusal(400, `Parent container ${name} does not exist`);
    if (parent.isEnding) return refusal(400, `Parent container ${name} is in 'DESTROYING' state`);
  }
  start(context, ticket, call, parent);
  return undefined;
}

function start(context: Context, ticket: number, call: Call<'launch'>, parent: LivingContainer | undefined): void {
  const { state } = context;
  const { id, command, session } = call;
  const before = parent ?? nobody(state);
  const sandbox = parent === undefined ? standaloneSandbox(state, id) : nestedSandbox(parent.sandbox, id.value);
  const seen = session && parent !== undefined ? parent.environment : { MESOS_SANDBOX: sandbox };
  const container: OperatorContainer = {
    key: formatContainerId(id),
    id,
    sandbox,
    user: userOf(state, command, before.user),
    environment: { ...seen, ...commandEnvironment(command) },
    isSession: session,
    // As upstream, a restarted agent ends sessions: nobody can be connected to them any more.
    isKept: before.isKept && !session,
    ticket,
    processId: undefined,
    isEnding: false,
    termination: undefined,
  };
  state.endedContainers.delete(container.key);
  state.operatorContainers.set(container.key, container);
  keep(context, sandbox);
  rememberContainer(context, container);
  emitLaunch(context, call, container, parent);
}

function emitLaunch(
  context: Context,
  call: Call<'launch'>,
  container: OperatorContainer,
  parent: LivingContainer | undefined,
): void {
  const { command } = call;
  const { key, sandbox, environment, user } = container;
  const line = commandLine(command) ?? complaint(command);
  context.emit({
    kind: 'launchContainer',
    containerId: key,
    ...(call.session ? inPlaceOf(line, environment.MESOS_SANDBOX ?? sandbox) : line),
    // Processes are told from those of others by this variable.
    environment: { ...environment, MESOS_SANDBOX: sandbox },
    user,
    sandbox,
    links: [],
    volumes: sandboxLinks(sandbox, parent?.sandbox, call.container),
    uris: command?.uris ?? [],
    rlimits: call.container?.rlimit_info,
    container: call.container,
    input: call.session,
    ...(!container.isKept && { endsWithAgent: true }),
    resources: amounts(call.resources),
    frameworkId: '',
    executorId: '',
  });
}

type Line = NonNullable<ReturnType<typeof commandLine>>;

/**
 * A session sees the sandbox of its parent, and works there; its own has only its output. What it starts bears the
 * parent's mark from then on, and ends with the parent.
 */
function inPlaceOf({ file, argv }: Line, directory: string): Line {
  const script = 'export MESOS_SANDBOX="$0" && cd "$0" && exec "$@"';
  return { file: 'sh', argv: ['sh', '-c', script, directory, file, ...argv.slice(1)] };
}

/** Upstream starts a container without a command as well, whose process says so and ends. */
function complaint(command: CommandInfo | undefined): Line {
  const what = (command?.shell ?? true) ? 'Shell command' : 'Executable path';
  return { file: 'sh', argv: ['sh', '-c', `echo '${what} is not specified' >&2; exit 1`] };
}

function kill(context: Context, { id, signal }: Call<'kill'>): ContainerAnswer {
  const { state } = context;
  const key = formatContainerId(id);
  const found = findLiving(state, id);
  if (found === undefined || found.isEnding) {
    return refusal(404, `Container '${key}' cannot be found (or is already killed)`);
  }
  if (signal < 0 || signal > HIGHEST_SIGNAL) {
    return refusal(400, `'signal' is ${signal}: it must be a number from 0 to ${HIGHEST_SIGNAL}`);
  }
  const own = state.operatorContainers.get(key);
  if (found.isStarted && found.launcherId !== undefined) {
    context.emit({ kind: 'killContainer', containerId: found.launcherId, signal });
  } else if (own !== undefined) destroy(context, own);
  else if (found.executor !== undefined) destroyExecutor(context, found.executor);
  else if (found.launcherId !== undefined) context.emit({ kind: 'destroyContainer', containerId: found.launcherId });
  return { status: 200 };
}

function remove(context: Context, ticket: number, { id }: Call<'remove'>): ContainerAnswer | undefined {
  const { state } = context;
  const key = formatContainerId(id);
  const path = sandboxOf(state, id);
  if (path === undefined) {
    return id.parent === undefined
      ? refusal(404, `Container ${key} cannot be found`)
      : refusal(500, 'Unknown root container');
  }
  const lives = [...state.operatorContainers.values()].some(
    (one) => one.termination === undefined && (one.key === key || one.key.startsWith(`${key}.`)),
  );
  if (lives || findLiving(state, id) !== undefined) {
    return refusal(500, `${id.parent === undefined ? 'Container' : 'Nested container'} has not terminated yet`);
  }
  const container = state.operatorContainers.get(key);
  if (container !== undefined) forget(context, container);
  keep(context, path);
  context.emit({ kind: 'removeSandbox', path, ticket });
  return undefined;
}
