import { readTextFile } from '../config/files.ts';
import { loadFlags } from '../config/load.ts';
import { argvSource, environmentSource } from '../config/source.ts';
import { agentProgram } from './flags.ts';

/** Reads the flags, and runs an agent if they are right. */
export async function start(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const outcome = loadFlags(agentProgram, [argvSource(argv), environmentSource(env)], readTextFile);
  if (outcome.kind === 'exit') {
    process.stdout.write(outcome.stdout);
    process.stderr.write(outcome.stderr);
    process.exitCode = outcome.code;
    return;
  }
  const [{ run }, { openContainers }] = await Promise.all([import('./run.ts'), import('./containers/containers.ts')]);
  await run(outcome.flags, openContainers);
}
