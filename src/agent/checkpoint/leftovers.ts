/** Folders that nothing will ever be written to again, of which no agent that is restarted knows by its checkpoints. */
import { join } from 'node:path';
import type { Leftover } from '../core/recovered.ts';
import { modifiedAt, namesIn } from './files.ts';

/** The folders of agents that this machine was before. @param latest the id that it has now */
export function agentFolders(workDir: string, latest: string | undefined): Leftover[] {
  return ['meta/slaves', 'slaves'].flatMap((folder) => {
    return entries(join(workDir, folder)).filter(({ name }) => name !== latest);
  });
}

/** The sandboxes of frameworks without checkpoints: what ran there ended with the agent that knew of it. */
export function strayFolders(workDir: string, latest: string): Leftover[] {
  const meta = join(workDir, 'meta/slaves', latest, 'frameworks');
  const frameworks = join(workDir, 'slaves', latest, 'frameworks');
  const known = new Set(entries(meta).map(({ name }) => name));
  return entries(frameworks).flatMap((framework) => {
    const runs = entries(join(framework.path, 'executors')).flatMap((executor) => {
      const inMeta = new Set(
        entries(join(meta, framework.name, 'executors', executor.name, 'runs')).map(({ name }) => name),
      );
      return entries(join(executor.path, 'runs')).filter(({ name }) => !inMeta.has(name));
    });
    if (known.has(framework.name)) return runs;
    // With nothing inside that is younger, the folder as a whole may go.
    return [{ ...framework, modifiedAt: Math.max(framework.modifiedAt, ...runs.map((run) => run.modifiedAt)) }];
  });
}

function entries(folder: string): (Leftover & { readonly name: string })[] {
  const names = namesIn(folder);
  if (!names.ok) return [];
  return names.value.map((name) => {
    const path = join(folder, name);
    return { name, path, modifiedAt: modifiedAt(path) ?? 0 };
  });
}
