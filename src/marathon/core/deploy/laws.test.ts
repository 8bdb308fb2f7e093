/** What holds for every deployment, whatever people, tasks, agents and leaders do meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkBooks, checkLocks, checkStored } from '../books.fixture.ts';
import { isActive } from '../condition.ts';
import { isConsideredHealthy } from '../instances.ts';
import type { Instance } from '../model.ts';
import { Rig } from '../rig.fixture.ts';

/** Every app has a place in the order of dependencies, fixed for one run. */
const APPS = ['/prod/a', '/prod/b', '/prod/c'] as const;

type Move =
  | { readonly do: 'put'; readonly app: number; readonly document: object; readonly force: boolean }
  | { readonly do: 'delete' | 'restart'; readonly app: number; readonly force: boolean }
  | { readonly do: 'scaleDown'; readonly app: number; readonly pick: number; readonly force: boolean }
  | { readonly do: 'kill'; readonly pick: number; readonly wipe: boolean }
  | { readonly do: 'cancel'; readonly pick: number; readonly force: boolean }
  | { readonly do: 'fail' | 'lose' | 'find' | 'sicken' | 'raze'; readonly pick: number }
  | { readonly do: 'failover' | 'slow' | 'quick' | 'reconnect' | 'drop' | 'deliver' };

const strategy = fc.record({
  minimumHealthCapacity: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
  maximumOverCapacity: fc.constantFrom(0, 0.25, 0.5, 1),
});
const app = fc.nat({ max: APPS.length - 1 });
const pick = fc.nat({ max: 20 });
const force = fc.boolean();
const VOLUME = { containerPath: 'data', mode: 'RW', persistent: { size: 10 } };
/** The last app is a resident one. */
const RESIDENT = { container: { type: 'MESOS', volumes: [VOLUME] }, role: 'prod' };

const document = fc.record(
  {
    cmd: fc.constantFrom('sleep 1', 'sleep 2', 'sleep 3'),
    instances: fc.nat({ max: 5 }),
    upgradeStrategy: strategy,
    killSelection: fc.constantFrom('YOUNGEST_FIRST', 'OLDEST_FIRST'),
    dependencies: fc.constantFrom([], ['/prod/a']),
  },
  { requiredKeys: ['instances'] },
);

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), app, document, force }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), app, force }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), app, force }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('scaleDown' as const), app, pick, force }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), pick, wipe: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick, force }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('fail', 'lose', 'find', 'sicken', 'raze'), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('failover', 'slow', 'quick', 'reconnect', 'drop', 'deliver') }),
  },
);

const run = fc.array(fc.tuple(move, fc.nat({ max: 8_000 })), { minLength: 3, maxLength: 25 });

function documentOf(at: number, more: object): object {
  const id = APPS[at]!;
  const check = { protocol: 'COMMAND', command: { value: 'true' }, gracePeriodSeconds: 0 };
  const base = {
    id,
    cpus: 0.1,
    mem: 32,
    backoffSeconds: 1,
    backoffFactor: 1,
    ...(at === 1 && { healthChecks: [check] }),
  };
  const { dependencies, upgradeStrategy, ...rest } = more as {
    readonly dependencies?: readonly string[];
    readonly upgradeStrategy?: object;
  };
  return {
    cmd: 'sleep 1',
    ...base,
    ...rest,
    ...(at > 0 && dependencies && { dependencies }),
    ...(at === 2 ? RESIDENT : upgradeStrategy && { upgradeStrategy }),
    ...(at === 2 && upgradeStrategy && { upgradeStrategy: { ...upgradeStrategy, maximumOverCapacity: 0 } }),
  };
}

/** One of all that are there, or nothing. */
function one<T>(list: readonly T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)];
}

function perform(rig: Rig, next: Move): void {
  const instances = [...rig.core.state.instances.values()];
  switch (next.do) {
    case 'put': {
      const wanted = documentOf(next.app, next.document);
      rig.change({ kind: 'updateApp', id: APPS[next.app]!, document: wanted, mode: 'merge' }, next.force);
      return;
    }
    case 'delete':
      rig.change({ kind: 'deleteApp', id: APPS[next.app]! }, next.force);
      return;
    case 'restart':
      rig.change({ kind: 'restartApp', id: APPS[next.app]! }, next.force);
      return;
    case 'scaleDown': {
      const victim = one(rig.running(APPS[next.app]!), next.pick);
      if (victim) rig.change({ kind: 'scaleDown', instances: [victim.id] }, next.force);
      return;
    }
    case 'kill': {
      const victim = one(instances, next.pick);
      if (victim) rig.ask({ kind: 'kill', instances: [victim.id], wipe: next.wipe });
      return;
    }
    case 'cancel': {
      const id = one([...rig.core.state.deployments.keys()], next.pick);
      if (id) rig.ask({ kind: 'cancelDeployment', id, force: next.force });
      return;
    }
    case 'failover':
      rig.failover();
      return;
    case 'reconnect':
      rig.step({ kind: 'disconnected', reason: 'test' });
      rig.step({ kind: 'subscribed', frameworkId: 'f' });
      return;
    case 'drop':
    case 'deliver':
      rig.mesos.losesOperations = next.do === 'drop';
      return;
    case 'slow':
    case 'quick':
      rig.isQuick = next.do === 'quick';
      return;
    default:
      happen(rig, next.do, next.pick);
  }
}

/** Something befalls a task. */
function happen(rig: Rig, what: 'fail' | 'lose' | 'find' | 'sicken' | 'raze', at: number): void {
  const lost = [...rig.tasks].filter(([, { state }]) => (state === 'TASK_UNREACHABLE') === (what === 'find'));
  const id = one(lost, at)?.[0];
  if (id === undefined) return;
  if (what === 'fail') rig.report(id, 'TASK_FAILED');
  else if (what === 'raze') raze(rig, rig.tasks.get(id)!.agentId);
  else if (what === 'lose') rig.report(id, 'TASK_UNREACHABLE');
  else if (what === 'find') rig.report(id, 'TASK_RUNNING', { healthy: true });
  else rig.report(id, 'TASK_RUNNING', { healthy: false });
}

/** An operator says that an agent is gone for good; a new one comes. */
function raze(rig: Rig, agentId: string): void {
  rig.mesos.agents.delete(agentId);
  rig.addAgent(`host${rig.now}-${rig.calls.length}`);
  for (const [id, task] of [...rig.tasks]) if (task.agentId === agentId) rig.report(id, 'TASK_GONE_BY_OPERATOR');
}

function isWell(instance: Instance): boolean {
  return instance.goal === 'Running' && instance.condition === 'Running' && isConsideredHealthy(instance);
}

/** Is there: wanted, or still on its way out. Who is out of reach and keeps its volumes is not waited for. */
function isThere({ goal, condition }: Instance): boolean {
  return goal === 'Running' || (isActive(condition) && !(goal === 'Stopped' && condition === 'Unreachable'));
}

/** While a restart is under way, it never itself takes away what must stay, nor brings more than may be there. */
class CapacityLaw {
  /** While somebody else takes instances away. */
  isSuspended = false;
  #well = new Map<string, Set<string>>();
  #wanted = new Map<string, Set<string>>();

  check(rig: Rig): void {
    for (const id of APPS) {
      const spec = rig.core.state.current.get(id);
      const all = rig.instancesOf(id);
      const well = new Set(all.filter(isWell).map((each) => each.id));
      const wanted = new Set(all.filter(({ goal }) => goal === 'Running').map((each) => each.id));
      if (spec && rig.core.state.restarts.has(id)) {
        const { minimumHealthCapacity, maximumOverCapacity } = spec.upgradeStrategy;
        const least = Math.ceil(spec.instances * minimumHealthCapacity);
        const most = Math.floor(spec.instances * (1 + maximumOverCapacity));
        // Without room above and below, one more may come, or one fewer stay: else nothing could ever happen.
        const isStuck = least === most;
        const fresh = all.filter((each) => isWell(each) && each.spec.version === spec.version).length;
        const retired = all.filter(
          (each) => each.goal !== 'Running' && isWell({ ...each, goal: 'Running' }) && this.#well.get(id)?.has(each.id),
        );
        if (retired.length > 0 && fresh < spec.instances && !this.isSuspended) {
          assert.ok(well.size >= least - (isStuck ? 1 : 0), `${id}: ${well.size} are well, ${least} must be`);
        }
        const there = all.filter(isThere).length;
        if ([...wanted].some((each) => !this.#wanted.get(id)?.has(each))) {
          assert.ok(there <= most + (isStuck ? 1 : 0), `${id}: ${there} are there, ${most} may be`);
        }
      }
      this.#well.set(id, well);
      this.#wanted.set(id, wanted);
    }
  }
}

/** Everything gets well: then all plans have to come to their ends. */
function heal(rig: Rig): void {
  rig.isQuick = true;
  rig.mesos.losesOperations = false;
  for (const [id, { state }] of [...rig.tasks]) {
    if (state === 'TASK_STAGING' || state === 'TASK_UNREACHABLE' || state === 'TASK_RUNNING') {
      rig.report(id, 'TASK_RUNNING', { healthy: true });
    }
  }
  rig.advance(1_800_000);
}

function assertSettled(rig: Rig): void {
  const { state } = rig.core;
  assert.equal(state.deployments.size, 0, 'every plan has ended');
  assert.equal(state.locks.size, 0);
  let wanted = 0;
  for (const spec of state.current.values()) {
    assert.equal(rig.running(spec.id).length, spec.instances, `${spec.id} runs as often as it should`);
    wanted += spec.instances;
  }
  assert.equal(rig.tasks.size, wanted, 'nothing runs that nobody wants');
  const kept = [...state.instances.values()].filter(({ reservation }) => reservation).length;
  const volumes = [...rig.mesos.agents.values()].flatMap(({ total }) => total.persistentVolumes().toProto()).length;
  assert.equal(volumes, kept, 'every volume belongs to an instance');
  for (const { placement, reservation } of state.instances.values()) {
    if (reservation) assert.ok(placement, 'and is somewhere');
  }
}

test('whatever happens, capacity is kept, the books are right, no two plans share an app, and in the end all is as it should be', () => {
  fc.assert(
    fc.property(run, (moves) => {
      const rig = new Rig();
      for (let host = 0; host < 3; host++) rig.addAgent(`host${host}`);
      rig.quickStatus = { healthy: true };
      const capacity = new CapacityLaw();
      rig.check = () => {
        checkBooks(rig);
        checkLocks(rig);
        capacity.check(rig);
      };
      for (const [next, wait] of moves) {
        capacity.isSuspended = next.do === 'kill' && next.wipe;
        perform(rig, next);
        capacity.isSuspended = false;
        rig.advance(wait);
        checkStored(rig);
      }
      heal(rig);
      assertSettled(rig);
    }),
    { numRuns: 300 },
  );
});
