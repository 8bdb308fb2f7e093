/** Where a task of some size would find room. */
import { Quantities } from '../resources/quantities.ts';
import { Resources } from '../resources/resources.ts';
import type { Response_GetAgents } from '../wire/v1_master.ts';
import { formatTable } from './table.ts';
import type { WhyRole } from './why-answer.ts';
import { count } from './why-text.ts';

type AgentShown = NonNullable<Response_GetAgents['agents']>[number];

export interface Room {
  readonly agentId: string;
  readonly hostname: string;
  readonly fits: 'now' | 'later' | 'never';
  /** Text of what the role may have there: what is free, or for `never` everything. */
  readonly has: string;
}

/** @throws Error when it cannot be read */
export function parseNeeds(text: string): Quantities {
  const needs = Quantities.fromText(text);
  if (!needs.ok) throw new Error(`--needs: ${needs.error}`);
  return needs.value;
}

/** For each active agent whether a task of a role finds what it needs there. */
export function roomFor(needs: Quantities, role: string, agents: readonly AgentShown[]): Room[] {
  return agents
    .filter(({ active }) => active)
    .map((agent) => {
      const total = Resources.of(agent.total_resources ?? []);
      const taken = Resources.of([
        ...(agent.allocated_resources ?? []),
        ...(agent.offered_resources ?? []),
      ]).unallocate();
      const all = total.allocatableTo(role).quantities();
      const free = total.minus(taken).allocatableTo(role).quantities();
      const fits = free.contains(needs) ? 'now' : all.contains(needs) ? 'later' : 'never';
      return {
        agentId: agent.agent_info.id?.value ?? '',
        hostname: agent.agent_info.hostname,
        fits,
        has: `${fits === 'never' ? all : free}`,
      };
    });
}

/** Says on how many agents it fits, and lists those where it does not. */
export function roomText(needs: Quantities, { role, quota }: WhyRole, rooms: readonly Room[]): string {
  const now = rooms.filter(({ fits }) => fits === 'now').length;
  const lines = [
    `A task that needs ${needs} fits on ${now} of ${count(rooms.length, 'active agent')} now, as role ${role}.`,
  ];
  for (const [name, milli] of needs) {
    const limit = quota?.limits[name];
    if (limit === undefined || milli <= limit * 1000) continue;
    lines.push(`It needs more ${name} than the quota of role ${quota?.role} allows at all, which is ${limit}.`);
  }
  const without = rooms.filter(({ fits }) => fits !== 'now');
  const rows = without.map(({ agentId, hostname, fits, has }) => [
    `${hostname} (${agentId})`,
    fits === 'never' ? `never: all that it has is ${has}` : `not now: what is free is ${has || 'nothing'}`,
  ]);
  return `${lines.join('\n')}\n${rows.length === 0 ? '' : formatTable([['AGENT', 'FITS'], ...rows])}`;
}
