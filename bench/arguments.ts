import { parseArgs } from 'node:util';
import { err, ok, type Result } from '../src/base/result.ts';

export const DEFAULT_RUNS = 5;

export const USAGE = `Usage: npm run bench -- [options] NAME…

Runs the named scenarios one after the other, each in a process of its own: a warm-up, then the runs that count.
Without a name it lists them. Options:
  --runs N       runs that count (default ${DEFAULT_RUNS}; fewer than that say little)
  --json         one JSON object a line instead of the table
  --profile DIR  write CPU profiles (for Chrome's DevTools) of every process that takes part to DIR
  --all          every scenario there is
`;

export interface Arguments {
  readonly names: readonly string[];
  readonly runs: number;
  readonly json: boolean;
  readonly help: boolean;
  readonly profile: string | undefined;
}

/** Reads the command line. @param known the names that there are */
export function parseArguments(argv: readonly string[], known: readonly string[]): Result<Arguments> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return err((error as Error).message);
  }
  const { values, positionals } = parsed;
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) return err(`--runs ${values.runs}: write a whole number, 1 or more`);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return err(`there is no scenario '${unknown.join("', '")}'; there are: ${known.join(', ')}`);
  }
  const names = values.all ? known : [...new Set(positionals)];
  return ok({ names, runs, json: values.json, help: values.help, profile: values.profile });
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: String(DEFAULT_RUNS) },
      json: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
}
