/** What comes of a request that changes something: done, or a refusal with its reason. */
import type { Problem } from '../definition/types.ts';
import type { Action, RunSpec } from './model.ts';

export interface Started {
  readonly deploymentId: string;
  readonly version: number;
}

export type Refusal =
  /** 404: `what` as in "App '/x' does not exist". */
  | { readonly kind: 'notFound'; readonly message: string }
  /** 409. */
  | { readonly kind: 'exists'; readonly message: string }
  /** 409: deployments that hold what is to be changed. */
  | { readonly kind: 'locked'; readonly deployments: readonly string[] }
  /** 422 with paths. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  /** 422 or 400 by the schema of the document. */
  | { readonly kind: 'malformed'; readonly problems: readonly Problem[] }
  /** 422 with a sentence. */
  | { readonly kind: 'unprocessable'; readonly message: string }
  /** 400. */
  | { readonly kind: 'badRequest'; readonly message: string }
  /** 403: as many deployments run as may. */
  | { readonly kind: 'tooMany'; readonly message: string };

export const LOCKED =
  "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";

/** A refusal in one sentence. */
export function reasonOf(refusal: Refusal): string {
  if (refusal.kind === 'locked') return LOCKED;
  if ('message' in refusal) return refusal.message;
  return refusal.problems.map(({ path, error }) => `${path}: ${error}`).join('; ');
}

export type Outcome =
  | { readonly ok: true; readonly started?: Started; readonly created?: RunSpec; readonly createdId?: string }
  | { readonly ok: true; readonly dryRun: readonly (readonly Action[])[] }
  /** Instances as they were before they were killed, as values. */
  | { readonly ok: true; readonly killed: readonly string[] }
  | { readonly ok: false; readonly refusal: Refusal };
