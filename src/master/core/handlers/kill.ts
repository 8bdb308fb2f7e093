import type { Call_Kill } from '../../../wire/v1_scheduler.ts';
import { agentOf, type Context, countUp, log, nameFramework, send } from '../context.ts';
import { addTo, type FrameworkRecord, own } from '../records.ts';
import { reconcileTask } from './reconcile.ts';

/** KILL: passed on to the agent, and repeated when it comes back. An unknown task is answered as RECONCILE would. */
export function kill(ctx: Context, framework: FrameworkRecord, call: Call_Kill): void {
  countUp(ctx, 'messages_kill_task');
  const task = framework.tasks.get(call.task_id.value);
  if (task === undefined) {
    reconcileTask(ctx, framework, call);
    return;
  }
  if (call.agent_id !== undefined && call.agent_id.value !== task.agent_id.value) {
    const where = `it is on agent ${task.agent_id.value}, not on ${call.agent_id.value}`;
    log(ctx, 'warning', `Not killing task ${call.task_id.value} of framework ${nameFramework(framework)}: ${where}`);
    return;
  }
  const agent = agentOf(ctx, task.agent_id.value);
  addTo(own(agent, 'pendingKills'), framework.id, task.task_id.value);
  if (!agent.connected) return;
  send(ctx, agent.pid, 'mesos.internal.KillTaskMessage', {
    framework_id: { value: framework.id },
    task_id: task.task_id,
    ...(call.kill_policy !== undefined && { kill_policy: call.kill_policy }),
  });
}
