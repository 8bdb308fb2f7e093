import type { Call_Acknowledge } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, nameFramework, send } from '../context.ts';
import type { FrameworkRecord } from '../records.ts';
import { sameMessage } from '../same-message.ts';
import { isTerminal } from '../status.ts';
import { removeTask } from '../tasks.ts';

/** ACKNOWLEDGE: passed on to the agent. When the end of a task is acknowledged, the master lets go of the task. */
export function acknowledge(ctx: Context, framework: FrameworkRecord, call: Call_Acknowledge): void {
  countUp(ctx, 'messages_status_update_acknowledgement');
  const { task_id, agent_id, uuid } = call;
  const agent = ctx.state.agents.get(agent_id.value);
  const task = framework.tasks.get(task_id.value);
  const here = task?.agent_id.value === agent_id.value ? task : undefined;
  const unasked = here !== undefined && here.status_update_state === undefined;
  if (agent === undefined || !agent.connected || unasked) {
    const why = unasked ? 'no status was sent' : `agent ${agent_id.value} is not connected`;
    const what = `acknowledgement for task ${task_id.value} of framework ${nameFramework(framework)}`;
    log(ctx, 'warning', `Ignoring ${what}: ${why}`);
    countUp(ctx, 'invalid_status_update_acknowledgements');
    return;
  }
  if (here?.status_update_state !== undefined && isTerminal(here.status_update_state)) {
    const ends = [here.status_update_uuid, ...(framework.earlierEnds.get(task_id.value) ?? [])];
    if (ends.some((end) => sameMessage(end, uuid))) {
      removeTask(ctx, framework, here, 'completed');
      agent.passedOn.note(framework.id, task_id.value, uuid);
    }
  }
  send(ctx, agent.pid, 'mesos.internal.StatusUpdateAcknowledgementMessage', {
    slave_id: agent_id,
    framework_id: { value: framework.id },
    task_id,
    uuid,
  });
  countUp(ctx, 'valid_status_update_acknowledgements');
}
