/** Whether any agent of the cluster is large enough for an instance, and in the right place, were it empty. */

import type { Placement, RunSpec } from '../core/model.ts';
import { unmetConstraints } from '../core/placement/constraints.ts';
import { needsOf } from '../core/placement/match.ts';
import { milli } from '../core/placement/resources.ts';

type Scalar = 'cpus' | 'mem' | 'disk' | 'gpus';
const SCALARS: readonly Scalar[] = ['cpus', 'mem', 'disk', 'gpus'];

/** What an agent has in all, used or not; numbers as in definitions: cores, MiB. */
export interface AgentTotal {
  readonly unreserved: Readonly<Partial<Record<Scalar, number>>>;
  readonly reserved: Readonly<Record<string, Readonly<Partial<Record<Scalar, number>>>>>;
  /** What constraints compare. */
  readonly placement: Placement;
}

/** @returns a sentence where no agent could ever hold an instance; undefined where one could, or no agent is known */
export function neverFits(spec: RunSpec, agents: readonly AgentTotal[]): string | undefined {
  if (agents.length === 0) return undefined;
  const needs = needsOf(spec);
  const has = ({ unreserved, reserved }: AgentTotal, name: Scalar): number =>
    milli(unreserved[name] ?? 0) + milli(reserved[spec.role]?.[name] ?? 0);
  const large = agents.filter((agent) => SCALARS.every((name) => has(agent, name) >= needs[name]));
  if (large.length > 0) return neverThere(spec, large, large.length < agents.length);
  const much = (name: Scalar): string => `${needs[name] / 1000} ${name}`;
  const [first] = SCALARS.filter((name) => agents.every((agent) => has(agent, name) < needs[name]));
  if (first === undefined) {
    const all = SCALARS.filter((name) => needs[name] > 0).map(much);
    return `No agent of the cluster could ever hold an instance: none has all of ${all.join(', ')}, even when it is empty`;
  }
  const most = Math.max(...agents.map((agent) => has(agent, first))) / 1000;
  return `No agent of the cluster could ever hold an instance: it needs ${much(first)}, and the most that any agent has for role '${spec.role}' is ${most}`;
}

/** Constraints that an agent does not meet even where no instance runs yet. */
function neverThere(spec: RunSpec, agents: readonly AgentTotal[], isSelection: boolean): string | undefined {
  const unmet = agents.map(({ placement }) => unmetConstraints(spec, [], placement));
  const [first] = unmet;
  if (first === undefined || unmet.some((each) => each.length === 0)) return undefined;
  const among = isSelection ? 'of those that are large enough none' : 'none';
  return `No agent of the cluster could ever hold an instance: ${among} meets all constraints; on ${agents[0]!.placement.host}, ${first.join('; ')}`;
}
