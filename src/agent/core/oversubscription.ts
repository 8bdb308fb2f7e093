import { Resources } from '../../resources/resources.ts';
import { type Context, log, send } from './context.ts';
import { allocatedOn } from './views/allocated.ts';

const TIMER = 'oversubscription';

/**
 * What upstream's fixed estimator says can be offered once more, and what is in use of that already: the total that the
 * master is told. Nothing without an estimator.
 */
function estimate(context: Context): Resources | undefined {
  const { oversubscription } = context.state.options;
  if (oversubscription === undefined) return undefined;
  const used = allocatedOn(context.state).revocable().unallocate();
  const fixed = Resources.of(oversubscription.resources);
  return used.plus(fixed.minus(used));
}

/** The master has admitted the agent, and is about to be told what can be oversubscribed. */
export function beginEstimates(context: Context): void {
  const { state } = context;
  const { oversubscription } = state.options;
  if (oversubscription === undefined) return;
  state.oversubscribed = estimate(context);
  context.emit({ kind: 'arm', key: TIMER, after: oversubscription.interval });
}

/** Estimates anew; the master hears of it if something has changed. */
export function estimateAgain(context: Context): void {
  const { state } = context;
  const { oversubscription } = state.options;
  if (oversubscription === undefined) return;
  const now = estimate(context) ?? Resources.EMPTY;
  const changed = state.oversubscribed === undefined || !state.oversubscribed.equals(now);
  state.oversubscribed = now;
  if (changed && state.phase === 'running' && state.master !== undefined && state.info.id !== undefined) {
    log(context, 'info', `Telling the master that ${now} can be oversubscribed`);
    // Operations cannot be about these resources: the version of the others stays, and nothing is said of them.
    send(context, state.master, 'mesos.internal.UpdateSlaveMessage', {
      slave_id: state.info.id,
      update_oversubscribed_resources: true,
      oversubscribed_resources: now.toProto(),
    });
  }
  context.emit({ kind: 'arm', key: TIMER, after: oversubscription.interval });
}
