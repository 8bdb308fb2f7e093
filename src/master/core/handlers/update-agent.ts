import { formatUuid } from '../../../base/random.ts';
import { upgrade } from '../../../resources/refinement.ts';
import { Resources } from '../../../resources/resources.ts';
import { validateResources } from '../../../resources/validate.ts';
import type { UpdateSlaveMessage } from '../../../wire/internal.ts';
import { requestAllocation } from '../allocation.ts';
import { type Context, countUp, log, nameAgent } from '../context.ts';
import { checkDrainLater } from '../drain.ts';
import type { AgentRecord } from '../records.ts';
import { removeOperation, sendOperationStatus } from './operations.ts';
import { bytesOf } from './register-agent.ts';
import { changeTotal } from './reregister-agent.ts';

/** UpdateSlaveMessage: oversubscribed resources, those of resource providers, and the operations that the agent knows. */
export function updateAgent(ctx: Context, message: UpdateSlaveMessage): void {
  countUp(ctx, 'messages_update_slave');
  const agent = ctx.state.agents.get(message.slave_id.value);
  if (agent === undefined) {
    log(ctx, 'warning', `Ignoring update of agent ${message.slave_id.value}: it is not registered`);
    return;
  }
  const providers = message.resource_providers?.providers?.flatMap((provider) => provider.total_resources ?? []);
  for (const list of [message.oversubscribed_resources ?? [], providers ?? []]) {
    const valid = validateResources(list);
    if (valid.ok && list.every((resource) => resource.allocation_info === undefined)) continue;
    log(
      ctx,
      'warning',
      `Ignoring update of agent ${nameAgent(agent)}: ${valid.ok ? 'allocated resources' : valid.error}`,
    );
    return;
  }
  agent.resourceVersion = bytesOf(message.resource_version_uuid) ?? agent.resourceVersion;
  reconcileOperations(ctx, agent, message);
  checkDrainLater(ctx, agent);
  let total = agent.total;
  // Agents of before this flag only ever sent the message to say what is oversubscribed.
  if (message.update_oversubscribed_resources ?? message.resource_providers === undefined) {
    total = total.nonRevocable().plus(Resources.of(message.oversubscribed_resources ?? []).revocable());
  }
  if (providers !== undefined) {
    total = total.filter((resource) => resource.provider_id === undefined).plus(Resources.of(providers.map(upgrade)));
  }
  if (total.equals(agent.total)) return;
  changeTotal(ctx, agent, total);
  requestAllocation(ctx, agent.id);
}

/** Operations that never reached the agent are dropped; it has applied none of what it does not report. */
function reconcileOperations(ctx: Context, agent: AgentRecord, message: UpdateSlaveMessage): void {
  if (message.operations === undefined && message.resource_providers === undefined) return;
  const reported = new Set(
    [
      ...(message.operations?.operations ?? []),
      ...(message.resource_providers?.providers ?? []).flatMap((provider) => provider.operations.operations ?? []),
    ].map((operation) => formatUuid(operation.uuid.value)),
  );
  for (const [key, operation] of [...agent.operations]) {
    if (reported.has(key)) continue;
    removeOperation(ctx, key, agent);
    const framework = ctx.state.frameworks.get(operation.framework_id?.value ?? '');
    if (framework === undefined || operation.info.id === undefined) continue;
    sendOperationStatus(ctx, framework, {
      operation_id: operation.info.id,
      state: 'OPERATION_DROPPED',
      agent_id: { value: agent.id },
    });
  }
}
