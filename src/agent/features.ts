/** What an agent announces that it can do. */
import { err, ok, type Result } from '../base/result.ts';
import { AgentInfo_Capability_Type } from '../wire/v1.ts';

type Feature = AgentInfo_Capability_Type;

/** Upstream's agents announce all of these. */
export const FEATURES: readonly Feature[] = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESOURCE_PROVIDER',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
  'TASK_RESOURCE_LIMITS',
];

/** An agent of this version cannot do without the others. */
const OPTIONAL: ReadonlySet<Feature> = new Set<Feature>(['RESIZE_VOLUME']);

/** `--agent_features`: `{"capabilities": [{"type": "MULTI_ROLE"}, …]}`. @returns those to announce; without the flag all */
export function agentFeatures(flag: Readonly<Record<string, unknown>> | undefined): Result<readonly Feature[]> {
  if (flag === undefined) return ok(FEATURES);
  const listed = flag.capabilities;
  if (!Array.isArray(listed))
    return err('capabilities must be a list, as in {"capabilities": [{"type": "MULTI_ROLE"}]}');
  const wanted = new Set<unknown>(listed.map((entry: { readonly type?: unknown } | null) => entry?.type));
  const known: ReadonlySet<unknown> = new Set(AgentInfo_Capability_Type.values);
  for (const type of wanted) if (!known.has(type)) return err(`capabilities: '${type}' is not a feature of agents`);
  const missing = FEATURES.filter((feature) => !OPTIONAL.has(feature) && !wanted.has(feature));
  if (missing.length > 0)
    return err(`capabilities: ${missing.join(', ')} must be there; only RESIZE_VOLUME may be left out`);
  return ok(FEATURES.filter((feature) => wanted.has(feature)));
}
