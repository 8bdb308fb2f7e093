/** What a master answers at `/allocator/why`, as far as the command shows it. */
export interface WhyAnswer {
  readonly frameworks: readonly WhyFramework[];
  /** How many there are beside those that are listed. */
  readonly more_frameworks?: number;
  /** Why nobody is offered anything for now. */
  readonly paused?: string;
  /** Only if a task was asked for. */
  readonly tasks?: readonly { readonly sentence: string }[];
  /** Why there is no such task. */
  readonly sentence?: string;
}

export interface WhyFramework {
  readonly id: string;
  readonly name: string;
  readonly state: 'ACTIVE' | 'INACTIVE' | 'DISCONNECTED' | 'RECOVERED' | 'ENDED';
  readonly tasks: number;
  /** Out and not answered. */
  readonly offers: number;
  readonly oldest_offer_seconds?: number;
  readonly roles: readonly WhyRole[];
}

type Amounts = Readonly<Record<string, number>>;

export interface WhyRole {
  readonly role: string;
  readonly suppressed: boolean;
  readonly weight: number;
  readonly share: number;
  readonly framework_share: number;
  readonly quota?: {
    readonly role: string;
    readonly guarantees: Amounts;
    readonly limits: Amounts;
    readonly consumed: Amounts;
  };
  readonly summary?: readonly WhyReason[];
}

export interface WhyReason {
  readonly reason: string;
  readonly sentence: string;
  readonly agents: number;
  readonly example_agent_id?: string;
  readonly example_hostname?: string;
  /** Seconds since the Unix epoch. */
  readonly until?: number;
}
