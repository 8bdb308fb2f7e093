/** What executors of version 1 say over HTTP. */
import type { TaskStatus } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_executor.ts';
import { type Context, log } from './context.ts';
import { executorSubscribed, tell } from './custom.ts';
import type { AgentEvent } from './events.ts';
import { takeExecutorUpdate } from './executor-update.ts';
import { executorToFramework } from './handlers/executor-to-framework.ts';
import { drainExecutor, executorIsBack } from './recovery.ts';
import type { Executor, Framework } from './state.ts';

type CallEvent = Extract<AgentEvent, { kind: 'executorCall' }>;
type ClosedEvent = Extract<AgentEvent, { kind: 'executorStreamClosed' }>;

export function executorCall(context: Context, { call, stream }: CallEvent): void {
  const framework = context.state.frameworks.get(call.framework_id.value);
  const executor = framework?.executors.get(call.executor_id.value);
  if (!framework || !executor) {
    log(context, 'warning', `Ignoring a call of executor ${call.executor_id.value}: it has gone meanwhile`);
    if (stream !== undefined) context.emit({ kind: 'closeExecutorStream', stream });
    return;
  }
  if (call.type === 'SUBSCRIBE' && stream !== undefined) {
    // What it could not tell before comes first, so that nothing is launched that it has ended.
    for (const { status } of call.subscribe?.unacknowledged_updates ?? []) update(context, framework, executor, status);
    const wasReconnecting = executor.isReconnecting;
    if (wasReconnecting) executorIsBack(context, framework, executor, call.subscribe?.unacknowledged_tasks ?? []);
    executorSubscribed(context, framework, executor, stream);
    if (wasReconnecting) drainExecutor(context, framework, executor);
  } else if (call.update) update(context, framework, executor, call.update.status);
  else if (call.message) message(context, call, call.message.data);
}

function update(context: Context, framework: Framework, executor: Executor, status: TaskStatus): void {
  const { uuid, task_id } = status;
  if (!uuid) return;
  const timestamp = status.timestamp ?? context.env.wall / 1000;
  const received = { framework_id: { value: framework.id }, status, timestamp, uuid };
  if (!takeExecutorUpdate(context, received, `executor ${executor.id}`)) return;
  tell(context, framework, executor, { type: 'ACKNOWLEDGED', acknowledged: { task_id, uuid } });
}

function message(context: Context, call: Call, data: Uint8Array): void {
  const slave_id = context.state.info.id;
  if (!slave_id) return;
  const { framework_id, executor_id } = call;
  executorToFramework(context, { slave_id, framework_id, executor_id, data });
}

/** The executor may come back; until then nothing can be told to it. */
export function executorStreamClosed(context: Context, { stream }: ClosedEvent): void {
  for (const framework of context.state.frameworks.values()) {
    for (const executor of framework.executors.values()) {
      if (executor.stream !== stream) continue;
      log(context, 'info', `Executor ${executor.id} of framework ${framework.id} has disconnected`);
      executor.stream = undefined;
    }
  }
}
