/** Remembers the last failure of each app and pod. */
import type { TaskStatus } from '../../wire/v1.ts';
import type { Context } from './context.ts';
import type { Instance, TaskFailure, TaskRecord } from './model.ts';
import { specRecord } from './state.ts';
import { failureKey } from './stored.ts';

const FAILURES: ReadonlySet<string> = new Set([
  'TASK_FAILED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
]);

/** Keeps what an update says, if it is a failure. */
export function noteFailure(ctx: Context, instance: Instance, task: TaskRecord, status: TaskStatus): void {
  if (!FAILURES.has(status.state)) return;
  keepFailure(ctx, instance, task.id, status.state, status.message ?? '');
}

/** Keeps a failure as the last one of its app or pod. */
export function keepFailure(ctx: Context, instance: Instance, taskId: string, state: string, message: string): void {
  const { placement, specId, spec } = instance;
  const failure: TaskFailure = {
    specId,
    taskId,
    state,
    message,
    host: placement?.host ?? '',
    version: spec.version,
    timestamp: ctx.env.wall,
    ...(placement && { agentId: placement.agentId }),
  };
  specRecord(ctx.state, specId).lastFailure = failure;
  ctx.emit({ kind: 'store', key: failureKey(specId), value: failure });
}
