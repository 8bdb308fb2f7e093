import { randomUUID } from 'node:crypto';
import type { Resources } from '../../resources/resources.ts';
import type { CommandInfo } from '../../wire/v1.ts';
import type { Planned } from './session.ts';

export interface TaskRequest {
  readonly command: readonly string[];
  readonly name: string;
  readonly instances: number;
  readonly resources: Resources;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
}

/** A command as its words, run without a shell: what was typed is what runs, with no second round of quoting. */
export function commandOf(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  user?: string,
): CommandInfo {
  const variables = Object.entries(environment).map(([name, value]) => ({ name, type: 'VALUE' as const, value }));
  return {
    shell: false,
    value: words[0]!,
    arguments: words,
    ...(variables.length > 0 && { environment: { variables } }),
    ...(user !== undefined && { user }),
  };
}

/** The tasks of a run. Ids are new for each run, so that two runs of the same name never meet. */
export function planTasks(request: TaskRequest): readonly Planned[] {
  const run = randomUUID().slice(0, 8);
  const command = commandOf(request.command, request.environment, request.user);
  return Array.from({ length: request.instances }, (_, index) => ({
    task: {
      name: request.name,
      task_id: { value: request.instances === 1 ? `${request.name}.${run}` : `${request.name}.${run}.${index}` },
      command,
    },
    resources: request.resources,
  }));
}
