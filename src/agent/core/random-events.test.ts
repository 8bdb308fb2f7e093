import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAMEWORK, MASTER, task, World } from './fake-world.ts';
import { isTerminal } from './task-state.ts';

const frameworks = ['f1', 'f2'].map((id) => ({ ...FRAMEWORK, id: { value: id } }));
const index = fc.nat({ max: 5 });

/** Things that may happen to an agent, in any order and however little sense they make. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), task: index, framework: fc.nat({ max: 1 }), command: fc.boolean() }),
  fc.record({ kind: fc.constant('group' as const), tasks: fc.uniqueArray(index, { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constant('kill' as const), task: index, grace: fc.option(fc.nat({ max: 5e9 })) }),
  fc.record({ kind: fc.constant('start' as const), container: fc.nat({ max: 20 }) }),
  fc.record({
    kind: fc.constant('exit' as const),
    container: fc.nat({ max: 20 }),
    status: fc.constantFrom(0, 256, 9, 15),
  }),
  fc.record({
    kind: fc.constant('fail' as const),
    container: fc.nat({ max: 20 }),
    stage: fc.constantFrom('sandbox' as const, 'launch' as const),
  }),
  fc.record({ kind: fc.constant('advance' as const), by: fc.nat({ max: 70_000 }) }),
  fc.record({ kind: fc.constant('acknowledge' as const), any: fc.nat({ max: 30 }) }),
  fc.constantFrom(
    { kind: 'lose' as const },
    { kind: 'register' as const },
    { kind: 'exited' as const },
    { kind: 'endFramework' as const },
    { kind: 'drain' as const },
    { kind: 'ping' as const },
  ),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** A launcher that answers for every container exactly once. */
class Launcher {
  readonly world: World;
  private readonly started = new Set<string>();
  private readonly over = new Set<string>();

  constructor(world: World) {
    this.world = world;
  }

  living(): string[] {
    const launched = this.world.effects.flatMap((effect) =>
      effect.kind === 'launchContainer' ? [effect.containerId] : [],
    );
    return launched.filter((id) => !this.over.has(id));
  }

  start(id: string | undefined): void {
    if (id === undefined || this.started.has(id)) return;
    this.started.add(id);
    this.world.start(id);
  }

  end(id: string | undefined, event: { status: number } | { stage: 'sandbox' | 'launch' }): void {
    if (id === undefined) return;
    this.over.add(id);
    if ('status' in event || this.started.has(id)) {
      this.start(id);
      this.world.exit('status' in event ? event.status : 9, id);
    } else this.world.step({ kind: 'containerFailed', containerId: id, stage: event.stage, message: 'no' });
  }
}

function apply(world: World, launcher: Launcher, what: Happening): void {
  const pick = (at: number): string | undefined => launcher.living()[at];
  switch (what.kind) {
    case 'run':
      world.run(task(`${what.task}`, what.command ? { value: 'x' } : {}), frameworks[what.framework]);
      break;
    case 'group':
      world.receive('mesos.internal.RunTaskGroupMessage', {
        framework: FRAMEWORK,
        executor: { type: 'DEFAULT', executor_id: { value: 'de' } },
        task_group: { tasks: what.tasks.map((id) => task(`g${id}`)) },
      });
      break;
    case 'kill':
      world.kill(`${what.task}`, what.grace === null ? undefined : { grace_period: { nanoseconds: what.grace } });
      world.kill(`g${what.task}`);
      break;
    case 'start':
      launcher.start(pick(what.container));
      break;
    case 'exit':
      launcher.end(pick(what.container), { status: what.status });
      break;
    case 'fail':
      launcher.end(pick(what.container), { stage: what.stage });
      break;
    case 'advance':
      world.advance(what.by);
      break;
    case 'acknowledge': {
      const update = world.updates()[what.any];
      if (update) world.acknowledge(update);
      break;
    }
    default:
      happen(world, what.kind);
  }
}

function happen(world: World, kind: 'lose' | 'register' | 'exited' | 'endFramework' | 'drain' | 'ping'): void {
  if (kind === 'lose') world.step({ kind: 'masterDetected', pid: undefined });
  else if (kind === 'exited') world.step({ kind: 'exited', pid: MASTER });
  else if (kind === 'endFramework')
    world.receive('mesos.internal.ShutdownFrameworkMessage', { framework_id: { value: 'f2' } });
  else if (kind === 'drain') world.receive('mesos.internal.DrainSlaveMessage', { config: {} });
  else if (kind === 'ping') world.receive('mesos.internal.PingSlaveMessage', { connected: true });
  else reconnect(world);
}

function reconnect(world: World): void {
  world.step({ kind: 'masterDetected', pid: MASTER });
  world.admit();
}

/** Every stream of updates that the scheduler saw: by task and first life, states in order of first sight. */
function checkStreams(world: World): void {
  const ended = new Map<string, number>();
  const seen = new Set<string>();
  for (const update of world.updates()) {
    const key = `${update.framework_id.value}/${update.status.task_id.value}`;
    const uuid = String(update.uuid);
    if (seen.has(uuid)) continue;
    seen.add(uuid);
    if (isTerminal(update.status.state)) ended.set(key, (ended.get(key) ?? 0) + 1);
  }
  for (const [key, times] of ended) {
    const launches = world.effects.filter(
      (effect) => effect.kind === 'launchContainer' && `${effect.frameworkId}/${effect.executorId}` === key,
    ).length;
    // A task id may be used again once its end is acknowledged; dropped and unknown ones were never launched.
    if (launches > 0 && !key.includes('/g')) assert.ok(times >= 1, key);
  }
}

test('whatever happens, the agent keeps going, and after all has settled nothing is left running or unsaid', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), fc.integer(), (happenings, seed) => {
      const world = new World({}, seed).register();
      const launcher = new Launcher(world);
      for (const what of happenings) apply(world, launcher, what);
      reconnect(world);
      for (let round = 0; round < 20 && launcher.living().length > 0; round++) {
        for (const id of launcher.living()) launcher.end(id, { status: 0 });
      }
      world.acknowledgeAll();
      checkStreams(world);
      assert.equal(world.agent.state.containers.size, 0);
      assert.equal(world.agent.state.streams.size, 0);
      assert.equal(world.agent.state.frameworks.size, 0);
      for (const key of world.timers.keys())
        assert.doesNotMatch(key, /^(kill|completion|update|shutdown|executor|linger)\//);
    }),
    { numRuns: 300 },
  );
});

test('a task has exactly one end, and nothing comes after it', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), fc.integer(), (happenings, seed) => {
      const world = new World({}, seed).register();
      const launcher = new Launcher(world);
      for (const what of happenings) {
        apply(world, launcher, what);
        for (const stream of world.agent.state.streams.values()) {
          const ends = stream.pending.map((update) => isTerminal(update.status.state));
          assert.ok(!ends.slice(0, -1).includes(true));
        }
        for (const framework of world.agent.state.frameworks.values()) {
          for (const [taskId, executor] of framework.tasks) {
            const places = [executor.queued, executor.launched, executor.terminated].filter((map) => map.has(taskId));
            assert.equal(places.length, 1);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});
