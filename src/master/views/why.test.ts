import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo } from '../../wire/v1.ts';
import { type Scheduler, scalar, task, World } from '../core/harness.fixture.ts';
import { EMPTY_REGISTRY } from '../core/registry.ts';
import { frameworksAsked, type WhyQuestion, whyFramework, whyNobody, whyTask } from './why.ts';
import { sentenceOf } from './why-sentences.ts';

const EPOCH = 1_700_000_000_000;

interface Entry {
  readonly reason: string;
  readonly sentence: string;
  readonly agents?: number;
  readonly agent_id?: string;
  readonly until?: number;
  readonly free?: string;
  readonly details?: unknown;
}
interface RoleAnswer {
  readonly role: string;
  readonly suppressed: boolean;
  readonly weight: number;
  readonly share: number;
  readonly framework_share: number;
  readonly quota?: unknown;
  readonly summary?: readonly Entry[];
  readonly agents?: readonly Entry[];
}
interface FrameworkAnswer {
  readonly state: string;
  readonly tasks: number;
  readonly offers: number;
  readonly oldest_offer_seconds?: number;
  readonly roles: readonly RoleAnswer[];
}

function ask(world: World, id: string, question: Partial<WhyQuestion> = {}): FrameworkAnswer {
  const { state, allocator } = world.master;
  const answer = whyFramework({ state, allocator, now: world.now, wall: EPOCH + world.now }, id, {
    frameworkId: id,
    limit: 10,
    ...question,
  });
  return JSON.parse(JSON.stringify(answer)) as FrameworkAnswer;
}

const why = (world: World, { id }: Scheduler, question?: Partial<WhyQuestion>): RoleAnswer =>
  ask(world, id, question).roles[0]!;

const inRole = (role: string, more: Partial<FrameworkInfo> = {}): Partial<FrameworkInfo> => ({
  name: role,
  roles: [role],
  capabilities: [{ type: 'MULTI_ROLE' }],
  ...more,
});

function decline(world: World, scheduler: Scheduler, refuse_seconds: number): void {
  const offer_ids = world.offers(scheduler).map(({ id }) => id);
  assert.ok(offer_ids.length > 0);
  world.say(scheduler, { type: 'DECLINE', decline: { offer_ids, filters: { refuse_seconds } } });
}

test('a framework that declined is told until when, in seconds and in words', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe(inRole('a'));
  decline(world, scheduler, 300);
  world.sleep(10_000);
  const { summary, agents } = why(world, scheduler);
  const until = EPOCH / 1000 + 1 + 300;
  const sentence = 'the framework declined this much of the agent, and does not want it for another 5 min';
  assert.deepEqual(summary, [
    { reason: 'REFUSED', sentence, agents: 1, example_agent_id: host.id, example_hostname: 'host-5051', until },
  ]);
  assert.deepEqual(agents, [
    { agent_id: host.id, hostname: 'host-5051', reason: 'REFUSED', sentence, until, free: 'cpus:4; mem:4096' },
  ]);
});

test('offers that are not answered are no riddle: they are with the framework', () => {
  const world = new World();
  world.register();
  const holder = world.subscribe(inRole('a'));
  world.sleep(1000);
  const other = world.subscribe(inRole('b'));
  world.sleep(4000);
  const answer = ask(world, holder.id);
  assert.deepEqual([answer.state, answer.offers, answer.oldest_offer_seconds], ['ACTIVE', 1, 5]);
  assert.deepEqual(
    [answer.roles[0]!.summary, answer.roles[0]!.agents].map((entries) => entries?.map(({ reason }) => reason)),
    [['OFFERED'], ['OFFERED']],
  );
  const { summary, share } = why(world, other);
  assert.equal(share, 0);
  assert.deepEqual(summary?.[0]?.details, { holders: [{ framework_id: holder.id, role: 'a' }] });
  assert.match(summary?.[0]?.sentence ?? '', /in use, among others by framework m-0000 in role a$/);
});

test('quota is told with its figures: at the limit, and held back for guarantees', () => {
  const world = new World();
  world.register();
  world.operate({
    type: 'UPDATE_QUOTA',
    update_quota: {
      quota_configs: [
        { role: 'limited', limits: { cpus: { value: 1 }, mem: { value: 512 } } },
        { role: 'sure', guarantees: { cpus: { value: 3 }, mem: { value: 4096 - 512 } } },
      ],
    },
  });
  const limited = world.subscribe(inRole('limited/below'));
  const [offer] = world.offers(limited);
  world.launch(limited, offer!, [task('t', offer!.agent_id, { resources: [scalar('cpus', 1), scalar('mem', 512)] })]);
  const other = world.subscribe(inRole('other'));
  world.sleep(1000);
  const { quota, summary, framework_share } = why(world, limited);
  assert.equal(framework_share, 0.25);
  assert.deepEqual(quota, {
    role: 'limited',
    guarantees: {},
    limits: { cpus: 1, mem: 512 },
    consumed: { cpus: 1, mem: 512 },
  });
  assert.deepEqual(summary?.[0]?.details, { resource: 'cpus', limited_role: 'limited', limit: 1, consumed: 1 });
  assert.equal(
    summary?.[0]?.sentence,
    'role limited, which limited/below is part of, has 1 cpus of the 1 that its quota allows',
  );
  assert.equal(
    why(world, other).summary?.[0]?.sentence,
    '3 cpus are free in the cluster, and 3 are held back for the guarantees of sure',
  );
});

test('a role of its own, one agent, or fewer agents can be asked for', () => {
  const world = new World();
  const hosts = [world.register(5051), world.register(5052), world.register(5053)];
  const scheduler = world.subscribe({ ...inRole('a'), roles: ['a', 'b'] }, { suppressed_roles: ['a', 'b'] });
  assert.deepEqual(
    ask(world, scheduler.id, { role: 'b' }).roles.map(({ role, suppressed }) => [role, suppressed]),
    [['b', true]],
  );
  assert.equal(why(world, scheduler, { limit: 2 }).agents?.length, 2);
  const { summary, agents } = why(world, scheduler, { agentId: hosts[1]!.id, frameworkId: undefined });
  assert.equal(summary, undefined);
  assert.deepEqual(
    agents?.map(({ agent_id, reason }) => [agent_id, reason]),
    [[hosts[1]!.id, 'ROLE_SUPPRESSED']],
  );
  assert.equal(why(world, scheduler, { frameworkId: undefined }).agents, undefined, 'too many for all frameworks');
});

test('frameworks that are away or have ended are said to be', () => {
  const world = new World();
  world.register();
  const away = world.subscribe(inRole('a', { failover_timeout: 1000 }));
  world.step({ kind: 'streamClosed', stream: away.stream, reason: 'closed by peer' });
  const answer = ask(world, away.id);
  assert.equal(answer.state, 'DISCONNECTED');
  assert.equal(answer.roles[0]?.summary?.[0]?.reason, 'FRAMEWORK_INACTIVE');
  const ended = world.subscribe(inRole('a'));
  world.say(ended, { type: 'TEARDOWN' });
  assert.deepEqual([ask(world, ended.id).state, ask(world, ended.id).roles], ['ENDED', []]);
});

test('while offers wait for agents after a failover, that is said', () => {
  const agents = [0, 1, 2, 3, 4].map((i) => ({ info: { hostname: `h${i}`, id: { value: `old-S${i}` } } }));
  const quotas = [{ role: 'a', guarantees: { cpus: 1000 }, limits: {} }];
  const world = new World({ registry: { ...EMPTY_REGISTRY, agents, quotas }, allocatorRecoveryTimeout: 60_000 });
  world.register();
  world.sleep(1000);
  assert.deepEqual(whyNobody(world.state), {
    paused:
      'Nobody is offered anything yet after a failover, because roles have quota: offers begin when 4 agents are there again (now: 1)',
  });
  world.sleep(60_000);
  assert.deepEqual(whyNobody(world.state), {});
});

test('a question about what is not known is refused with what would be right', () => {
  const world = new World();
  const host = world.register();
  const a = world.subscribe(inRole('a'));
  const b = world.subscribe(inRole('b'));
  const asked = (question: Partial<WhyQuestion>) => frameworksAsked(world.state, { limit: 10, ...question });
  const fault = (question: Partial<WhyQuestion>): string => {
    const result = asked(question);
    return result.ok ? assert.fail('it was accepted') : result.error;
  };
  assert.deepEqual(asked({}), { ok: true, value: [a.id, b.id] });
  assert.deepEqual(asked({ role: 'b' }), { ok: true, value: [b.id] });
  assert.deepEqual(asked({ taskId: 't' }), { ok: true, value: [] });
  assert.deepEqual(asked({ agentId: host.id, frameworkId: a.id }), { ok: true, value: [a.id] });
  assert.match(fault({ frameworkId: 'x' }), /^framework_id: no framework 'x' is known; /);
  assert.match(fault({ role: 'x' }), /^role: nobody knows the role 'x'; /);
  assert.equal(fault({ role: 'b', frameworkId: a.id }), `role: framework '${a.id}' does not subscribe to 'b' but to a`);
  assert.match(fault({ agentId: 'x' }), /^agent_id: no agent 'x' is known; /);
  world.operate({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: host.id } } });
  assert.equal(fault({ agentId: host.id }), `agent_id: agent '${host.id}' was marked gone`);
});

test('a task is told with its state and reason; one that was never launched, with whom to ask about', () => {
  const world = new World();
  const host = world.register();
  const scheduler = world.subscribe(inRole('a'));
  const [offer] = world.offers(scheduler);
  world.launch(scheduler, offer!, [task('t', offer!.agent_id)]);
  world.update(scheduler, host, 't', 'TASK_FAILED');
  const tell = (question: Partial<WhyQuestion>) => {
    const work = whyTask(world.state, { limit: 1, ...question });
    let step = work.next();
    while (!step.done) step = work.next();
    return step.value as { tasks: { state: string }[]; sentence?: string };
  };
  const { tasks } = tell({ taskId: 't' });
  assert.deepEqual(tasks, [
    {
      id: 't',
      name: 't',
      framework_id: scheduler.id,
      framework_name: 'a',
      agent_id: host.id,
      hostname: 'host-5051',
      state: 'TASK_FAILED',
      source: 'SOURCE_EXECUTOR',
      sentence: `Task 't' of framework a is TASK_FAILED on host-5051 (${host.id})`,
      ...(tasks[0] !== undefined && 'timestamp' in tasks[0] && { timestamp: tasks[0].timestamp }),
    },
  ]);
  world.acknowledge(scheduler, host, 't', world.update(scheduler, host, 't', 'TASK_FAILED'));
  assert.equal(tell({ taskId: 't' }).tasks.length, 1, 'it is remembered');
  world.say(scheduler, { type: 'TEARDOWN' });
  assert.equal(tell({ taskId: 't', frameworkId: scheduler.id }).tasks.length, 1, 'and with its framework');
  assert.match(tell({ taskId: 'u' }).sentence ?? '', /^No framework has launched a task 'u'; .*framework_id/);
  assert.match(
    tell({ taskId: 'u', frameworkId: scheduler.id }).sentence ?? '',
    /^Framework 'm-0000' has not launched a task 'u'; /,
  );
});

test('every sentence says what is the matter', () => {
  const role = 'r';
  for (const [because, sentence] of [
    [{ reason: 'REFUSED', secondsLeft: 0.2 }, /for another 1 s$/],
    [{ reason: 'REFUSED', secondsLeft: 7300 }, /for another 3 h$/],
    [{ reason: 'REFUSED', secondsLeft: 365 * 86_400 }, /for another 365 d$/],
    [{ reason: 'LACKS_CAPABILITIES', details: { capabilities: ['A', 'B', 'C'] } }, /framework capability A, B or C$/],
    [{ reason: 'RESERVED_TO_OTHERS', details: { roles: ['x', 'y'] } }, /reserved to x and y$/],
    [{ reason: 'TOO_LITTLE', free: 'mem:1' }, /^what is free \(mem:1\) is less/],
    [{ reason: 'OTHERS_FIRST', details: { next: { frameworkId: 'f', role: 'q' } } }, /next in turn is framework f in/],
    [{ reason: 'OTHERS_FIRST' }, /others come first/],
    [{ reason: 'OFFER_CONSTRAINTS' }, /for role r exclude the agent$/],
    [{ reason: 'QUOTA_LIMIT' }, /limits of the role are reached$/],
    [{ reason: 'QUOTA_HELD_BACK' }, /guarantees of other roles$/],
    [{ reason: 'AGENT_DEACTIVATED' }, /^the agent is deactivated/],
  ] as const) {
    assert.match(sentenceOf({ role, ...because }), sentence);
  }
});
