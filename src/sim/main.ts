/**
 * Runs the simulator: `node src/sim/main.ts --seed 7`, `--seeds 1..100`; `--verbose` prints what happens.
 * Exit status 1 if a seed failed, 2 if the arguments make no sense.
 */
import { SimulationFailure, simulate } from './simulation.ts';

interface Wish {
  readonly first: number;
  readonly last: number;
  readonly verbose: boolean;
}

function readArguments(args: readonly string[]): Wish | undefined {
  let range: readonly [number, number] = [1, 20];
  let verbose = false;
  for (let i = 0; i < args.length; i++) {
    const argument = args[i];
    if (argument === '--verbose') verbose = true;
    else if (argument === '--seed' && /^\d+$/.test(args[i + 1] ?? '')) {
      const seed = Number(args[++i]);
      range = [seed, seed];
    } else if (argument === '--seeds' && /^\d+\.\.\d+$/.test(args[i + 1] ?? '')) {
      const [first = '1', last = '20'] = (args[++i] ?? '').split('..');
      range = [Number(first), Number(last)];
    } else return undefined;
  }
  return { first: range[0], last: range[1], verbose };
}

function run({ first, last, verbose }: Wish): number {
  let failures = 0;
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  for (let seed = first; seed <= last; seed++) {
    const start = performance.now();
    try {
      const { hash, lines, tasks, stormFor, restAfter } = simulate(seed, verbose ? print : undefined);
      const took = Math.round(performance.now() - start);
      print(
        `seed ${seed}: ${hash}, ${lines} lines, ${tasks} tasks, ` +
          `${(stormFor / 1000).toFixed(0)} s of faults, at rest ${(restAfter / 1000).toFixed(1)} s later (took ${took} ms)`,
      );
    } catch (error) {
      failures++;
      if (!(error instanceof SimulationFailure)) throw error;
      if (!verbose) for (const line of error.tail) print(`  ${line}`);
      process.stderr.write(`${error.message}\n`);
    }
  }
  return failures;
}

const wish = readArguments(process.argv.slice(2));
if (wish === undefined) {
  process.stderr.write('usage: node src/sim/main.ts [--seed N | --seeds A..B] [--verbose]\n');
  process.exitCode = 2;
} else if (run(wish) > 0) process.exitCode = 1;
