/** Constraints: which operators there are, and what each may be given. */
import { compilePattern } from './pattern.ts';
import type { Constraint, ConstraintOperator } from './types.ts';

const OPERATORS: readonly ConstraintOperator[] = ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'UNLIKE', 'MAX_PER', 'IS'];
const KNOWN = new Map<string, ConstraintOperator>(OPERATORS.map((operator) => [operator, operator]));

type ValueRule = (value: string | undefined) => string | undefined;

/** What is wrong with the value of an operator, if anything. */
const VALUE_RULES: Readonly<Record<ConstraintOperator, ValueRule>> = {
  UNIQUE: (value) => (value === undefined ? undefined : 'UNIQUE does not accept a value: leave it out'),
  CLUSTER: () => undefined,
  GROUP_BY: (value) =>
    value === undefined || isInteger(value)
      ? undefined
      : `GROUP BY must define an integer value or else no value at all, not '${value}'`,
  MAX_PER: (value) =>
    value !== undefined && isInteger(value) ? undefined : `MAX_PER requires an integer value, not '${value ?? ''}'`,
  LIKE: pattern,
  UNLIKE: pattern,
  IS: (value) =>
    /^[a-zA-Z0-9_/.-]*$/.test(value ?? '')
      ? undefined
      : `IS only supports Mesos text and float values: letters, digits and _ / . -, not '${value}'`,
};

function isInteger(value: string): boolean {
  return /^[+-]?\d+$/.test(value) && Math.abs(Number(value)) <= 2 ** 31 - 1;
}

function pattern(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return 'LIKE and UNLIKE require a non-empty, regular expression value';
  const compiled = compilePattern(value);
  return compiled.ok ? undefined : `is not a valid regular expression: '${shortened(value)}': ${compiled.error}`;
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** The constraint that an app's list of strings means; operators may be in any case. */
export function readConstraint([field = '', operator = '', value]: readonly string[]): Constraint | undefined {
  const known = KNOWN.get(operator.toUpperCase());
  return known === undefined ? undefined : { field, operator: known, ...(value !== undefined && { value }) };
}

/** As documents of apps have it. */
export function writeConstraint({ field, operator, value }: Constraint): readonly string[] {
  return value === undefined ? [field, operator] : [field, operator, value];
}

/** What is wrong with a constraint, if anything. */
export function constraintError({ field, operator, value }: Constraint): string | undefined {
  if (field === '') return 'missing field for constraint declaration: name an attribute, or hostname, @region or @zone';
  return VALUE_RULES[operator](value);
}

/** What is wrong with a constraint of an app, if anything. */
export function appConstraintError(parts: readonly string[]): string | undefined {
  const constraint = readConstraint(parts);
  if (parts[0] === '') return 'illegal constraint specification: the first element names a field';
  if (constraint === undefined) {
    return `operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS, not '${parts[1]}'`;
  }
  return constraintError(constraint);
}
