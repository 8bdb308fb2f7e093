import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { err } from '../base/result.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource } from '../config/source.ts';
import type { FrameworkInfo } from '../wire/v1.ts';
import type { MasterEvent } from './core/events.ts';
import { type Host, type Scheduler, scalar, task, World } from './core/harness.fixture.ts';
import { coreOptions } from './core-options.ts';
import { masterProgram } from './flags.ts';
import { maxPatternSize, rateLimits } from './settings.ts';
import { hostnamesIn, watchWhitelist } from './whitelist.ts';

const INFO = { id: 'm', ip: 16_777_343, port: 5050, hostname: 'localhost' };

function loaded(...argv: string[]) {
  const outcome = loadFlags(masterProgram, [argvSource(['--registry=in_memory', ...argv])], () => err('no such file'));
  assert.ok(outcome.kind === 'run', outcome.kind === 'exit' ? outcome.stderr : '');
  return outcome.flags;
}

const options = (...argv: string[]) => coreOptions(loaded(...argv).values, INFO, 0);
const world = (...argv: string[]) => new World(options(...argv));
const refusal = (argv: string): string => {
  const outcome = loadFlags(masterProgram, [argvSource(['--registry=in_memory', argv])], () => err('no such file'));
  return outcome.kind === 'exit' ? outcome.stderr : '';
};

/** Subscribes; @returns the message of the ERROR event, if that is the answer */
function refused(master: World, info: Partial<FrameworkInfo>, constraints?: string): string | undefined {
  const framework_info = { user: 'root', name: 'f', ...info };
  const constraint = {
    selector: { attribute_name: 'rack' },
    predicate: { text_matches: { regex: constraints ?? '' } },
  };
  const offer_constraints = { role_constraints: { '*': { groups: [{ attribute_constraints: [constraint] }] } } };
  const subscribe = { framework_info, ...(constraints !== undefined && { offer_constraints }) };
  const { text } = master.call({ type: 'SUBSCRIBE', subscribe });
  return master.events(text ?? '', 'ERROR')[0]?.error?.message;
}

/** Launches tasks of one cpu each. */
function run(master: World, scheduler: Scheduler, ...ids: string[]): void {
  const [offer] = master.offers(scheduler);
  assert.ok(offer);
  master.launch(
    scheduler,
    offer,
    ids.map((id) => task(id, offer.agent_id)),
  );
}

test('a flag that is accepted does what it says: frameworks', () => {
  assert.match(refused(world('--roles=a'), { role: 'b' }) ?? '', /role/);
  assert.equal(refused(world('--roles=a'), { role: 'a' }), undefined);
  assert.match(refused(world('--no-root_submissions'), { user: 'root' }) ?? '', /root/i);
  assert.match(refused(world('--offer_constraints_re2_max_program_size=10'), {}, 'a{20}') ?? '', /too complex/);
  assert.match(refused(world('--offer_constraints_re2_max_mem=256B'), {}, 'a{20}') ?? '', /too complex/);
  assert.equal(refused(world(), {}, 'a{20}'), undefined);
  assert.equal(maxPatternSize(100, 4096), 100);
});

test('a flag that is accepted does what it says: what is remembered', () => {
  const few = world('--max_completed_frameworks=1', '--max_completed_tasks_per_framework=1');
  few.register();
  const first = few.subscribe();
  run(few, first, 'a', 'b');
  const [agent] = few.state.agents.values();
  for (const id of ['a', 'b']) {
    const uuid = few.update(first, { id: agent!.id, pid: agent!.pid }, id, 'TASK_FINISHED');
    few.acknowledge(first, { id: agent!.id, pid: agent!.pid }, id, uuid);
  }
  assert.equal(few.state.frameworks.get(first.id)?.completedTasks.size, 1);
  few.say(first, { type: 'TEARDOWN' });
  few.say(few.subscribe(), { type: 'TEARDOWN' });
  assert.equal(few.state.completedFrameworks.size, 1);
});

test('a flag that is accepted does what it says: unreachable agents and tasks', () => {
  const master = world(
    '--max_unreachable_tasks_per_framework=1',
    '--agent_ping_timeout=1secs',
    '--max_agent_ping_timeouts=1',
    '--agent_removal_rate_limit=1/1hrs',
    '--registry_gc_interval=1mins',
    '--registry_max_agent_age=10secs',
  );
  master.register();
  const scheduler = master.subscribe({ failover_timeout: 1e6, capabilities: [{ type: 'PARTITION_AWARE' }] });
  run(master, scheduler, 'a', 'b');
  master.register(5052);
  master.sleep(5000);
  assert.equal(master.state.unreachable.size, 1);
  const framework = master.state.frameworks.get(scheduler.id);
  assert.ok((framework?.unreachableTasks.size ?? 0) <= 1);
  master.sleep(60_000);
  assert.equal(master.state.unreachable.size, 0, 'the registry was cleaned');
});

test('a flag that is accepted does what it says: offers', () => {
  const offered = (master: World, host: Host, capabilities: FrameworkInfo['capabilities'] = []): number => {
    assert.ok(host);
    return master.offers(master.subscribe({ capabilities }), 2000).length;
  };
  const small = world('--min_allocatable_resources=cpus:8');
  assert.equal(offered(small, small.register()), 0);
  for (const [flag, count] of [
    ['--filter_gpu_resources', 0],
    ['--no-filter_gpu_resources', 1],
  ] as const) {
    const master = world(flag);
    assert.equal(
      offered(master, master.register(5051, [scalar('cpus', 1), scalar('mem', 64), scalar('gpus', 1)])),
      count,
    );
  }
  const full = world('--max_executors_per_agent=0');
  assert.equal(offered(full, full.register()), 0);
  assert.equal(full.state.offers.size, 0);
  const hasty = world('--offer_timeout=3secs', '--allocation_interval=1secs');
  hasty.register();
  const scheduler = hasty.subscribe();
  assert.equal(hasty.offers(scheduler).length, 1);
  hasty.sleep(3000);
  assert.equal(hasty.events(scheduler.stream, 'RESCIND').length, 1);
});

test('a refusal lasts for an allocation interval at least', () => {
  const master = world('--allocation_interval=10secs');
  master.register();
  const scheduler = master.subscribe();
  const [offer] = master.offers(scheduler, 10_000);
  master.say(scheduler, { type: 'DECLINE', decline: { offer_ids: [offer!.id], filters: { refuse_seconds: 1 } } });
  assert.equal(master.offers(scheduler, 5000).length, 0);
  assert.equal(master.offers(scheduler, 15_000).length, 1);
});

test('resources that are excluded from fair sharing are no share', () => {
  for (const [flags, share] of [
    [[], 1],
    [['--fair_sharing_excluded_resource_names=cpus,mem'], 0],
  ] as const) {
    const master = world(...flags);
    master.register();
    master.offers(master.subscribe());
    assert.equal(master.master.allocator.roleShare('*'), share);
  }
});

test('an agent without a domain is refused where one is required', () => {
  const master = world('--require_agent_domain');
  master.message('slave(1)@127.0.0.1:5051', 'mesos.internal.RegisterSlaveMessage', {
    slave: { hostname: 'h', port: 5051, resources: [] },
    version: '1.12.0',
  });
  assert.equal(master.state.agents.size, 0);
});

test('a master gives up when more agents stay away than the limit allows', () => {
  const agent = { hostname: 'h', id: { value: 'm-S0' }, port: 5051 };
  const registry = { agents: [{ info: agent }], unreachable: [], gone: [], weights: [], quotas: [], machines: [] };
  for (const [limit, ends] of [
    ['0%', true],
    ['100%', false],
  ] as const) {
    const flags = options(`--recovery_agent_removal_limit=${limit}`, '--agent_reregister_timeout=11mins');
    const master = new World({ ...flags, registry });
    assert.equal(
      master.sleep(10 * 60_000).some(({ kind }) => kind === 'shutdown'),
      false,
    );
    assert.equal(
      master.sleep(2 * 60_000).some(({ kind }) => kind === 'shutdown'),
      ends,
      limit,
    );
  }
});

test('what is only passed on reaches the core', () => {
  const core = options(
    '--role_sorter=random',
    '--framework_sorter=random',
    '--weights=a=2',
    '--registry_max_agent_count=7',
    '--allocator_agent_recovery_factor=0.5',
    '--allocator_recovery_timeout=3mins',
    '--rate_limits={"limits":[{"principal":"p","qps":2.5,"capacity":9},{"principal":"q"}],"aggregate_default_qps":1}',
  );
  assert.deepEqual([core.roleSorter, core.frameworkSorter, core.registryMaxAgentCount], ['random', 'random', 7]);
  assert.deepEqual(core.registry.weights, [{ role: 'a', weight: 2 }]);
  assert.deepEqual([core.allocatorAgentRecoveryFactor, core.allocatorRecoveryTimeout], [0.5, 180_000]);
  assert.deepEqual(core.rateLimits, {
    principals: new Map([
      ['p', { qps: 2.5, capacity: 9 }],
      ['q', undefined],
    ]),
    others: { qps: 1 },
  });
});

test('times and shares that make no sense are refused, with what would', () => {
  for (const [flag, complaint] of [
    ['--allocator_agent_recovery_factor=-0.5', /between 0 and 1/],
    ['--allocator_agent_recovery_factor=80', /between 0 and 1/],
    ['--allocator_recovery_timeout=-1secs', /not be less than zero/],
    ['--registry_max_agent_age=-1secs', /not be less than zero/],
  ] as const)
    assert.match(refusal(flag), complaint, flag);
});

test('rate limits that make no sense are refused, with the field', () => {
  for (const [text, complaint] of [
    ['[]', /must be a JSON object/],
    ['{"limits":[{}]}', /principal/],
    ['{"limits":[{"principal":"a"},{"principal":"a"}]}', /limits\[1\]\.principal 'a' is named twice/],
    ['{"limits":[{"principal":"a","qps":0}]}', /limits\[0\]\.qps is 0; it must be .* more than zero/],
    ['{"limits":[{"principal":"a","qps":1,"capacity":-1}]}', /capacity/],
    ['{"aggregate_default_qps":-1}', /aggregate_default_qps is -1/],
  ] as const)
    assert.match(refusal(`--rate_limits=${text}`), complaint);
  assert.deepEqual(rateLimits({}), { ok: true, value: { principals: new Map(), others: undefined } });
});

test('only agents on the whitelist are offered, and the list may change', () => {
  const master = world();
  master.register();
  master.step({ kind: 'whitelist', hostnames: new Set(['other']) });
  const scheduler = master.subscribe();
  assert.equal(master.offers(scheduler, 2000).length, 0);
  master.step({ kind: 'whitelist', hostnames: new Set(['host-5051']) });
  assert.equal(master.offers(scheduler, 2000).length, 1);
});

test('the whitelist is read again and again, and holds while it cannot be read', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'whitelist-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'list');
  const heard: MasterEvent[] = [];
  let more = Promise.withResolvers<void>();
  const next = async (): Promise<MasterEvent | undefined> => {
    await more.promise;
    more = Promise.withResolvers();
    return heard.at(-1);
  };
  const complaint = Promise.withResolvers<string>();
  writeFileSync(path, 'a\n\n b\n');
  const watch = watchWhitelist(
    path,
    { warning: (text) => complaint.resolve(text) },
    (event) => {
      heard.push(event);
      more.resolve();
    },
    5,
  );
  t.after(() => watch.stop());
  assert.deepEqual(await next(), { kind: 'whitelist', hostnames: new Set(['a', 'b']) });
  rmSync(path);
  assert.match(await complaint.promise, /cannot be read/);
  writeFileSync(`${path}.new`, 'c');
  renameSync(`${path}.new`, path);
  assert.deepEqual(await next(), { kind: 'whitelist', hostnames: new Set(['c']) });
  assert.equal(heard.length, 2);
  assert.deepEqual(hostnamesIn(''), new Set());
});
