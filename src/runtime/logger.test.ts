import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Log, type LogOptions } from './logger.ts';

function open(t: TestContext, more: Partial<LogOptions> = {}) {
  let written = '';
  const log = new Log({
    program: 'mesos-master',
    file: 'master',
    write: (lines) => {
      written += lines;
    },
    ...more,
  });
  t.after(() => log.close());
  const lines = (): string[] => {
    log.flush();
    return written.split('\n').slice(0, -1);
  };
  return { log, lines };
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a line has the form of glog', (t) => {
  const { log, lines } = open(t);
  log.logger.info('Registered agent');
  log.logger.named('allocator').warning('No offers', new Error('nobody there'));
  const [first, second] = lines();
  assert.match(first ?? '', /^I\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ master\] Registered agent$/);
  assert.match(second ?? '', /^W\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ allocator\] No offers: nobody there$/);
});

test('a line feed in a name that a stranger chose does not make a line of its own', (t) => {
  const { log, lines } = open(t);
  log.logger.info('Framework evil\nE0101 00:00:00.000000 1 master] fake\x1b[31m');
  assert.equal(lines().length, 1);
  assert.match(lines()[0] ?? '', /evil\\nE0101 .* fake\\x1b\[31m$/);
});

test('lines below the level are not written', (t) => {
  const { log, lines } = open(t, { level: 'WARNING' });
  log.logger.info('a');
  log.logger.warning('b');
  log.logger.log('error', 'c');
  assert.deepEqual(
    lines().map((line) => line[0]),
    ['W', 'E'],
  );
});

test('the verbosity can be raised for a while', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, lines } = open(t);
  log.logger.verbose(1, 'before');
  log.verbosity.set(2, 1000);
  log.logger.verbose(2, 'while');
  log.logger.verbose(3, 'too fine');
  t.mock.timers.tick(1000);
  assert.equal(log.verbosity.get(), 0);
  log.logger.verbose(1, 'after');
  assert.equal(lines().length, 1);
});

test('the verbosity may be raised for longer than a timer can wait', async (t) => {
  const { log } = open(t);
  log.verbosity.set(2, 1e15);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(log.verbosity.get(), 2);
  log.verbosity.set(0, 1);
});

test('with a folder, each severity has a file with what is as grave or graver, and a link to the newest', (t) => {
  const folder = folderFor(t);
  const { log } = open(t, { folder, quiet: true });
  log.logger.info('one');
  log.logger.error('two');
  const read = (severity: string): string[] =>
    readFileSync(join(folder, `mesos-master.${severity}`), 'utf8')
      .split('\n')
      .slice(3, -1);
  assert.deepEqual([read('INFO').length, read('WARNING').length, read('ERROR').length], [2, 1, 1]);
  assert.match(readlinkSync(join(folder, 'mesos-master.INFO')), /^mesos-master\..+\.log\.INFO\.\d{8}-\d{6}\.\d+$/);
  assert.equal(log.path, join(folder, readlinkSync(join(folder, 'mesos-master.INFO'))));
  assert.equal(readdirSync(folder).length, 6);
});

test('quiet writes nothing to stderr', (t) => {
  const { log, lines } = open(t, { quiet: true });
  log.logger.error('x');
  assert.deepEqual(lines(), []);
});

test('a folder that cannot be written is an error at the start', (t) => {
  assert.throws(() => open(t, { folder: '/dev/null/logs' }));
});
