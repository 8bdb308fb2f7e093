import { err, ok, type Result } from '../../../base/result.ts';
import type { Call_UpdateFramework } from '../../../wire/v1_scheduler.ts';
import type { Context } from '../context.ts';
import { rolesOf } from '../framework-info.ts';
import { announceFramework, updateFramework } from '../frameworks.ts';
import type { FrameworkRecord } from '../records.ts';
import { sameMessage } from '../same-message.ts';
import { validateFrameworkInfo, validateUpdate } from '../validation/framework.ts';
import { validateWishes } from './subscribe.ts';

/** A refusal with its HTTP status. */
export interface CallRefusal {
  readonly status: 400 | 403;
  readonly text: string;
}

/** UPDATE_FRAMEWORK: all of it is taken over, or nothing. */
export function changeFramework(
  ctx: Context,
  framework: FrameworkRecord,
  call: Call_UpdateFramework,
  principal: string | undefined,
): Result<void, CallRefusal> {
  const given = call.framework_info;
  const keeps = given.principal === undefined && principal !== undefined;
  const info = keeps ? { ...given, principal } : given;
  const invalid = (text: string): Result<void, CallRefusal> => err({ status: 400, text });
  const valid = validateFrameworkInfo(info);
  if (!valid.ok) return invalid(`Supplied FrameworkInfo is not valid: ${valid.error}`);
  const foreign = [...rolesOf(info)].find((role) => ctx.options.roleWhitelist?.has(role) === false);
  if (foreign !== undefined) return invalid(`Supplied FrameworkInfo is not valid: role '${foreign}' is not in --roles`);
  const update = validateUpdate(framework.info, info);
  if (!update.ok) return invalid(`FrameworkInfo update is not valid: ${update.error}`);
  const wishes = validateWishes(ctx, info, call);
  if (!wishes.ok) return invalid(`'UpdateFramework' call is not valid: ${wishes.error}`);
  const question = { action: 'REGISTER_FRAMEWORK', framework: info, roles: [...rolesOf(info)] } as const;
  if (!ctx.options.authorize(principal === undefined ? question : { ...question, principal })) {
    return err({ status: 403, text: `Not authorized to use roles { ${question.roles.join(', ')} }` });
  }
  const before = framework.info;
  updateFramework(ctx, framework, wishes.value);
  if (!sameMessage(before, framework.info)) announceFramework(ctx, framework);
  return ok(undefined);
}
