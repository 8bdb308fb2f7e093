/** What reading a definition needs to know of the tree, and how its refusals are told. */
import { canonicalPath } from '../../definition/path-id.ts';
import type { RuleFacts } from '../../definition/rule.ts';
import type { Refused, RoleFacts } from '../../definition/types.ts';
import type { Context } from '../context.ts';
import type { Refusal } from '../outcome.ts';
import { groupAt, segmentsOf } from './groups.ts';

/** The facts about the place where `id` hangs, or is to hang. */
export function factsFor(ctx: Context, id: string, force: boolean): RuleFacts {
  return { context: ctx.options.definitions, roles: rolesFor(ctx, id, force) };
}

/** The id that a document claims, as far as it can be told before it is read. */
export function claimedId(document: unknown): string {
  const id = (document as { readonly id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' ? canonicalPath(id) : '/';
}

/** @param enforced what the same change says of the top-level group, if anything */
export function rolesFor(
  { state, options }: Context,
  id: string,
  forceRoleUpdate: boolean,
  enforced?: boolean,
): RoleFacts {
  const { root } = state;
  const currentRole = state.current.get(id)?.role;
  const [top, second] = segmentsOf(id);
  const inGroup = second !== undefined && top !== undefined;
  const group = inGroup ? groupAt(root, `/${top}`) : undefined;
  return {
    defaultRole: options.definitions.defaultRole,
    ...(inGroup && { groupRole: top }),
    // A group that this change makes is as new groups are.
    enforceRole: inGroup && (enforced ?? group?.enforceRole ?? options.newGroupEnforceRole),
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
