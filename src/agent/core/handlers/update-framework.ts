import type { UpdateFrameworkMessage } from '../../../wire/internal.ts';
import { rememberFramework } from '../checkpoints.ts';
import { type Context, isFromMaster } from '../context.ts';
import type { Pid } from '../effects.ts';
import { resumeFrameworkUpdates } from '../updates.ts';

/** The framework changed, or its scheduler moved: unacknowledged updates may never have reached the new one. */
export function updateFramework(context: Context, message: UpdateFrameworkMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a framework update')) return;
  const framework = context.state.frameworks.get(message.framework_id.value);
  if (!framework || framework.phase === 'terminating') return;
  if (message.framework_info) framework.info = message.framework_info;
  framework.pid = message.pid === undefined || message.pid.startsWith('@') ? undefined : message.pid;
  rememberFramework(context, framework);
  resumeFrameworkUpdates(context, framework.id);
}
