import type { SlaveRegisteredMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster } from '../context.ts';
import type { Pid } from '../effects.ts';
import { admitted } from '../registration.ts';

export function slaveRegistered(context: Context, message: SlaveRegisteredMessage, from: Pid): void {
  if (isFromMaster(context, from, 'a registration')) admitted(context, message.slave_id, message.connection);
}
