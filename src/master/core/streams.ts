/** What schedulers are told, over the connection that they have: an HTTP event stream, or libprocess for v0 drivers. */
import type { Event } from '../../wire/v1_scheduler.ts';
import { type Context, send } from './context.ts';
import { count, type FrameworkRecord } from './records.ts';
import type { Pid, StreamId } from './state.ts';

/** Streams share ticks of the wheel, so that ten thousand heartbeats need few wake-ups. */
const HEARTBEAT_TICK = 100;

/**
 * Sends an event, if the framework is connected.
 * @param agentPid of the agent that waits for an acknowledgement of this update; v0 drivers look at it
 */
export function sendToFramework(ctx: Context, framework: FrameworkRecord, event: Event, agentPid?: Pid): void {
  const { connection } = framework;
  if (framework.state !== 'CONNECTED' || connection === undefined) return;
  count(framework.counters.events, event.type ?? 'UNKNOWN');
  if (connection.kind === 'http') ctx.emit({ kind: 'event', stream: connection.stream, event });
  else sendToDriver(ctx, framework, connection.pid, event, agentPid);
}

function sendToDriver(
  ctx: Context,
  framework: FrameworkRecord,
  pid: Pid,
  event: Event,
  agentPid: Pid | undefined,
): void {
  const frameworkId = { value: framework.id };
  if (event.offers !== undefined) {
    const offers = event.offers.offers ?? [];
    const pids = offers.map((offer) => ctx.state.agents.get(offer.agent_id.value)?.pid ?? '');
    send(ctx, pid, 'mesos.internal.ResourceOffersMessage', { offers, pids });
  } else if (event.rescind !== undefined) {
    send(ctx, pid, 'mesos.internal.RescindResourceOfferMessage', event.rescind);
  } else if (event.update !== undefined) {
    const { status } = event.update;
    send(ctx, pid, 'mesos.internal.StatusUpdateMessage', {
      update: {
        framework_id: frameworkId,
        status,
        timestamp: status.timestamp ?? 0,
        ...(status.executor_id !== undefined && { executor_id: status.executor_id }),
        ...(status.agent_id !== undefined && { slave_id: status.agent_id }),
        ...(status.uuid !== undefined && { uuid: status.uuid }),
      },
      ...(agentPid !== undefined && { pid: agentPid }),
    });
  } else if (event.message !== undefined) {
    const { agent_id, executor_id, data } = event.message;
    send(ctx, pid, 'mesos.internal.ExecutorToFrameworkMessage', {
      slave_id: agent_id,
      framework_id: frameworkId,
      executor_id,
      data,
    });
  } else if (event.failure?.agent_id !== undefined) {
    const { agent_id, executor_id, status } = event.failure;
    if (executor_id === undefined) send(ctx, pid, 'mesos.internal.LostSlaveMessage', { slave_id: agent_id });
    else {
      const exited = { slave_id: agent_id, framework_id: frameworkId, executor_id, status: status ?? -1 };
      send(ctx, pid, 'mesos.internal.ExitedExecutorMessage', exited);
    }
  } else if (event.error !== undefined) {
    send(ctx, pid, 'mesos.internal.FrameworkErrorMessage', { message: event.error.message });
  }
}

/** The first words on a new event stream, and the heartbeat from now on. */
export function greetStream(ctx: Context, framework: FrameworkRecord): void {
  sendToFramework(ctx, framework, {
    type: 'SUBSCRIBED',
    subscribed: {
      framework_id: { value: framework.id },
      heartbeat_interval_seconds: ctx.options.heartbeatInterval / 1000,
      master_info: ctx.state.info,
    },
  });
  heartbeat(ctx, framework);
}

/** Sends a heartbeat and sets the time of the next one. */
export function heartbeat(ctx: Context, framework: FrameworkRecord): void {
  if (framework.connection?.kind !== 'http' || framework.state !== 'CONNECTED') return;
  sendToFramework(ctx, framework, { type: 'HEARTBEAT' });
  const at = Math.floor((ctx.env.now + ctx.options.heartbeatInterval) / HEARTBEAT_TICK) * HEARTBEAT_TICK;
  ctx.deadlines.set({ type: 'heartbeat', frameworkId: framework.id }, at);
}

/** Ends a framework's event stream, after an ERROR event if there is something to say. */
export function endStream(ctx: Context, stream: StreamId, error?: string): void {
  if (error !== undefined) ctx.emit({ kind: 'event', stream, event: { type: 'ERROR', error: { message: error } } });
  ctx.emit({ kind: 'closeStream', stream });
  ctx.frameworkByStream.delete(stream);
}
