import type { Resources } from '../../src/resources/resources.ts';
import { AllocatorStage, parse } from '../allocator-stage.ts';
import type { Sample, Scenario } from '../scenario.ts';

interface User {
  readonly name: string;
  /** Of one task: cpus, and gigabytes of memory. */
  readonly demand: readonly [cpus: number, mem: number];
  readonly weight?: number;
}

interface Outcome {
  readonly tasks: readonly number[];
  /** Who was given each task, and the share of each user after it, in thousandths of the whole. */
  readonly picks: string;
  readonly shares: readonly (readonly number[])[];
  /** Cpus and memory. */
  readonly used: readonly number[];
}

type Total = readonly [cpus: number, mem: number];

interface Vector {
  readonly source: string;
  readonly total: Total;
  readonly users: readonly User[];
  /** Tasks by user; more than one outcome where a tie decides. */
  readonly tasks: readonly (readonly number[])[];
  /** Tasks that the paper gives where tasks can be split: one apart from whole tasks at most. */
  readonly continuous?: readonly number[];
  readonly more?: (outcome: Outcome) => boolean;
}

const A: User = { name: '2-A', demand: [1, 4] };
const B: User = { name: '1-B', demand: [3, 1] };

function users(...demands: (readonly [number, number])[]): User[] {
  return demands.map((demand, i) => ({ name: `u${String(i).padStart(2, '0')}`, demand }));
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function resources([cpus, mem]: readonly [number, number]): Resources {
  return parse([cpus > 0 ? `cpus:${cpus}` : '', mem > 0 ? `mem:${mem}` : ''].filter((part) => part !== '').join(';'));
}

/** Ghodsi et al., NSDI 2011; whole tasks, one at a time, of the user with the smallest share whose task fits. */
const VECTORS: readonly Vector[] = [
  {
    source: 'section 4.1',
    total: [9, 18],
    users: [A, B],
    tasks: [[3, 2]],
    continuous: [3, 2],
    more: ({ used }) => same(used, [9, 14]),
  },
  {
    source: 'section 4.1, the other first',
    total: [9, 18],
    users: [
      { ...A, name: '1-A' },
      { ...B, name: '2-B' },
    ],
    tasks: [[3, 2]],
  },
  {
    source: 'table 1',
    total: [9, 18],
    users: [A, B],
    tasks: [[3, 2]],
    more: ({ picks, shares }) =>
      picks === 'BAABA' && same(shares.flat(), [0, 333, 222, 333, 444, 333, 444, 667, 667, 667]),
  },
  {
    source: 'section 4.3, A with weight 2',
    total: [9, 18],
    users: [{ ...A, weight: 2 }, B],
    tasks: [
      [4, 1],
      [3, 2],
    ],
  },
  {
    source: 'theorem 1',
    total: [30, 30],
    users: users([1, 3], [1, 1]),
    tasks: [[5, 15]],
    more: ({ used }) => same(used, [20, 30]),
  },
  { source: 'theorem 2', total: [21, 21], users: users([3, 2], [4, 1]), tasks: [[3, 3]], continuous: [3.5, 2.625] },
  { source: 'theorem 3', total: [77, 77], users: users([4, 2], [1, 1]), tasks: [[10, 37]] },
  { source: 'theorem 3, twice the memory', total: [77, 154], users: users([4, 2], [1, 1]), tasks: [[10, 37]] },
  { source: 'theorem 4', total: [100, 100], users: users([16, 1], [1, 2]), tasks: [[4, 36]] },
  { source: 'theorem 4, with the lie', total: [100, 100], users: users([16, 8], [1, 2]), tasks: [[4, 34]] },
  { source: 'theorem 5', total: [100, 100], users: users([4, 1], [1, 16], [16, 1]), tasks: [[12, 4, 3]] },
  {
    source: 'appendix',
    total: [90, 90],
    users: users([1, 0], ...Array.from({ length: 9 }, () => [0, 1] as const)),
    tasks: [[90, ...Array.from({ length: 9 }, () => 10)]],
  },
  {
    source: 'appendix, user 1 asks for both',
    total: [90, 90],
    users: users([1, 1], ...Array.from({ length: 9 }, () => [0, 1] as const)),
    tasks: [Array.from({ length: 10 }, () => 9)],
  },
];

/** Each user launches one task on what he is offered, gives back the rest, and declines for good what his task does not fit. */
function play({ total, users }: Vector): Outcome {
  const stage = new AllocatorStage({ minAllocatable: [] });
  stage.addAgent('a', resources(total));
  stage.allocator.updateWeights(users.map(({ name, weight = 1 }) => [name, weight]));
  for (const { name } of users) stage.addFramework(name, name);
  const tasks = users.map(() => 0);
  const shares: number[][] = [];
  let picks = '';
  for (let given = stage.allocate(); given.length > 0; given = stage.allocate()) {
    for (const one of given) {
      const who = users.findIndex(({ name }) => name === one.role);
      const task = resources(users[who]!.demand).allocate(one.role);
      if (!one.resources.contains(task)) {
        stage.declineForGood([one]);
        continue;
      }
      tasks[who]!++;
      picks += users[who]!.name.slice(-1);
      stage.recover([{ ...one, resources: one.resources.minus(task) }]);
      shares.push(users.map(({ name }) => Math.round(stage.allocator.roleShare(name) * 1000)));
    }
  }
  const free = stage.allocator.available('a');
  const used = [total[0] - free.scalar('cpus') / 1000, total[1] - free.scalar('mem') / 1000];
  return { tasks, picks, shares, used };
}

function isExact(vector: Vector): boolean {
  const outcome = play(vector);
  return (
    vector.tasks.some((tasks) => same(tasks, outcome.tasks)) &&
    (vector.continuous?.every((tasks, i) => Math.abs(tasks - outcome.tasks[i]!) <= 1) ?? true) &&
    (vector.more?.(outcome) ?? true)
  );
}

const NODES = 48;

/**
 * Section 7.1: two jobs on 48 nodes with 4 cpus and 14 GB each. The nodes fill up one after the other; a job that is offered
 * one runs one task on it, and declines it for good when the task does not fit.
 */
function dynamic(demands: readonly (readonly [number, number])[]): number[] {
  const stage = new AllocatorStage({ minAllocatable: [] });
  const nodes = Array.from({ length: NODES }, (_, i) => `n${i}`);
  for (const node of nodes) stage.addAgent(node, resources([4, 14]));
  const names = demands.map((_, i) => `job${i}`);
  for (const name of names) stage.addFramework(name, name);
  const tasks = demands.map(() => 0);
  for (const node of nodes) {
    for (let given = stage.allocate([node]); given.length > 0; given = stage.allocate([node])) {
      for (const one of given) {
        const who = names.indexOf(one.role);
        const task = resources(demands[who]!).allocate(one.role);
        if (one.resources.contains(task)) {
          tasks[who]!++;
          stage.recover([{ ...one, resources: one.resources.minus(task) }]);
        } else {
          stage.declineForGood([one]);
        }
      }
    }
  }
  return tasks;
}

function share(name: string, exact: number, of: number): Sample {
  return { metric: name, unit: '%', value: (100 * exact) / of };
}

export const scenario: Scenario = {
  name: 'drf-vectors',
  about: 'The examples of the DRF paper, played through the allocator: how many come out exactly as the paper says.',
  run(): Sample[] {
    const wrong = VECTORS.filter((vector) => !isExact(vector));
    const first = dynamic([
      [1, 10],
      [1, 1],
    ]);
    const second = dynamic([
      [2, 4],
      [1, 3],
    ]);
    const phases = [
      { source: 'section 7.1, phase 1', is: same(first, [48, 144]) },
      { source: 'section 7.1, phase 2', is: same(second, [48, 96]) },
    ];
    const all = VECTORS.length + phases.length;
    const missed = [...wrong, ...phases.filter(({ is }) => !is)].map(({ source }) => source);
    if (missed.length > 0)
      throw new Error(`not as in the paper: ${missed.join('; ')} (${[first, second].join(' / ')})`);
    return [share('exact', all - missed.length, all), { metric: 'vectors', unit: 'count', value: all }];
  },
};
