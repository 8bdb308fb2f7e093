import { err, ok, type Result } from '../../base/result.ts';
import { internalMessages } from '../../wire/internal.ts';
import { isInbound } from '../core/agent.ts';
import type { AgentEvent, MessageEvent } from '../core/events.ts';

/** Makes an event of a message that arrived over libprocess. @returns why it is dropped, for the log */
export function readMessage(from: string, name: string, body: Uint8Array): Result<AgentEvent> {
  const type = isInbound(name) ? internalMessages[name] : undefined;
  if (!type) return err(`Dropping a ${name} from ${from}: the agent does not understand it`);
  const message = type.decode(body);
  if (!message.ok) return err(`Dropping a ${name} from ${from}: ${message.error}`);
  // The table of types says what the name means, and the decoder that the body is it.
  return ok({ kind: 'message', from, name, body: message.value } as MessageEvent);
}
