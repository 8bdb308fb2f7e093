/** The last failure of an app, as the API shows it. */
import type { TaskFailure } from '../core/model.ts';

export function failureView(
  { specId, host, message, state, taskId, timestamp, version, agentId }: TaskFailure,
  instant: (millis: number) => string,
): object {
  return {
    appId: specId,
    host,
    message,
    state,
    taskId,
    timestamp: instant(timestamp),
    version: instant(version),
    ...(agentId !== undefined && { slaveId: agentId }),
  };
}
