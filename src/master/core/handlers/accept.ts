import { err, ok, type Result } from '../../../base/result.ts';
import { Resources } from '../../../resources/resources.ts';
import type { Offer_Operation, TaskInfo } from '../../../wire/v1.ts';
import type { Call_Accept } from '../../../wire/v1_scheduler.ts';
import { recover } from '../accounting.ts';
import { requestAllocation } from '../allocation.ts';
import { agentOf, type Context, countUp, log, nameFramework } from '../context.ts';
import { discardOffer, takeOffer } from '../offers.ts';
import type { FrameworkRecord } from '../records.ts';
import type { OfferRecord } from '../state.ts';
import { sendToFramework } from '../streams.ts';
import type { Acceptance } from './acceptance.ts';
import { refuseSeconds } from './decline.ts';
import { launch, refuseTask } from './launch.ts';
import { launchGroup } from './launch-group.ts';
import { convert, dropDiskOperation, dropOperation, dropTasks } from './operations.ts';

type OperationHandler = (ctx: Context, acceptance: Acceptance, operation: Offer_Operation) => void;

const OPERATIONS = {
  UNKNOWN: (ctx, { framework }, operation) => dropOperation(ctx, framework, operation, 'its type is not known'),
  LAUNCH: launch,
  LAUNCH_GROUP: launchGroup,
  RESERVE: convert,
  UNRESERVE: convert,
  CREATE: convert,
  DESTROY: convert,
  GROW_VOLUME: convert,
  SHRINK_VOLUME: convert,
  CREATE_DISK: dropDiskOperation,
  DESTROY_DISK: dropDiskOperation,
} as const satisfies Record<NonNullable<Offer_Operation['type']>, OperationHandler>;

/** ACCEPT: operations are applied in order to what is left of the offers; one that is refused does not stop the others. */
export function accept(ctx: Context, framework: FrameworkRecord, call: Call_Accept): void {
  const operations = call.operations ?? [];
  if (operations.some((operation) => operation.type === 'LAUNCH' || operation.type === 'LAUNCH_GROUP')) {
    countUp(ctx, 'messages_launch_tasks');
  } else if (operations.length === 0) countUp(ctx, 'messages_decline_offers');
  const offers = validateOffers(ctx, framework, call);
  if (!offers.ok) {
    refuse(ctx, framework, call, offers.error);
    return;
  }
  const { agentId, role } = offers.value[0]!;
  for (const offer of offers.value) takeOffer(ctx, offer);
  if (operations.length === 0) framework.counters.offersDeclined += offers.value.length;
  else framework.counters.offersAccepted += offers.value.length;
  const offered = Resources.sum(offers.value.map((offer) => offer.resources));
  const agent = agentOf(ctx, agentId);
  const acceptance: Acceptance = {
    framework,
    agent,
    role,
    available: offered,
    shared: offered.shared(),
    progress: false,
  };
  for (const operation of operations) perform(ctx, acceptance, operation);
  const refused = refuseSeconds(call.filters);
  // Nobody has refused what was only just made.
  const made = acceptance.available.minus(offered);
  recover(ctx, framework.id, agentId, made, undefined);
  recover(ctx, framework.id, agentId, acceptance.available.minus(made), refused);
  if (acceptance.progress || refused !== 0) requestAllocation(ctx, agentId);
}

function perform(ctx: Context, acceptance: Acceptance, operation: Offer_Operation): void {
  const { framework } = acceptance;
  const type = operation.type ?? 'UNKNOWN';
  if (operation.id !== undefined && !mayHaveId(ctx, framework, operation)) return;
  OPERATIONS[type](ctx, acceptance, operation);
}

/** Tasks have statuses of their own, and drivers of version 0 cannot be told of operations. */
function mayHaveId(ctx: Context, framework: FrameworkRecord, operation: Offer_Operation): boolean {
  const tasks = tasksIn(operation);
  if (tasks !== undefined) {
    const reason = operation.type === 'LAUNCH' ? 'REASON_TASK_INVALID' : 'REASON_TASK_GROUP_INVALID';
    const message = `'id' must be absent from operations of type ${operation.type}`;
    for (const task of tasks) refuseTask(ctx, framework, task, reason, message);
    return false;
  }
  if (framework.connection?.kind !== 'pid') return true;
  const message = `'id' ('${operation.id?.value}') of a ${operation.type} operation asks for feedback, which drivers do not get; leave it out, or use the HTTP API`;
  log(ctx, 'warning', `Dropping an operation of framework ${nameFramework(framework)}: ${message}`);
  sendToFramework(ctx, framework, { type: 'ERROR', error: { message } });
  return false;
}

function tasksIn({ launch: single, launch_group: group }: Offer_Operation): readonly TaskInfo[] | undefined {
  return single?.task_infos ?? group?.task_group.tasks;
}

/** All offers must stand, be the framework's own, and be of one agent and one role. */
function validateOffers(ctx: Context, framework: FrameworkRecord, call: Call_Accept): Result<readonly OfferRecord[]> {
  const ids = (call.offer_ids ?? []).map((id) => id.value);
  if (ids.length === 0) return err('No offers specified');
  const offers: OfferRecord[] = [];
  for (const [i, id] of ids.entries()) {
    if (ids.indexOf(id) !== i) return err(`Duplicate offer ${id} in offer list`);
    const offer = ctx.state.offers.get(id);
    if (offer === undefined) return err(`Offer ${id} is no longer valid`);
    if (offer.frameworkId !== framework.id) {
      return err(`Offer ${id} has invalid framework ${offer.frameworkId} while framework ${framework.id} is expected`);
    }
    offers.push(offer);
  }
  const [first] = offers;
  for (const offer of offers) {
    if (offer.role !== first?.role) {
      return err(`Aggregated offers must be allocated to the same role, not to '${first?.role}' and '${offer.role}'`);
    }
    if (offer.agentId !== first.agentId) {
      return err(`Aggregated offers must belong to one single agent, not to ${first.agentId} and ${offer.agentId}`);
    }
  }
  return ok(offers);
}

/** Nothing of the call is done: tasks are lost, operations dropped, and the offers that do stand are void. */
function refuse(ctx: Context, framework: FrameworkRecord, call: Call_Accept, reason: string): void {
  log(ctx, 'warning', `ACCEPT call used invalid offers of framework ${nameFramework(framework)}: ${reason}`);
  for (const { value: id } of call.offer_ids ?? []) {
    const offer = ctx.state.offers.get(id);
    if (offer?.frameworkId === framework.id) discardOffer(ctx, offer);
  }
  for (const operation of call.operations ?? []) {
    const tasks = tasksIn(operation);
    if (tasks !== undefined) {
      dropTasks(ctx, framework, tasks, 'REASON_INVALID_OFFERS', `Task launched with invalid offers: ${reason}`);
    } else dropOperation(ctx, framework, operation, `Operation attempted with invalid offers: ${reason}`);
  }
}
