import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentInfo, Attribute } from '../wire/v1.ts';
import type { AttributeConstraint, OfferConstraints } from '../wire/v1_scheduler.ts';
import { compileOfferConstraints } from './constraints.ts';

const OPTIONS = { maxPatternSize: 100 };

function attribute(name: string, text: string): Attribute {
  return { name, type: 'TEXT', text: { value: text } };
}

const AGENT: AgentInfo = {
  hostname: 'host-1.example.org',
  attributes: [attribute('rack', 'r12'), { name: 'cores', type: 'SCALAR', scalar: { value: 4 } }],
  domain: { fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } } },
};

function constraints(...groups: AttributeConstraint[][]): OfferConstraints {
  return { role_constraints: { r: { groups: groups.map((attribute_constraints) => ({ attribute_constraints })) } } };
}

/** Whether an agent is offered under one constraint. */
function isOffered(constraint: AttributeConstraint, agent = AGENT): boolean {
  const compiled = compileOfferConstraints(constraints([constraint]), OPTIONS);
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.error);
  return !compiled.value.excludes('r', agent);
}

const rack = { attribute_name: 'rack' };
const cores = { attribute_name: 'cores' };
const none = { attribute_name: 'none' };

test('predicates on an attribute that is there, that is not a text, and that is missing', () => {
  const table: [AttributeConstraint['predicate'], boolean, boolean, boolean][] = [
    [{ exists: {} }, true, true, false],
    [{ not_exists: {} }, false, false, true],
    [{ text_equals: { value: 'r12' } }, true, true, false],
    [{ text_equals: { value: 'r1' } }, false, true, false],
    [{ text_not_equals: { value: 'r12' } }, false, true, true],
    [{ text_not_equals: { value: 'r1' } }, true, true, true],
    [{ text_matches: { regex: 'r[0-9]+' } }, true, true, false],
    [{ text_matches: { regex: 'r' } }, false, true, false],
    [{ text_not_matches: { regex: 'r[0-9]+' } }, false, true, true],
    [{ text_not_matches: { regex: 'r' } }, true, true, true],
  ];
  for (const [predicate, text, scalar, missing] of table) {
    const what = JSON.stringify(predicate);
    assert.equal(isOffered({ selector: rack, predicate }), text, `${what} on a text`);
    assert.equal(isOffered({ selector: cores, predicate }), scalar, `${what} on a scalar`);
    assert.equal(isOffered({ selector: none, predicate }), missing, `${what} on nothing`);
  }
});

test('hostname, region and zone are selected like attributes', () => {
  const on = (pseudoattribute_type: 'HOSTNAME' | 'REGION' | 'ZONE', regex: string) =>
    ({ selector: { pseudoattribute_type }, predicate: { text_matches: { regex } } }) as const;
  assert.equal(isOffered(on('HOSTNAME', 'host-\\d\\.example\\.org')), true);
  assert.equal(isOffered(on('REGION', 'eu')), true);
  assert.equal(isOffered(on('ZONE', 'us.*')), false);
  assert.equal(isOffered(on('ZONE', '.*'), { hostname: 'h' }), false);
});

test('groups are alternatives, and all constraints of a group must hold', () => {
  const here = { selector: rack, predicate: { exists: {} } };
  const nowhere = { selector: none, predicate: { exists: {} } };
  const excludes = (...groups: AttributeConstraint[][]): boolean => {
    const compiled = compileOfferConstraints(constraints(...groups), OPTIONS);
    assert.ok(compiled.ok);
    return compiled.value.excludes('r', AGENT);
  };
  assert.equal(excludes([here, nowhere]), true);
  assert.equal(excludes([nowhere], [here]), false);
  assert.equal(excludes([nowhere], [nowhere]), true);
});

test('a role that is not named is not constrained', () => {
  const compiled = compileOfferConstraints(constraints([{ selector: none, predicate: { exists: {} } }]), OPTIONS);
  assert.ok(compiled.ok);
  assert.equal(compiled.value.excludes('other', AGENT), false);
});

test('what is wrong is refused, and where it is wrong is said', () => {
  const refusals: [OfferConstraints, RegExp][] = [
    [{ role_constraints: { r: {} } }, /role_constraints\["r"\]\.groups is empty/],
    [constraints([]), /groups\[0\]\.attribute_constraints is empty/],
    [constraints([{ selector: {}, predicate: { exists: {} } }]), /exactly one of selector\.attribute_name/],
    [
      constraints([{ selector: { attribute_name: 'a', pseudoattribute_type: 'ZONE' }, predicate: { exists: {} } }]),
      /exactly one of selector\.attribute_name/,
    ],
    [
      constraints([{ selector: { pseudoattribute_type: 'UNKNOWN' }, predicate: { exists: {} } }]),
      /must be HOSTNAME, REGION or ZONE, not UNKNOWN/,
    ],
    [constraints([{ selector: rack, predicate: {} }]), /exactly one of predicate\.exists/],
    [
      constraints([{ selector: rack, predicate: { text_matches: { regex: '(' } } }]),
      /attribute_constraints\[0\] is not valid: the regular expression '\(' cannot be read/,
    ],
    [constraints([{ selector: rack, predicate: { text_not_matches: { regex: 'x'.repeat(200) } } }]), /too complex/],
  ];
  for (const [wrong, message] of refusals) {
    const compiled = compileOfferConstraints(wrong, OPTIONS);
    assert.match(compiled.ok ? 'accepted' : compiled.error, message);
  }
});
