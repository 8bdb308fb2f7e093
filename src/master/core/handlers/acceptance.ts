import type { Resources } from '../../../resources/resources.ts';
import type { AgentRecord, FrameworkRecord } from '../records.ts';

/** What operations of one ACCEPT work on, one after the other. */
export interface Acceptance {
  readonly framework: FrameworkRecord;
  readonly agent: AgentRecord;
  /** The role that the offers are allocated to. */
  readonly role: string;
  /** What is left of the offers. */
  available: Resources;
  /** The shared volumes among the offers, whether tasks have taken their copies or not: there is always another copy. */
  shared: Resources;
  /** Something was launched or changed. */
  progress: boolean;
}
