import type { ShutdownFrameworkMessage } from '../../../wire/internal.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { endFramework } from '../shutdown.ts';

export function shutdownFramework(context: Context, message: ShutdownFrameworkMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a framework shutdown')) return;
  const framework = context.state.frameworks.get(message.framework_id.value);
  if (!framework) {
    log(context, 'info', `Asked to shut down framework ${message.framework_id.value}, which is not here`);
    return;
  }
  log(context, 'info', `Shutting down framework ${framework.id}`);
  endFramework(context, framework);
}
