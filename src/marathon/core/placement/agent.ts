/** Whether the agent itself will do: its region, its maintenance, its GPUs. */
import type { Context } from '../context.ts';
import type { RunSpec } from '../model.ts';
import type { OpenOffer } from './open-offer.ts';
import type { Lack } from './resources.ts';

/** What speaks against the agent of this offer. */
export function lackOfAgent(ctx: Context, offer: OpenOffer, spec: RunSpec): readonly Lack[] {
  return [...lackOfRegion(ctx, offer, spec), ...lackOfTime(ctx, offer)];
}

/** Agents of other regions are used only by those who say something about regions or zones. */
function lackOfRegion({ state }: Context, { placement }: OpenOffer, spec: RunSpec): readonly Lack[] {
  const { region } = placement;
  if (region === undefined) return [];
  if (spec.constraints.some(({ field }) => field === '@region' || field === '@zone')) return [];
  const home = state.master?.domain?.fault_domain?.region.name;
  if (home === region) return [];
  const detail = `the agent is in region '${region}' and not in the master's${home === undefined ? '' : `, '${home}'`}; a constraint on @region or @zone would allow it`;
  return [{ reason: 'UnfulfilledConstraint', detail }];
}

/** Agents in maintenance, or soon to be. */
function lackOfTime({ options, env }: Context, { offer }: OpenOffer): readonly Lack[] {
  if (!options.maintenanceMode || offer.unavailability === undefined) return [];
  const start = Number(offer.unavailability.start.nanoseconds) / 1e6;
  const length = offer.unavailability.duration;
  const end = length === undefined ? Number.POSITIVE_INFINITY : start + Number(length.nanoseconds) / 1e6;
  if (env.wall < start - options.drainingSeconds * 1000 || env.wall > end) return [];
  return [
    { reason: 'UnfulfilledConstraint', detail: 'the agent is not available' },
    { reason: 'AgentMaintenance', detail: 'the agent is in maintenance, or will be soon' },
  ];
}

/** Agents with GPUs are kept for those who need some. */
export function wasteOfGpus({ options }: Context, { left }: OpenOffer, spec: RunSpec): readonly Lack[] {
  const needsGpus = spec.kind === 'app' ? spec.gpus > 0 : spec.containers.some(({ resources }) => resources.gpus > 0);
  if (needsGpus || !left.some(({ name, amount }) => name === 'gpus' && amount > 0)) return [];
  const own = spec.labels.GPU_SCHEDULING_BEHAVIOR;
  const behavior = own === 'restricted' || own === 'unrestricted' ? own : options.gpuScheduling;
  if (behavior === 'unrestricted') return [];
  return [
    {
      reason: 'DeclinedScarceResources',
      detail:
        'the agent has GPUs, which this does not need; the label GPU_SCHEDULING_BEHAVIOR=unrestricted would allow it',
    },
  ];
}
