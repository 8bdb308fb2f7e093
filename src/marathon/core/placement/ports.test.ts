import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../../base/random.ts';
import type { Offer } from '../../../wire/v1.ts';
import type { RunSpec } from '../model.ts';
import { type OpenOffer, openOffer } from './open-offer.ts';
import { portWishes } from './port-wishes.ts';
import { findPorts, type PortWish, takePorts } from './ports.ts';

type Ranges = readonly (readonly [begin: number, end: number])[];

function offering(byRole: Readonly<Record<string, Ranges>>): OpenOffer {
  const offer: Offer = {
    id: { value: 'o' },
    framework_id: { value: 'f' },
    agent_id: { value: 'a' },
    hostname: 'h',
    resources: Object.entries(byRole).map(([role, ranges]) => ({
      name: 'ports',
      type: 'RANGES',
      ranges: { range: ranges.map(([begin, end]) => ({ begin, end })) },
      role,
    })),
  };
  return openOffer(offer);
}

function found(
  open: OpenOffer,
  wishes: readonly PortWish[],
  role = '*',
  seed = 1,
): readonly (number | null)[] | string {
  const result = findPorts(open, wishes, (left) => left.role === '*' || left.role === role, seededRandom(seed));
  if (!result.ok) return result.detail;
  takePorts(result.ports);
  return result.ports.map((each) => each?.port ?? null);
}

test('fixed ports must be offered, others are any, and none of the host is none', () => {
  const cases: readonly [Readonly<Record<string, Ranges>>, readonly PortWish[], readonly (number | null)[] | RegExp][] =
    [
      [{ '*': [[1, 10]] }, [5], [5]],
      [{ '*': [[1, 10]] }, [1, 10], [1, 10]],
      [{ '*': [[1, 10]] }, [11], /host port 11, offered are 1-10$/],
      [{ '*': [] }, ['any'], /needs 1 host ports, offered are none$/],
      [{ '*': [[7, 7]] }, ['any'], [7]],
      [{ '*': [[7, 8]] }, ['any', 7], [8, 7]],
      [{ '*': [[7, 7]] }, ['any', 7], /needs 1 host ports/],
      [{ '*': [[7, 7]] }, ['any', 'any'], /needs 2 host ports, offered are 7$/],
      [
        {
          '*': [
            [1, 1],
            [3, 3],
          ],
        },
        [1, 3],
        [1, 3],
      ],
      [{ '*': [[1, 1]], prod: [[3, 3]] }, [1, 3], [1, 3]],
      [{ '*': [[1, 1]], other: [[3, 3]] }, [3], /offered are 1$/],
      [{ '*': [] }, ['none', 'none'], [null, null]],
      [{ '*': [[4, 4]] }, ['none', 4, 'none'], [null, 4, null]],
      [{ '*': [] }, [], []],
    ];
  for (const [offered, wishes, expected] of cases) {
    const ports = found(offering(offered), wishes, 'prod');
    if (expected instanceof RegExp) assert.match(String(ports), expected);
    else assert.deepEqual(ports, expected, JSON.stringify([offered, wishes]));
  }
});

test('a port is taken once, whichever way it is asked for, and what was taken is said range by range and role by role', () => {
  const wish = fc.oneof(fc.constant('any' as const), fc.constant('none' as const), fc.integer({ min: 1, max: 30 }));
  const range = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 4 }));
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 5 }),
      fc.array(fc.uniqueArray(wish, { selector: (each) => (typeof each === 'number' ? each : {}) }), { maxLength: 6 }),
      fc.integer(),
      (pieces, rounds, seed) => {
        // Ranges that do not touch, in turn free and reserved for the role.
        const offered: Record<string, [number, number][]> = { '*': [], prod: [] };
        const all = new Set<number>();
        pieces.forEach(([offset, length], at) => {
          const begin = 1 + at * 6 + Math.min(offset, 5 - Math.min(length, 5));
          const end = Math.min(begin + length, at * 6 + 5);
          if (end < begin) return;
          offered[at % 2 === 0 ? '*' : 'prod']!.push([begin, end]);
          for (let port = begin; port <= end; port++) all.add(port);
        });
        const open = offering(offered);
        const taken = new Set<number>();
        for (const wishes of rounds) {
          const result = findPorts(open, wishes, () => true, seededRandom(seed));
          const fixed = wishes.filter((each): each is number => typeof each === 'number');
          const free = [...all].filter((port) => !taken.has(port));
          const isPossible =
            fixed.every((port) => free.includes(port)) &&
            wishes.filter((each) => each === 'any').length <= free.length - fixed.length;
          assert.equal(result.ok, isPossible);
          if (!result.ok) continue;
          const resources = takePorts(result.ports);
          const ports = result.ports.flatMap((each) => each?.port ?? []);
          for (const port of ports) {
            assert.ok(free.includes(port) && !taken.has(port));
            taken.add(port);
          }
          const said = resources.flatMap(({ role, ranges }) =>
            (ranges?.range ?? []).flatMap(({ begin, end }) => {
              const listed: number[] = [];
              for (let port = Number(begin); port <= Number(end); port++) listed.push(port);
              assert.ok(
                listed.every((port) => offered[role ?? '']!.some(([low, high]) => low <= port && port <= high)),
              );
              return listed;
            }),
          );
          assert.deepEqual(
            said.sort((a, b) => a - b),
            [...ports].sort((a, b) => a - b),
          );
        }
      },
    ),
  );
});

test('what an app or a pod wishes for follows from its network', () => {
  const app = (more: object): RunSpec => ({ kind: 'app', requirePorts: false, ...more }) as unknown as RunSpec;
  const cases: readonly [RunSpec, readonly PortWish[]][] = [
    [app({ portDefinitions: [{ port: 80 }, { port: 0 }] }), ['any', 'any']],
    [app({ portDefinitions: [{ port: 80 }, { port: 0 }], requirePorts: true }), [80, 'any']],
    [app({ portDefinitions: [] }), []],
    // On a bridge: 0 is any; on a network of its own a port of the host is only what was asked for.
    [app({ container: { portMappings: [{ containerPort: 80, hostPort: 0 }, { hostPort: 81 }] } }), ['any', 81]],
    [app({ container: { portMappings: [{ containerPort: 80 }] } }), ['none']],
    [app({ container: {} }), []],
    [
      {
        kind: 'pod',
        containers: [
          { endpoints: [{ name: 'a', hostPort: 0 }] },
          { endpoints: [{ name: 'b', hostPort: 9 }, { name: 'c' }] },
        ],
      } as unknown as RunSpec,
      ['any', 9, 'none'],
    ],
  ];
  for (const [spec, wishes] of cases) assert.deepEqual(portWishes(spec), wishes);
});
