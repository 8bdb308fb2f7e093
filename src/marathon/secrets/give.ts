/** Puts values in the place of references, in the last moment before a call leaves for the master. */
import type { CommandInfo, Offer_Operation, TaskInfo } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_scheduler.ts';

/** @returns the value of a secret, if there is one */
export type LookUp = (name: string) => Uint8Array | undefined;

/** The same call, with the values of the secrets that its tasks refer to in their environments. */
export function withSecrets(call: Call, lookUp: LookUp): Call {
  const operations = call.accept?.operations;
  if (operations === undefined || !operations.some(hasSecrets)) return call;
  return { ...call, accept: { ...call.accept!, operations: operations.map((each) => operationWith(each, lookUp)) } };
}

function tasksOf({ launch, launch_group: group }: Offer_Operation): readonly TaskInfo[] {
  return launch?.task_infos ?? group?.task_group.tasks ?? [];
}

function hasSecrets(operation: Offer_Operation): boolean {
  return tasksOf(operation).some(({ command }) =>
    command?.environment?.variables?.some(({ type }) => type === 'SECRET'),
  );
}

function operationWith(operation: Offer_Operation, lookUp: LookUp): Offer_Operation {
  const { launch, launch_group: group } = operation;
  const given = (task: TaskInfo): TaskInfo =>
    task.command === undefined ? task : { ...task, command: commandWith(task.command, lookUp) };
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
    const name = variable.secret?.reference?.name;
    const data = name === undefined ? undefined : lookUp(name);
    // One that was taken away meanwhile stays a reference: agents refuse that, and say so.
    return data === undefined ? variable : { ...variable, secret: { type: 'VALUE' as const, value: { data } } };
  });
  return { ...command, ...(variables && { environment: { variables } }) };
}
