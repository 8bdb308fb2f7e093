/**
 * Runs the simulator: `npm run sim -- --seeds 1000 --first 5001`, or `--seeds 1..100`; `--seed 7 --verbose` replays one
 * seed and prints what happens. Exit status 1 if a seed failed, 2 if the arguments make no sense.
 */
import { readArguments, USAGE, type Wish } from './arguments.ts';
import { SimulationFailure, simulate } from './simulation.ts';

// Whoever reads has seen enough.
process.stdout.on('error', () => process.exit());

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns the seeds that failed */
function run({ first, last, verbose, quiet }: Wish): number[] {
  const failed: number[] = [];
  const sums = new Map<string, number>();
  const started = performance.now();
  for (let seed = first; seed <= last; seed++) {
    const start = performance.now();
    try {
      const { hash, lines, tasks, stormFor, restAfter, counts } = simulate(seed, verbose ? print : undefined);
      for (const [what, count] of counts) sums.set(what, (sums.get(what) ?? 0) + count);
      sums.set('tasks', (sums.get('tasks') ?? 0) + tasks);
      sums.set('simulated seconds', (sums.get('simulated seconds') ?? 0) + (stormFor + restAfter) / 1000);
      if (quiet) continue;
      const took = Math.round(performance.now() - start);
      print(
        `seed ${seed}: ${hash}, ${lines} lines, ${tasks} tasks, ` +
          `${(stormFor / 1000).toFixed(0)} s of faults, at rest ${(restAfter / 1000).toFixed(1)} s later (took ${took} ms)`,
      );
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error;
      failed.push(seed);
      if (!verbose) for (const line of error.tail) print(`  ${line}`);
      process.stderr.write(`${error.message}\n`);
    }
  }
  summarize(last - first + 1, failed, sums, (performance.now() - started) / 1000);
  return failed;
}

function summarize(seeds: number, failed: readonly number[], sums: ReadonlyMap<string, number>, took: number): void {
  const sum = (what: string): number => Math.round(sums.get(what) ?? 0);
  const faults = [...sums].filter(([what]) => what.startsWith('fault ')).sort(([a], [b]) => (a < b ? -1 : 1));
  const injected = faults.reduce((total, [, count]) => total + count, 0);
  print('');
  print(`${seeds} seeds in ${took.toFixed(1)} s: ${sum('simulated seconds')} simulated seconds, ${sum('tasks')} tasks`);
  print(`${sum('steps')} steps of cores, ${Math.round(sum('steps') / took)} a second`);
  print(`${injected} faults: ${faults.map(([what, count]) => `${what.slice(6)} ${count}`).join(', ')}`);
  const rest = [...sums]
    .filter(([what]) => /^(agents|leaders|writes|marathons)/.test(what))
    .map(([what, n]) => `${n} ${what}`);
  if (rest.length > 0) print(rest.join(', '));
  print(failed.length === 0 ? 'no seed failed' : `${failed.length} seeds failed: ${failed.join(', ')}`);
}

const wish = readArguments(process.argv.slice(2));
if (wish === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
} else if (run(wish).length > 0) process.exitCode = 1;
