/** What the agent remembers on disk of containers that operators have launched: one JSON file each, under `meta/containers`. */
import { metaDirectory, persist, text } from './checkpoints.ts';
import { partsOf } from './container-id.ts';
import type { Context } from './context.ts';
import type { Termination } from './effects.ts';
import type { AgentState, OperatorContainer } from './state.ts';

/** The content of such a file. */
export interface KeptContainer {
  /** The id, the outermost ancestor first. */
  readonly id: readonly string[];
  readonly sandbox: string;
  readonly user?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Present once it has ended. */
  readonly termination?: Termination | undefined;
}

/** The name of the file in the folder of its container. */
export const KEPT_FILE = 'meseta.container';

/** Where these folders lie, each in that of its parent. */
export function keptFolder(workDir: string, id: readonly string[]): string {
  return [metaDirectory(workDir), ...id].join('/containers/');
}

/** The container is about to be started, or has ended. */
export function rememberContainer(context: Context, container: OperatorContainer): void {
  if (!container.isKept) return;
  const { sandbox, user, environment, termination } = container;
  const id = partsOf(container.id);
  const kept: KeptContainer = { id, sandbox, user, environment, termination };
  const path = `${keptFolder(context.state.options.workDir, id)}/${KEPT_FILE}`;
  persist(context, { how: 'replace', path, bytes: text(JSON.stringify(kept)) });
}

/** Neither the container nor what was nested in it is of interest any more. */
export function forgetContainerFile(context: Context, container: OperatorContainer): void {
  if (!container.isKept) return;
  persist(context, { how: 'remove', path: keptFolder(context.state.options.workDir, partsOf(container.id)) });
}

/** Whether a container that belongs to no framework outlives the agent. */
export function keepsStandalone({ options }: AgentState): boolean {
  return options.checkpoint;
}
