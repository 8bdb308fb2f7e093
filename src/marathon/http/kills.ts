/** Killing tasks by the API: launched again, scaled down, or wiped. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import type { Instance } from '../core/model.ts';
import type { MarathonState } from '../core/state.ts';
import { tasksOf, taskViews } from '../views/task.ts';
import { callerOf, flagOf, jsonAnswer, message, outcomeAnswer } from './answers.ts';
import type { MarathonService } from './service.ts';

/** All tasks of these apps. */
export function tasksOfApps(state: MarathonState, ids: readonly string[], withServicePorts = false): readonly object[] {
  return ids.flatMap((id) => tasksOf(state, id, withServicePorts));
}

/** @param shape whether one task is answered, or a list */
export async function killInstances(
  service: MarathonService,
  request: Request,
  instances: readonly Instance[],
  shape: 'task' | 'tasks',
): Promise<Answer> {
  const scale = flagOf(request, 'scale');
  const wipe = flagOf(request, 'wipe');
  if (scale && wipe) return message(400, 'You cannot use scale and wipe at the same time.');
  const ids = instances.map(({ id }) => id);
  // As they were before: that is what is answered.
  const views = instances.flatMap((instance) => taskViews(service.state, instance));
  if (scale) {
    return outcomeAnswer(
      await service.ask({
        kind: 'change',
        change: { kind: 'scaleDown', instances: ids },
        force: flagOf(request, 'force'),
        caller: callerOf(request),
      }),
    );
  }
  const outcome = await service.ask({ kind: 'kill', instances: ids, wipe });
  if (!outcome.ok) return outcomeAnswer(outcome);
  return jsonAnswer(shape === 'task' ? { task: views[0] } : { tasks: views });
}
