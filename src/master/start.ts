import { readTextFile } from '../config/files.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource, environmentSource } from '../config/source.ts';
import { masterProgram } from './flags.ts';

/** Reads the flags, and runs a master if they are right. */
export async function start(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const outcome = loadFlags(masterProgram, [argvSource(argv), environmentSource(env)], readTextFile);
  if (outcome.kind === 'exit') {
    process.stdout.write(outcome.stdout);
    process.stderr.write(outcome.stderr);
    process.exitCode = outcome.code;
    return;
  }
  const { run } = await import('./run.ts');
  await run(outcome.flags);
}
