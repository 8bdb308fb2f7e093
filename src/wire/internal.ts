/** `mesos.internal`: what masters, agents and version 0 drivers say to each other over libprocess, and the master's registry. */
import * as internal from './generated/internal.ts';
import { Call } from './generated/scheduler.ts';
import { Event } from './generated/v1_scheduler.ts';
import { type MessageType, underV0Name } from './message.ts';

export * from './generated/internal.ts';
/** `mesos.scheduler.Call`: the scheduler call of version 0 drivers, which numbers Call.Subscribe otherwise than v1 and adds `force`. */
export { Call as V0SchedulerCall, Call_Subscribe as V0SchedulerCall_Subscribe } from './generated/scheduler.ts';

/** `mesos.scheduler.Event`: the v1 event under its version 0 name. */
export const V0SchedulerEvent = underV0Name(Event, 'mesos.scheduler.Event');

/**
 * Every message that travels over libprocess, by the name that its request path carries. Names come from strangers, so that the
 * table inherits nothing: `constructor` is not in it.
 */
export const internalMessages: Readonly<Record<string, MessageType<object>>> = Object.assign(
  Object.create(null),
  Object.fromEntries(
    [Call, V0SchedulerEvent, ...Object.values(internal).filter((type) => 'fields' in type)].map((type) => [
      type.name,
      type,
    ]),
  ),
);
