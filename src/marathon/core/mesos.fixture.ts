/** A small Mesos for tests: agents with resources, offers of what is free, and operations that must be what a master takes. */
import { mapOperation, upgradeOperation } from '../../resources/carriers.ts';
import { parseResources } from '../../resources/parse.ts';
import { downgrade } from '../../resources/refinement.ts';
import { Resources } from '../../resources/resources.ts';
import type { Attribute, Offer, Offer_Operation, Resource, TaskState } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_scheduler.ts';

interface Agent {
  readonly id: string;
  readonly host: string;
  total: Resources;
  used: Resources;
  readonly attributes: readonly Attribute[];
  readonly domain?: { readonly region: string; readonly zone: string };
  /** Takes no part for now: nothing of it is offered. */
  isAway: boolean;
}

/** What a task, or all of a task group, holds. */
interface Hold {
  readonly agentId: string;
  readonly resources: Resources;
  readonly tasks: Set<string>;
}

export interface MesosTask {
  readonly agentId: string;
  state: TaskState;
  readonly hold: Hold;
}

export interface AgentOptions {
  /** As text, or as the JSON of a list. Ports, memory and disk enough for everything unless given. */
  readonly resources?: string;
  readonly attributes?: readonly Attribute[];
  readonly domain?: { readonly region: string; readonly zone: string };
}

export class SmallMesos {
  readonly agents = new Map<string, Agent>();
  readonly tasks = new Map<string, MesosTask>();
  /** Roles that offers are wanted for. */
  readonly wanted = new Set<string>();
  /** By agent: executors without tasks that have not ended yet. */
  readonly lingering = new Map<string, readonly string[]>();
  /** Whatever is accepted is lost on the way. */
  losesOperations = false;
  readonly #offers = new Map<string, { readonly agent: Agent; readonly role: string; readonly free: Resources }>();
  #count = 0;

  addAgent(host: string, { resources, attributes = [], domain }: AgentOptions): void {
    const parsed = parseResources(resources ?? 'cpus:100;mem:100000;disk:100000;ports:[31000-32000]');
    if (!parsed.ok) throw new Error(parsed.error);
    const id = `agent-${host}`;
    const agent = { id, host, total: parsed.value, used: Resources.EMPTY, attributes, isAway: false };
    this.agents.set(id, { ...agent, ...(domain && { domain }) });
  }

  /** One offer of each agent for each role that wants some; what is taken in between is not offered again. */
  *offers(): Generator<Offer> {
    for (const role of [...this.wanted]) {
      for (const agent of this.agents.values()) {
        const offer = agent.isAway ? undefined : this.offerOf(agent.id, role);
        if (offer !== undefined && (offer.resources ?? []).some(({ name }) => name === 'cpus')) yield offer;
      }
    }
  }

  /** All that is free on an agent for a role. */
  offerOf(agentId: string, role: string): Offer {
    const agent = this.agents.get(agentId)!;
    const free = agent.total.minus(agent.used).allocatableTo(role);
    const id = `offer-${++this.#count}`;
    this.#offers.set(id, { agent, role, free });
    const { domain } = agent;
    return {
      id: { value: id },
      framework_id: { value: 'f' },
      agent_id: { value: agentId },
      hostname: agent.host,
      allocation_info: { role },
      resources: free.allocate(role).toProto().map(old),
      attributes: agent.attributes,
      executor_ids: (this.lingering.get(agentId) ?? []).map((value) => ({ value })),
      ...(domain && { domain: { fault_domain: { region: { name: domain.region }, zone: { name: domain.zone } } } }),
    };
  }

  /** @returns the tasks that were launched */
  obey(call: Call): readonly string[] {
    if (call.type === 'REVIVE') for (const role of call.revive?.roles ?? []) this.wanted.add(role);
    if (call.type === 'SUPPRESS') for (const role of call.suppress?.roles ?? []) this.wanted.delete(role);
    if (call.type !== 'ACCEPT' || this.losesOperations) return [];
    const offer = this.#offers.get(call.accept?.offer_ids?.[0]?.value ?? '')!;
    this.#offers.clear();
    let { free } = offer;
    return (call.accept?.operations ?? []).flatMap((operation) => {
      const upgraded = upgradeOperation(operation);
      if (!upgraded.ok) throw new Error(upgraded.error);
      const plain = mapOperation(upgraded.value, (resource) => unallocated(resource, offer.role));
      if (plain.type !== 'LAUNCH' && plain.type !== 'LAUNCH_GROUP') {
        free = applied(free, plain);
        offer.agent.total = applied(offer.agent.total, plain);
        return [];
      }
      const holds = launched(plain, offer.agent);
      for (const { resources } of holds) {
        if (!free.contains(resources)) throw new Error(`${free} does not contain ${resources}`);
        free = free.minus(resources);
      }
      return holds.flatMap((hold) => this.#start(offer.agent, hold));
    });
  }

  #start(agent: Agent, hold: Hold): readonly string[] {
    agent.used = agent.used.plus(hold.resources);
    for (const id of hold.tasks) this.tasks.set(id, { agentId: agent.id, state: 'TASK_STAGING', hold });
    return [...hold.tasks];
  }

  /** Its resources are free again once all that share them have ended. */
  end(taskId: string): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    this.tasks.delete(taskId);
    task.hold.tasks.delete(taskId);
    const agent = this.agents.get(task.agentId);
    if (task.hold.tasks.size === 0 && agent) agent.used = agent.used.minus(task.hold.resources);
  }
}

function old(resource: Resource): Resource {
  const downgraded = downgrade(resource);
  if (!downgraded.ok) throw new Error(downgraded.error);
  return downgraded.value;
}

/** What is offered to a role can be used and reserved for that role only. */
function unallocated(resource: Resource, role: string): Resource {
  const { allocation_info: allocation, ...rest } = resource;
  const reserved = rest.reservations?.at(-1)?.role ?? role;
  if (allocation?.role !== role || reserved !== role)
    throw new Error(`not of the role ${role}: ${JSON.stringify(resource)}`);
  return rest;
}

function applied(resources: Resources, operation: Offer_Operation): Resources {
  const result = resources.apply(operation);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

function launched({ launch, launch_group: group }: Offer_Operation, { id: agentId }: Agent): readonly Hold[] {
  const alone = (launch?.task_infos ?? []).map(({ task_id, resources = [] }) => ({
    agentId,
    resources: Resources.of(resources),
    tasks: new Set([task_id.value]),
  }));
  if (group === undefined) return alone;
  const tasks = group.task_group.tasks ?? [];
  const resources = Resources.of([
    ...(group.executor.resources ?? []),
    ...tasks.flatMap((task) => task.resources ?? []),
  ]);
  return [...alone, { agentId, resources, tasks: new Set(tasks.map(({ task_id }) => task_id.value)) }];
}
