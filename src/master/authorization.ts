import type { Authorize } from './core/authorization.ts';
import type { MasterFlags } from './flags.ts';
import { EVERYTHING, type Visible } from './views/snapshot.ts';

/**
 * Who may do what. Nobody can authenticate to this build, so where authentication is demanded nobody is let in:
 * a cluster that stands still is better than one that is open by mistake.
 */
export function authorizeByFlags(
  flags: Pick<MasterFlags, 'authenticate_agents' | 'authenticate_frameworks'>,
): Authorize {
  return (question) => {
    if (question.action === 'REGISTER_FRAMEWORK') return !flags.authenticate_frameworks;
    if (question.action === 'REGISTER_AGENT') return !flags.authenticate_agents;
    return true;
  };
}

/** What a principal may see. There are no access control lists in this build, so it is everything. */
export function visibleTo(_principal: string | undefined): Visible {
  return EVERYTHING;
}
