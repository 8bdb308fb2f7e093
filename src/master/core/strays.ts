/** What runs on an agent although the master had given it up. */
import { addExecutor, hasExecutor } from './accounting.ts';
import { type AgentLuggage, enterInAllocator } from './agents.ts';
import { type Context, log, nameAgent } from './context.ts';
import type { AgentRecord } from './records.ts';
import { isTerminal, sendUpdate, taskStatus } from './status.ts';
import { addTask } from './tasks.ts';

/**
 * A link that breaks need not mean that the agent died: then tasks without checkpointing, which are lost at once when it
 * breaks, run still. They go back into the books, so that what they use is not offered, and their schedulers are told.
 * The agent must be disconnected, and so have no offers: the allocator learns of it anew.
 */
export function takeInStrays(ctx: Context, agent: AgentRecord, luggage: AgentLuggage): void {
  const before = agent.used;
  for (const executor of luggage.executors) {
    const framework = ctx.state.frameworks.get(executor.framework_id?.value ?? '');
    if (framework === undefined || hasExecutor(framework, agent.id, executor.executor_id.value)) continue;
    addExecutor(framework, agent, executor);
  }
  for (const task of luggage.tasks) {
    const framework = ctx.state.frameworks.get(task.framework_id.value);
    const id = task.task_id.value;
    if (framework === undefined || framework.tasks.has(id) || isTerminal(task.state)) continue;
    log(ctx, 'warning', `Task ${id} of framework ${framework.id} was given up, and runs on agent ${nameAgent(agent)}`);
    framework.completedTasks.remove((ended) => ended.task_id.value === id);
    addTask(framework, agent, task);
    const message = 'Disconnected agent re-registered';
    sendUpdate(
      ctx,
      framework,
      taskStatus(ctx, task, { state: task.state, reason: 'REASON_AGENT_REREGISTERED', message }),
    );
  }
  if (agent.used === before) return;
  ctx.allocator.removeAgent(agent.id);
  enterInAllocator(ctx, agent);
}
