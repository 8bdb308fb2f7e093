/** Why an app or a pod does not have all its instances: what it waits for, and what each agent's last offer lacked. */
import { delayOf } from '../core/backoff.ts';
import { isConsideredHealthy } from '../core/instances.ts';
import { NO_MATCH_REASONS, type UnusedOffer } from '../core/launch/launching.ts';
import { missingSecret } from '../core/launch/secrets.ts';
import type { Condition, Deployment, RunSpec } from '../core/model.ts';
import type { MarathonState, SpecRecord } from '../core/state.ts';
import { writeInstant } from '../definition/instant.ts';
import { type AgentTotal, neverFits } from './never-fits.ts';

/**
 * @param now wall clock, in ms
 * @param totals what the agents have in all, if that is known
 */
export function whyView(state: MarathonState, spec: RunSpec, now: number, totals: readonly AgentTotal[] = []): object {
  const record = state.specs.get(spec.id);
  const waiting = record?.scheduled.size ?? 0;
  const running = [...(record?.instances.values() ?? [])].filter(({ condition }) => condition === 'Running').length;
  const never = waiting === 0 ? undefined : neverFits(spec, totals);
  const agents = [...(state.launching.statistics.get(spec.id)?.lastUnused.values() ?? [])];
  return {
    id: spec.id,
    instances: spec.instances,
    running,
    waiting,
    couldEverRun: never === undefined,
    reasons: [...(never === undefined ? [] : [never]), ...reasonsOf(state, record, spec, now, agents)],
    agents: agents.map(agentView),
    ...(record?.lastFailure && {
      lastTaskFailure: {
        message: record.lastFailure.message,
        state: record.lastFailure.state,
        host: record.lastFailure.host,
        timestamp: writeInstant(record.lastFailure.timestamp),
      },
    }),
  };
}

/** Sentences, the most important one first. */
function reasonsOf(
  state: MarathonState,
  record: SpecRecord | undefined,
  spec: RunSpec,
  now: number,
  agents: readonly UnusedOffer[],
): readonly string[] {
  const reasons: string[] = [];
  const deployment = state.deployments.get(state.locks.get(spec.id) ?? '');
  if (deployment !== undefined) reasons.push(sayDeployment(deployment, spec));
  if (record === undefined) return reasons;
  reasons.push(...onTheirWay(record), ...notWell(state, record));
  if (record.scheduled.size === 0) return reasons;
  const count = record.scheduled.size;
  const missing = missingSecret(state, spec);
  if (missing !== undefined) reasons.push(missing);
  const delay = delayOf(record, spec, now);
  if (!state.isSubscribed) reasons.push('Marathon has no connection to a Mesos master');
  if (delay !== undefined && delay.deadline > now) {
    const seconds = Math.ceil((delay.deadline - now) / 1000);
    reasons.push(
      `After failures the next launch waits for another ${seconds} s (backoff); end that with DELETE /v2/queue${spec.id}/delay`,
    );
  } else if (agents.length === 0) {
    reasons.push(
      `${count} ${count === 1 ? 'instance waits' : 'instances wait'} for offers, and none has come yet for role '${spec.role}'`,
    );
  }
  reasons.push(...awaitedVolumes(record));
  const byReason = new Map<string, number>();
  for (const { reasons: all } of agents) {
    for (const reason of NO_MATCH_REASONS)
      if (all.includes(reason)) byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  }
  for (const [reason, number] of byReason) reasons.push(`${number} of ${agents.length} agents: ${reason}`);
  return reasons;
}

/** Actions of the step that a deployment is at, if it is not the turn of this one. */
const ACTIONS_SAID = 3;
const HOSTS_SAID = 5;

function sayDeployment({ plan, step, begun }: Deployment, { id }: RunSpec): string {
  const underWay = `Deployment ${plan.id} is under way`;
  const actions = begun ? (plan.steps[step] ?? []) : [];
  if (actions.length === 0 || actions.some((action) => action.spec.id === id)) return underWay;
  const said = actions.slice(0, ACTIONS_SAID).map((action) => `${action.kind} ${action.spec.id}`);
  const more = actions.length > ACTIONS_SAID ? ` and ${actions.length - ACTIONS_SAID} more` : '';
  return `${underWay}; it is at step ${step + 1} of ${plan.steps.length}: ${said.join(', ')}${more}`;
}

const BETWEEN: Readonly<Partial<Record<Condition, string>>> = {
  Provisioned: 'being launched',
  Staging: 'being launched',
  Starting: 'starting',
  Killing: 'being killed',
  Unreachable: 'out of reach, since the agent is away',
  UnreachableInactive: 'out of reach for longer than the app allows, since the agent is away',
};

/** Who is on an agent and does not run. */
function onTheirWay({ instances }: SpecRecord): readonly string[] {
  const hosts = new Map<string, string[]>();
  for (const { condition, placement } of instances.values()) {
    const what = BETWEEN[condition];
    if (what === undefined) continue;
    const known = hosts.get(what) ?? [];
    known.push(placement?.host ?? '?');
    hosts.set(what, known);
  }
  return [...hosts].map(([what, on]) => {
    const names = [...new Set(on)];
    const more = names.length > HOSTS_SAID ? ` and ${names.length - HOSTS_SAID} more` : '';
    return `${on.length} ${on.length === 1 ? 'instance is' : 'instances are'} ${what}: ${names.slice(0, HOSTS_SAID).join(', ')}${more}`;
  });
}

/** Who runs and does not count, since a check has not said yes. */
function notWell({ health, readiness }: MarathonState, { instances }: SpecRecord): readonly string[] {
  const running = [...instances.values()].filter(({ condition }) => condition === 'Running');
  const sick = running.filter((each) => !isConsideredHealthy(each));
  const waiting = running.filter(({ id }) => readiness.get(id)?.ready === false);
  const said: string[] = [];
  if (sick.length > 0) {
    const cause = sick
      .flatMap(({ id }) => health.get(id) ?? [])
      .find((each) => each?.lastFailureCause)?.lastFailureCause;
    const last = cause === undefined ? 'no check has failed so far' : `the last check that failed: ${cause}`;
    said.push(
      `${sick.length} of ${running.length} that run ${sick.length === 1 ? 'is' : 'are'} not healthy (yet); ${last}`,
    );
  }
  if (waiting.length > 0) {
    const { name, lastResponse } = readiness.get(waiting[0]!.id)!;
    const last = lastResponse === undefined ? '' : `, which was last answered with ${lastResponse.status}`;
    said.push(
      `${waiting.length} of ${running.length} that run ${waiting.length === 1 ? 'is' : 'are'} not ready by '${name}'${last}`,
    );
  }
  return said;
}

/** Who has volumes can be launched only where they are. */
function awaitedVolumes({ scheduled }: SpecRecord): readonly string[] {
  const byHost = new Map<string, number>();
  let asked = 0;
  for (const { reservation, placement } of scheduled.values()) {
    if (reservation?.state === 'new') asked++;
    else if (reservation) byHost.set(placement?.host ?? '?', (byHost.get(placement?.host ?? '?') ?? 0) + 1);
  }
  const sentences = [...byHost].map(
    ([host, count]) =>
      `${count} ${count === 1 ? 'instance waits for its' : 'instances wait for their'} volumes on ${host}; killing with ?wipe=true gives volumes up`,
  );
  if (asked === 0) return sentences;
  return [...sentences, `${asked} ${asked === 1 ? 'reservation was' : 'reservations were'} asked for and not used yet`];
}

function agentView({ offer, reasons, details, timestamp }: UnusedOffer): object {
  return {
    agentId: offer.agent_id.value,
    hostname: offer.hostname,
    reasons,
    details,
    timestamp: writeInstant(timestamp),
  };
}
