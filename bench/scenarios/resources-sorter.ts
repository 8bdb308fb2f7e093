import { Resources } from '../../src/resources/resources.ts';
import type { Resource } from '../../src/wire/v1.ts';
import { AllocatorStage, elapsed, expectEqual, fragmentedPorts, ms, parse } from '../allocator-stage.ts';
import type { Sample, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

const AGENTS = 50_000;
const CLIENTS = 1_000;
const ROLES = 200;
const OPERATIONS = 20;
const RANGES = 1_000;

/** Upstream's FullSort asks the sorter alone; here the whole allocator takes back what it had given, ports and all. */
function fullSort(): Sample[] {
  const stage = new AllocatorStage();
  const total = parse('cpus:24;mem:4096;disk:4096;ports:[31000-32000]');
  const text = `cpus:16;mem:2014;disk:1024;${fragmentedPorts(31000, 32000, 100)}`;
  const used = parse(text).allocate('*');
  // Equal, but not the same object: what comes back was put together elsewhere.
  const returned = parse(text).allocate('*');
  for (let i = 0; i < CLIENTS; i++) stage.addFramework(`f${i}`, '*');
  const added = elapsed(() => {
    for (let i = 0; i < AGENTS; i++) stage.addAgent(`a${i}`, total, [[`f${i % CLIENTS}`, used]]);
  });
  if (stage.allocator.roleShare('*') === 0) throw new Error('what is used must count');
  const removed = elapsed(() => {
    for (let i = 0; i < AGENTS; i++) {
      stage.allocator.recoverResources(`f${i % CLIENTS}`, `a${i}`, returned, undefined, 0);
    }
  });
  expectEqual('share when all is returned', stage.allocator.roleShare('*'), 0);
  for (let i = 0; i < AGENTS; i++) {
    if (!stage.allocator.available(`a${i}`).equals(total)) throw new Error(`all of a${i} must be free`);
  }
  return [ms('add 50k allocations', added), ms('remove 50k allocations', removed)];
}

function reserved(role: string, i: number): Resource[] {
  return ['cpus', 'mem', 'disk', 'ports'].map((name) => ({
    name,
    ...(name === 'ports'
      ? { type: 'RANGES', ranges: { range: [{ begin: 2, end: 2 }] } }
      : { type: 'SCALAR', scalar: { value: 100 } }),
    reservations: [
      { type: 'DYNAMIC', role, labels: { labels: [{ key: 'Label', value: `${name}-${i}-`.padEnd(36, 'x') }] } },
    ],
  }));
}

/** Upstream's UpdateAllocation: one agent with labelled reservations of many roles, and one framework that changes its own. */
function updateAllocation(): Sample[] {
  const stage = new AllocatorStage();
  const lists = Array.from({ length: ROLES }, (_, i) => reserved(`role-${i}`, i));
  for (let i = 0; i < ROLES; i++) stage.addFramework(`f${i}`, `role-${i}`);
  const held = lists.map((list, i) => Resources.of(list).allocate(`role-${i}`));
  stage.addAgent(
    'a',
    Resources.of(lists.flat()),
    held.map((resources, i) => [`f${i}`, resources]),
  );
  const own = held[0]!;
  const plain = own.toUnreserved();
  const { allocator } = stage;
  const unreserves: number[] = [];
  const reserves: number[] = [];
  for (let i = 0; i < OPERATIONS; i++) {
    unreserves.push(elapsed(() => allocator.updateAllocation('f0', 'a', own, plain)));
    expectEqual('reserved to the role', Number(allocator.allocated('f0', 'a').reserved().isEmpty), 1);
    reserves.push(elapsed(() => allocator.updateAllocation('f0', 'a', plain, own)));
    if (!allocator.allocated('f0', 'a').equals(own)) throw new Error('the reservations must be back');
  }
  return [
    ms(`one RESERVE with ${ROLES} roles`, median(reserves)),
    ms(`one UNRESERVE with ${ROLES} roles`, median(unreserves)),
  ];
}

function stripes(first: number): Resources {
  return Resources.of([
    {
      name: 'ports',
      type: 'RANGES',
      ranges: { range: Array.from({ length: RANGES }, (_, i) => ({ begin: first + i * 10, end: first + i * 10 + 5 })) },
    },
  ]);
}

/** Upstream's ArithmeticOverlapping: ports in a thousand intervals each, every one overlapping two of the other. */
function ranges(): Sample[] {
  const a = stripes(1);
  const b = stripes(3);
  const times = 1000;
  let sum = Resources.EMPTY;
  let rest = Resources.EMPTY;
  const added = elapsed(() => {
    for (let i = 0; i < times; i++) sum = a.plus(b);
  });
  const subtracted = elapsed(() => {
    for (let i = 0; i < times; i++) rest = a.minus(b);
  });
  expectEqual('ports of the sum', sum.ranges('ports').length, RANGES * 2);
  expectEqual('ports of the difference', rest.ranges('ports').length, RANGES * 2);
  return [ms(`a + b, ${RANGES} ranges each`, added / times), ms(`a - b, ${RANGES} ranges each`, subtracted / times)];
}

export const scenario: Scenario = {
  name: 'resources-sorter',
  about: `The algebra of resources: ${AGENTS} agents take back ports in 100 ranges from ${CLIENTS} frameworks; RESERVE on an agent with ${ROLES} roles; ports in ${RANGES} ranges.`,
  run(): Sample[] {
    return [...fullSort(), ...updateAllocation(), ...ranges()];
  },
};
