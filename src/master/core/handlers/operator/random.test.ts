import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Resource } from '../../../../wire/v1.ts';
import type { Call } from '../../../../wire/v1_master.ts';
import { type Host, type Scheduler, scalar, task, World } from '../../harness.fixture.ts';

/** One thing that happens, as numbers that pick from what there is. */
type Move = readonly [what: number, a: number, b: number, c: number];

const ROLES = ['a', 'a/b', 'b', '*', 'a b'];
const AMOUNTS = [0, 0.5, 1, 3, 50, -1, Number.NaN];
const NAMES = ['cpus', 'disk', 'mem'];

function pick<T>(list: readonly T[], n: number): T {
  return list[n % list.length]!;
}

function reserved(a: number, b: number, c: number): Resource {
  const outer = { type: 'DYNAMIC' as const, role: pick(ROLES, a) };
  const inner = { type: 'DYNAMIC' as const, role: 'a/b' };
  const bare = scalar(pick(NAMES, b), pick(AMOUNTS, c));
  return c % 5 === 0 ? bare : { ...bare, reservations: c % 3 === 0 ? [outer, inner] : [outer] };
}

function volume(a: number, c: number): Resource {
  const disk = { persistence: { id: pick(['v', 'w', ''], a) }, volume: { container_path: 'd', mode: 'RW' as const } };
  return { ...reserved(a, 1, c), disk, ...(c % 4 === 0 && { shared: {} }) };
}

/** Operators that want anything, beside frameworks that launch and decline. */
class Chaos {
  readonly world = new World({ offerTimeout: 5000 });
  readonly hosts: Host[] = [];
  readonly schedulers: Scheduler[] = [];
  /** What succeeded, by type. */
  readonly done = new Set<string>();
  tasks = 0;

  constructor() {
    for (let i = 0; i < 2; i++) {
      this.hosts.push(this.world.register(5051 + i, [scalar('cpus', 4), scalar('mem', 512), scalar('disk', 100)]));
    }
    const capabilities = [{ type: 'SHARED_RESOURCES' as const }, { type: 'RESERVATION_REFINEMENT' as const }];
    for (const { id } of this.hosts) this.prepare({ value: id });
    for (const role of ['a', 'a/b', 'b']) this.schedulers.push(this.world.subscribe({ role, capabilities }));
  }

  /** Something to begin with: most random wishes have nothing to work on. */
  private prepare(agent_id: { value: string }): void {
    const reservations = [{ type: 'DYNAMIC' as const, role: 'a' }];
    const disk = { persistence: { id: 'first' }, volume: { container_path: 'd', mode: 'RW' as const } };
    const resources = [{ ...scalar('disk', 60), reservations }];
    const volumes = [{ ...scalar('disk', 20), reservations, disk }];
    this.world.operate({ type: 'RESERVE_RESOURCES', reserve_resources: { agent_id, resources } });
    this.world.operate({ type: 'CREATE_VOLUMES', create_volumes: { agent_id, volumes } });
  }

  play([what, a, b, c]: Move): void {
    const agent_id = { value: pick(this.hosts, a).id };
    const scalars = { [pick(NAMES, b)]: { value: pick(AMOUNTS, c) } };
    const resources = [reserved(a, b, c)];
    const volumes = [volume(a, c)];
    // What is there is more likely to be changed than what is made up.
    const here = this.world.state.agents.get(agent_id.value)!.total;
    const there = (found: readonly Resource[], made: Resource) => (found.length === 0 ? made : pick(found, c));
    const was = there(here.filter(({ reservations }) => reservations !== undefined).toProto(), resources[0]!);
    const own = there(here.persistentVolumes().toProto(), volumes[0]!);
    const plain = here.filter(({ name, disk, reservations }) => name === 'disk' && !disk && reservations !== undefined);
    const addition = there(plain.toProto(), reserved(a, 1, c));
    const made: Resource = { ...addition, scalar: { value: pick([1, 50], b) }, disk: volumes[0]!.disk! };
    const moved: Resource = { ...was, reservations: [{ type: 'DYNAMIC', role: pick(ROLES, b) }] };
    const calls: (() => Call)[] = [
      () => ({
        type: 'UPDATE_QUOTA',
        update_quota: {
          force: c % 2 === 0,
          quota_configs: [{ role: pick(ROLES, a), ...(b % 2 === 0 ? { limits: scalars } : { guarantees: scalars }) }],
        },
      }),
      () => ({
        type: 'SET_QUOTA',
        set_quota: { quota_request: { role: pick(ROLES, a), guarantee: [scalar(pick(NAMES, b), pick(AMOUNTS, c))] } },
      }),
      () => ({ type: 'REMOVE_QUOTA', remove_quota: { role: pick(ROLES, a) } }),
      () => ({
        type: 'UPDATE_WEIGHTS',
        update_weights: { weight_infos: [{ role: pick(ROLES, a), weight: pick(AMOUNTS, c) }] },
      }),
      () => ({ type: 'RESERVE_RESOURCES', reserve_resources: { agent_id, resources } }),
      () => ({ type: 'RESERVE_RESOURCES', reserve_resources: { agent_id, resources: [moved], source: [was] } }),
      () => ({ type: 'UNRESERVE_RESOURCES', unreserve_resources: { agent_id, resources: [was] } }),
      () => ({ type: 'CREATE_VOLUMES', create_volumes: { agent_id, volumes: [made] } }),
      () => ({ type: 'DESTROY_VOLUMES', destroy_volumes: { agent_id, volumes: [own] } }),
      () => ({ type: 'GROW_VOLUME', grow_volume: { agent_id, volume: own, addition } }),
      () => ({
        type: 'SHRINK_VOLUME',
        shrink_volume: { agent_id, volume: own, subtract: { value: pick(AMOUNTS, b) } },
      }),
    ];
    if (what % 3 === 0) this.launch(pick(this.schedulers, a), b, c);
    else this.operate(pick(calls, what)());
    this.world.sleep((c % 3) * 500);
  }

  private operate(call: Call): void {
    const before = this.shown();
    const { status, text } = this.world.operate(call);
    if (status < 300) {
      this.done.add(call.type ?? '');
      return;
    }
    assert.ok([400, 409].includes(status), `${status}`);
    assert.ok((text ?? '').length > 0);
    assert.deepEqual(this.shown(), before, `a refused call changes nothing: ${JSON.stringify(call)}`);
  }

  private shown(): unknown {
    const { agents, quotas, weights, offers } = this.world.state;
    return [[...agents.values()].map(({ total }) => String(total)), [...quotas], [...weights], [...offers.keys()]];
  }

  /** Uses a part of an offer, volumes included, or ends what runs. */
  private launch(scheduler: Scheduler, b: number, c: number): void {
    const framework = this.world.state.frameworks.get(scheduler.id)!;
    const offer = this.world.state.offers.get(pick([...framework.offers, ''], b));
    if (offer === undefined) {
      const [running] = framework.tasks.values();
      const host = this.hosts.find(({ id }) => id === running?.agent_id.value);
      if (running !== undefined && host) this.world.update(scheduler, host, running.task_id.value, 'TASK_FINISHED');
      return;
    }
    const resources = offer.resources.toProto().filter((_, i) => (c >> i) % 2 === 0);
    const launched = task(`t${this.tasks++}`, { value: offer.agentId }, { resources });
    const filters = { refuse_seconds: c % 2 };
    const operations = [{ type: 'LAUNCH' as const, launch: { task_infos: [launched] } }];
    this.world.say(scheduler, { type: 'ACCEPT', accept: { offer_ids: [{ value: offer.id }], operations, filters } });
  }
}

test('whatever operators ask for, the books stay right, and what is refused changes nothing', () => {
  const move = fc.tuple(fc.nat(200), fc.nat(200), fc.nat(200), fc.nat(200));
  const done = new Set<string>();
  fc.assert(
    fc.property(fc.array(move, { minLength: 20, maxLength: 60 }), (moves) => {
      const chaos = new Chaos();
      // The harness holds the books against each other after every step.
      for (const one of moves) chaos.play(one);
      for (const type of chaos.done) done.add(type);
    }),
    { numRuns: 150, seed: 3 },
  );
  assert.equal(done.size, 10, `every call succeeds at times: ${[...done].join()}`);
});
