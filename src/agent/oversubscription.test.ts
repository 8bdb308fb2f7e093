import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err } from '../base/result.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource } from '../config/source.ts';
import { coreOptions } from './core-options.ts';
import { agentProgram } from './flags.ts';
import { FIXED_ESTIMATOR } from './oversubscription.ts';

const ESTIMATOR = `--resource_estimator=${FIXED_ESTIMATOR}`;

function modules(name: string, resources?: string): string {
  const parameters = resources === undefined ? [] : [{ key: 'resources', value: resources }];
  return `--modules=${JSON.stringify({ libraries: [{ name: 'fixed', modules: [{ name, parameters }] }] })}`;
}

const load = (...argv: string[]) =>
  loadFlags(agentProgram, [argvSource(['--work_dir=/w', '--master=h:5050', ...argv])], () => err('no such file'));
const refusal = (...argv: string[]): string => {
  const outcome = load(...argv);
  return outcome.kind === 'exit' ? outcome.stderr : '';
};

test('the fixed estimator brings its resources to the core, all of them revocable', () => {
  const outcome = load(
    ESTIMATOR,
    modules(FIXED_ESTIMATOR, 'cpus:2;mem:64'),
    '--oversubscribed_resources_interval=5secs',
  );
  assert.ok(outcome.kind === 'run', outcome.kind === 'exit' ? outcome.stderr : '');
  const address = { pid: 'slave(1)@h:5051', hostname: 'h', port: 5051 };
  const options = coreOptions(outcome.flags.values, '1', address, []);
  assert.ok(options.ok);
  const { oversubscription } = options.value;
  assert.equal(oversubscription?.interval, 5000);
  assert.deepEqual(
    oversubscription?.resources.map(({ name, scalar, revocable }) => [name, scalar?.value, revocable]),
    [
      ['cpus', 2, {}],
      ['mem', 64, {}],
    ],
  );
  const plain = load();
  assert.ok(plain.kind === 'run');
  const without = coreOptions(plain.flags.values, '1', address, []);
  assert.ok(without.ok && without.value.oversubscription === undefined);
});

test('other modules, and an estimator without resources, are refused', () => {
  assert.match(refusal('--resource_estimator=other'), /FixedResourceEstimator/);
  assert.match(refusal(ESTIMATOR), /needs its parameter 'resources'/);
  assert.match(refusal(ESTIMATOR, modules(FIXED_ESTIMATOR)), /needs its parameter 'resources'/);
  assert.match(refusal(ESTIMATOR, modules(FIXED_ESTIMATOR, 'cpus:x')), /cpus:x/);
  assert.match(refusal(modules('my_isolator')), /there is no 'my_isolator'/);
  assert.match(refusal('--modules={"libraries":[{"modules":[{}]}]}'), /needs a 'name'/);
  assert.match(refusal('--modules_dir=/m'), /C\+\+ modules/);
});
