/** Frameworks that starve for different reasons, on a running cluster, and whether `meseta why` names each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler, type SchedulerOptions } from '../../src/sdk/scheduler.ts';
import type { Offer } from '../../src/wire/v1.ts';
import { meseta, type Outcome } from './cluster.fixture.ts';
import { type Daemons, startDaemons, until } from './daemons.fixture.ts';
import { get, postJson } from './plain-http.fixture.ts';

interface Row {
  readonly reason: string;
  readonly agents: string;
  readonly until: string;
}

interface Framework {
  readonly scheduler: Scheduler;
  readonly offers: Offer[];
}

type Ending = { after(end: () => Promise<void>): void };

/** A framework of one role with the role's name; it declines what it is offered, or keeps it. */
function framework(
  t: Ending,
  { master }: Daemons,
  role: string,
  more: Partial<SchedulerOptions> & { refuse?: number } = {},
): Framework {
  const { refuse, ...options } = more;
  const offers: Offer[] = [];
  const scheduler: Scheduler = new Scheduler({
    master: `127.0.0.1:${master.port}`,
    framework: { user: 'nobody', name: `of-${role}`, roles: [role], capabilities: [{ type: 'MULTI_ROLE' }] },
    handlers: {
      offers: (made) => {
        offers.push(...made);
        if (refuse === undefined) return;
        void scheduler.decline(
          made.map(({ id }) => id),
          { refuse_seconds: refuse },
        );
      },
    },
    ...options,
  });
  const ran = scheduler.run();
  t.after(() => {
    scheduler.stop();
    return ran;
  });
  return { scheduler, offers };
}

const ask = ({ master }: Daemons, ...args: string[]): Promise<Outcome> =>
  meseta(['why', '--master', `127.0.0.1:${master.port}`, ...args]);

/** The table of reasons. */
function rows(stdout: string): Row[] {
  const lines = stdout.split('\n');
  const heading = lines.findIndex((line) => line.startsWith('REASON'));
  assert.ok(heading >= 0, stdout);
  const end = lines.indexOf('', heading);
  return lines.slice(heading + 1, end).map((line) => {
    const [reason = '', agents = '', until = ''] = line.split(/ {2,}/);
    return { reason, agents, until };
  });
}

test('quota, a filter and a constraint are each named to those who starve for them', { timeout: 60_000 }, async (t) => {
  const daemons = await startDaemons();
  t.after(() => daemons.stop());
  for (const rack of ['one', 'two']) {
    await daemons.startAgent('--resources=cpus:4;mem:1024;disk:1000;ports:[]', `--attributes=rack:${rack}`);
  }
  const update_quota = { quota_configs: [{ role: 'limited', limits: { cpus: { value: 0 }, mem: { value: 0 } } }] };
  assert.equal((await postJson(daemons.master.port, '/api/v1', { type: 'UPDATE_QUOTA', update_quota })).status, 200);
  const rackNine = { selector: { attribute_name: 'rack' }, predicate: { text_equals: { value: 'nine' } } };
  const offerConstraints = { role_constraints: { picky: { groups: [{ attribute_constraints: [rackNine] }] } } };

  // Disks are not limited, and too little for an offer by themselves.
  const limited = framework(t, daemons, 'limited');
  const picky = framework(t, daemons, 'picky', { offerConstraints });
  const decliner = framework(t, daemons, 'declining', { refuse: 3600 });
  await until('all are subscribed', () => [limited, picky, decliner].every(({ scheduler }) => scheduler.connected));
  await until('both agents were offered and declined', () => decliner.offers.length >= 2);
  const starved = async (name: string, reason: string): Promise<Outcome> => {
    await until(`${name} is told of ${reason} alone`, async () => {
      const { stdout } = await ask(daemons, name);
      return rows(stdout).every((row) => row.reason === reason && row.agents === '2');
    });
    return ask(daemons, name);
  };

  const byQuota = await starved('of-limited', 'QUOTA_LIMIT');
  assert.match(byQuota.stdout, /Quota of role limited: cpus 0 of at most 0; mem 0 of at most 0\./);
  assert.match(byQuota.stdout, /role limited has 0 cpus of the 0 that its quota allows/);
  const byConstraint = await starved('picky', 'OFFER_CONSTRAINTS');
  assert.match(byConstraint.stdout, /constraints of the framework for role picky exclude the agent/);
  const byFilter = await starved(decliner.scheduler.frameworkId ?? '', 'REFUSED');
  assert.match(rows(byFilter.stdout)[0]!.until, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual(
    [byQuota, byConstraint, byFilter].map(({ status, stderr }) => [status, stderr]),
    [
      [0, ''],
      [0, ''],
      [0, ''],
    ],
  );
  assert.deepEqual([limited.offers, picky.offers], [[], []], 'they do starve');

  const needy = await ask(daemons, 'of-limited', '--needs', 'cpus:2;mem:4096');
  assert.match(needy.stdout, /fits on 0 of 2 active agents now, as role limited/);
  assert.match(needy.stdout, /more cpus than the quota of role limited allows/);
  assert.match(needy.stdout, /never: all that it has is cpus:4; disk:1000; mem:1024/);

  const json = JSON.parse((await ask(daemons, 'of-declining', '--json')).stdout) as {
    frameworks: { roles: { agents: { reason: string; until: number }[] }[] }[];
  };
  const entries = json.frameworks[0]!.roles[0]!.agents;
  assert.deepEqual(
    entries.map(({ reason }) => reason),
    ['REFUSED', 'REFUSED'],
  );
  assert.ok(entries.every(({ until: at }) => at > Date.now() / 1000 + 3000));
});

test('a task that was launched is told with its state, one that was not with what its framework waits for', {
  timeout: 60_000,
}, async (t) => {
  const daemons = await startDaemons();
  t.after(() => daemons.stop());
  await daemons.startAgent('--resources=cpus:4;mem:1024;disk:1000;ports:[]');
  const master = `127.0.0.1:${daemons.master.port}`;
  assert.equal((await meseta(['run', '--master', master, '--name', 'done', '--', 'true'])).status, 0);
  const { tasks } = JSON.parse((await get(daemons.master.port, '/tasks')).body) as { tasks: { id: string }[] };
  const launched = await ask(daemons, tasks[0]!.id);
  assert.equal(launched.status, 0);
  assert.match(launched.stdout, /^Task '.*' of framework .* is TASK_FINISHED on 127\.0\.0\.1 /);

  const suppressing = framework(t, daemons, 'quiet', { suppressedRoles: ['quiet'] });
  await until('it is subscribed', () => suppressing.scheduler.connected);
  const waiting = await ask(daemons, 'later', '--framework', 'of-quiet');
  assert.equal(waiting.status, 0);
  assert.match(waiting.stdout, /has not launched a task 'later'/);
  assert.deepEqual(rows(waiting.stdout), [{ reason: 'ROLE_SUPPRESSED', agents: '1', until: '-' }]);

  for (const [args, said] of [
    [['nobody'], /no framework, task or role is called 'nobody'; .*meseta frameworks --all/],
    [['later', '--framework', 'nobody'], /--framework: no framework has the id or name 'nobody'/],
    [['of-quiet', '--needs', 'much'], /--needs: /],
  ] as const) {
    const { status, stderr, stdout } = await ask(daemons, ...args);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, said);
  }
});
