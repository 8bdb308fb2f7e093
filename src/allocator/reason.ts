/** Why an agent is not offered to a role of a framework: the first that applies, in the order in which they are asked. */
export const NO_OFFER_REASONS = {
  FRAMEWORK_INACTIVE: 'the framework is disconnected or deactivated',
  ROLE_SUPPRESSED: 'the framework suppressed offers for this role; it must REVIVE to get any',
  NO_AGENTS: 'there is no agent',
  AGENT_DEACTIVATED: 'the agent is deactivated or disconnected',
  AGENT_NOT_WHITELISTED: 'the hostname of the agent is not in the whitelist',
  OFFER_CONSTRAINTS: 'the offer constraints of the framework exclude the agent',
  AGENT_LACKS_MULTI_ROLE: 'the framework is MULTI_ROLE, and the agent is not',
  AGENT_LACKS_HIERARCHICAL_ROLE: 'the role is hierarchical, and the agent lacks the capability HIERARCHICAL_ROLE',
  LACKS_GPU_RESOURCES: 'the agent has GPUs, and the framework lacks the capability GPU_RESOURCES',
  LACKS_REGION_AWARE: 'the agent is in another region, and the framework lacks the capability REGION_AWARE',
  NOTHING_FREE: 'everything on the agent is offered or in use',
  RESERVED_TO_OTHERS: 'what is free on the agent is reserved to other roles',
  LACKS_CAPABILITIES: 'what is free is revocable, shared or has a refined reservation, which the framework cannot take',
  TOO_LITTLE: 'what is free is less than the minimum that is worth an offer',
  QUOTA_LIMIT: 'the limits of the role are reached',
  QUOTA_HELD_BACK: 'what is free is held back for the guarantees of other roles',
  REFUSED: 'the framework declined this much of the agent, and the time for which it refused it is not over',
  OTHERS_FIRST: 'it could be offered; others come first, or the next allocation brings it',
} as const;

export type NoOfferReason = keyof typeof NO_OFFER_REASONS;

/** What is behind a reason, as far as there is anything. Amounts are thousandths. */
export interface NoOfferDetails {
  /** LACKS_…: names of `FrameworkInfo.Capability.Type` values that the framework would need. */
  readonly capabilities?: readonly string[];
  /** RESERVED_TO_OTHERS: to whom; QUOTA_HELD_BACK: those that lack something of their guarantees. */
  readonly roles?: readonly string[];
  /** QUOTA_…: the resource that decides. */
  readonly resource?: string;
  /** QUOTA_LIMIT: the role that has the limit. */
  readonly limitedRole?: string;
  readonly limit?: number;
  readonly consumed?: number;
  /** QUOTA_HELD_BACK: what is free of it in the cluster, and what is missing of it to guarantees. */
  readonly free?: number;
  readonly guaranteed?: number;
  /** NOTHING_FREE: some who hold something of the agent. */
  readonly holders?: readonly Holder[];
  /** OTHERS_FIRST: whose turn it is. */
  readonly next?: Holder;
}

export interface Holder {
  readonly frameworkId: string;
  readonly role: string;
}
