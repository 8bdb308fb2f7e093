import { randomUuid } from '../../../base/random.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import type { V0SchedulerCall_Subscribe } from '../../../wire/internal.ts';
import type { FrameworkInfo } from '../../../wire/v1.ts';
import type { Call_Subscribe } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, nameFramework, send, tellOperators } from '../context.ts';
import type { RequestId } from '../events.ts';
import { rolesOf } from '../framework-info.ts';
import {
  addFramework,
  announceFramework,
  connectFramework,
  nextFrameworkId,
  type Subscription,
  supersede,
  updateFramework,
} from '../frameworks.ts';
import { offersOf, rescindOffer } from '../offers.ts';
import type { FrameworkRecord } from '../records.ts';
import type { Pid } from '../state.ts';
import { endStream } from '../streams.ts';
import {
  preserveImmutable,
  validateConstraints,
  validateFrameworkInfo,
  validateSuppressedRoles,
  validateUpdate,
} from '../validation/framework.ts';

const FAILED_OVER = 'Framework failed over';

/** SUBSCRIBE over HTTP. Refusals of sense (not of form) are an ERROR event on a stream that is then closed. */
export function subscribeHttp(
  ctx: Context,
  request: RequestId,
  subscribe: Call_Subscribe,
  principal: string | undefined,
): void {
  const stream = randomUuid(ctx.env.random);
  ctx.emit({ kind: 'openStream', request, stream });
  const valid = admit(ctx, subscribe, principal);
  if (!valid.ok) {
    log(ctx, 'info', `Refusing subscription of framework '${subscribe.framework_info.name}': ${valid.error}`);
    endStream(ctx, stream, valid.error);
    return;
  }
  const framework = enter(ctx, valid.value);
  if (framework.connection !== undefined) supersede(ctx, framework, FAILED_OVER);
  framework.principal = framework.info.principal;
  connectFramework(ctx, framework, { kind: 'http', stream });
}

/** SUBSCRIBE of a v0 driver. */
export function subscribeDriver(
  ctx: Context,
  pid: Pid,
  subscribe: V0SchedulerCall_Subscribe,
  principal: string | undefined,
): void {
  const refuse = (message: string): void => send(ctx, pid, 'mesos.internal.FrameworkErrorMessage', { message });
  const id = subscribe.framework_info.id?.value ?? '';
  const namesake = ctx.state.frameworks.get(ctx.frameworkByPid.get(pid) ?? '');
  if (id === '' && namesake !== undefined) {
    greetDriver(ctx, namesake, pid, false);
    return;
  }
  const valid = admit(ctx, subscribe, principal);
  if (!valid.ok) {
    refuse(valid.error);
    return;
  }
  const known = ctx.state.frameworks.get(id);
  const samePid = known?.connection?.kind === 'pid' && known.connection.pid === pid;
  if (known?.connection !== undefined && !samePid && subscribe.force !== true) {
    refuse(FAILED_OVER);
    return;
  }
  const framework = enter(ctx, valid.value);
  framework.principal = framework.info.principal;
  if (samePid) for (const offer of offersOf(ctx, framework)) rescindOffer(ctx, offer);
  else if (framework.connection !== undefined) supersede(ctx, framework, FAILED_OVER);
  greetDriver(ctx, framework, pid, known !== undefined && subscribe.force !== true);
  connectFramework(ctx, framework, { kind: 'pid', pid });
}

function greetDriver(ctx: Context, framework: FrameworkRecord, pid: Pid, again: boolean): void {
  const greeting = { framework_id: { value: framework.id }, master_info: ctx.state.info };
  if (again) send(ctx, pid, 'mesos.internal.FrameworkReregisteredMessage', greeting);
  else send(ctx, pid, 'mesos.internal.FrameworkRegisteredMessage', greeting);
}

/** Everything that may be wrong with a subscription, in upstream's order. */
function admit(ctx: Context, subscribe: Call_Subscribe, principal: string | undefined): Result<Subscription> {
  const { options, state } = ctx;
  const given = subscribe.framework_info;
  const named = principal !== undefined && given.principal === undefined ? { ...given, principal } : given;
  const valid = validateFrameworkInfo(named);
  if (!valid.ok) return valid;
  const foreign = [...rolesOf(named)].filter((role) => options.roleWhitelist?.has(role) === false);
  if (foreign.length > 0) return err(`Roles { ${foreign.join(', ')} } are not present in the master's --roles`);
  if (named.user === 'root' && !options.rootSubmissions) {
    return err("User 'root' is not allowed to run frameworks without --root_submissions set");
  }
  const id = named.id?.value ?? '';
  if (state.completedFrameworks.has(id)) return err('Framework has been removed');
  const known = state.frameworks.get(id);
  if (known !== undefined) {
    const update = validateUpdate(known.info, preserveImmutable(known.info, named));
    if (!update.ok) return update;
  }
  const info = known === undefined ? named : preserveImmutable(known.info, named);
  const wishes = validateWishes(ctx, info, subscribe);
  if (!wishes.ok) return wishes;
  const question = { action: 'REGISTER_FRAMEWORK', framework: info, roles: [...rolesOf(info)] } as const;
  if (!options.authorize(principal === undefined ? question : { ...question, principal })) {
    return err(`Not authorized to use roles { ${question.roles.join(', ')} }`);
  }
  return wishes;
}

/** What a subscription or an update asks of offers. */
export function validateWishes(
  ctx: Context,
  info: FrameworkInfo,
  call: Pick<Call_Subscribe, 'suppressed_roles' | 'offer_constraints'>,
): Result<Subscription> {
  const roles = rolesOf(info);
  const suppressedRoles = new Set(call.suppressed_roles ?? []);
  const suppressed = validateSuppressedRoles(roles, suppressedRoles);
  if (!suppressed.ok) return suppressed;
  const { offer_constraints: offerConstraints } = call;
  const constraints = validateConstraints(roles, offerConstraints, ctx.options.offerConstraintsMaxPatternSize);
  if (!constraints.ok) return constraints;
  return ok({ info, suppressedRoles, offerConstraints, constraints: constraints.value });
}

function enter(ctx: Context, subscription: Subscription): FrameworkRecord {
  const id = subscription.info.id?.value ?? '';
  const known = ctx.state.frameworks.get(id);
  if (known !== undefined) {
    countUp(ctx, 'messages_reregister_framework');
    log(ctx, 'info', `Framework ${nameFramework(known)} subscribes again`);
    updateFramework(ctx, known, subscription);
    if (known.state === 'RECOVERED') known.registeredTime = ctx.env.wall;
    known.reregisteredTime = ctx.env.wall;
    announceFramework(ctx, known);
    return known;
  }
  countUp(ctx, 'messages_register_framework');
  const framework = addFramework(ctx, subscription.info, id === '' ? nextFrameworkId(ctx) : id);
  updateFramework(ctx, framework, subscription);
  log(ctx, 'info', `Subscribing framework ${nameFramework(framework)}`);
  tellOperators(ctx, { type: 'FRAMEWORK_ADDED', framework });
  return framework;
}
