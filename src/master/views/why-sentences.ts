/** The reasons for which somebody is offered nothing, in plain words. */
import { NO_OFFER_REASONS, type NoOfferDetails, type NoOfferReason } from '../../allocator/reason.ts';
import { formatMilli } from '../../resources/scalars.ts';

/** What the allocator cannot tell from what is in use: an offer is out and not answered. */
export type WhyReason = NoOfferReason | 'OFFERED';

export interface Because {
  readonly reason: WhyReason;
  readonly role: string;
  /** Seconds from now. */
  readonly secondsLeft?: number | undefined;
  readonly details?: NoOfferDetails | undefined;
  /** What is free on the agent, or on the one that is the example. */
  readonly free?: string | undefined;
}

/** One sentence without a full stop. */
export function sentenceOf(because: Because): string {
  const { reason, details = {}, free } = because;
  switch (reason) {
    case 'OFFERED':
      return 'an offer of the agent is with the framework, which has neither accepted nor declined it';
    case 'REFUSED':
      return refused(because);
    case 'QUOTA_LIMIT':
      return atLimit(because);
    case 'QUOTA_HELD_BACK':
      return heldBack(details);
    case 'LACKS_CAPABILITIES':
      return `what is free can only be taken with the framework capability ${list(details.capabilities, 'or')}`;
    case 'RESERVED_TO_OTHERS':
      return `what is free on the agent is reserved to ${list(details.roles, 'and')}`;
    case 'NOTHING_FREE':
      return withHolders(details);
    case 'TOO_LITTLE':
      return `what is free${free === undefined ? '' : ` (${free})`} is less than the minimum that is worth an offer`;
    case 'OTHERS_FIRST':
      return details.next === undefined
        ? NO_OFFER_REASONS.OTHERS_FIRST
        : `it could be offered; the next in turn is framework ${details.next.frameworkId} in role ${details.next.role}`;
    case 'OFFER_CONSTRAINTS':
      return `the offer constraints of the framework for role ${because.role} exclude the agent`;
    default:
      return NO_OFFER_REASONS[reason];
  }
}

function refused({ secondsLeft }: Because): string {
  const what = 'the framework declined this much of the agent';
  return secondsLeft === undefined ? what : `${what}, and does not want it for another ${inWords(secondsLeft)}`;
}

function atLimit({ role, details = {} }: Because): string {
  const { limitedRole = role, resource, limit = 0, consumed = 0 } = details;
  if (resource === undefined) return NO_OFFER_REASONS.QUOTA_LIMIT;
  const whose = limitedRole === role ? `role ${role}` : `role ${limitedRole}, which ${role} is part of,`;
  return `${whose} has ${formatMilli(consumed)} ${resource} of the ${formatMilli(limit)} that its quota allows`;
}

function heldBack({ resource, free = 0, guaranteed = 0, roles = [] }: NoOfferDetails): string {
  if (resource === undefined) return NO_OFFER_REASONS.QUOTA_HELD_BACK;
  const whose = roles.length === 0 ? 'guarantees' : `the guarantees of ${list(roles, 'and')}`;
  return `${formatMilli(free)} ${resource} are free in the cluster, and ${formatMilli(guaranteed)} are held back for ${whose}`;
}

function withHolders({ holders = [] }: NoOfferDetails): string {
  if (holders.length === 0) return NO_OFFER_REASONS.NOTHING_FREE;
  const named = holders.map(({ frameworkId, role }) => `framework ${frameworkId} in role ${role}`);
  return `${NO_OFFER_REASONS.NOTHING_FREE}, among others by ${list(named, 'and')}`;
}

function list(words: readonly string[] | undefined, last: 'and' | 'or'): string {
  if (words === undefined || words.length === 0) return 'others';
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

/** `1 s`, `4 min`, `3 h`, `12 d`: rounded up, so that nobody looks too early. */
function inWords(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
  ] as const) {
    if (seconds >= 2 * size) return `${Math.ceil(seconds / size)} ${unit}`;
  }
  return `${Math.max(1, Math.ceil(seconds))} s`;
}
