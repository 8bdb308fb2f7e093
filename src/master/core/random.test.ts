import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ExecutorInfo, FrameworkInfo, Offer_Operation, Task, TaskState } from '../../wire/v1.ts';
import type { Call as OperatorCall } from '../../wire/v1_master.ts';
import { executor, type Host, type Scheduler, scalar, task, World } from './harness.fixture.ts';

/** One thing that happens, as numbers that pick from what there is. */
type Move = readonly [what: number, a: number, b: number, c: number];

const STATES: readonly TaskState[] = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED', 'TASK_FAILED', 'TASK_LOST'];
const INFOS: readonly Partial<FrameworkInfo>[] = [
  {},
  { failover_timeout: 20, checkpoint: true },
  { role: 'a', failover_timeout: 100, capabilities: [{ type: 'PARTITION_AWARE' }] },
  { roles: ['a', 'b/c'], capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }] },
];

/** A cluster in which anything may happen next, in any order. */
class Chaos {
  private readonly world = new World({
    agentReregisterTimeout: 60_000,
    offerTimeout: 10_000,
    maxCompletedFrameworks: 3,
  });
  private readonly schedulers: Scheduler[] = [];
  private readonly hosts: Host[] = [];
  private taskCount = 0;

  play([what, a, b, c]: Move): void {
    const moves = [
      () => this.schedulers.push(this.world.subscribe(pick(INFOS, a))),
      () => this.addHost(a),
      () => this.launch(a, b, c),
      () => this.launch(a, b, c),
      () => this.status(a, b, c),
      () => this.status(a, b, c),
      () => this.acknowledge(a, b),
      () => this.decline(a, b),
      () => this.wait(a, b),
      () => this.breakLink(a, b),
      () => this.comeBack(a, b),
      () => this.call(a, b),
      () => this.failOver(a),
      () => this.pong(a),
      () => this.kill(a, b),
      () => this.gone(a, b),
      () => this.drain(a, b, c),
      () => this.drain(a, b, c),
      () => this.maintain(a, b, c),
      () => this.maintain(a, b, c),
      () => this.answer(a, b, c),
      () => this.atOnce(a, b, c),
    ];
    moves[what % moves.length]!();
    this.world.sleep(1);
  }

  /** Time passes; most agents answer their pings. */
  private wait(a: number, b: number): void {
    this.world.sleep((a % 20) * 1000);
    for (const [i, { pid, observer }] of [...this.world.state.agents.values()].entries()) {
      if ((b + i) % 5 !== 0) this.world.message(pid, 'mesos.internal.PongSlaveMessage', {}, observer.process);
    }
  }

  private live(a: number): Scheduler | undefined {
    const live = this.schedulers.filter(({ id, stream }) => {
      const connection = this.world.state.frameworks.get(id)?.connection;
      return connection?.kind === 'http' && connection.stream === stream;
    });
    return pick(live, a);
  }

  private addHost(a: number): void {
    if (this.hosts.length < 6) this.hosts.push(this.world.register(6000 + this.hosts.length, RESOURCES[a % 2]));
  }

  private offerOf(scheduler: Scheduler | undefined, b: number) {
    const offers = [...(this.world.state.frameworks.get(scheduler?.id ?? '')?.offers ?? [])];
    return this.world.state.offers.get(pick(offers, b) ?? '');
  }

  private launch(a: number, b: number, c: number): void {
    const scheduler = this.live(a);
    const offer = this.offerOf(scheduler, b);
    if (scheduler === undefined || offer === undefined) return;
    const id = `t${c % 5 === 0 ? c % 3 : this.taskCount++}`;
    const agent_id = { value: offer.agentId };
    const own = { command: undefined, executor: executor(`e${c % 3}`) };
    const tasks = [task(id, agent_id, c % 4 === 0 ? own : {}), task(`${id}x`, agent_id)];
    const reservations = [{ type: 'DYNAMIC', role: offer.role }] as const;
    const operations: Offer_Operation[] = [
      { type: 'LAUNCH', launch: { task_infos: tasks } },
      { type: 'RESERVE', reserve: { resources: [{ ...scalar('cpus', 0.5), reservations }] } },
      { type: 'UNRESERVE', unreserve: { resources: [{ ...scalar('cpus', 0.5), reservations }] } },
    ];
    const chosen = operations.filter((_, i) => ((b + c) >> i) % 2 === 0);
    const filters = { refuse_seconds: c % 3 };
    const accept = { offer_ids: [{ value: offer.id }], operations: chosen, filters };
    this.world.say(scheduler, { type: 'ACCEPT', accept });
  }

  private taskOf(a: number, b: number): { task: Task; host: Host; scheduler: Scheduler } | undefined {
    const framework = pick([...this.world.state.frameworks.values()], a);
    const found = pick([...(framework?.tasks.values() ?? [])], b);
    const host = this.hosts.find(({ id }) => id === found?.agent_id.value);
    const scheduler = this.schedulers.findLast(({ id }) => id === framework?.id);
    return found && host && scheduler && { task: found, host, scheduler };
  }

  private status(a: number, b: number, c: number): void {
    const at = this.taskOf(a, b);
    if (at === undefined) return;
    const state = pick(STATES, c)!;
    this.world.update(at.scheduler, at.host, at.task.task_id.value, state, pick(STATES, b)!);
  }

  private acknowledge(a: number, b: number): void {
    const at = this.taskOf(a, b);
    const scheduler = this.schedulers.find(({ id, stream }) => {
      const connection = this.world.state.frameworks.get(id)?.connection;
      return id === at?.scheduler.id && connection?.kind === 'http' && connection.stream === stream;
    });
    if (at?.task.status_update_uuid === undefined || scheduler === undefined) return;
    this.world.acknowledge(scheduler, at.host, at.task.task_id.value, at.task.status_update_uuid);
  }

  private decline(a: number, b: number): void {
    const scheduler = this.live(a);
    const offer = this.offerOf(scheduler, b);
    if (scheduler === undefined) return;
    const offer_ids = [{ value: offer?.id ?? 'none' }];
    this.world.say(scheduler, { type: 'DECLINE', decline: { offer_ids, filters: { refuse_seconds: b % 4 } } });
  }

  private breakLink(a: number, b: number): void {
    const scheduler = this.live(a);
    const host = pick(this.hosts, a);
    if (b % 2 === 0 && scheduler !== undefined) this.world.step({ kind: 'streamClosed', stream: scheduler.stream });
    else if (host !== undefined) this.world.step({ kind: 'exited', pid: host.pid });
  }

  /** The agent reports what the master last knew to be there, or has lost it. */
  private comeBack(a: number, b: number): void {
    const host = pick(this.hosts, a);
    if (host === undefined) return;
    const frameworks = [...this.world.state.frameworks.values()];
    const tasks = frameworks.flatMap((framework) =>
      [...framework.tasks.values(), ...framework.unreachableTasks.values()].filter(
        (t) => t.agent_id.value === host.id && t.executor_id === undefined,
      ),
    );
    const executors: ExecutorInfo[] = frameworks.flatMap((f) => [...(f.executors.get(host.id)?.values() ?? [])]);
    const kept = b % 3 === 0 ? [] : tasks.map((t) => ({ ...t, state: 'TASK_RUNNING' as const }));
    const agent = this.world.state.agents.get(host.id);
    this.world.reregister(host, {
      frameworks: frameworks.map(({ info }) => info),
      tasks: kept,
      executor_infos: b % 2 === 0 ? executors : [],
      ...(agent !== undefined && { checkpointed_resources: agent.checkpointed.toProto() }),
    });
  }

  private call(a: number, b: number): void {
    const scheduler = this.live(a);
    if (scheduler === undefined) return;
    const types = ['REVIVE', 'SUPPRESS', 'TEARDOWN', 'REVIVE'] as const;
    this.world.say(scheduler, { type: pick(types, b)! });
  }

  private failOver(a: number): void {
    const known = pick(this.schedulers, a);
    const framework = this.world.state.frameworks.get(known?.id ?? '');
    if (framework !== undefined) this.schedulers.push(this.world.subscribe(framework.info));
  }

  private pong(a: number): void {
    const agent = pick([...this.world.state.agents.values()], a);
    if (agent !== undefined)
      this.world.message(agent.pid, 'mesos.internal.PongSlaveMessage', {}, agent.observer.process);
  }

  private kill(a: number, b: number): void {
    const scheduler = this.live(a);
    const task_id = { value: `t${b % 8}` };
    if (scheduler !== undefined) this.world.say(scheduler, { type: 'KILL', kill: { task_id } });
  }

  private gone(a: number, b: number): void {
    const host = pick(this.hosts, a);
    if (host === undefined || b % 4 !== 0) return;
    this.operate({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: host.id } } });
  }

  private operate(call: OperatorCall): void {
    this.world.step({ kind: 'operatorCall', request: 1, call });
  }

  private drain(a: number, b: number, c: number): void {
    const agent_id = { value: pick(this.hosts, a)?.id ?? 'none' };
    const calls: OperatorCall[] = [
      { type: 'DRAIN_AGENT', drain_agent: { agent_id, mark_gone: c % 3 === 0 } },
      { type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id } },
      { type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } },
      { type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } },
    ];
    this.operate(pick(calls, b)!);
  }

  private maintain(a: number, b: number, c: number): void {
    const machines = this.hosts
      .map(({ pid }) => Number(pid.split(':')[1]))
      .filter((port) => ((a >> (port % 6)) & 1) === 1)
      .map((port) => ({ hostname: `host-${port}`, ip: '127.0.0.1' }));
    const unavailability = { start: { nanoseconds: c % 3 } };
    const windows = machines.length === 0 ? [] : [{ machine_ids: machines, unavailability }];
    const calls: OperatorCall[] = [
      { type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule: { windows } } },
      { type: 'START_MAINTENANCE', start_maintenance: { machines: machines.slice(0, 1) } },
      { type: 'STOP_MAINTENANCE', stop_maintenance: { machines: machines.slice(0, 1) } },
    ];
    this.operate(pick(calls, b)!);
  }

  private answer(a: number, b: number, c: number): void {
    const scheduler = this.live(a);
    const ids = [...(this.world.state.frameworks.get(scheduler?.id ?? '')?.inverseOffers ?? [])];
    if (scheduler === undefined) return;
    const call = { inverse_offer_ids: [{ value: pick(ids, b) ?? 'none' }], filters: { refuse_seconds: c % 4 } };
    if (b % 2 === 0) this.world.say(scheduler, { type: 'ACCEPT_INVERSE_OFFERS', accept_inverse_offers: call });
    else this.world.say(scheduler, { type: 'DECLINE_INVERSE_OFFERS', decline_inverse_offers: call });
  }

  /** Several changes are under way before the first one is durable. */
  private atOnce(a: number, b: number, c: number): void {
    this.world.autoCommit = false;
    const moves = [
      () => this.drain(a, c, b),
      () => this.maintain(a, c, b),
      () => this.comeBack(a, b),
      () => this.breakLink(a, 1),
      () => this.gone(a, b),
      () => this.wait(a, b),
      () => this.maintain(a, b, c),
      () => this.drain(a, b, c),
    ];
    for (const [i, move] of moves.entries()) if (((c >> i) & 1) === 1) move();
    this.world.autoCommit = true;
    this.world.commitAll();
  }
}

const RESOURCES = [
  [scalar('cpus', 8), scalar('mem', 2048)],
  [scalar('cpus', 2.5), scalar('mem', 512), scalar('disk', 100)],
] as const;

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % Math.max(1, from.length)];
}

test('whatever happens in whatever order, nothing throws and the books are right', () => {
  const nat = fc.noBias(fc.nat({ max: 1000 }));
  const move: fc.Arbitrary<Move> = fc.tuple(nat, nat, nat, nat);
  fc.assert(
    fc.property(fc.array(move, { minLength: 50, maxLength: 200, size: 'max' }), (moves) => {
      const chaos = new Chaos();
      chaos.play([1, 0, 0, 0]);
      chaos.play([0, 1, 0, 0]);
      for (const each of moves) chaos.play(each);
    }),
    { numRuns: 60 },
  );
  assert.ok(true);
});
