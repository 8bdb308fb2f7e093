/** The reading half of the operator API: calls whose answer is made of the state alone, and short (facts: http-endpoints, 2). */

import { unreachable } from '../../base/invariant.ts';
import type { Millis } from '../../base/machine.ts';
import { endpointForm } from '../../resources/refinement.ts';
import type { Resources } from '../../resources/resources.ts';
import type { AgentInfo_Capability_Type, Offer, Resource, TimeInfo } from '../../wire/v1.ts';
import type { Response, Response_GetAgents_Agent, Response_GetFrameworks_Framework } from '../../wire/v1_master.ts';
import { type OfferContent, wireOffer } from '../core/offers.ts';
import type { Framework, MasterState } from '../core/state.ts';
import { clusterStatus, type InverseOfferStatuses, schedule } from './maintenance.ts';
import { quotaStatus } from './quota.ts';
import type { AgentShown, FrameworkShown } from './snapshot.ts';

/** The calls that are answered here. */
export const READING_CALLS = [
  'GET_OPERATIONS',
  'GET_WEIGHTS',
  'GET_MASTER',
  'GET_QUOTA',
  'GET_MAINTENANCE_STATUS',
  'GET_MAINTENANCE_SCHEDULE',
] as const satisfies readonly Response['type'][];
export type ReadingCall = (typeof READING_CALLS)[number];

/** What answers tell beside the state. */
export interface Beside {
  /** Answers to inverse offers, by agent id and framework id. */
  readonly inverseOfferStatuses?: InverseOfferStatuses | undefined;
}

/** The answer to a reading call. */
export function answerOf(state: MasterState, type: ReadingCall, beside: Beside = {}): Response {
  switch (type) {
    case 'GET_OPERATIONS':
      return { type, get_operations: { operations: operationsOf(state) } };
    case 'GET_WEIGHTS':
      // Upstream leaves the whole field out when no weight is set.
      if (state.weights.size === 0) return { type };
      return { type, get_weights: { weight_infos: [...state.weights].map(([role, weight]) => ({ role, weight })) } };
    case 'GET_MASTER':
      return {
        type,
        get_master: {
          master_info: state.info,
          start_time: state.startTime / 1000,
          elected_time: state.electedTime / 1000,
        },
      };
    case 'GET_QUOTA':
      return { type, get_quota: { status: quotaStatus(state) } };
    case 'GET_MAINTENANCE_STATUS':
      return { type, get_maintenance_status: { status: clusterStatus(state, beside.inverseOfferStatuses) } };
    case 'GET_MAINTENANCE_SCHEDULE':
      return { type, get_maintenance_schedule: { schedule: schedule(state) } };
    default:
      return unreachable(type, 'reading call');
  }
}

/** One agent, also for the event AGENT_ADDED. */
export function agentMessage(agent: AgentShown): Response_GetAgents_Agent {
  return {
    agent_info: agent.info,
    active: agent.active,
    deactivated: agent.deactivated,
    version: agent.version,
    pid: agent.pid,
    registered_time: timeInfo(agent.registeredTime),
    ...(agent.reregisteredTime !== undefined && { reregistered_time: timeInfo(agent.reregisteredTime) }),
    total_resources: shown(agent.total),
    allocated_resources: shown(agent.used),
    offered_resources: shown(agent.offered),
    capabilities: Array.from(agent.capabilities, (type) => ({ type: type as AgentInfo_Capability_Type })),
    ...(agent.drain && {
      drain_info: agent.drain,
      ...(agent.drainStarted !== undefined && { estimated_drain_start_time: timeInfo(agent.drainStarted) }),
    }),
  };
}

/** A framework without its offers. */
export function frameworkMessage(
  framework: FrameworkShown,
  used: Resources,
  offered: Resources,
): Response_GetFrameworks_Framework {
  return {
    ...frameworkHead(framework),
    allocated_resources: shown(used),
    offered_resources: shown(offered),
    ...(framework.inverseOffers.length > 0 && { inverse_offers: framework.inverseOffers }),
    offer_constraints: framework.offerConstraints ?? {},
  };
}

/** A framework as events tell of it: without what depends on the rest of the state, and with every time, even if it is 0. */
export function frameworkAlone(framework: Framework): Response_GetFrameworks_Framework {
  return {
    ...frameworkHead(framework),
    registered_time: timeInfo(framework.registeredTime),
    reregistered_time: timeInfo(framework.reregisteredTime),
    unregistered_time: timeInfo(framework.unregisteredTime),
  };
}

function frameworkHead(framework: Framework | FrameworkShown): Response_GetFrameworks_Framework {
  return {
    framework_info: framework.info,
    active: framework.active,
    connected: framework.state === 'CONNECTED',
    recovered: framework.state === 'RECOVERED',
    ...(framework.registeredTime !== 0 && { registered_time: timeInfo(framework.registeredTime) }),
    ...(framework.reregisteredTime !== 0 && { reregistered_time: timeInfo(framework.reregisteredTime) }),
    ...(framework.unregisteredTime !== 0 && { unregistered_time: timeInfo(framework.unregisteredTime) }),
  };
}

/** Operators see offers in the newest form, whatever the framework understands. */
const NEWEST_FORM: ReadonlySet<string> = new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT']);

export function offerMessage(content: OfferContent): Offer {
  return wireOffer(content, NEWEST_FORM);
}

function operationsOf(state: MasterState) {
  return [...state.agents.values()].flatMap((agent) => [...agent.operations.values()]);
}

function shown(resources: Resources): readonly Resource[] {
  return resources.toProto().map(endpointForm);
}

function timeInfo(instant: Millis): TimeInfo {
  return { nanoseconds: Math.round(instant * 1e6) };
}
