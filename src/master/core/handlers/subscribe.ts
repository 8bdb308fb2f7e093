import { randomUuid } from '../../../base/random.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import type { FrameworkInfo } from '../../../wire/v1.ts';
import type { Call_Subscribe } from '../../../wire/v1_scheduler.ts';
import { type Context, countUp, log, nameFramework, tellOperators } from '../context.ts';
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
import { count, type FrameworkRecord } from '../records.ts';
import { endStream } from '../streams.ts';
import {
  preserveImmutable,
  validateConstraints,
  validateFrameworkInfo,
  validateSuppressedRoles,
  validateUpdate,
} from '../validation/framework.ts';

/** What the scheduler reads whose place another one has taken. */
export const FAILED_OVER = 'Framework failed over';

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
  const { framework, isNew } = enter(ctx, valid.value);
  if (framework.connection !== undefined) supersede(ctx, framework, FAILED_OVER);
  count(framework.counters.calls, 'SUBSCRIBE');
  connectFramework(ctx, framework, { kind: 'http', stream });
  if (!isNew) announceFramework(ctx, framework);
}

/** Everything that may be wrong with a subscription, in upstream's order. */
export function admit(ctx: Context, subscribe: Call_Subscribe, principal: string | undefined): Result<Subscription> {
  const { options, state } = ctx;
  const given = subscribe.framework_info;
  const id = given.id?.value ?? '';
  countUp(ctx, id === '' ? 'messages_register_framework' : 'messages_reregister_framework');
  const named = principal !== undefined && given.principal === undefined ? { ...given, principal } : given;
  const valid = validateFrameworkInfo(named);
  if (!valid.ok) return valid;
  const foreign = [...rolesOf(named)].filter((role) => options.roleWhitelist?.has(role) === false);
  if (foreign.length > 0) return err(`Roles { ${foreign.join(', ')} } are not present in the master's --roles`);
  if (named.user === 'root' && !options.rootSubmissions) {
    return err("User 'root' is not allowed to run frameworks without --root_submissions set");
  }
  if (state.completedFrameworks.has(id)) return err('Framework has been removed');
  const known = state.frameworks.get(id);
  const info = known === undefined ? named : preserveImmutable(known.info, named);
  const wishes = validateWishes(ctx, info, subscribe);
  if (!wishes.ok) return wishes;
  const question = { action: 'REGISTER_FRAMEWORK', framework: info, roles: [...rolesOf(info)] } as const;
  if (!options.authorize(principal === undefined ? question : { ...question, principal })) {
    return err(`Not authorized to use roles { ${question.roles.join(', ')} }`);
  }
  const update = known === undefined ? wishes : validateUpdate(known.info, info);
  return update.ok ? wishes : update;
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

/** A framework to which a scheduler is about to be connected. */
export interface Entry {
  readonly framework: FrameworkRecord;
  /** It came without an id: nobody has heard of it yet. */
  readonly isNew: boolean;
  /** Its scheduler was not connected to this master before, though the framework may be older than this master. */
  readonly isRecovered: boolean;
}

/** Makes the framework, or brings it up to date. An id that this master does not know may be from before it was elected. */
export function enter(ctx: Context, subscription: Subscription): Entry {
  const id = subscription.info.id?.value ?? '';
  const known = ctx.state.frameworks.get(id);
  const framework = known ?? addFramework(ctx, subscription.info, id === '' ? nextFrameworkId(ctx) : id);
  updateFramework(ctx, framework, subscription);
  const isRecovered = id !== '' && framework.state === 'RECOVERED';
  if (isRecovered) framework.registeredTime = ctx.env.wall;
  framework.reregisteredTime = ctx.env.wall;
  framework.principal = framework.info.principal;
  const what = known === undefined ? 'Subscribing framework' : 'Subscribing again framework';
  log(ctx, 'info', `${what} ${nameFramework(framework)}`);
  if (known === undefined) tellOperators(ctx, { type: 'FRAMEWORK_ADDED', framework });
  return { framework, isNew: id === '', isRecovered };
}
