/** Puts values in the place of references, in environments and files, in the last moment before a call leaves for the master. */
import type { CommandInfo, ContainerInfo, Offer_Operation, Secret, TaskInfo } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_scheduler.ts';

/** @returns the value of a secret, if there is one */
export type LookUp = (name: string) => Uint8Array | undefined;

/** The same call, with the values of the secrets that its tasks refer to in their environments and volumes. */
export function withSecrets(call: Call, lookUp: LookUp): Call {
  const operations = call.accept?.operations;
  if (operations === undefined || !operations.some(hasSecrets)) return call;
  return { ...call, accept: { ...call.accept!, operations: operations.map((each) => operationWith(each, lookUp)) } };
}

function tasksOf({ launch, launch_group: group }: Offer_Operation): readonly TaskInfo[] {
  return launch?.task_infos ?? group?.task_group.tasks ?? [];
}

function hasSecrets(operation: Offer_Operation): boolean {
  return tasksOf(operation).some(
    ({ command, container }) =>
      command?.environment?.variables?.some(({ type }) => type === 'SECRET') ||
      container?.volumes?.some(({ source }) => source?.type === 'SECRET'),
  );
}

function operationWith(operation: Offer_Operation, lookUp: LookUp): Offer_Operation {
  const { launch, launch_group: group } = operation;
  const given = (task: TaskInfo): TaskInfo => ({
    ...task,
    ...(task.command && { command: commandWith(task.command, lookUp) }),
    ...(task.container && { container: containerWith(task.container, lookUp) }),
  });
  return {
    ...operation,
    ...(launch && { launch: { ...launch, task_infos: launch.task_infos?.map(given) ?? [] } }),
    ...(group && {
      launch_group: { ...group, task_group: { ...group.task_group, tasks: group.task_group.tasks?.map(given) ?? [] } },
    }),
  };
}

function commandWith(command: CommandInfo, lookUp: LookUp): CommandInfo {
  const variables = command.environment?.variables?.map((variable) => {
    const { secret } = variable;
    return secret === undefined ? variable : { ...variable, secret: secretWith(secret, lookUp) };
  });
  return { ...command, ...(variables && { environment: { variables } }) };
}

function containerWith(container: ContainerInfo, lookUp: LookUp): ContainerInfo {
  const volumes = container.volumes?.map((volume) => {
    const secret = volume.source?.secret;
    return secret === undefined
      ? volume
      : { ...volume, source: { ...volume.source, secret: secretWith(secret, lookUp) } };
  });
  return { ...container, ...(volumes && { volumes }) };
}

function secretWith(secret: Secret, lookUp: LookUp): Secret {
  const name = secret.reference?.name;
  const data = name === undefined ? undefined : lookUp(name);
  // One that was taken away meanwhile stays a reference: agents refuse that, and say so.
  return data === undefined ? secret : { type: 'VALUE', value: { data } };
}
