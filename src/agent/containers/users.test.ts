import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { Users } from './users.ts';

test('a user is found with the ids that the system gives it', () => {
  const { username, uid, gid } = userInfo();
  const ids = new Users().find(username);
  assert.equal(ids?.uid, uid);
  assert.equal(ids?.gid, gid);
  const groups = execFileSync('id', ['-G', username]).toString().trim().split(' ').map(Number);
  assert.deepEqual(new Set([ids?.gid, ...(ids?.groups ?? [])]), new Set(groups));
});

test('names that are no user, numbers and options among them, are not found', () => {
  const users = new Users();
  for (const name of ['no-such-user', '0', '-u', '', 'a b', '../x']) assert.equal(users.find(name), undefined);
});
