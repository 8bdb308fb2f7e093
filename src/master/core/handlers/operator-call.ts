import type { Call } from '../../../wire/v1_master.ts';
import { type Context, log, reply } from '../context.ts';
import type { OperatorCallEvent } from '../events.ts';
import { removeFramework } from '../frameworks.ts';
import { markAgentGone } from './mark-agent-gone.ts';
import { deactivateAgentCall, reactivateAgentCall } from './operator/deactivate.ts';
import { drainAgent } from './operator/drain.ts';
import { startMaintenance, stopMaintenance } from './operator/machines.ts';
import { updateMaintenanceSchedule } from './operator/maintenance.ts';
import { removeQuota, setQuota, updateQuota } from './operator/quota.ts';
import { changeResources } from './operator/resources.ts';
import { updateWeights } from './operator/weights.ts';

type CallType = NonNullable<Call['type']>;
type OperatorCallHandler = (ctx: Context, event: OperatorCallEvent) => void;

const notImplemented: OperatorCallHandler = (ctx, { call, request }) =>
  reply(ctx, request, 501, `Operator calls of type ${call.type ?? '(none)'} are not implemented by this master`);

/** Operator calls that change something; all others are answered by views. */
const OPERATOR_CALLS: { readonly [T in CallType]?: OperatorCallHandler } = {
  TEARDOWN: (ctx, event) => teardown(ctx, event, event.call.teardown?.framework_id.value ?? ''),
  MARK_AGENT_GONE: (ctx, { call, request, principal }) =>
    markAgentGone(ctx, request, call.mark_agent_gone?.agent_id.value ?? '', principal),
  UPDATE_WEIGHTS: updateWeights,
  UPDATE_QUOTA: updateQuota,
  SET_QUOTA: setQuota,
  REMOVE_QUOTA: removeQuota,
  RESERVE_RESOURCES: changeResources,
  UNRESERVE_RESOURCES: changeResources,
  CREATE_VOLUMES: changeResources,
  DESTROY_VOLUMES: changeResources,
  GROW_VOLUME: changeResources,
  SHRINK_VOLUME: changeResources,
  UPDATE_MAINTENANCE_SCHEDULE: updateMaintenanceSchedule,
  START_MAINTENANCE: startMaintenance,
  STOP_MAINTENANCE: stopMaintenance,
  DRAIN_AGENT: drainAgent,
  DEACTIVATE_AGENT: deactivateAgentCall,
  REACTIVATE_AGENT: reactivateAgentCall,
};

export function operatorCall(ctx: Context, event: OperatorCallEvent): void {
  (OPERATOR_CALLS[event.call.type ?? 'UNKNOWN'] ?? notImplemented)(ctx, event);
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
