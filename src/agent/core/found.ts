/** Folders of before a restart that nothing will be written to any more: they are collected as if there had been none. */
import { metaExecutorDirectory, metaFrameworkDirectory } from './checkpoints.ts';
import { agentId, type Context } from './context.ts';
import { showSandbox } from './executors.ts';
import { discard } from './garbage.ts';
import { executorDirectory, frameworkDirectory, virtualRunPath } from './paths.ts';
import type { Leftover, Recovered, RecoveredFramework, RecoveredRun } from './recovered.ts';

interface Found extends Leftover {
  readonly virtual?: string;
}

/** Schedules them by the time of their last change, the oldest first. */
export function discardFound(context: Context, recovered: Recovered): void {
  const { state, env } = context;
  const found: Found[] = [...recovered.leftovers];
  for (const framework of recovered.frameworks) found.push(...endedIn(context, framework));
  found.sort((a, b) => a.modifiedAt - b.modifiedAt);
  for (const { path, virtual, modifiedAt } of found) {
    if (!state.garbage.has(path)) discard(context, path, virtual, Math.max(0, env.wall - modifiedAt));
  }
}

/** The runs that are over, the executors without others, and the framework if it has no executor left. */
function endedIn({ state }: Context, { info, runs }: RecoveredFramework): Found[] {
  const { workDir } = state.options;
  const agent = agentId(state) ?? '';
  const id = info.id?.value ?? '';
  const found: Found[] = [];
  for (const [executorId, ofExecutor] of Map.groupBy(runs, (run) => run.info.executor_id.value)) {
    const folders = [
      executorDirectory(workDir, agent, id, executorId),
      metaExecutorDirectory(workDir, agent, id, executorId),
    ] as const;
    for (const { isCompleted, containerId, modifiedAt } of ofExecutor) {
      if (!isCompleted) continue;
      const [sandbox, meta] = folders.map((folder) => `${folder}/runs/${containerId}`) as [string, string];
      found.push({ path: sandbox, virtual: virtualRunPath(id, executorId), modifiedAt }, { path: meta, modifiedAt });
    }
    found.push(...ended(folders, ofExecutor));
  }
  const folders = [frameworkDirectory(workDir, agent, id), metaFrameworkDirectory(workDir, agent, id)];
  return [...found, ...ended(folders, runs)];
}

/** The folders, if all that is in them is over, as old as the youngest of it. */
function ended(folders: readonly string[], runs: readonly RecoveredRun[]): Found[] {
  if (runs.some(({ isCompleted }) => !isCompleted)) return [];
  const modifiedAt = Math.max(0, ...runs.map((run) => run.modifiedAt));
  return folders.map((path) => ({ path, modifiedAt }));
}

/** Under /files, as far as the runs are remembered in lists. */
export function showCompleted(context: Context): void {
  const { frameworks, completedFrameworks } = context.state;
  const executors = [...frameworks.values(), ...completedFrameworks].flatMap((one) => [...one.completedExecutors]);
  executors.sort((a, b) => a.launchedAt - b.launchedAt);
  for (const executor of executors) showSandbox(context, executor);
}
