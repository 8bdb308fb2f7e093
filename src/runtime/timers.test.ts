import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { KeyedTimers, sleepable } from './timers.ts';

/** A clock that is turned by hand, for the timers and for Node's own. */
function turned(run: (timers: KeyedTimers, turn: (by: number) => void, fired: string[]) => void): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const fired: string[] = [];
  const timers = new KeyedTimers(
    (key) => fired.push(key),
    () => now,
  );
  const turn = (by: number) => {
    now += by;
    mock.timers.tick(by);
  };
  try {
    run(timers, turn, fired);
  } finally {
    timers.stop();
    mock.timers.reset();
  }
}

test('every armed timer fires once, at its time, in the order of time and then of arming', () => {
  const action = fc.record({ key: fc.nat(8), after: fc.nat(20), arm: fc.boolean(), turn: fc.nat(6) });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      turned((timers, turn, fired) => {
        const model = new Map<string, { due: number; sequence: number }>();
        const expected: string[] = [];
        let now = 0;
        const pass = (by: number) => {
          // One millisecond at a time: which is how finely the real clock wakes us.
          for (let i = 0; i < by; i++) {
            now++;
            turn(1);
            const due = [...model].filter(([, at]) => at.due <= now);
            due.sort((a, b) => a[1].due - b[1].due || a[1].sequence - b[1].sequence);
            for (const [key] of due) {
              model.delete(key);
              expected.push(key);
            }
          }
        };
        actions.forEach(({ key, after, arm, turn: by }, sequence) => {
          if (arm) {
            timers.arm(String(key), after + 1);
            model.set(String(key), { due: now + after + 1, sequence });
          } else {
            timers.disarm(String(key));
            model.delete(String(key));
          }
          pass(by);
        });
        pass(30);
        assert.deepEqual(fired, expected);
        assert.equal(timers.size, 0);
      });
    }),
  );
});

test('fifty thousand timers that are armed anew again and again stay cheap and fire once each', () => {
  turned((timers, turn, fired) => {
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 50_000; i++) timers.arm(`agent ${i}`, 15_000);
    }
    assert.equal(timers.size, 50_000);
    turn(15_000);
    assert.equal(fired.length, 50_000);
  });
});

test('a wait longer than what Node can wait for does not fire at once', () => {
  turned((timers, turn, fired) => {
    timers.arm('far', 2 ** 31 + 5000);
    turn(2 ** 31 - 1);
    assert.deepEqual(fired, []);
    turn(5001);
    assert.deepEqual(fired, ['far']);
  });
});

test('a time that is longer than Node can sleep is not over at once', async () => {
  const warnings: string[] = [];
  const listen = ({ name }: Error): unknown => warnings.push(name);
  process.on('warning', listen);
  let isOver = false;
  const timer = setTimeout(
    () => {
      isOver = true;
    },
    sleepable(35 * 86_400_000),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  clearTimeout(timer);
  process.off('warning', listen);
  assert.deepEqual([isOver, warnings, sleepable(5)], [false, [], 5]);
});
