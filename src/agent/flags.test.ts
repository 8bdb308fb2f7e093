import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err } from '../base/result.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource } from '../config/source.ts';
import { agentProgram, agentWarnings } from './flags.ts';

const load = (...argv: string[]) => loadFlags(agentProgram, [argvSource(argv)], () => err('no such file'));
const error = (...argv: string[]): string => {
  const outcome = load('--work_dir=/w', '--master=h:5050', ...argv);
  return outcome.kind === 'exit' ? outcome.stderr : '';
};

test('an agent needs a folder and a master', () => {
  const bare = load('--master=h:5050');
  assert.match(bare.kind === 'exit' ? bare.stderr : '', /'work_dir' is required/);
  const alone = load('--work_dir=/w');
  assert.match(alone.kind === 'exit' ? alone.stderr : '', /--master=host:5050/);
  assert.equal(load('--work_dir=/w', '--master=h:5050').kind, 'run');
  assert.equal(load('--work_dir=/w', '--master=zk://a:1,b:2/mesos').kind, 'run');
});

test('resources and attributes that cannot be read are refused', () => {
  assert.match(error('--resources=cpus:x'), /cpus:x/);
  assert.match(error('--attributes=x'), /name:value/);
  assert.match(error('--default_role=a b'), /default_role.*whitespace/);
  assert.match(error('--master_detector=x'), /modules/);
  assert.match(error('--authenticate_http_readwrite'), /open to everybody/);
  assert.match(error('--executor_environment_variables={"A":1}'), /'A' must be a text/);
});

test('isolation that is not there is said', () => {
  const outcome = load('--work_dir=/w', '--master=h:1', '--isolation=posix/cpu,cgroups/mem', '--launcher=linux');
  const warnings = outcome.kind === 'run' ? agentWarnings(outcome.flags.values).join('\n') : '';
  assert.match(warnings, /cgroups\/mem not in this build/);
  assert.match(warnings, /launcher=linux/);
});
