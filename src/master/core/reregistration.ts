import { ok, type Result } from '../../base/result.ts';
import { ReregisterSlaveMessage } from '../../wire/internal.ts';
import type { Pool } from '../../wire/pool.ts';
import { splitField } from '../../wire/split.ts';

const COMPLETED_FRAMEWORKS = 5;

/** What an agent says when it registers again. */
export interface Reregistration extends ReregisterSlaveMessage {
  /**
   * `completed_frameworks` as bytes. There may be ten times as many tasks in there as run in the cluster, and a master that
   * was just elected keeps few of them: what is not kept is never read.
   */
  readonly archives?: readonly Uint8Array[];
}

/** Reads the message of an agent, but for its history. @param pool see `MessageType.decode` */
export function readReregistration(bytes: Uint8Array, pool: Pool): Result<Reregistration> {
  const { rest, parts } = splitField(bytes, COMPLETED_FRAMEWORKS);
  const message = ReregisterSlaveMessage.decode(rest, pool);
  return message.ok && parts.length > 0 ? ok({ ...message.value, archives: parts }) : message;
}
