import { readTextFile } from '../config/files.ts';
import { loadFlags } from '../config/load.ts';
import { marathonArguments, marathonEnvironment } from './flag-source.ts';
import { marathonFlags, marathonProgram } from './flags.ts';

/** Upstream's exit status for flags that cannot be used. */
const BAD_FLAGS = 112;

/** Reads the flags, and runs Marathon if they are right. */
export async function start(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const sources = [marathonArguments(argv, marathonFlags), marathonEnvironment(env, marathonFlags)];
  const outcome = loadFlags(marathonProgram, sources, readTextFile);
  if (outcome.kind === 'exit') {
    process.stdout.write(outcome.stdout);
    process.stderr.write(outcome.stderr);
    process.exitCode = outcome.code === 0 ? 0 : BAD_FLAGS;
    return;
  }
  const { run } = await import('./run.ts');
  await run(outcome.flags);
}
