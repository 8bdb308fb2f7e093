import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, ok } from '../base/result.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource } from '../config/source.ts';
import { masterProgram, masterWarnings } from './flags.ts';
import { agentRemovalRate, minAllocatable, percent, roleList, weightList } from './settings.ts';

const files: Record<string, string> = { '/cred': '{"credentials":[{"principal":"a","secret":"s"}]}' };
const load = (...argv: string[]) =>
  loadFlags(masterProgram, [argvSource(argv)], (path) => (path in files ? ok(files[path]!) : err('no such file')));
const error = (...argv: string[]): string => {
  const registry = argv.some((word) => word.startsWith('--registry=')) ? [] : ['--registry=in_memory'];
  const outcome = load(...registry, ...argv);
  return outcome.kind === 'exit' ? outcome.stderr : '';
};

test('a registry that survives needs a folder, and a quorum where several masters share it', () => {
  const bare = load();
  assert.match(bare.kind === 'exit' ? bare.stderr : '', /--work_dir/);
  const several = load('--work_dir=/w', '--zk=zk://h:1/m');
  assert.match(several.kind === 'exit' ? several.stderr : '', /--quorum/);
  assert.equal(load('--work_dir=/w').kind, 'run');
});

test('a master that could not protect what it is told to protect does not start', () => {
  assert.match(error('--authenticate_http_readonly'), /open to everybody/);
  assert.match(error('--authenticate_http'), /authenticate_http_readwrite/);
  assert.match(error('--authenticate_http_frameworks', '--http_framework_authenticators=basic'), /open to everybody/);
  assert.match(error('--acls={"permissive":false}'), /not be enforced/);
  assert.match(error('--acls={"run_tasks":[]}'), /run_tasks/);
  assert.equal(error('--acls={"permissive":true}'), '');
});

test('a registry that survives needs a place', () => {
  assert.match(error('--registry=zookeeper'), /--registry=zookeeper needs --zk/);
  assert.match(error('--registry=lmdb'), /--work_dir is needed/);
});

test('what is not in this build is said', () => {
  const outcome = load('--work_dir=/w', '--authenticate_agents');
  const warnings = outcome.kind === 'run' ? masterWarnings(outcome.flags.values).join('\n') : '';
  assert.match(warnings, /every agent is refused/);
});

test('several masters with a registry each are warned', () => {
  const zk = '--zk=zk://a:1/mesos';
  const warnings = (...argv: string[]): string => {
    const outcome = load(zk, '--work_dir=/w', ...argv);
    return outcome.kind === 'run' ? masterWarnings(outcome.flags.values).join() : outcome.stderr;
  };
  for (const registry of ['lmdb', 'in_memory']) {
    assert.match(
      warnings(`--registry=${registry}`),
      new RegExp(`--registry=${registry}: every master keeps .* its own`),
    );
  }
  assert.equal(warnings('--registry=zookeeper'), '');
  assert.equal(warnings('--quorum=2'), '');
});

test('credentials must be readable, and weights must be of allowed roles', () => {
  assert.equal(error('--credentials=/cred'), '');
  assert.match(error('--credentials=/nowhere'), /see --credentials/);
  assert.match(error('--roles=a', '--weights=b=2'), /role 'b'.*not in --roles/);
  assert.equal(error('--roles=a', '--weights=a=2,*=3'), '');
});

test('the older names of flags work', () => {
  const outcome = load('--registry=in_memory', '--slave_ping_timeout=20secs', '--max_slave_ping_timeouts=7');
  assert.ok(outcome.kind === 'run');
  assert.equal(outcome.flags.values.agent_ping_timeout, 20_000);
  assert.equal(outcome.flags.values.max_agent_ping_timeouts, 7);
});

test('texts with a form of their own are read, and refused with an example', () => {
  assert.deepEqual(percent('50%'), { ok: true, value: 0.5 });
  assert.deepEqual(agentRemovalRate('1/10mins'), { ok: true, value: { count: 1, interval: 600_000 } });
  assert.deepEqual(roleList('a,b/c'), { ok: true, value: new Set(['a', 'b/c', '*']) });
  assert.deepEqual(weightList('a=2,b=0.5'), {
    ok: true,
    value: [
      { role: 'a', weight: 2 },
      { role: 'b', weight: 0.5 },
    ],
  });
  assert.equal(minAllocatable('cpus:0.01|mem:32').ok, true);
  for (const bad of [
    percent('50'),
    percent('101%'),
    agentRemovalRate('1'),
    agentRemovalRate('0/1secs'),
    roleList('a b'),
    weightList('a'),
    weightList('a=0'),
    weightList('a=1=2'),
    minAllocatable('cpus'),
  ])
    assert.equal(bad.ok, false);
});
