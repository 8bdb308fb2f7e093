import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, ok } from '../base/result.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource } from '../config/source.ts';
import { coreOptions } from './core-options.ts';
import { FEATURES } from './features.ts';
import { agentProgram } from './flags.ts';
import { agentResources } from './machine-resources.ts';

const files: Record<string, string> = { '/r': '[{"name":"cpus","type":"SCALAR","scalar":{"value":3},"role":"ads"}]' };
const load = (...argv: string[]) =>
  loadFlags(agentProgram, [argvSource(['--work_dir=/w', '--master=h:5050', ...argv])], (path) =>
    path in files ? ok(files[path]!) : err('no such file'),
  );

function options(...argv: string[]) {
  const outcome = load(...argv);
  assert.ok(outcome.kind === 'run', outcome.kind === 'exit' ? outcome.stderr : '');
  const { values } = outcome.flags;
  const machine = { cpus: 1, memory: 2 ** 31, disk: 2 ** 34 };
  const resources = agentResources(values.resources ?? '', values.default_role, machine);
  assert.ok(resources.ok);
  const made = coreOptions(values, '1', { pid: 'slave(1)@h:5051', hostname: 'h', port: 5051 }, resources.value);
  assert.ok(made.ok, made.ok ? '' : made.error);
  return made.value;
}

const refusal = (...argv: string[]): string => {
  const outcome = load(...argv);
  return outcome.kind === 'exit' ? outcome.stderr : '';
};

const cpus = (...argv: string[]) => {
  const found = options(...argv).resources.find(({ name }) => name === 'cpus');
  return [found?.scalar?.value, found?.reservations?.[0]?.role];
};

test('resources may be given as text, as JSON, and in a file, with roles of their own or the default one', () => {
  assert.deepEqual(cpus('--resources=cpus:2'), [2, undefined]);
  assert.deepEqual(cpus('--resources=cpus(ads):2'), [2, 'ads']);
  assert.deepEqual(cpus('--resources=cpus:2', '--default_role=ads'), [2, 'ads']);
  const json = '[{"name":"cpus","type":"SCALAR","scalar":{"value":2.5}}]';
  assert.deepEqual(cpus(`--resources=${json}`), [2.5, undefined]);
  assert.deepEqual(cpus(`--resources=${json}`, '--default_role=ads'), [2.5, 'ads']);
  assert.deepEqual(cpus('--resources=file:///r'), [3, 'ads']);
  assert.match(refusal('--resources=[{"name":"cpus"}]'), /resources/);
});

test('attributes and the domain are told to the master', () => {
  const { attributes, domain } = options(
    '--attributes=rack:r1;level:10;ports:[1-2]',
    '--domain={"fault_domain":{"region":{"name":"r"},"zone":{"name":"z"}}}',
  );
  assert.deepEqual(
    attributes?.map(({ name, type }) => [name, type]),
    [
      ['rack', 'TEXT'],
      ['level', 'SCALAR'],
      ['ports', 'RANGES'],
    ],
  );
  assert.equal(domain?.fault_domain?.region.name, 'r');
  assert.equal(options().domain, undefined);
  assert.match(refusal('--domain={"fault_domain":{"region":{"name":"r"}}}'), /fault_domain.zone.name is missing/);
});

test('only the features that are named are announced, and some must be', () => {
  assert.deepEqual(
    options().capabilities.map(({ type }) => type),
    FEATURES,
  );
  const listed = FEATURES.filter((type) => type !== 'RESIZE_VOLUME').map((type) => ({ type }));
  const fewer = options(`--agent_features=${JSON.stringify({ capabilities: listed })}`).capabilities;
  assert.deepEqual(fewer, listed);
  for (const [text, complaint] of [
    ['{}', /capabilities must be a list/],
    ['{"capabilities":[{"type":"MULTI_ROLE"}]}', /HIERARCHICAL_ROLE.* must be there/],
    ['{"capabilities":[{"type":"FLYING"}]}', /'FLYING' is not a feature/],
    ['{"capabilities":[null]}', /is not a feature/],
  ] as const)
    assert.match(refusal(`--agent_features=${text}`), complaint);
});

test('durations and limits reach the core', () => {
  const core = options(
    '--registration_backoff_factor=2secs',
    '--executor_registration_timeout=3secs',
    '--executor_shutdown_grace_period=4secs',
    '--gc_delay=5secs',
    '--gc_disk_headroom=0.5',
    '--max_completed_executors_per_framework=7',
    '--no-switch_user',
  );
  assert.deepEqual(
    [core.registrationBackoffFactor, core.executorRegistrationTimeout, core.executorShutdownGracePeriod, core.gcDelay],
    [2000, 3000, 4000, 5000],
  );
  assert.deepEqual([core.gcDiskHeadroom, core.maxCompletedExecutorsPerFramework, core.switchUser], [0.5, 7, false]);
});

test('times that make no sense are refused', () => {
  for (const flag of [
    'executor_reregistration_timeout',
    'executor_shutdown_grace_period',
    'gc_delay',
    'recovery_timeout',
  ])
    assert.match(refusal(`--${flag}=-1secs`), /must not be less than zero/, flag);
  // With zero the agent would do nothing but ask.
  assert.match(refusal('--executor_reregistration_retry_interval=0secs'), /must be more than zero/);
});

test('what is accepted and not done is said', () => {
  for (const flag of ['--fetcher_cache_size=1GB', '--hadoop_home=/h', '--http_executor_domain_sockets']) {
    const outcome = load(flag);
    assert.ok(outcome.kind === 'run');
    assert.match(outcome.flags.warnings.join('\n'), /not .*in this build/, flag);
  }
});
