import { formatUuid } from '../../../base/random.ts';
import { resourcesIn } from '../../../resources/carriers.ts';
import { isSpeculative } from '../../../resources/operations.ts';
import type {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  CheckpointResourcesMessage,
  ReconcileOperationsMessage,
  ReconcileOperationsMessage_Operation,
} from '../../../wire/internal.ts';
import type { FrameworkID, Operation } from '../../../wire/v1.ts';
import { rememberResources } from '../checkpoints.ts';
import { type Context, isFromMaster, log } from '../context.ts';
import type { Pid } from '../effects.ts';
import { forgetOperation, tellOnce } from '../operation-updates.ts';
import { startOperation } from '../operations.ts';
import { registerAgain } from '../registration.ts';
import { changeTotal, totalWith, volumeChanges } from '../resources.ts';
import type { AgentState } from '../state.ts';

/** ApplyOperationMessage: what the master has applied in its books already. */
export function applyOperation(context: Context, message: ApplyOperationMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'an operation')) return;
  const { state } = context;
  const { operation_info: info, operation_uuid, framework_id } = message;
  const key = formatUuid(operation_uuid.value);
  if (state.phase === 'terminating' || state.info.id === undefined || state.operations.has(key)) {
    log(context, 'warning', `Ignoring operation ${key}: the agent is ${state.phase}, or has it already`);
    return;
  }
  const refusal = refusalOf(state, message);
  if (refusal === undefined) {
    startOperation(context, message);
    return;
  }
  log(context, 'warning', `Dropping operation ${key} of type ${info.type ?? 'UNKNOWN'}: ${refusal}`);
  const status = {
    ...(info.id && { operation_id: info.id }),
    state: 'OPERATION_DROPPED',
    message: refusal,
    agent_id: state.info.id,
  } as const;
  tellOnce(context, status, { ...(framework_id && { framework_id }), operation_uuid });
  // The master believes that it was done, unless it reads a newer inventory first.
  registerAgain(context, 'an operation was dropped');
}

function refusalOf(state: AgentState, { operation_info: info, resource_version_uuid }: ApplyOperationMessage) {
  if (!isSpeculative(info)) return `operations of type ${info.type ?? 'UNKNOWN'} need a storage resource provider`;
  const provided = resourcesIn(info).find((resource) => resource.provider_id !== undefined);
  if (provided) return `the resource provider '${provided.provider_id?.value}' is not known`;
  const same = formatUuid(resource_version_uuid.uuid.value) === formatUuid(state.resourceVersion);
  return same ? undefined : 'Operation assumes outdated resource state';
}

/** AcknowledgeOperationStatusMessage: who wanted the operation knows how it ended. */
export function acknowledgeOperation(context: Context, message: AcknowledgeOperationStatusMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'an acknowledgement of an operation')) return;
  const key = formatUuid(message.operation_uuid.value);
  const sent = context.state.operations.get(key)?.update?.status.uuid;
  if (sent === undefined || formatUuid(sent.value) !== formatUuid(message.status_uuid.value)) {
    log(context, 'warning', `Ignoring an acknowledgement for operation ${key}: it is not awaited`);
    return;
  }
  forgetOperation(context, key);
}

/**
 * ReconcileOperationsMessage: of the master, about operations that it knows and this agent did not report, or on behalf
 * of a framework, about some that the master does not know.
 */
export function reconcileOperations(context: Context, message: ReconcileOperationsMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'a question about operations')) return;
  const { framework_id } = message;
  for (const asked of message.operations ?? []) {
    if (framework_id !== undefined) answerFramework(context, framework_id, asked);
    else answerMaster(context, asked);
  }
}

/** What never came here will never be done. */
function answerMaster(context: Context, { operation_uuid }: ReconcileOperationsMessage_Operation): void {
  const { state } = context;
  if (operation_uuid === undefined || state.operations.has(formatUuid(operation_uuid.value))) return;
  const agent = state.info.id;
  const status = { state: 'OPERATION_DROPPED', ...(agent && { agent_id: agent }) } as const;
  tellOnce(context, status, { operation_uuid });
}

function answerFramework(
  context: Context,
  framework_id: FrameworkID,
  asked: ReconcileOperationsMessage_Operation,
): void {
  const { state } = context;
  const known = find(state, framework_id, asked);
  if (known !== undefined) {
    const { uuid: _, ...status } = known.latest_status;
    tellOnce(context, status, { framework_id, operation_uuid: known.uuid });
    return;
  }
  const { operation_id, operation_uuid, resource_provider_id } = asked;
  const status = {
    ...(operation_id && { operation_id }),
    state: 'OPERATION_UNKNOWN',
    ...(state.info.id && { agent_id: state.info.id }),
    ...(resource_provider_id && { resource_provider_id }),
  } as const;
  tellOnce(context, status, { framework_id, ...(operation_uuid && { operation_uuid }) });
}

function find(
  state: AgentState,
  frameworkId: FrameworkID,
  { operation_uuid, operation_id }: ReconcileOperationsMessage_Operation,
): Operation | undefined {
  if (operation_uuid) return state.operations.get(formatUuid(operation_uuid.value))?.operation;
  if (operation_id === undefined) return undefined;
  for (const { operation } of state.operations.values()) {
    const own = operation.framework_id?.value === frameworkId.value;
    if (own && operation.info.id?.value === operation_id.value) return operation;
  }
  return undefined;
}

/** CheckpointResourcesMessage: what masters tell agents whose operations they do not follow. */
export function checkpointResources(context: Context, message: CheckpointResourcesMessage, from: Pid): void {
  if (!isFromMaster(context, from, 'resources to keep')) return;
  const { state } = context;
  const total = totalWith(state, message.resources ?? []);
  if (!total.ok) {
    log(context, 'error', `Ignoring reservations and volumes that the master wants kept: ${total.error}`);
    registerAgain(context, 'the master believes in resources that are not here');
    return;
  }
  const changes = volumeChanges(state.options.workDir, state.total, total.value, formatUuid(state.resourceVersion));
  changeTotal(state, total.value);
  rememberResources(context);
  if (changes.length > 0) context.emit({ kind: 'changeVolumes', operation: '', changes });
}
