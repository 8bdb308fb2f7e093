import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from './arguments.ts';
import { loadScenario, scenarioNames } from './catalog.ts';
import { formatMachine, formatNumber, formatTable, jsonLine, machineShape } from './report.ts';
import type { Row } from './statistics.ts';

const row: Row = {
  scenario: 'alloc-cycle',
  metric: 'cycle 10k x 1k',
  unit: 'ms',
  runs: 5,
  min: 3.2,
  median: 4.5678,
  max: 1234.5,
  rss_bytes: 100 * 2 ** 20,
};

test('a line of JSON has exactly the fields that readers of the output know, in their order', () => {
  const line = jsonLine({ ...row, more: true } as Row);
  assert.equal(
    line,
    '{"scenario":"alloc-cycle","metric":"cycle 10k x 1k","unit":"ms","runs":5,"min":3.2,"median":4.5678,"max":1234.5,"rss_bytes":104857600}',
  );
  assert.ok(!line.includes('\n'));
});

test('the table aligns its columns under a heading', () => {
  const lines = formatTable([row, { ...row, scenario: 'x', metric: 'm' }]).split('\n');
  assert.equal(lines.length, 5);
  assert.match(lines[0] ?? '', /^scenario +metric +unit +runs +min +median +max +peak RSS$/);
  assert.equal(lines[0]?.length, lines[2]?.length);
  assert.equal(lines[2]?.indexOf('ms'), lines[3]?.indexOf('ms'));
  assert.match(lines[2] ?? '', /3\.200 +4\.568 +1,235 +100 MiB$/);
});

test('numbers keep about four significant digits', () => {
  assert.deepEqual([0.1234567, 12.345, 123.45, 1234.5, 7, -2.5].map(formatNumber), [
    '0.123',
    '12.35',
    '123.5',
    '1,235',
    '7',
    '-2.500',
  ]);
});

test('the shape of the machine names processor, cores, memory and Node', () => {
  const shape = machineShape();
  assert.ok(shape.cores > 0 && shape.memoryBytes > 0);
  assert.equal(
    formatMachine({ cpu: 'Some CPU', cores: 2, memoryBytes: 24 * 2 ** 30, node: 'v24.0.0', platform: 'linux x64' }),
    '2 x Some CPU, 24.0 GiB, linux x64, Node v24.0.0',
  );
});

test('every file of scenarios/ holds the scenario of its name, with a sentence about it', async () => {
  const names = scenarioNames();
  assert.ok(names.includes('wire'));
  for (const name of names) {
    const scenario = await loadScenario(name);
    assert.match(scenario.about, /\.$/, name);
  }
});

test('an unknown scenario is refused with the names that there are', () => {
  const refused = parseArguments(['wire', 'wrie'], ['alloc-cycle', 'wire']);
  assert.ok(!refused.ok);
  assert.equal(refused.error, "there is no scenario 'wrie'; there are: alloc-cycle, wire");
});

test('runs are five unless said otherwise, and must be a whole number', () => {
  const plain = parseArguments(['wire', 'wire'], ['wire']);
  assert.ok(plain.ok);
  assert.deepEqual(plain.value, { names: ['wire'], runs: 5, json: false, help: false, profile: undefined });
  const nine = parseArguments(['--runs', '9', '--json', '--all'], ['a', 'b']);
  assert.ok(nine.ok);
  assert.deepEqual([nine.value.runs, nine.value.json, nine.value.names], [9, true, ['a', 'b']]);
  for (const bad of [['--runs', '0'], ['--runs', 'many'], ['--runs=2.5'], ['--speed']]) {
    const refused = parseArguments(bad, []);
    assert.equal(refused.ok, false, bad.join(' '));
  }
});
