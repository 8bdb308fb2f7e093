import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attribute } from '../../../wire/v1.ts';
import type { Constraint } from '../../definition/types.ts';
import type { Instance, Placement, RunSpec } from '../model.ts';
import { unmetConstraints } from './constraints.ts';
import { attributeText } from './open-offer.ts';

function at(value: string | undefined): Placement {
  return { agentId: 'a', host: 'h', attributes: value === undefined ? {} : { rack: value } };
}

interface Case {
  readonly rule: readonly [Constraint['operator'], string?];
  readonly instances?: number;
  /** Where the others are. */
  readonly placed?: readonly (string | undefined)[];
  readonly fits?: readonly (string | undefined)[];
  readonly misfits?: readonly (string | undefined)[];
}

const CASES: readonly Case[] = [
  { rule: ['UNIQUE'], placed: [], fits: ['a'], misfits: [undefined] },
  { rule: ['UNIQUE'], placed: ['a', 'b', undefined], fits: ['c'], misfits: ['a', 'b'] },
  { rule: ['CLUSTER', 'a'], placed: ['b'], fits: ['a'], misfits: ['b', 'aa', undefined] },
  { rule: ['CLUSTER'], placed: [], fits: ['a', 'b'], misfits: [undefined] },
  { rule: ['CLUSTER'], placed: ['b', 'b'], fits: ['b'], misfits: ['a', undefined] },
  { rule: ['CLUSTER', ''], placed: ['b'], fits: ['b'], misfits: ['a'] },
  // Without a number: new values are welcome, known ones while none has fewer.
  { rule: ['GROUP_BY'], instances: 6, placed: [], fits: ['a'], misfits: [undefined] },
  { rule: ['GROUP_BY'], instances: 6, placed: ['a', 'a', 'b'], fits: ['b', 'c'], misfits: ['a'] },
  { rule: ['GROUP_BY', '0'], instances: 6, placed: ['a', 'a', 'b'], fits: ['b', 'c'], misfits: ['a'] },
  { rule: ['GROUP_BY', '-1'], instances: 6, placed: ['a', 'a', 'b'], fits: ['b', 'c'], misfits: ['a'] },
  // With one: an even share each, and one more as often as some are left over.
  { rule: ['GROUP_BY', '2'], instances: 4, placed: ['a'], fits: ['a', 'b'] },
  { rule: ['GROUP_BY', '2'], instances: 4, placed: ['a', 'a'], fits: ['b'], misfits: ['a'] },
  { rule: ['GROUP_BY', '2'], instances: 4, placed: ['a', 'b'], fits: ['a', 'b'], misfits: ['c'] },
  { rule: ['GROUP_BY', '2'], instances: 5, placed: ['a', 'a', 'b', 'b'], fits: ['a', 'b'], misfits: ['c'] },
  { rule: ['GROUP_BY', '2'], instances: 5, placed: ['a', 'a', 'a', 'b'], fits: ['b'], misfits: ['a'] },
  { rule: ['GROUP_BY', '2'], instances: 5, placed: ['a', 'a', 'a', 'b', 'b'], misfits: ['a', 'b', 'c'] },
  { rule: ['GROUP_BY', '3'], instances: 2, placed: ['a'], fits: ['b'], misfits: ['a'] },
  { rule: ['LIKE', 'rack-[1-3]'], fits: ['rack-1', 'rack-3'], misfits: ['rack-4', 'rack-11', 'my rack-1', undefined] },
  { rule: ['LIKE', 'a|b'], fits: ['a', 'b'], misfits: ['ab', ''] },
  { rule: ['LIKE', '(?i)AB'], fits: ['ab'], misfits: ['abc'] },
  { rule: ['UNLIKE', 'rack-[1-3]'], fits: ['rack-4', 'rack-11', undefined], misfits: ['rack-1'] },
  { rule: ['MAX_PER', '2'], placed: ['a', 'a', 'b'], fits: ['b', 'c'], misfits: ['a', undefined] },
  { rule: ['MAX_PER', '0'], placed: [], misfits: ['a'] },
  { rule: ['IS', 'a'], fits: ['a'], misfits: ['b', 'aa', undefined] },
  { rule: ['IS', '1.50'], fits: ['1.5', '1.50', '01.5'], misfits: ['1.51', '1.5a', ''] },
  { rule: ['IS', '1.0001'], fits: ['1'], misfits: ['1.001'] },
  { rule: ['IS', '16'], misfits: ['0x10', '1.6e1', '-16'] },
  { rule: ['IS', ''], fits: [''], misfits: ['0'] },
];

test('what each operator allows on an attribute, and on @hostname, hostname, @region and @zone', () => {
  const fields: readonly [string, (value: string | undefined) => Placement][] = [
    ['rack', at],
    ['@region', (value) => ({ ...at(undefined), ...(value !== undefined && { region: value }) })],
    ['@zone', (value) => ({ ...at(undefined), ...(value !== undefined && { zone: value }) })],
    ['hostname', (value) => ({ ...at(undefined), host: value ?? '' })],
    ['@hostname', (value) => ({ ...at(undefined), host: value ?? '' })],
  ];
  for (const [field, place] of fields) {
    for (const { rule, instances = 1, placed = [], fits = [], misfits = [] } of CASES) {
      const [operator, value] = rule;
      const constraint: Constraint = { field, operator, ...(value !== undefined && { value }) };
      const spec = { constraints: [constraint], instances } as unknown as RunSpec;
      const others = placed.map((each) => ({ placement: place(each) }) as unknown as Instance);
      for (const [offered, isMet] of [
        ...fits.map((v) => [v, true] as const),
        ...misfits.map((v) => [v, false] as const),
      ]) {
        // Every agent has a name.
        if (offered === undefined && field.endsWith('hostname')) continue;
        const unmet = unmetConstraints(spec, others, place(offered));
        const what = `${field} ${rule.join(' ')}, ${instances} instances, at ${placed}: ${offered}`;
        assert.equal(unmet.length === 0, isMet, what);
        if (!isMet) assert.ok(unmet[0]!.includes(offered === undefined ? `no '${field}'` : `'${offered}'`), unmet[0]);
      }
    }
  }
});

test('all constraints have to be met, and each that is not is told', () => {
  const constraints: readonly Constraint[] = [
    { field: 'rack', operator: 'UNIQUE' },
    { field: 'hostname', operator: 'LIKE', value: 'x.*' },
    { field: 'rack', operator: 'IS', value: 'a' },
  ];
  const spec = { constraints, instances: 2 } as unknown as RunSpec;
  const others = [{ placement: at('a') } as unknown as Instance];
  assert.deepEqual(unmetConstraints(spec, others, at('a')), [
    "constraint rack UNIQUE is not met: rack is 'a'",
    "constraint hostname LIKE x.* is not met: hostname is 'h'",
  ]);
});

test('attributes are compared as text: numbers with three decimals, ranges and sets in order', () => {
  const scalar = (value: number): Attribute => ({ name: 'x', type: 'SCALAR', scalar: { value } });
  const cases: readonly [Attribute, string][] = [
    [{ name: 'x', type: 'TEXT', text: { value: 'a b' } }, 'a b'],
    [scalar(2), '2'],
    [scalar(1.5), '1.5'],
    [scalar(0.1 + 0.2), '0.3'],
    [scalar(1.0005), '1'],
    [scalar(1.1005), '1.101'],
    [scalar(0.0625), '0.062'],
    [scalar(0.1875), '0.188'],
    [scalar(1_000_000), '1000000'],
    [
      {
        name: 'x',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 7, end: 9 },
            { begin: 1, end: 2 },
          ],
        },
      },
      '[1-2,7-9]',
    ],
    [{ name: 'x', type: 'SET', set: { item: ['b', 'a'] } }, '{a,b}'],
  ];
  for (const [attribute, text] of cases) assert.equal(attributeText(attribute), text);
});
