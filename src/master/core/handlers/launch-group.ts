import { mapExecutor, mapTask } from '../../../resources/carriers.ts';
import type { Offer_Operation } from '../../../wire/v1.ts';
import { type Context, send } from '../context.ts';
import { resourceFor } from '../offers.ts';
import { count } from '../records.ts';
import { validateGroup } from '../validation/group.ts';
import type { Acceptance } from './acceptance.ts';
import { allocated, refuseTask, startTask, unauthorized, versionsOf } from './launch.ts';

/** LAUNCH_GROUP: all tasks under one executor, or none. */
export function launchGroup(ctx: Context, acceptance: Acceptance, operation: Offer_Operation): void {
  const { launch_group: group } = operation;
  if (group === undefined) return;
  const { framework, agent, role, available } = acceptance;
  const executor = mapExecutor(group.executor, (resource) => allocated(resource, role));
  const tasks = (group.task_group.tasks ?? []).map((given) =>
    mapTask({ ...given, executor: given.executor ?? group.executor }, (resource) => allocated(resource, role)),
  );
  const valid = validateGroup(tasks, executor, { framework, agent, available });
  if (!valid.ok) {
    for (const task of tasks) refuseTask(ctx, framework, task, 'REASON_TASK_GROUP_INVALID', valid.error);
    return;
  }
  for (const task of tasks) {
    const refusal = unauthorized(ctx, framework, task, executor);
    if (refusal === undefined) continue;
    for (const each of tasks) refuseTask(ctx, framework, each, 'REASON_TASK_GROUP_UNAUTHORIZED', refusal);
    return;
  }
  if (tasks.length === 0) return;
  const isNew = tasks.map((task) => startTask(ctx, acceptance, task, executor)).some((added) => added);
  count(framework.counters.operations, 'LAUNCH_GROUP');
  send(ctx, agent.pid, 'mesos.internal.RunTaskGroupMessage', {
    framework: framework.info,
    executor: mapExecutor(executor, (resource) => resourceFor(agent.capabilities, resource)),
    task_group: { tasks: tasks.map((task) => mapTask(task, (resource) => resourceFor(agent.capabilities, resource))) },
    launch_executor: isNew,
    ...versionsOf(agent),
  });
}
