import assert from 'node:assert/strict';
import { seededRandom } from '../base/random.ts';
import { parseResources } from '../resources/parse.ts';
import { Quantities } from '../resources/quantities.ts';
import type { Resources } from '../resources/resources.ts';
import type { AgentInfo } from '../wire/v1.ts';
import type { Allocation, Allocator, AllocatorOptions, FrameworkSpec } from './allocator.ts';
import { createAllocator } from './hierarchical.ts';

export const AGENT_CAPABILITIES = new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT']);
export const FRAMEWORK_CAPABILITIES = new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT']);

export function resources(text: string): Resources {
  const parsed = parseResources(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return parsed.value;
}

export function quantities(text: string): Quantities {
  const parsed = Quantities.fromText(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

/** An allocator with a clock, so that tests read as stories. */
export class Stage {
  readonly allocator: Allocator;
  now = 0;
  private readonly random = seededRandom(7);

  constructor(options: AllocatorOptions = {}) {
    this.allocator = createAllocator(options);
  }

  agent(id: string, total: string | Resources, info: Partial<AgentInfo> = {}, capabilities = AGENT_CAPABILITIES): void {
    this.allocator.addAgent(id, {
      info: { hostname: id, ...info },
      total: typeof total === 'string' ? resources(total) : total,
      capabilities,
    });
  }

  framework(id: string, roles: string | string[], spec: Partial<FrameworkSpec> = {}): void {
    this.allocator.addFramework(id, {
      roles: [roles].flat(),
      capabilities: FRAMEWORK_CAPABILITIES,
      active: true,
      ...spec,
    });
  }

  /** One allocation, as `framework role agent: resources`, sorted. */
  offers(agentIds?: string[]): string[] {
    return this.allocate(agentIds).map(
      ({ frameworkId, role, agentId, resources }) => `${frameworkId} ${role} ${agentId}: ${resources.unallocate()}`,
    );
  }

  allocate(agentIds?: string[]): Allocation[] {
    return this.allocator
      .allocate(this.now, this.random, agentIds)
      .sort((a, b) => (`${a.frameworkId} ${a.role} ${a.agentId}` < `${b.frameworkId} ${b.role} ${b.agentId}` ? -1 : 1));
  }

  decline({ frameworkId, agentId, resources }: Allocation, refuseSeconds?: number): void {
    this.allocator.recoverResources(frameworkId, agentId, resources, refuseSeconds, this.now);
  }

  /** Everything on one agent declined, without a filter. */
  declineAll(allocations: Allocation[], refuseSeconds?: number): void {
    for (const allocation of allocations) this.decline(allocation, refuseSeconds);
  }

  reasons(frameworkId: string): string[] {
    return this.allocator
      .explain(frameworkId, this.now)
      .map(({ role, reason, agents }) => `${role} ${reason} ${agents}`);
  }
}
