/** What may be shown of a container and what may be written to disk: everything but the values of secrets. */
import type { CommandInfo, ContainerInfo, Secret, TaskInfo, Volume } from './v1.ts';

/** The same container, whose secrets that are to be files have no values any more. */
export function withoutSecrets<T extends ContainerInfo | undefined>(container: T): T {
  if (!container?.volumes?.some(hasValue)) return container;
  return { ...container, volumes: container.volumes.map(withoutValue) };
}

/** The same command, in whose environment secrets have no values. */
export function commandWithoutSecrets(command: CommandInfo): CommandInfo {
  const variables = command.environment?.variables;
  if (!variables?.some(({ secret }) => secret?.value !== undefined)) return command;
  return {
    ...command,
    environment: {
      variables: variables.map(({ secret, ...variable }) =>
        secret === undefined ? variable : { ...variable, secret: withoutData(secret) },
      ),
    },
  };
}

/** The same task, in whose container secrets have no values. */
export function taskWithoutSecrets(task: TaskInfo): TaskInfo {
  const container = withoutSecrets(task.container);
  return container === task.container ? task : { ...task, container };
}

function hasValue({ source }: Volume): boolean {
  return source?.secret?.value !== undefined;
}

function withoutValue(volume: Volume): Volume {
  if (!hasValue(volume)) return volume;
  return { ...volume, source: { ...volume.source, secret: withoutData(volume.source!.secret!) } };
}

function withoutData({ value: _, ...rest }: Secret): Secret {
  return rest;
}
