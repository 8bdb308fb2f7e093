/**
 * The checks that are not tests: types, pure folders without Node's types, lint and format, layers and cycles, dead code,
 * freshness of generated files. Runs them side by side, prints what failed, exits 1 if any did.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** Looks at the output of a run that exited 0: some tools pass when they saw nothing. Returns what is wrong. */
  readonly verify?: (output: string) => string | undefined;
}

const TSC = 'node_modules/typescript-7/bin/tsc';

const CHECKS: readonly Check[] = [
  { name: 'types', command: [TSC, '-p', 'tsconfig.json'] },
  { name: 'pure folders compile without Node', command: [TSC, '-p', 'tsconfig.pure.json'] },
  {
    name: 'lint and format',
    command: ['node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off', '--error-on-warnings'],
  },
  {
    name: 'layers and cycles',
    command: [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.mjs',
      'src',
      'bench',
      'test',
    ],
    // Without a TypeScript that it understands, dependency-cruiser sees no module and finds nothing wrong.
    verify: (output) => {
      const modules = Number(/\((\d+) modules/.exec(output)?.[1] ?? 0);
      return modules >= 50
        ? undefined
        : `dependency-cruiser saw ${modules} modules: is the typescript package (version 6) installed?`;
    },
  },
  { name: 'dead code and dependencies', command: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'generated wire code is fresh', command: ['script/generate-wire.ts', '--check'] },
];

function run(check: Check): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...check.command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('close', (code) => resolve(code === 0 ? check.verify?.(output) : output || `exit status ${code}`));
  });
}

const waiting = [...CHECKS];
let failed = false;
async function work(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const problem = await run(check);
    process.stdout.write(problem === undefined ? `ok      ${check.name}\n` : `FAILED  ${check.name}\n${problem}\n`);
    failed ||= problem !== undefined;
  }
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
process.exitCode = failed ? 1 : 0;
