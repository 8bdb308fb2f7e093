/** What waits to be launched, and what offers came to meanwhile. */
import { delayOf } from '../core/backoff.ts';
import { NO_MATCH_REASONS, type OfferStatistics, type UnusedOffer } from '../core/launch/launching.ts';
import type { RunSpec } from '../core/model.ts';
import type { MarathonState, SpecRecord } from '../core/state.ts';
import { writeApp } from '../definition/app-form.ts';
import { writeInstant } from '../definition/instant.ts';
import { writePod } from '../definition/pod-form.ts';

/** @param now wall clock, in ms  @param withOffers also shows the last unused offer of each agent */
export function queueView(state: MarathonState, now: number, withOffers: boolean): readonly object[] {
  return [...state.launching.waiting].flatMap((id) => {
    const record = state.specs.get(id);
    const first = record?.scheduled.values().next().value;
    return record && first ? [itemView(state, record, first.spec, now, withOffers)] : [];
  });
}

function itemView(
  { launching }: MarathonState,
  record: SpecRecord,
  spec: RunSpec,
  now: number,
  withOffers: boolean,
): object {
  const statistics = launching.statistics.get(record.id);
  const deadline = delayOf(record, spec, now)?.deadline ?? now;
  let since = Number.POSITIVE_INFINITY;
  for (const instance of record.scheduled.values()) since = Math.min(since, instance.since);
  return {
    count: record.scheduled.size,
    role: spec.role,
    delay: { timeLeftSeconds: Math.max(0, Math.floor((deadline - now) / 1000)), overdue: deadline <= now },
    since: writeInstant(since),
    processedOffersSummary: summaryView(statistics),
    ...(withOffers && { lastUnusedOffers: [...(statistics?.lastUnused.values() ?? [])].map(unusedView) }),
    [spec.kind]: spec.kind === 'app' ? writeApp(spec) : writePod(spec),
  };
}

function summaryView(statistics: OfferStatistics | undefined): object {
  const last = [...(statistics?.lastUnused.values() ?? [])];
  const byAgent = new Map<string, number>();
  for (const { reasons } of last) {
    const first = NO_MATCH_REASONS.find((reason) => reasons.includes(reason));
    if (first) byAgent.set(first, (byAgent.get(first) ?? 0) + 1);
  }
  return {
    processedOffersCount: statistics?.processed ?? 0,
    unusedOffersCount: statistics?.unused ?? 0,
    ...(statistics?.lastUnusedAt !== undefined && { lastUnusedOfferAt: writeInstant(statistics.lastUnusedAt) }),
    ...(statistics?.lastUsedAt !== undefined && { lastUsedOfferAt: writeInstant(statistics.lastUsedAt) }),
    rejectSummaryLastOffers: funnel(byAgent, last.length),
    rejectSummaryLaunchAttempt: funnel(statistics?.rejects ?? new Map(), statistics?.processed ?? 0),
  };
}

/** Each reason sees only the offers that the reasons before it have let through. */
function funnel(declined: ReadonlyMap<string, number>, processed: number): readonly object[] {
  let left = processed;
  return NO_MATCH_REASONS.map((reason) => {
    const item = { reason, declined: declined.get(reason) ?? 0, processed: left };
    left -= item.declined;
    return item;
  });
}

function unusedView({ offer, reasons, details, timestamp }: UnusedOffer): object {
  return {
    offer: {
      id: offer.id.value,
      hostname: offer.hostname,
      agentId: offer.agent_id.value,
      resources: (offer.resources ?? []).map(({ name, role, scalar, ranges, set }) => ({
        name,
        role: role ?? '*',
        ...(scalar && { scalar: scalar.value }),
        ...(ranges && { ranges: ranges.range }),
        ...(set && { set: set.item }),
      })),
      attributes: (offer.attributes ?? []).map(({ name, text, scalar, ranges, set }) => ({
        name,
        ...(text && { text: text.value }),
        ...(scalar && { scalar: scalar.value }),
        ...(ranges && { ranges: ranges.range }),
        ...(set && { set: set.item }),
      })),
    },
    reason: reasons,
    details,
    timestamp: writeInstant(timestamp),
  };
}
