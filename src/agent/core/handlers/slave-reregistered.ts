import type { SlaveReregisteredMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster } from '../context.ts';
import type { Pid } from '../effects.ts';
import { admitted } from '../registration.ts';
import { reportMissing } from '../status.ts';
import { hasCapability } from '../task-state.ts';

/** Also answers for the tasks that the master believes to be here: those that are not have been dropped on the way. */
export function slaveReregistered(context: Context, message: SlaveReregisteredMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a re-registration')) return;
  if (!admitted(context, message.slave_id, message.connection)) return;
  for (const { framework_id, framework, statuses } of message.reconciliations ?? []) {
    const known = context.state.frameworks.get(framework_id.value);
    const info = framework ?? known?.info;
    const aware = info !== undefined && hasCapability(info, 'PARTITION_AWARE');
    for (const { task_id } of statuses ?? []) {
      if (known?.tasks.has(task_id.value)) continue;
      reportMissing(context, framework_id.value, task_id.value, {
        state: aware ? 'TASK_DROPPED' : 'TASK_LOST',
        source: 'SOURCE_AGENT',
        reason: 'REASON_RECONCILIATION',
        message: 'Reconciliation: task unknown to the agent',
      });
    }
  }
}
