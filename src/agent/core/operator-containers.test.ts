import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandInfo, ContainerID } from '../../wire/v1.ts';
import { idOf } from './container-id.ts';
import type { AgentEffect, ContainerAnswer, Termination } from './effects.ts';
import type { ContainerCall } from './events.ts';
import { FRAMEWORK, task, World } from './fake-world.ts';
import type { KeptContainer } from './kept-containers.ts';
import { fateOfContainer } from './parents.ts';
import type { Recovered } from './recovered.ts';
import type { AgentOptions } from './state.ts';

let tickets = 0;

/** Makes a call. @returns its answer (if it is answered at once) and what else it did */
function call(world: World, wanted: ContainerCall): { answer: ContainerAnswer | undefined; effects: AgentEffect[] } {
  const effects = world.step({ kind: 'containerCall', ticket: ++tickets, call: wanted });
  return { answer: answerTo(effects), effects };
}

function answerTo(effects: readonly AgentEffect[]): ContainerAnswer | undefined {
  const found = effects.find((effect) => effect.kind === 'containerAnswer');
  if (found !== undefined) assert.equal(found.ticket, tickets);
  return found?.answer;
}

type LaunchCall = Extract<ContainerCall, { do: 'launch' }>;

function launch(world: World, id: ContainerID, command?: CommandInfo, more: Partial<LaunchCall> = {}) {
  return call(world, {
    do: 'launch',
    id,
    command: command ?? { value: 'sleep 9' },
    container: undefined,
    resources: undefined,
    session: false,
    ...more,
  });
}

/** A running command task. @returns the id of its container */
function running(
  checkpoint = false,
  options: Partial<AgentOptions> = {},
): { world: World; root: string; sandbox: string } {
  const world = new World(options).register();
  world.run(task('t', { value: 'sleep 1', user: 'bob' }), { ...FRAMEWORK, checkpoint });
  world.start();
  const { containerId, sandbox } = world.launched();
  return { world, root: containerId, sandbox };
}

const over = (effects: readonly AgentEffect[]): [string, Termination][] =>
  effects
    .flatMap((effect) => (effect.kind === 'containerOver' ? [[effect.key, effect.termination] as const] : []))
    .map(([key, termination]) => [key, termination]);

const named = (effects: readonly AgentEffect[], kind: 'destroyContainer'): string[] =>
  effects.flatMap((effect) => (effect.kind === kind ? [effect.containerId] : []));

test('a nested container runs in a sandbox of its own inside that of its parent, as the same user', () => {
  const { world, root, sandbox } = running();
  const { answer, effects } = launch(world, idOf([root, 'n']), {
    value: 'env',
    environment: { variables: [{ name: 'A', value: 'b' }] },
  });
  assert.equal(answer, undefined);
  const spec = effects.find((effect) => effect.kind === 'launchContainer');
  assert.deepEqual(
    [spec?.containerId, spec?.sandbox, spec?.user, spec?.argv],
    [`${root}.n`, `${sandbox}/containers/n`, 'bob', ['sh', '-c', 'env']],
  );
  assert.deepEqual(spec?.environment, { A: 'b', MESOS_SANDBOX: `${sandbox}/containers/n` });
  const started = world.step({ kind: 'containerStarted', containerId: `${root}.n`, pid: 7 });
  assert.deepEqual(answerTo(started), { status: 200, sentence: undefined });
  assert.deepEqual(launch(world, idOf([root, 'n'])).answer, { status: 202 });
  const inner = launch(world, idOf([root, 'n', 'm']), { value: 'true', user: 'carol' }).effects;
  const deeper = inner.find((effect) => effect.kind === 'launchContainer');
  assert.deepEqual([deeper?.sandbox, deeper?.user], [`${sandbox}/containers/n/containers/m`, 'carol']);
});

test('a session sees what its parent sees, works there, and can be written to', () => {
  const { world, root, sandbox } = running();
  const { effects } = launch(world, idOf([root, 's']), { value: 'cat' }, { session: true });
  const spec = effects.find((effect) => effect.kind === 'launchContainer');
  assert.equal(spec?.input, true);
  assert.equal(spec?.environment.MESOS_EXECUTOR_ID, 't');
  // Its own folder tells its processes from those of the parent until the shell has taken its place.
  assert.equal(spec?.environment.MESOS_SANDBOX, `${sandbox}/containers/s`);
  assert.deepEqual(spec?.argv.slice(3), [sandbox, 'sh', '-c', 'cat']);
  world.step({ kind: 'containerStarted', containerId: `${root}.s`, pid: 8 });
  const ended = call(world, { do: 'destroy', id: idOf([root, 's']) });
  assert.deepEqual(named(ended.effects, 'destroyContainer'), [`${root}.s`]);
  assert.equal(call(world, { do: 'kill', id: idOf([root, 's']), signal: 9 }).answer?.status, 404);
  assert.match(
    launch(world, idOf([root, 's', 'x'])).answer?.sentence ?? '',
    new RegExp(`^Parent container ${root}.s is in 'DESTROYING' state`),
  );
});

test('a launch that is impossible is refused with what is wrong', () => {
  const { world, root } = running();
  assert.deepEqual(launch(world, idOf(['none', 'c'])).answer, {
    status: 400,
    sentence: 'Parent container none does not exist',
  });
  assert.match(
    launch(world, idOf(['alone']), undefined, { container: { type: 'DOCKER' } }).answer?.sentence ?? '',
    /'type' must be MESOS/,
  );
  assert.match(launch(world, idOf(Array<string>(33).fill('x'))).answer?.sentence ?? '', /33 deep: at most 32/);
  launch(world, idOf([root, 'bad']));
  const failed = world.step({
    kind: 'containerFailed',
    containerId: `${root}.bad`,
    stage: 'launch',
    message: 'no such program',
  });
  assert.deepEqual(answerTo(failed), { status: 400, sentence: 'no such program' });
  assert.equal(fateOfContainer(world.agent.state, idOf([root, 'bad'])), 'unknown');
  launch(world, idOf(['alone']));
  const nowhere = { kind: 'containerFailed', containerId: 'alone', stage: 'sandbox', message: 'full' } as const;
  assert.deepEqual(answerTo(world.step(nowhere)), { status: 500, sentence: 'full' });
  world.step({ kind: 'stop', unregister: false });
  assert.equal(launch(world, idOf([root, 'late'])).answer?.status, 503);
});

test('a container without a command starts, says so, and ends', () => {
  const { world, root } = running();
  const { effects } = launch(world, idOf([root, 'n']), {});
  const spec = effects.find((effect) => effect.kind === 'launchContainer');
  assert.deepEqual(spec?.argv, ['sh', '-c', "echo 'Shell command is not specified' >&2; exit 1"]);
});

test('the sandbox of a nested container that has ended stays with its executor, or goes in time if that is wanted', () => {
  for (const gcNestedSandboxes of [false, true]) {
    const { world, root, sandbox } = running(false, { gcDelay: 1000, gcNestedSandboxes });
    launch(world, idOf([root, 'n']));
    world.start(`${root}.n`);
    world.exit(0, `${root}.n`);
    world.advance(1000);
    const removed = world.effects.flatMap((effect) => (effect.kind === 'removeDirectory' ? [effect.path] : []));
    assert.deepEqual(removed, gcNestedSandboxes ? [`${sandbox}/containers/n`] : []);
  }
});

test('how a container ended is told to who waits and who asks later, until it is removed', () => {
  const { world, root, sandbox } = running();
  const id = idOf([root, 'n']);
  assert.equal(fateOfContainer(world.agent.state, id), 'unknown');
  launch(world, id);
  world.step({ kind: 'containerStarted', containerId: `${root}.n`, pid: 7 });
  assert.equal(fateOfContainer(world.agent.state, id), undefined);
  assert.deepEqual(call(world, { do: 'remove', id }).answer, {
    status: 500,
    sentence: 'Nested container has not terminated yet',
  });
  const killed = call(world, { do: 'kill', id, signal: 15 });
  assert.deepEqual(killed.answer, { status: 200 });
  assert.deepEqual(
    killed.effects.find((effect) => effect.kind === 'killContainer'),
    { kind: 'killContainer', containerId: `${root}.n`, signal: 15 },
  );
  assert.match(call(world, { do: 'kill', id, signal: 65 }).answer?.sentence ?? '', /'signal' is 65/);
  const exited = world.step({ kind: 'containerExited', containerId: `${root}.n`, status: 768 });
  assert.deepEqual(over(exited), [[`${root}.n`, { status: 768 }]]);
  assert.deepEqual(named(exited, 'destroyContainer'), [`${root}.n`]);
  assert.deepEqual(fateOfContainer(world.agent.state, id), { status: 768 });
  assert.equal(call(world, { do: 'kill', id, signal: 9 }).answer?.status, 404);
  const removed = call(world, { do: 'remove', id });
  assert.deepEqual(
    removed.effects.find((effect) => effect.kind === 'removeSandbox'),
    { kind: 'removeSandbox', path: `${sandbox}/containers/n`, ticket: tickets },
  );
  assert.equal(fateOfContainer(world.agent.state, id), 'unknown');
  assert.deepEqual(call(world, { do: 'remove', id: idOf(['none', 'n']) }).answer, {
    status: 500,
    sentence: 'Unknown root container',
  });
  assert.equal(call(world, { do: 'remove', id: idOf(['none']) }).answer?.status, 404);
});

test('what is nested ends with its parent, and is forgotten with the executor', () => {
  const { world, root } = running();
  for (const parts of [
    [root, 'n'],
    [root, 'n', 'm'],
    [root, 'done'],
  ]) {
    launch(world, idOf(parts));
    world.step({ kind: 'containerStarted', containerId: parts.join('.'), pid: 7 });
  }
  world.step({ kind: 'containerExited', containerId: `${root}.done`, status: 0 });
  const middle = world.step({ kind: 'containerExited', containerId: `${root}.n`, status: 0 });
  assert.deepEqual(named(middle, 'destroyContainer'), [`${root}.n.m`, `${root}.n`]);
  const ended = world.step({ kind: 'containerExited', containerId: root, status: 0 });
  assert.deepEqual(over(ended), [[root, { status: 0 }]]);
  assert.equal(fateOfContainer(world.agent.state, idOf([root, 'done'])), 'unknown');
  const last = world.step({ kind: 'containerExited', containerId: `${root}.n.m`, status: 9 });
  assert.deepEqual(over(last), [[`${root}.n.m`, { status: 9 }]]);
  assert.equal(world.agent.state.operatorContainers.size, 0);
});

test('containers of tasks and executors can be waited for and killed as well', () => {
  const { world, root } = running();
  const killed = call(world, { do: 'kill', id: idOf([root]), signal: 9 });
  assert.deepEqual(
    killed.effects.find((effect) => effect.kind === 'killContainer'),
    { kind: 'killContainer', containerId: root, signal: 9 },
  );
  assert.equal(fateOfContainer(world.agent.state, idOf([root])), undefined);
  assert.equal(launch(world, idOf([root])).answer?.status, 202);
  const group = new World().register();
  group.receive('mesos.internal.RunTaskGroupMessage', {
    framework: FRAMEWORK,
    executor: { type: 'DEFAULT', executor_id: { value: 'de' }, framework_id: { value: 'f1' } },
    task_group: { tasks: [task('a')] },
  });
  const executor = group.agent.state.frameworks.get('f1')?.executors.get('de')?.containerId.value ?? '';
  const own = group.launched().containerId;
  group.start();
  const { effects } = launch(group, idOf([executor, own, 'x']), { value: 'env' }, { session: true });
  assert.match(
    effects.find((effect) => effect.kind === 'launchContainer')?.sandbox ?? '',
    new RegExp(`/containers/${own}/containers/x$`),
  );
  const ended = group.step({ kind: 'containerExited', containerId: own, status: 256 });
  assert.deepEqual(over(ended)[0], [`${executor}.${own}`, { status: 256 }]);
  assert.deepEqual(named(ended, 'destroyContainer').sort(), [own, `${executor}.${own}.x`].sort());
});

test('only so many ends are remembered', () => {
  const { world, root } = running();
  for (let i = 0; i < 1010; i++) {
    launch(world, idOf([root, `n${i}`]));
    world.step({ kind: 'containerStarted', containerId: `${root}.n${i}`, pid: 7 });
    world.step({ kind: 'containerExited', containerId: `${root}.n${i}`, status: 0 });
  }
  assert.equal(world.agent.state.operatorContainers.size, 1000);
  assert.equal(fateOfContainer(world.agent.state, idOf([root, 'n9'])), 'unknown');
  assert.deepEqual(fateOfContainer(world.agent.state, idOf([root, 'n10'])), { status: 0 });
});

/** What the files say after these effects. */
function files(effects: readonly AgentEffect[]): Map<string, KeptContainer> {
  const found = new Map<string, KeptContainer>();
  for (const effect of effects) {
    if (effect.kind !== 'persist' || !effect.operation.path.includes('/meta/containers/')) continue;
    const { operation } = effect;
    if (operation.how === 'replace') found.set(operation.path, JSON.parse(String.fromCharCode(...operation.bytes)));
    else for (const path of found.keys()) if (path.startsWith(`${operation.path}/`)) found.delete(path);
  }
  return found;
}

test('what outlives the agent is on disk before it starts, with its end, until it is forgotten', () => {
  const { world, root, sandbox } = running(true);
  const { effects } = launch(world, idOf([root, 'n']));
  const kinds = effects.map(({ kind }) => kind);
  assert.ok(kinds.indexOf('persist') >= 0 && kinds.indexOf('persist') < kinds.indexOf('launchContainer'));
  launch(world, idOf([root, 's']), undefined, { session: true });
  world.step({ kind: 'containerStarted', containerId: `${root}.n`, pid: 7 });
  const path = `/w/meta/containers/${root}/containers/n/meseta.container`;
  const environment = { MESOS_SANDBOX: `${sandbox}/containers/n` };
  const kept = { id: [root, 'n'], sandbox: `${sandbox}/containers/n`, user: 'bob', environment };
  assert.deepEqual([...files(world.effects)], [[path, kept]]);
  world.step({ kind: 'containerExited', containerId: `${root}.n`, status: 256 });
  assert.deepEqual(files(world.effects).get(path)?.termination, { status: 256 });
  world.exit(0, root);
  assert.equal(files(world.effects).size, 0);
});

test('a restarted agent knows what runs and what has ended, and gives up what nobody has seen end', () => {
  const kept = (name: string, termination?: Termination): KeptContainer => ({
    id: [name],
    sandbox: `/w/containers/${name}`,
    environment: {},
    termination,
  });
  const recovered: Recovered = {
    info: { hostname: 'host', id: { value: 'm-S0' } },
    drain: undefined,
    frameworks: [],
    resources: {},
    containers: new Set(['runs']),
    operatorContainers: [
      kept('runs'),
      kept('ended', { status: 9 }),
      kept('lost'),
      { ...kept('orphan', { status: 0 }), id: ['gone', 'orphan'] },
    ],
    leftovers: [],
    errors: 0,
  };
  const world = new World({}, 1, recovered);
  const { state } = world.agent;
  assert.deepEqual([...state.operatorContainers.keys()], ['runs', 'ended']);
  assert.deepEqual(fateOfContainer(state, idOf(['ended'])), { status: 9 });
  assert.ok(world.effects.some((effect) => effect.kind === 'clearContainer' && effect.containerId === 'lost'));
  world.step({ kind: 'containerStarted', containerId: 'runs', pid: 5 });
  const exited = world.step({ kind: 'containerExited', containerId: 'runs', status: 0 });
  assert.deepEqual(over(exited), [['runs', { status: 0 }]]);
  assert.ok(state.garbage.has('/w/containers/runs'));
});
