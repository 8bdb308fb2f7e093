import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { err, ok } from '../base/result.ts';
import { flag, optional, required } from './flag.ts';
import { bool, bytes, duration, integer, json, oneOf, path, port, string } from './kinds.ts';
import { loadFlags, type Outcome, type Program } from './load.ts';
import { argvSource, environmentSource } from './source.ts';

const table = {
  help: flag(bool, 'false', 'Print this'),
  version: flag(bool, 'false', 'Print the version'),
  port: flag(port, '5050', 'Port'),
  interval: flag(duration, '60secs', 'Interval', {
    validate: (v) => (v > 0 ? undefined : 'it must be more than zero'),
  }),
  mem: flag(bytes, '4096B', 'Memory'),
  sorter: flag(oneOf('drf', 'random'), 'drf', 'Sorter', { aliases: ['user_sorter'] }),
  strict: flag(bool, 'true', 'Strict'),
  name: optional(string, 'Name'),
  file: optional(path, 'File'),
  rules: optional(
    json('rules', (value) => (Array.isArray(value) ? ok(value.length) : err('it must be a list'))),
    'Rules',
  ),
  locked: flag(bool, 'false', 'Lock', { missing: { act: 'refuse', sentence: 'there is no lock' } }),
  slow: optional(integer(1), 'Slow', { missing: { act: 'warn', sentence: 'always fast' } }),
};
const program: Program<typeof table> = { name: 'daemon', version: '1.2.3', flags: table };
const files: Record<string, string> = { '/etc/name': 'ada\n', '/etc/rules': '[1,2]' };
const readFile = (file: string) =>
  file in files ? ok(files[file]!) : err(`cannot read the file '${file}': no such file`);

const load = (argv: string[], env: Record<string, string> = {}): Outcome<typeof table> =>
  loadFlags(program, [argvSource(argv), environmentSource(env)], readFile);
const loaded = (argv: string[], env: Record<string, string> = {}) => {
  const outcome = load(argv, env);
  assert.equal(outcome.kind, 'run', outcome.kind === 'exit' ? outcome.stderr : '');
  return outcome.kind === 'run' ? outcome.flags : assert.fail();
};
const refused = (argv: string[], env: Record<string, string> = {}): string => {
  const outcome = load(argv, env);
  assert.equal(outcome.kind, 'exit');
  if (outcome.kind !== 'exit') assert.fail();
  assert.equal(outcome.code, 1);
  return outcome.stderr;
};

test('without arguments every flag has its default, printed as upstream prints it', () => {
  const { values, texts, given, warnings } = loaded([]);
  assert.equal(values.port, 5050);
  assert.equal(values.interval, 60_000);
  assert.equal(values.name, undefined);
  assert.deepEqual(
    { interval: texts.interval, mem: texts.mem, strict: texts.strict, name: texts.name },
    { interval: '1mins', mem: '4KB', strict: 'true', name: undefined },
  );
  assert.equal(given.size, 0);
  assert.deepEqual(warnings, []);
});

test('a boolean may be given bare, negated or with a value', () => {
  for (const [written, expected] of [
    ['--strict', true],
    ['--no-strict', false],
    ['--strict=false', false],
    ['--strict=1', true],
    ['--STRICT=0', false],
  ] as const)
    assert.equal(loaded([written]).values.strict, expected, written);
  assert.match(refused(['--strict=2']), /strict.*'2' is neither true nor false/);
});

test('the command line wins over the environment, whose unknown names are passed over', () => {
  const flags = loaded(['--port=1'], {
    MESOS_PORT: '2',
    MESOS_NAME: 'x',
    MESOS_EXECUTOR_ID: 'e',
    MESOS_STRICT: 'false',
  });
  assert.deepEqual([flags.values.port, flags.values.name, flags.values.strict], [1, 'x', false]);
});

test('an unknown flag is refused with the name that was probably meant', () => {
  assert.match(refused(['--intervall=1secs']), /Unknown flag '--intervall=1secs'; did you mean --interval\?/);
  assert.match(refused(['--user-sorter=drf']), /did you mean --user_sorter/);
  assert.match(refused(['--xyzzy']), /Unknown flag '--xyzzy'\n/);
});

test('a flag given twice is refused, under its deprecated name too', () => {
  assert.match(refused(['--port=1', '--port=1']), /'port' is given twice/);
  assert.match(refused(['--sorter=drf', '--user_sorter=random']), /'sorter' is given twice/);
});

test('a deprecated name works and is said to be deprecated', () => {
  const flags = loaded(['--user_sorter=random']);
  assert.equal(flags.values.sorter, 'random');
  assert.match(flags.warnings.join(), /deprecated.*--sorter/);
});

test('the password of a ZooKeeper URL is used and not shown', () => {
  for (const password of ['secret', 'sec@ret', 'se:c@r@et']) {
    const { values, texts } = loaded([`--name=zk://mesos:${password}@a:1,b:2/mesos`]);
    assert.equal(values.name, `zk://mesos:${password}@a:1,b:2/mesos`);
    assert.equal(texts.name, 'zk://***@a:1,b:2/mesos');
  }
  assert.equal(loaded(['--name=zk://a:1/b@c']).texts.name, 'zk://a:1/b@c');
});

test('a value may come from a file, but the value of a path is the path', () => {
  const flags = loaded(['--name=file:///etc/name', '--file=file:///etc/name', '--rules=/etc/rules']);
  assert.deepEqual([flags.values.name, flags.values.file, flags.values.rules], ['ada', '/etc/name', 2]);
  assert.match(refused(['--name=file:///nowhere']), /name.*cannot read the file '\/nowhere'/);
});

test('a bad value is refused with the flag, the value and what would be right', () => {
  assert.match(refused(['--port=99999']), /port.*'99999' is not a whole number from 0 to 65535/);
  assert.match(refused(['--interval=5']), /interval.*'5' is not a duration.*10secs/);
  assert.match(refused(['--interval=0secs']), /interval.*more than zero/);
  assert.match(refused(['--sorter=fair']), /'fair' is not one of drf, random/);
  assert.match(refused(['--rules={']), /rules.*not rules/);
  assert.match(refused(['--port']), /'port' needs a value/);
  assert.match(refused(['--no-port']), /'port' is not a boolean/);
  assert.match(refused(['--port=1', 'x', '--nope']), /See `daemon --help`/);
});

test('what is not in this build is refused or said, but only where it was asked for', () => {
  assert.match(refused(['--locked']), /--locked=true: there is no lock/);
  assert.equal(loaded(['--no-locked']).values.locked, false);
  assert.deepEqual(loaded(['--slow=2']).warnings, ['--slow=2: always fast']);
});

test('a required flag must be given', () => {
  const strictTable = { ...table, dir: required(path, 'Folder') };
  const outcome = loadFlags({ ...program, flags: strictTable, check: undefined }, [argvSource([])], readFile);
  assert.match(outcome.kind === 'exit' ? outcome.stderr : '', /'dir' is required.*--dir=VALUE/);
});

test('help and version end the program well, whatever else is wrong', () => {
  const help = load(['--nope', '--help']);
  assert.equal(help.kind, 'exit');
  if (help.kind === 'exit') {
    assert.equal(help.code, 0);
    assert.match(help.stdout, /^Usage: daemon \[options\]/);
    for (const name of Object.keys(table)) assert.ok(help.stdout.includes(name), name);
    assert.ok(help.stdout.split('\n').every((line) => line.length <= 121));
  }
  assert.deepEqual(load(['--version']), { kind: 'exit', code: 0, stdout: 'mesos 1.2.3\n', stderr: '' });
  assert.equal(load(['--version=false', '--help']).kind, 'exit');
  assert.equal(load(['--no-version']).kind, 'run');
});

test('what is no flag is passed over, and -- ends the flags', () => {
  assert.equal(loaded(['stray', '--port=7', '--', '--nope']).values.port, 7);
});

test('no arguments make the reading throw', () => {
  const names = Object.keys(table);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...names, 'zzz'), fc.string())), (pairs) => {
      const outcome = load(pairs.map(([name, value]) => `--${name}=${value}`));
      if (outcome.kind === 'exit' && outcome.code !== 0) assert.notEqual(outcome.stderr, '');
    }),
  );
});
