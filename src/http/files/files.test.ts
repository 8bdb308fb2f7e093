import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serve } from '../testing.fixture.ts';
import { filesEndpoints, formatMode } from './endpoints.ts';
import { FilesTable } from './table.ts';

const PLAIN = 'text/plain; charset=utf-8';

/** A sandbox under `/sandbox`, beside a folder and a file that nobody may see. */
async function sandbox(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'files-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'box/folder'), { recursive: true });
  mkdirSync(join(root, 'box-beside'));
  writeFileSync(join(root, 'box-beside/secret'), 'secret');
  writeFileSync(join(root, 'box/stdout'), 'out\n');
  writeFileSync(join(root, 'box/big'), 'x'.repeat(100_000));
  writeFileSync(join(root, 'box/empty.json'), '');
  symlinkSync('../box-beside/secret', join(root, 'box/out-file'));
  symlinkSync('/', join(root, 'box/out-folder'));
  symlinkSync('stdout', join(root, 'box/in-file'));
  symlinkSync('nowhere', join(root, 'box/broken'));
  execFileSync('/usr/bin/env', ['mkfifo', join(root, 'box/pipe')]);
  const table = new FilesTable();
  assert.ok((await table.attach(join(root, 'box'), '/sandbox/')).ok);
  assert.ok((await table.attach(join(root, 'box/stdout'), '/slave/log')).ok);
  const { ask } = await serve(t, filesEndpoints(table));
  return { ask, root, table };
}

test('a folder is listed with sizes, owners and modes, a file as empty, and what is not there as 404', async (t) => {
  const { ask } = await sandbox(t);
  const listing = await ask('GET', '/files/browse?path=/sandbox');
  assert.equal(listing.headers['content-type'], 'application/json');
  const entries = JSON.parse(listing.body) as Record<string, unknown>[];
  assert.deepEqual(
    entries.map((entry) => `${String(entry.mode)[0]} ${entry.path}`),
    [
      '- /sandbox/big',
      'l /sandbox/broken',
      '- /sandbox/empty.json',
      'd /sandbox/folder',
      '- /sandbox/in-file',
      'l /sandbox/out-file',
      'l /sandbox/out-folder',
      'p /sandbox/pipe',
      '- /sandbox/stdout',
    ].filter((line) => line !== 'l /sandbox/broken'),
  );
  const big = entries[0]!;
  assert.deepEqual(Object.keys(big), ['gid', 'mode', 'mtime', 'nlink', 'path', 'size', 'uid']);
  assert.equal(big.size, 100_000);
  assert.equal((await ask('GET', '/files/browse?path=/sandbox/')).body, listing.body);
  assert.equal((await ask('GET', '/files/browse.json?path=/sandbox')).body, listing.body);
  assert.equal((await ask('GET', '/files/browse?path=/sandbox/stdout')).body, '[]');
  const none = await ask('GET', '/files/browse?path=/sandbox/none');
  assert.deepEqual([none.status, none.headers['content-type'], none.body], [404, PLAIN, '']);
});

test('a read gives what was asked for, at most 64 KiB, and the size for an offset of -1', async (t) => {
  const { ask } = await sandbox(t);
  const read = async (query: string) => JSON.parse((await ask('GET', `/files/read?path=/sandbox/${query}`)).body);
  assert.deepEqual(await read('stdout&offset=0'), { data: 'out\n', offset: 0 });
  assert.deepEqual(await read('stdout&offset=1&length=2'), { data: 'ut', offset: 1 });
  assert.deepEqual(await read('stdout&offset=-1'), { data: '', offset: 4 });
  assert.deepEqual(await read('stdout'), { data: '', offset: 4 });
  assert.deepEqual(await read('stdout&offset=0&length=-1'), { data: 'out\n', offset: 0 });
  assert.deepEqual(await read('stdout&offset=0&length=0'), { data: '', offset: 0 });
  assert.deepEqual(await read('stdout&offset=99'), { data: '', offset: 99 });
  assert.equal((await read('big&offset=0')).data.length, 65_536);
  assert.equal((await read('big&offset=99990&length=500')).data.length, 10);
  assert.deepEqual(await read('in-file&offset=0'), { data: 'out\n', offset: 0 });
});

test('wrong parameters are refused in the words of upstream', async (t) => {
  const { ask } = await sandbox(t);
  const cases: [string, number, string][] = [
    ['browse', 400, "Expecting 'path=value' in query.\n"],
    ['browse?path=', 400, "Expecting 'path=value' in query.\n"],
    ['read', 400, "Expecting 'path=value' in query.\n"],
    ['read?path=/none', 404, ''],
    ['read?path=/none&offset=x', 400, "Failed to parse offset: Failed to convert 'x' to number.\n"],
    ['read?path=/none&offset=0&length=x', 400, "Failed to parse length: Failed to convert 'x' to number.\n"],
    ['read?path=/none&offset=-2', 400, 'Negative offset provided: -2.\n'],
    ['read?path=/sandbox', 400, 'Cannot read a directory.\n'],
    ['download', 400, "Expecting 'path=value' in query.\n"],
    ['download?path=/none', 404, '404 Not Found.'],
    ['download?path=/sandbox', 400, 'Cannot download a directory.\n'],
  ];
  for (const [path, status, body] of cases) {
    const told = await ask('GET', `/files/${path}`);
    assert.deepEqual([told.status, told.headers['content-type'], told.body], [status, PLAIN, body], path);
  }
});

test('nothing outside of what was attached can be reached', async (t) => {
  const { ask } = await sandbox(t);
  const outside = [
    '/sandbox/..',
    '/sandbox/../box-beside/secret',
    '/sandbox/folder/../../box-beside/secret',
    '/sandbox/out-file',
    '/sandbox/out-folder',
    '/sandbox/out-folder/etc/passwd',
    '/sandbox%2f..%2fbox-beside%2fsecret',
    '/sandbox/%00',
    '/sandbox/stdout%00.txt',
    '/etc/passwd',
    '/',
    '..',
    '/slave/log/..',
  ];
  for (const path of outside) {
    for (const endpoint of ['browse', 'read', 'download']) {
      const told = await ask('GET', `/files/${endpoint}?path=${path}&offset=0`);
      assert.ok([400, 404].includes(told.status), `${endpoint} ${path}: ${told.status} ${told.body}`);
      assert.doesNotMatch(told.body, /"secret"|root:/);
    }
  }
});

test('a pipe is refused instead of waited for', async (t) => {
  const { ask } = await sandbox(t);
  for (const endpoint of ['read', 'download'])
    assert.equal((await ask('GET', `/files/${endpoint}?path=/sandbox/pipe`)).status, 400);
});

test('a download is the whole file under its own name', async (t) => {
  const { ask } = await sandbox(t);
  const big = await ask('GET', '/files/download?path=/sandbox/big', { 'accept-encoding': 'gzip' });
  assert.deepEqual(
    [big.status, big.headers['content-type'], big.headers['content-disposition'], big.headers['content-length']],
    [200, 'application/octet-stream', 'attachment; filename=big', '100000'],
  );
  assert.equal(big.bytes.length, 100_000);
  const empty = await ask('GET', '/files/download?path=/sandbox/empty.json');
  assert.deepEqual([empty.status, empty.headers['content-type'], empty.body], [200, 'application/json', '']);
  assert.equal((await ask('HEAD', '/files/download?path=/sandbox/big')).body, '');
});

test('the longest attached path decides, what is detached is gone, and debug shows the rest', async (t) => {
  const { ask, table, root } = await sandbox(t);
  await table.attach(join(root, 'box-beside'), '/sandbox/folder');
  assert.match((await ask('GET', '/files/browse?path=/sandbox/folder')).body, /\/sandbox\/folder\/secret/);
  table.detach('/sandbox');
  assert.equal((await ask('GET', '/files/browse?path=/sandbox')).status, 404);
  assert.deepEqual(Object.keys(JSON.parse((await ask('GET', '/files/debug')).body)), ['/sandbox/folder', '/slave/log']);
  const absent = await table.attach(join(root, 'absent'), '/absent');
  assert.ok(!absent.ok);
  assert.match(absent.error, /absent/);
});

test('a path is shown only to whom its authorizer allows it', async (t) => {
  const { table, root } = await sandbox(t);
  await table.attach(join(root, 'box'), '/private', (principal) => principal?.value === 'ann');
  assert.equal((await table.browse('/private', { value: 'ann', claims: {} })).ok, true);
  const refused = await table.read('/private/stdout', 0, undefined, { value: 'bob', claims: {} });
  assert.equal(refused.ok ? 0 : refused.error.status, 403);
});

test('a mode is written as ls does', () => {
  assert.equal(formatMode(0o100644), '-rw-r--r--');
  assert.equal(formatMode(0o040755), 'drwxr-xr-x');
  assert.equal(formatMode(0o120777), 'lrwxrwxrwx');
});
