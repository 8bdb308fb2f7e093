/** Reservations and volumes by operators: RESERVE_RESOURCES, CREATE_VOLUMES and their kin. They take what is free. */
import { err, ok, type Result } from '../../../../base/result.ts';
import { mapOperation, resourcesIn } from '../../../../resources/carriers.ts';
import { needsCheckpoint } from '../../../../resources/checkpointed.ts';
import { conversionsOf } from '../../../../resources/operations.ts';
import { upgrade } from '../../../../resources/refinement.ts';
import { Resources } from '../../../../resources/resources.ts';
import { validateResources } from '../../../../resources/validate.ts';
import type { AgentID, Offer_Operation } from '../../../../wire/v1.ts';
import type { Call } from '../../../../wire/v1_master.ts';
import { requestAllocation } from '../../allocation.ts';
import { type Context, reply } from '../../context.ts';
import type { OperatorCallEvent } from '../../events.ts';
import { offersOf, rescindOffer } from '../../offers.ts';
import type { AgentRecord } from '../../records.ts';
import type { OfferRecord } from '../../state.ts';
import { validateOperation } from '../../validation/operation.ts';
import { applyOnAgent } from '../operations.ts';
import { questionsAbout } from './resource-questions.ts';

type Wanted = { readonly agentId: AgentID | undefined; readonly operation: Offer_Operation };

/** Any of the calls that change what the resources of an agent are for. */
export function changeResources(ctx: Context, { call, request, principal }: OperatorCallEvent): void {
  const wanted = operationOf(call);
  if (wanted?.agentId === undefined) {
    reply(ctx, request, 400, "'agent_id' is missing: name the agent whose resources are to be changed");
    return;
  }
  const agent = ctx.state.agents.get(wanted.agentId.value);
  if (agent === undefined) {
    reply(ctx, request, 400, 'No agent found with specified ID');
    return;
  }
  const { type } = wanted.operation;
  const operation = readOperation(wanted.operation, agent, principal);
  if (!operation.ok) {
    reply(ctx, request, 400, `Invalid ${type} operation on agent ${agent.id}: ${operation.error}`);
    return;
  }
  const who = principal === undefined ? {} : { principal };
  if (!questionsAbout(operation.value).every((question) => ctx.options.authorize({ ...question, ...who }))) {
    reply(ctx, request, 403, `Principal '${principal ?? ''}' is not authorized for this ${type} operation`);
    return;
  }
  const problem = carryOut(ctx, agent, operation.value);
  if (problem === undefined) reply(ctx, request, 202);
  else reply(ctx, request, 409, `Cannot apply the ${type} operation on agent ${agent.id}: ${problem}`);
}

function operationOf(call: Call): Wanted | undefined {
  const { reserve_resources: reserve, unreserve_resources: unreserve } = call;
  const { create_volumes: create, destroy_volumes: destroy, grow_volume: grow, shrink_volume: shrink } = call;
  if (reserve !== undefined) {
    const { agent_id: agentId, source = [], resources = [] } = reserve;
    return { agentId, operation: { type: 'RESERVE', reserve: { source, resources } } };
  }
  if (unreserve !== undefined) {
    const { agent_id: agentId, resources = [] } = unreserve;
    return { agentId, operation: { type: 'UNRESERVE', unreserve: { resources } } };
  }
  if (create !== undefined) {
    return { agentId: create.agent_id, operation: { type: 'CREATE', create: { volumes: create.volumes ?? [] } } };
  }
  if (destroy !== undefined) {
    return { agentId: destroy.agent_id, operation: { type: 'DESTROY', destroy: { volumes: destroy.volumes ?? [] } } };
  }
  if (grow !== undefined) {
    const { agent_id: agentId, volume, addition } = grow;
    return { agentId, operation: { type: 'GROW_VOLUME', grow_volume: { volume, addition } } };
  }
  if (shrink === undefined) return undefined;
  const { agent_id: agentId, volume, subtract } = shrink;
  return { agentId, operation: { type: 'SHRINK_VOLUME', shrink_volume: { volume, subtract } } };
}

/** @returns the operation in stack form, if it makes sense on this agent */
function readOperation(
  given: Offer_Operation,
  agent: AgentRecord,
  principal: string | undefined,
): Result<Offer_Operation> {
  const wellFormed = validateResources(resourcesIn(given));
  if (!wellFormed.ok) return wellFormed;
  const operation = mapOperation(given, upgrade);
  const allocated = resourcesIn(operation).find((resource) => resource.allocation_info !== undefined);
  if (allocated !== undefined) {
    return err(
      `'${allocated.name}' has 'allocation_info': operators change what is free, which is allocated to no role`,
    );
  }
  const valid = validateOperation(operation, { principal }, agent);
  return valid.ok ? ok(operation) : valid;
}

/** Takes offers back as far as that is needed, and applies the operation. @returns why it cannot be done; then nothing is */
function carryOut(ctx: Context, agent: AgentRecord, operation: Offer_Operation): string | undefined {
  const plan = planRescinding(ctx, agent, operation);
  if (!plan.ok) return plan.error;
  const total = agent.total.apply(operation);
  if (!total.ok) return total.error;
  for (const offer of plan.value) rescindOffer(ctx, offer);
  const before = ctx.allocator.available(agent.id);
  const after = before.apply(operation);
  if (!after.ok) return after.error;
  if (!ctx.allocator.updateAvailable(agent.id, before, after.value)) return 'the resources are not free';
  agent.total = total.value;
  agent.checkpointed = agent.total.filter(needsCheckpoint);
  applyOnAgent(ctx, undefined, agent, operation);
  requestAllocation(ctx, agent.id);
  return undefined;
}

/** Which offers stand in the way: none if enough is free, else those that hold some of what is missing. */
function planRescinding(ctx: Context, agent: AgentRecord, operation: Offer_Operation): Result<readonly OfferRecord[]> {
  const conversions = conversionsOf(operation);
  if (!conversions.ok) return conversions;
  const needed = Resources.of(conversions.value.flatMap(({ consumed }) => consumed));
  // A shared volume is free however often it is offered; to destroy it, all offers of it must go.
  const gone = Resources.of(conversions.value.flatMap(({ gone }) => gone ?? [])).shared();
  let free = ctx.allocator.available(agent.id);
  const rescinded: OfferRecord[] = [];
  for (const offer of offersOf(ctx, agent)) {
    const offered = offer.resources.unallocate();
    const missing = needed.minus(free);
    const helps = !missing.minus(offered).equals(missing);
    const holds = [...gone].some((volume) => offered.contains(volume));
    if (!holds && !helps) continue;
    rescinded.push(offer);
    free = free.plus(offered.nonShared());
  }
  const applied = free.apply(operation);
  return applied.ok ? ok(rescinded) : applied;
}
