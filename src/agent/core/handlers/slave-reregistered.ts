import { randomUuidBytes } from '../../../base/random.ts';
import type { ReconcileTasksMessage, SlaveReregisteredMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { fateOf } from '../ended.ts';
import { admitted, registerAgain, tellResources } from '../registration.ts';
import type { AgentState } from '../state.ts';
import { type News, reportMissing } from '../status.ts';

/** Also answers for the tasks that the master believes to be here: those that are not have been dropped on the way. */
export function slaveReregistered(context: Context, message: SlaveReregisteredMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a re-registration')) return;
  const { state } = context;
  if (state.info.id === undefined) {
    log(
      context,
      'warning',
      `Ignoring a re-registration as ${message.slave_id.value}: it was meant for who was here before`,
    );
    return;
  }
  if (state.phase === 'disconnected' && state.unansweredInventories === 0) {
    log(
      context,
      'warning',
      'Ignoring a re-registration that answers what was said earlier: it has yet to say what it has now',
    );
    return;
  }
  const isSurplus = state.unansweredInventories === 0;
  if (!isSurplus) state.unansweredInventories--;
  if (!admitted(context, message.slave_id, message.connection)) return;
  const missing = (message.reconciliations ?? []).flatMap((reconciliation) => missingTasks(state, reconciliation));
  if (missing.length > 0) answerFor(context, missing);
  if (isSurplus)
    registerAgain(context, 'the master may have believed what was said before a restart or on an old connection');
}

function answerFor(context: Context, missing: readonly MissingTask[]): void {
  const { state } = context;
  // Their launch may still be on its way, over the connection that was replaced. From here on it is out of date, and is
  // refused: what the master is told to be dropped must never run.
  state.resourceVersion = randomUuidBytes(context.env.random);
  tellResources(context);
  for (const { frameworkId, taskId, news } of missing) reportMissing(context, frameworkId, taskId, news);
}

interface MissingTask {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly news: News;
}

function missingTasks(state: AgentState, { framework_id, framework, statuses }: ReconcileTasksMessage): MissingTask[] {
  const frameworkId = framework_id.value;
  const known = state.frameworks.get(frameworkId);
  const why = { reason: 'REASON_RECONCILIATION', message: 'Reconciliation: task unknown to the agent' } as const;
  return (statuses ?? [])
    .map(({ task_id }) => ({ frameworkId, taskId: task_id.value }))
    .filter(({ taskId }) => !known?.tasks.has(taskId))
    .map((task) => ({ ...task, news: fateOf(state, task, framework ?? known?.info, why) }));
}
