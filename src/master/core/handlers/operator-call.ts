import { type Context, log, reply } from '../context.ts';
import type { OperatorCallEvent } from '../events.ts';
import { removeFramework } from '../frameworks.ts';
import { markAgentGone } from './mark-agent-gone.ts';

/** Operator calls that change something. */
export function operatorCall(ctx: Context, event: OperatorCallEvent): void {
  const { call, request, principal } = event;
  if (call.teardown !== undefined && call.type === 'TEARDOWN') {
    teardown(ctx, event, call.teardown.framework_id.value);
  } else if (call.mark_agent_gone !== undefined && call.type === 'MARK_AGENT_GONE') {
    markAgentGone(ctx, request, call.mark_agent_gone.agent_id.value, principal);
  } else {
    reply(ctx, request, 501, `Operator calls of type ${call.type ?? '(none)'} are not implemented by this master`);
  }
}

function teardown(ctx: Context, { request, principal }: OperatorCallEvent, frameworkId: string): void {
  const framework = ctx.state.frameworks.get(frameworkId);
  if (framework === undefined) {
    reply(ctx, request, 400, `No framework found with specified ID: ${frameworkId}`);
    return;
  }
  const question = { action: 'TEARDOWN_FRAMEWORK', framework: framework.info } as const;
  if (!ctx.options.authorize(principal === undefined ? question : { ...question, principal })) {
    reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized to tear down framework ${frameworkId}`);
    return;
  }
  log(ctx, 'info', `Tearing down framework ${frameworkId} for an operator`);
  removeFramework(ctx, framework);
  reply(ctx, request, 200);
}
