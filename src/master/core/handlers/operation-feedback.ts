/** What schedulers say and ask about operations that they have given ids. */
import type { ReconcileOperationsMessage_Operation } from '../../../wire/internal.ts';
import type { Operation, OperationStatus } from '../../../wire/v1.ts';
import type {
  Call_AcknowledgeOperationStatus,
  Call_ReconcileOperations,
  Call_ReconcileOperations_Operation,
} from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, nameFramework, send } from '../context.ts';
import { acknowledge, sameUuid, sendOperationStatus } from '../operations.ts';
import type { AgentRecord, FrameworkRecord } from '../records.ts';

/** ACKNOWLEDGE_OPERATION_STATUS: passed on to the agent; the end acknowledged, the operation is forgotten. */
export function acknowledgeOperation(
  ctx: Context,
  framework: FrameworkRecord,
  call: Call_AcknowledgeOperationStatus,
): void {
  countUp(ctx, 'messages_operation_status_update_acknowledgement');
  const agent = ctx.state.agents.get(call.agent_id?.value ?? '');
  const operation = operationNamed(framework, call.operation_id.value);
  const status = operation?.statuses?.find(({ uuid }) => uuid !== undefined && sameUuid(uuid.value, call.uuid));
  const problem =
    agentProblem(agent, call) ??
    (operation?.agent_id?.value === agent?.id ? undefined : 'there is no such operation on the agent') ??
    (status === undefined ? 'it was told of no such status' : undefined);
  if (problem !== undefined || agent === undefined || operation === undefined || status === undefined) {
    const what = `acknowledgement for operation '${call.operation_id.value}' of framework ${nameFramework(framework)}`;
    log(ctx, 'warning', `Ignoring ${what}: ${problem}`);
    countUp(ctx, 'invalid_operation_status_update_acknowledgements');
    return;
  }
  const provider = call.resource_provider_id;
  acknowledge(ctx, agent, operation, status, provider === undefined ? {} : { resource_provider_id: provider });
  countUp(ctx, 'valid_operation_status_update_acknowledgements');
}

function agentProblem(
  agent: AgentRecord | undefined,
  { agent_id, resource_provider_id }: Call_AcknowledgeOperationStatus,
): string | undefined {
  if (agent === undefined) return `the agent '${agent_id?.value ?? ''}' is not registered`;
  if (!agent.connected) return `the agent ${agent.id} is disconnected`;
  const needed = resource_provider_id === undefined ? 'AGENT_OPERATION_FEEDBACK' : 'RESOURCE_PROVIDER';
  return agent.capabilities.has(needed) ? undefined : `the agent ${agent.id} lacks the capability ${needed}`;
}

/** Ids need not be unique; the newest is meant, as upstream has it. */
function operationNamed(framework: FrameworkRecord, id: string): Operation | undefined {
  let found: Operation | undefined;
  for (const operation of framework.operations.values()) if (operation.info.id?.value === id) found = operation;
  return found;
}

/** RECONCILE_OPERATIONS: answers come as UPDATE_OPERATION_STATUS without a uuid. None named means all. */
export function reconcileOperations(ctx: Context, framework: FrameworkRecord, call: Call_ReconcileOperations): void {
  countUp(ctx, 'messages_reconcile_operations');
  const { operations: asked = [] } = call;
  if (asked.length === 0) {
    for (const operation of framework.operations.values()) {
      if (operation.info.id !== undefined) sendLatest(ctx, framework, operation);
    }
    return;
  }
  const known = new Map([...framework.operations.values()].map((operation) => [operation.info.id?.value, operation]));
  const passedOn = new Map<AgentRecord, ReconcileOperationsMessage_Operation[]>();
  for (const question of asked) {
    const operation = known.get(question.operation_id.value);
    const expert = operation === undefined ? whoKnows(ctx, question) : undefined;
    if (operation !== undefined) sendLatest(ctx, framework, operation);
    else if (expert === undefined) answerUnknown(ctx, framework, question);
    else {
      const { operation_id, resource_provider_id } = question;
      const entry = { operation_id, ...(resource_provider_id && { resource_provider_id }) };
      const list = passedOn.get(expert);
      if (list === undefined) passedOn.set(expert, [entry]);
      else list.push(entry);
    }
  }
  for (const [agent, operations] of passedOn) {
    const message = { framework_id: { value: framework.id }, operations };
    send(ctx, agent.pid, 'mesos.internal.ReconcileOperationsMessage', message);
  }
}

/** Only the agent can tell whether it knows a resource provider that the master does not see at this moment. */
function whoKnows(
  ctx: Context,
  { agent_id, resource_provider_id: provider }: Call_ReconcileOperations_Operation,
): AgentRecord | undefined {
  const agent = ctx.state.agents.get(agent_id?.value ?? '');
  if (agent === undefined || provider === undefined) return undefined;
  if (!agent.capabilities.has('AGENT_OPERATION_FEEDBACK')) return undefined;
  const here = [...agent.total].some((resource) => resource.provider_id?.value === provider.value);
  return here ? undefined : agent;
}

function sendLatest(ctx: Context, framework: FrameworkRecord, { statuses, latest_status }: Operation): void {
  const { uuid: _, ...shown } = statuses?.at(-1) ?? latest_status;
  sendOperationStatus(ctx, framework, shown);
}

function answerUnknown(
  ctx: Context,
  framework: FrameworkRecord,
  { operation_id, agent_id, resource_provider_id }: Call_ReconcileOperations_Operation,
): void {
  sendOperationStatus(ctx, framework, {
    operation_id,
    ...verdictOn(ctx, agent_id?.value),
    ...(agent_id !== undefined && { agent_id }),
    ...(resource_provider_id !== undefined && { resource_provider_id }),
  });
}

function verdictOn(ctx: Context, agentId: string | undefined): Pick<OperationStatus, 'state' | 'message'> {
  const { state } = ctx;
  const say = (suffix: string): string => `Reconciliation: ${suffix}`;
  if (agentId === undefined) {
    return { state: 'OPERATION_UNKNOWN', message: say("Operation is unknown and no 'agent_id' was provided") };
  }
  if (state.recovered.has(agentId)) {
    return { state: 'OPERATION_RECOVERING', message: say('Agent is recovered but has not re-registered') };
  }
  if (state.agents.has(agentId)) return { state: 'OPERATION_UNKNOWN', message: say('Operation is unknown') };
  if (state.unreachable.has(agentId)) return { state: 'OPERATION_UNREACHABLE', message: say('Agent is unreachable') };
  if (state.gone.has(agentId)) {
    return { state: 'OPERATION_GONE_BY_OPERATOR', message: say('Agent was marked gone by an operator') };
  }
  return { state: 'OPERATION_UNKNOWN', message: say('Both operation and agent are unknown') };
}
