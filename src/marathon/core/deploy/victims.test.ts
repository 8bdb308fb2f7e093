import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Condition, Instance, RunSpec } from '../model.ts';
import { chooseVictims } from './victims.ts';

const CONDITIONS: readonly Condition[] = ['Scheduled', 'Unreachable', 'Staging', 'Starting', 'Running'];

let count = 0;

function instance(condition: Condition, age: number, rack: string, more: Partial<Instance> = {}): Instance {
  const id = `i${count++}`;
  const common = { id, goal: 'Running', condition, since: age, activeSince: age };
  const tasks = [{ id, condition, stagedAt: age, hostPorts: [] }];
  const placement = { agentId: rack, host: rack, attributes: { rack } };
  return { ...common, tasks, placement, ...more } as unknown as Instance;
}

function spec(killSelection: 'YOUNGEST_FIRST' | 'OLDEST_FIRST', grouped = false): RunSpec {
  const constraints = grouped ? [{ field: 'rack', operator: 'GROUP_BY' }] : [];
  return { killSelection, constraints } as unknown as RunSpec;
}

const anyInstance = fc
  .tuple(fc.constantFrom(...CONDITIONS), fc.nat({ max: 50 }), fc.constantFrom('r1', 'r2', 'r3'))
  .map((parts) => instance(...parts));
const many = fc.array(anyInstance, { maxLength: 12 });
const selection = fc.constantFrom('YOUNGEST_FIRST' as const, 'OLDEST_FIRST' as const);

test('as many go as are too many, the sentenced in any case, and nobody twice', () => {
  fc.assert(
    fc.property(
      many,
      fc.nat({ max: 12 }),
      fc.nat({ max: 4 }),
      selection,
      fc.boolean(),
      (all, target, named, kills, grouped) => {
        const sentenced = all.slice(0, named);
        const victims = chooseVictims(all, sentenced, spec(kills, grouped), target);
        assert.equal(victims.length, Math.max(all.length - target, sentenced.length, 0));
        assert.equal(new Set(victims).size, victims.length);
        for (const each of sentenced) assert.ok(victims.includes(each));
      },
    ),
  );
});

test('who waits goes first, who is lost before who starts, and who starts before who runs; among equals age decides', () => {
  fc.assert(
    fc.property(many, fc.nat({ max: 12 }), selection, (all, target, kills) => {
      const victims = new Set(chooseVictims(all, [], spec(kills), target));
      for (const gone of victims) {
        for (const left of all.filter((each) => !victims.has(each))) {
          const [a, b] = [CONDITIONS.indexOf(gone.condition), CONDITIONS.indexOf(left.condition)];
          assert.ok(a <= b, `${gone.condition} went before ${left.condition}`);
          if (a < b) continue;
          const younger = gone.since - left.since;
          assert.ok(
            kills === 'YOUNGEST_FIRST' ? younger >= 0 : younger <= 0,
            `${kills}: ${gone.since}, not ${left.since}`,
          );
        }
      }
    }),
  );
});

test('with GROUP_BY what is left is spread as evenly as it can be', () => {
  fc.assert(
    fc.property(many, fc.nat({ max: 12 }), selection, (all, target, kills) => {
      const victims = new Set(chooseVictims(all, [], spec(kills, true), target));
      const sizeOf = (list: readonly Instance[], rack: string): number =>
        list.filter(({ placement }) => placement?.host === rack).length;
      // Who waits is nowhere yet, and goes before anybody who is.
      const isPlaced = ({ condition }: Instance): boolean => condition !== 'Scheduled';
      const left = all.filter((each) => !victims.has(each) && isPlaced(each));
      if (left.length < all.filter(isPlaced).length)
        assert.ok(all.every((each) => isPlaced(each) || victims.has(each)));
      const racks = [...new Set(all.map(({ placement }) => placement!.host))];
      for (const high of racks) {
        for (const low of racks) {
          if (sizeOf(left, high) <= sizeOf(left, low) + 1) continue;
          // Only what was uneven from the beginning may still be: nothing was taken from the smaller one.
          assert.equal(sizeOf(left, low), sizeOf(all.filter(isPlaced), low), `${high} keeps ${sizeOf(left, high)}`);
        }
      }
    }),
  );
});

test('who is not wanted any more, or given up as unreachable, is neither counted nor chosen', () => {
  const gone = [instance('Running', 1, 'r', { goal: 'Decommissioned' }), instance('UnreachableInactive', 2, 'r')];
  const [old, young] = [instance('Running', 3, 'r'), instance('Running', 4, 'r')];
  assert.deepEqual(chooseVictims([...gone, old, young], gone, spec('YOUNGEST_FIRST'), 1), [young]);
  assert.deepEqual(chooseVictims([...gone, old, young], [], spec('OLDEST_FIRST'), 1), [old]);
  assert.deepEqual(chooseVictims([...gone, old, young], [], spec('OLDEST_FIRST'), 2), []);
});
