/** What a framework may not say of itself, input by input, and what upstream lets pass though it looks odd. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo, FrameworkInfo_Capability } from '../../../wire/v1.ts';
import type { AttributeConstraint, OfferConstraints } from '../../../wire/v1_scheduler.ts';
import {
  preserveImmutable,
  validateConstraints,
  validateFrameworkInfo,
  validateSuppressedRoles,
  validateUpdate,
} from './framework.ts';

const INFO: FrameworkInfo = { user: 'u', name: 'n' };
const MULTI_ROLE: readonly FrameworkInfo_Capability[] = [{ type: 'MULTI_ROLE' }];

function refusal(more: Partial<FrameworkInfo>): string {
  const result = validateFrameworkInfo({ ...INFO, ...more });
  return result.ok ? 'accepted' : result.error;
}

test('names that are no roles are refused, with what would be one', () => {
  const bad = [
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/..',
    'a/./b',
    '*/a',
    'a/*',
    '-a',
    'a/-b',
    'a b',
    'a\tb',
    'a\nb',
    'a\u007fb',
  ];
  for (const role of bad) {
    assert.match(refusal({ role }), /'FrameworkInfo.role' is not a valid role/, JSON.stringify(role));
    assert.match(refusal({ roles: ['ok', role], capabilities: MULTI_ROLE }), /'FrameworkInfo.roles' contains invalid/);
  }
  const good = ['*', 'a', 'a/b/c', 'a-b', 'a.b', '...', 'a\\b', 'ünï'];
  for (const role of good) assert.equal(refusal({ role }), 'accepted', role);
  assert.equal(refusal({ roles: good, capabilities: MULTI_ROLE }), 'accepted');
});

test('one role without MULTI_ROLE, a list of them with it, each once', () => {
  assert.match(refusal({ roles: ['a'] }), /must not be set when the framework is not MULTI_ROLE capable; set 'role'/);
  assert.match(refusal({ role: 'a', capabilities: MULTI_ROLE }), /must not be set .*MULTI_ROLE capable; set 'roles'/);
  assert.match(refusal({ roles: ['a', 'b', 'a'], capabilities: MULTI_ROLE }), /contains 'a' twice/);
  assert.equal(refusal({ capabilities: MULTI_ROLE }), 'accepted', 'a framework of no role gets no offers');
  assert.equal(refusal({ capabilities: [{ type: 'UNKNOWN' }, {}] }), 'accepted');
});

test('an id is empty or can be the name of a folder', () => {
  for (const id of ['.', '..', 'a/b', 'a\\b', 'a\u0001', 'x'.repeat(256)]) {
    assert.match(refusal({ id: { value: id } }), /framework id/);
  }
  for (const id of ['', 'any', 'x'.repeat(255)]) assert.equal(refusal({ id: { value: id } }), 'accepted');
});

test('a failover_timeout can be said in 64 bits of nanoseconds', () => {
  for (const timeout of [1e300, -1e300, 9.3e9, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.match(
      refusal({ failover_timeout: timeout }),
      /failover_timeout' \(.*\) is invalid: at most 92/,
      `${timeout}`,
    );
  }
  for (const timeout of [0, -1, 0.5, 1e-9, 9.2e9]) assert.equal(refusal({ failover_timeout: timeout }), 'accepted');
});

test('offer filters name quantities that are amounts', () => {
  const filter = (quantities: Readonly<Record<string, { value: number }>>): string =>
    refusal({ offer_filters: { a: { min_allocatable_resources: { quantities: [{ quantities }] } } } });
  assert.match(filter({}), /'FrameworkInfo.offer_filters' for role 'a': .*at least one quantity/);
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, 5e-324]) {
    assert.match(filter({ cpus: { value } }), /the quantity of 'cpus' must be a number that is not negative/);
  }
  assert.equal(filter({ cpus: { value: 0 }, gpus: { value: 1.5 } }), 'accepted');
  assert.equal(refusal({ offer_filters: { foreign: {} } }), 'accepted', 'upstream does not compare with the roles');
});

test('who a framework is cannot change; user and checkpointing are kept when it subscribes', () => {
  const change = (before: Partial<FrameworkInfo>, after: Partial<FrameworkInfo>): string => {
    const result = validateUpdate({ ...INFO, ...before }, { ...INFO, ...after });
    return result.ok ? 'accepted' : result.error;
  };
  assert.match(change({ principal: 'p' }, { principal: 'q' }), /principal is not allowed/);
  assert.match(change({}, { principal: 'q' }), /principal is not allowed/);
  assert.match(change({ principal: 'p' }, {}), /principal is not allowed/);
  assert.match(change({}, { user: 'v' }), /'FrameworkInfo.user' cannot be changed from 'u' to 'v'/);
  assert.match(change({}, { checkpoint: true }), /checkpoint' cannot be changed from 'false' to 'true'/);
  assert.equal(change({}, { checkpoint: false }), 'accepted', 'false is what absence means');
  const all = { name: 'm', failover_timeout: 9, hostname: 'h', webui_url: 'w', role: 'r', labels: { labels: [] } };
  assert.equal(change({}, { ...all, capabilities: [{ type: 'PARTITION_AWARE' }] }), 'accepted');
  const kept = preserveImmutable({ ...INFO, checkpoint: true }, { ...INFO, user: 'v', name: 'm', checkpoint: false });
  assert.deepEqual(kept, { user: 'u', name: 'm', checkpoint: true });
  assert.deepEqual(preserveImmutable(INFO, { ...INFO, checkpoint: true }), INFO);
});

test('suppressed roles are among the framework’s', () => {
  const check = (...suppressed: string[]): string => {
    const result = validateSuppressedRoles(new Set(['a', 'b']), new Set(suppressed));
    return result.ok ? 'accepted' : result.error;
  };
  assert.equal(check('a', 'c', 'd'), 'Suppressed roles { c, d } are not contained in the set of roles { a, b }');
  assert.equal(check('a', 'b'), 'accepted');
  assert.equal(check(), 'accepted');
});

test('offer constraints are of the framework’s roles, and well formed', () => {
  const check = (constraints: OfferConstraints): string => {
    const result = validateConstraints(new Set(['a']), constraints, 100);
    return result.ok ? 'accepted' : result.error;
  };
  const one = (constraint: AttributeConstraint): string =>
    check({ role_constraints: { a: { groups: [{ attribute_constraints: [constraint] }] } } });
  const selector = { attribute_name: 'rack' };
  const exists = { exists: {} };
  assert.match(check({ role_constraints: { b: {} } }), /for the role 'b', not one of the framework's roles/);
  assert.match(check({ role_constraints: { a: {} } }), /role_constraints\["a"\].groups is empty/);
  assert.match(check({ role_constraints: { a: { groups: [{}] } } }), /groups\[0\].attribute_constraints is empty/);
  const bad: [AttributeConstraint, RegExp][] = [
    [{ selector: {}, predicate: exists }, /exactly one of selector/],
    [{ selector: { ...selector, pseudoattribute_type: 'ZONE' }, predicate: exists }, /exactly one of selector/],
    [{ selector: { pseudoattribute_type: 'UNKNOWN' }, predicate: exists }, /HOSTNAME, REGION or ZONE, not UNKNOWN/],
    [{ selector, predicate: {} }, /exactly one of predicate/],
    [{ selector, predicate: { ...exists, not_exists: {} } }, /exactly one of predicate/],
    [{ selector, predicate: { text_matches: { regex: '(' } } }, /'\(' cannot be read/],
    [{ selector, predicate: { text_matches: { regex: '\\1' } } }, /cannot be read/],
    [{ selector, predicate: { text_not_matches: { regex: 'a{500}' } } }, /too complex: it has more than 100 steps/],
  ];
  for (const [constraint, reason] of bad) assert.match(one(constraint), reason, JSON.stringify(constraint));
  for (const predicate of [
    exists,
    { not_exists: {} },
    { text_equals: { value: 'x' } },
    { text_matches: { regex: 'r.*' } },
  ]) {
    assert.equal(one({ selector, predicate }), 'accepted');
  }
  assert.equal(check({}), 'accepted');
});
