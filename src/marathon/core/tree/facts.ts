/** What reading a definition needs to know of the tree, and how its refusals are told. */
import type { RuleFacts } from '../../definition/rule.ts';
import type { Refused, RoleFacts } from '../../definition/types.ts';
import type { Context } from '../context.ts';
import type { Group } from '../model.ts';
import type { Refusal } from '../outcome.ts';
import { groupAt, segmentsOf } from './groups.ts';

/** The facts about the place where `id` hangs, or is to hang. @param root the tree as it shall be, where groups change too */
export function factsFor(ctx: Context, id: string, force: boolean, root: Group = ctx.state.root): RuleFacts {
  const { options, state } = ctx;
  return { context: options.definitions, roles: rolesAt(root, options, id, state.current.get(id)?.role, force) };
}

function rolesAt(
  root: Group,
  options: Context['options'],
  id: string,
  currentRole: string | undefined,
  forceRoleUpdate: boolean,
): RoleFacts {
  const [top, second] = segmentsOf(id);
  const inGroup = second !== undefined && top !== undefined;
  const group = inGroup ? groupAt(root, `/${top}`) : undefined;
  return {
    defaultRole: options.definitions.defaultRole,
    ...(inGroup && { groupRole: top }),
    // A group that this change makes is as new groups are.
    enforceRole: inGroup && (group?.enforceRole ?? options.newGroupEnforceRole),
    ...(currentRole !== undefined && { currentRole }),
    forceRoleUpdate,
  };
}

/** A refusal to read a definition, as the API tells it. */
export function refusalOf(refused: Refused): Refusal {
  switch (refused.kind) {
    case 'schema':
      return { kind: 'malformed', problems: refused.problems };
    case 'rules':
      return { kind: 'invalid', problems: refused.problems };
    default:
      return { kind: 'unprocessable', message: refused.message };
  }
}
