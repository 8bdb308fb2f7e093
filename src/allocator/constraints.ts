import { compilePattern } from '../base/pattern.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { AgentInfo, Attribute } from '../wire/v1.ts';
import type {
  AttributeConstraint,
  AttributeConstraint_Predicate,
  AttributeConstraint_Selector,
  OfferConstraints,
} from '../wire/v1_scheduler.ts';

/** Which agents a framework wants offers from, by role; from `compileOfferConstraints`. */
export interface OfferConstraintsFilter {
  /** A role without constraints excludes nothing. */
  excludes(role: string, agent: AgentInfo): boolean;
}

export interface OfferConstraintsOptions {
  /** How many steps a compiled regular expression may have: the flag --offer_constraints_re2_max_program_size. */
  readonly maxPatternSize: number;
}

/** What a selector finds on an agent: nothing, a text, or an attribute that is not a text. */
type Selected = { readonly text: string } | 'other' | undefined;
type Select = (agent: AgentInfo) => Selected;
type Predicate = (selected: Selected) => boolean;
type Test = (agent: AgentInfo) => boolean;

/**
 * Checks constraints and makes them ready for use. Groups of a role are alternatives; the constraints of a group must
 * all hold. A constraint on a text holds for every attribute that is not a text.
 */
export function compileOfferConstraints(
  constraints: OfferConstraints,
  options: OfferConstraintsOptions,
): Result<OfferConstraintsFilter> {
  const byRole = new Map<string, Test[][]>();
  for (const [role, { groups = [] }] of Object.entries(constraints.role_constraints ?? {})) {
    const path = `offer_constraints.role_constraints[${JSON.stringify(role)}].groups`;
    if (groups.length === 0) {
      return err(`${path} is empty; leave the role out if it has no constraints`);
    }
    const compiled: Test[][] = [];
    for (const [g, { attribute_constraints: list = [] }] of groups.entries()) {
      const here = `${path}[${g}].attribute_constraints`;
      if (list.length === 0) return err(`${here} is empty; a group needs at least one constraint`);
      const tests: Test[] = [];
      for (const [c, constraint] of list.entries()) {
        const test = compileConstraint(constraint, options);
        if (!test.ok) return err(`${here}[${c}] is not valid: ${test.error}`);
        tests.push(test.value);
      }
      compiled.push(tests);
    }
    byRole.set(role, compiled);
  }
  return ok({
    excludes: (role, agent) => {
      const groups = byRole.get(role);
      return groups !== undefined && !groups.some((tests) => tests.every((test) => test(agent)));
    },
  });
}

function compileConstraint(constraint: AttributeConstraint, options: OfferConstraintsOptions): Result<Test> {
  const select = compileSelector(constraint.selector);
  if (!select.ok) return select;
  const predicate = compilePredicate(constraint.predicate, options);
  if (!predicate.ok) return predicate;
  return ok((agent) => predicate.value(select.value(agent)));
}

function compileSelector(selector: AttributeConstraint_Selector): Result<Select> {
  const { attribute_name: name, pseudoattribute_type: pseudo } = selector;
  if (name !== undefined && pseudo === undefined) {
    return ok((agent) => selectAttribute(agent.attributes?.find((attribute) => attribute.name === name)));
  }
  if (name === undefined && pseudo !== undefined) {
    switch (pseudo) {
      case 'HOSTNAME':
        return ok((agent) => ({ text: agent.hostname }));
      case 'REGION':
        return ok((agent) => selectText(agent.domain?.fault_domain?.region.name));
      case 'ZONE':
        return ok((agent) => selectText(agent.domain?.fault_domain?.zone.name));
      default:
        return err(`selector.pseudoattribute_type must be HOSTNAME, REGION or ZONE, not ${pseudo}`);
    }
  }
  return err('exactly one of selector.attribute_name and selector.pseudoattribute_type must be set');
}

function selectAttribute(attribute: Attribute | undefined): Selected {
  if (attribute === undefined) return undefined;
  return attribute.type === 'TEXT' ? { text: attribute.text?.value ?? '' } : 'other';
}

function selectText(text: string | undefined): Selected {
  return text === undefined ? undefined : { text };
}

function compilePredicate(
  predicate: AttributeConstraint_Predicate,
  { maxPatternSize }: OfferConstraintsOptions,
): Result<Predicate> {
  const { exists, not_exists, text_equals, text_not_equals, text_matches, text_not_matches } = predicate;
  const given = [exists, not_exists, text_equals, text_not_equals, text_matches, text_not_matches];
  if (given.filter((one) => one !== undefined).length !== 1) {
    return err(
      'exactly one of predicate.exists, not_exists, text_equals, text_not_equals, text_matches and text_not_matches must be set',
    );
  }
  if (exists) return ok((selected) => selected !== undefined);
  if (not_exists) return ok((selected) => selected === undefined);
  if (text_equals) return ok(onText((text) => text === text_equals.value, false));
  if (text_not_equals) return ok(onText((text) => text !== text_not_equals.value, true));
  const pattern = compilePattern((text_matches ?? text_not_matches)?.regex ?? '', maxPatternSize);
  if (!pattern.ok) return pattern;
  const matches = pattern.value;
  return ok(text_matches ? onText(matches, false) : onText((text) => !matches(text), true));
}

function onText(test: (text: string) => boolean, ifAbsent: boolean): Predicate {
  return (selected) => (selected === undefined ? ifAbsent : selected === 'other' || test(selected.text));
}
