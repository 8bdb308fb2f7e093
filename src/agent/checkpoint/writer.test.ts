import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CheckpointError, writeCheckpoints } from './writer.ts';

const root = mkdtempSync(join(tmpdir(), 'checkpoints-'));
after(() => rmSync(root, { recursive: true, force: true }));
const bytes = (text: string): Uint8Array => Buffer.from(text);

test('files are replaced and grown, links moved, folders made and taken away', async () => {
  const path = (name: string): string => join(root, 'a/b', name);
  await writeCheckpoints([
    { how: 'replace', path: path('info'), bytes: bytes('one') },
    { how: 'append', path: path('updates'), bytes: bytes('1') },
    { how: 'append', path: path('updates'), bytes: bytes('2') },
    { how: 'link', path: join(root, 'a/latest'), target: 'b' },
  ]);
  await writeCheckpoints([
    { how: 'replace', path: path('info'), bytes: bytes('two') },
    { how: 'append', path: path('updates'), bytes: bytes('3') },
    { how: 'link', path: join(root, 'a/latest'), target: 'c' },
  ]);
  assert.equal(readFileSync(path('info'), 'utf8'), 'two');
  assert.equal(readFileSync(path('updates'), 'utf8'), '123');
  assert.equal(readlinkSync(join(root, 'a/latest')), 'c');
  assert.deepEqual(readdirSync(join(root, 'a')).sort(), ['b', 'latest']);
  await writeCheckpoints([
    { how: 'append', path: path('updates'), bytes: bytes('4') },
    { how: 'remove', path: join(root, 'a/b') },
    { how: 'remove', path: join(root, 'a/none') },
  ]);
  assert.equal(existsSync(join(root, 'a/b')), false);
});

test('a write that fails names the path and what to do, and what follows it is not tried', async () => {
  writeFileSync(join(root, 'file'), '');
  const operations = [
    { how: 'replace', path: join(root, 'file/info'), bytes: bytes('x') },
    { how: 'replace', path: join(root, 'later'), bytes: bytes('x') },
  ] as const;
  await assert.rejects(writeCheckpoints(operations), (error: unknown) => {
    assert.ok(error instanceof CheckpointError);
    assert.match(error.message, /file\/info cannot be written: .*look at the disk/);
    return true;
  });
  assert.equal(existsSync(join(root, 'later')), false);
});

test('a full disk is an error that names the path', {
  skip: existsSync('/dev/full') ? false : 'there is no /dev/full',
}, async () => {
  mkdirSync(join(root, 'full'));
  await assert.rejects(
    writeCheckpoints([{ how: 'append', path: '/dev/full', bytes: bytes('x') }]),
    /The checkpoint \/dev\/full cannot be written: ENOSPC/,
  );
});
