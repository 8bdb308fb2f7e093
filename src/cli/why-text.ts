/** The master's explanations, written for people. */
import { formatTable } from './table.ts';
import type { WhyFramework, WhyReason, WhyRole } from './why-answer.ts';

/** A framework with its roles, and why each of them is offered nothing. */
export function frameworkText(framework: WhyFramework): string {
  const { roles } = framework;
  return [headline(framework), ...roles.map(roleText)].join('\n');
}

function headline({ id, name, state, tasks, offers, oldest_offer_seconds: oldest }: WhyFramework): string {
  const held =
    offers === 0 ? '' : ` It has not answered ${count(offers, 'offer')}, the oldest for ${Math.round(oldest ?? 0)} s.`;
  return `Framework ${name} (${id}) ${STATES[state]}, with ${count(tasks, 'task')}.${held}\n`;
}

const STATES: Readonly<Record<WhyFramework['state'], string>> = {
  ACTIVE: 'is active',
  INACTIVE: 'is connected but deactivated',
  DISCONNECTED: 'is disconnected',
  RECOVERED: 'has not subscribed to this master yet',
  ENDED: 'has ended',
};

function roleText(role: WhyRole): string {
  const lines = [`Role ${role.role}: ${standing(role)}.`];
  const { quota, summary = [] } = role;
  if (quota !== undefined) lines.push(`Quota of role ${quota.role}: ${quotaText(quota)}.`);
  if (summary.length === 0) lines.push('Nothing keeps it from being offered more.');
  return `${lines.join('\n')}\n${summary.length === 0 ? '' : reasonsTable(summary)}`;
}

function standing({ weight, share, framework_share: own, suppressed }: WhyRole): string {
  const parts = [`dominant share ${percent(share)}`, `${percent(own)} by this framework alone`];
  if (weight !== 1) parts.push(`weight ${weight}`);
  if (suppressed) parts.push('suppressed');
  return parts.join(', ');
}

function quotaText({ guarantees, limits, consumed }: NonNullable<WhyRole['quota']>): string {
  const names = [...new Set([...Object.keys(limits), ...Object.keys(guarantees)])].sort();
  const parts = names.map((name) => {
    const has = `${consumed[name] ?? 0}`;
    const limit = limits[name] === undefined ? '' : ` of at most ${limits[name]}`;
    const guarantee = guarantees[name] === undefined ? '' : `, ${guarantees[name]} guaranteed`;
    return `${name} ${has}${limit}${guarantee}`;
  });
  return parts.length === 0 ? 'none' : parts.join('; ');
}

function reasonsTable(reasons: readonly WhyReason[]): string {
  const rows = reasons.map(({ reason, agents, until, example_hostname, example_agent_id, sentence }) => [
    reason,
    String(agents),
    until === undefined ? '-' : timeText(until),
    example_agent_id === undefined ? '-' : `${example_hostname} (${example_agent_id})`,
    sentence,
  ]);
  return formatTable([['REASON', 'AGENTS', 'UNTIL', 'EXAMPLE', 'WHY'], ...rows]);
}

function timeText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
