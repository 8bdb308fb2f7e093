import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Process, parseStat, type Snapshot } from './processes.ts';
import { findTrees, Marks, type TreeRoot } from './tree.ts';

function process(pid: number, parent: number, session: number, more: Partial<Process> = {}): Process {
  const rest = { group: session, start: 100, ended: false, userTime: 0, systemTime: 0, residentPages: 0 };
  return { pid, parent, session, ...rest, ...more };
}

function snapshot(processes: readonly Process[]): Snapshot {
  const children = new Map<number, Process[]>();
  for (const one of processes) children.set(one.parent, [...(children.get(one.parent) ?? []), one]);
  return { processes: new Map(processes.map((one) => [one.pid, one])), children };
}

/** Marks as a test says them. */
class KnownMarks extends Marks {
  private readonly table: Readonly<Record<number, string>>;
  constructor(known: Readonly<Record<number, string>>) {
    super();
    this.table = known;
  }
  override of({ pid }: Process): string | undefined {
    return this.table[pid];
  }
}

function pidsOf(
  processes: readonly Process[],
  roots: readonly TreeRoot[],
  marks: Readonly<Record<number, string>> = {},
) {
  const trees = findTrees(snapshot(processes), roots, new KnownMarks(marks));
  return roots.map((root) =>
    trees
      .get(root)!
      .map(({ pid }) => pid)
      .sort((a, b) => a - b),
  );
}

const leader = (pid: number, start = 100): TreeRoot => ({ leader: { pid, start }, mark: undefined });

test('a tree is the session of the leader, its group, and the descendants of these', () => {
  const processes = [
    process(10, 5, 10),
    process(11, 10, 10),
    process(12, 11, 12),
    process(13, 12, 12),
    process(14, 1, 10),
    process(15, 1, 99, { group: 10 }),
    process(20, 5, 20),
    process(21, 1, 21),
  ];
  assert.deepEqual(pidsOf(processes, [leader(10), leader(20)]), [[10, 11, 12, 13, 14, 15], [20]]);
});

test('what a leader left behind is found when the leader is gone', () => {
  assert.deepEqual(pidsOf([process(11, 1, 10), process(12, 11, 12)], [leader(10)]), [[11, 12]]);
});

test('a process that got the number of a leader later is somebody else', () => {
  assert.deepEqual(pidsOf([process(10, 5, 10, { start: 200 }), process(11, 10, 10, { start: 201 })], [leader(10)]), [
    [],
  ]);
});

test('a daemon is found by the mark in its environment, and only by its own', () => {
  const roots = [
    { ...leader(10), mark: '/a' },
    { ...leader(20), mark: '/b' },
  ];
  const processes = [process(30, 1, 30), process(31, 30, 31), process(40, 1, 40), process(50, 1, 50)];
  assert.deepEqual(pidsOf(processes, roots, { 30: '/a', 40: '/b', 50: '/c' }), [[30, 31], [40]]);
});

test('processes older than the container are passed over, whatever their environment says', () => {
  assert.deepEqual(pidsOf([process(30, 1, 30, { start: 50 })], [{ ...leader(10), mark: '/a' }], { 30: '/a' }), [[]]);
});

test('those that have ended and wait to be reaped do not count, their children do', () => {
  const processes = [process(10, 5, 10, { ended: true }), process(11, 10, 11)];
  assert.deepEqual(pidsOf(processes, [leader(10)]), [[11]]);
});

test('neither this process nor one above it is ever taken for a part of a container', () => {
  const own = globalThis.process.pid;
  const processes = [process(1, 0, 1), process(10, 1, 10), process(own, 10, 10), process(12, 1, 12)];
  const marks = { 1: '/a', 10: '/a', [own]: '/a', 12: '/a' };
  assert.deepEqual(pidsOf(processes, [{ leader: undefined, mark: '/a' }], marks), [[12]]);
});

test('a name with spaces and parentheses does not confuse the reader of /proc', () => {
  const line = '77 (a) S 1 (x)) R 3 4 5 0 -1 0 0 0 0 0 111 222 0 0 20 0 1 0 333 4096 55 1 1 1\n';
  assert.deepEqual(parseStat(line), {
    pid: 77,
    parent: 3,
    group: 4,
    session: 5,
    start: 333,
    ended: false,
    userTime: 111,
    systemTime: 222,
    residentPages: 55,
  });
  assert.equal(parseStat(''), undefined);
  assert.equal(parseStat('77 (cut) S 1'), undefined);
});
