/** `/allocator/why`: why frameworks are offered nothing, and what became of tasks. */
import type { Allocator, NoOffer } from '../../allocator/allocator.ts';
import type { NoOfferDetails } from '../../allocator/reason.ts';
import type { Millis } from '../../base/machine.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { ancestorsOf } from '../../resources/roles.ts';
import { fromMilli } from '../../resources/scalars.ts';
import type { Task } from '../../wire/v1.ts';
import type { Agent, Framework, MasterState } from '../core/state.ts';
import type { Steps } from './kept.ts';
import { sentenceOf, type WhyReason } from './why-sentences.ts';

export interface WhyQuestion {
  readonly frameworkId?: string | undefined;
  readonly role?: string | undefined;
  readonly agentId?: string | undefined;
  readonly taskId?: string | undefined;
  /** How many agents are shown one by one, and how many frameworks. */
  readonly limit: number;
}

/** What is asked, and when: the allocator counts its own time, people count that of the wall. */
export interface WhyWorld {
  readonly state: MasterState;
  readonly allocator: WhyAllocator;
  readonly now: Millis;
  readonly wall: Millis;
}

export type WhyAllocator = Pick<
  Allocator,
  'hasFramework' | 'explain' | 'explainAgents' | 'available' | 'roleShare' | 'frameworkShare' | 'quotaConsumed'
>;

/** Frameworks that the question is about, or what is wrong with it. */
export function frameworksAsked(state: MasterState, question: WhyQuestion): Result<readonly string[]> {
  const { frameworkId, role, agentId } = question;
  const agentFault = agentId === undefined ? undefined : whyNoAgent(state, agentId);
  if (agentFault !== undefined) return err(agentFault);
  if (frameworkId !== undefined) {
    const framework = state.frameworks.get(frameworkId) ?? state.completedFrameworks.get(frameworkId);
    if (framework === undefined) {
      return err(`framework_id: no framework '${frameworkId}' is known; /frameworks lists those that are`);
    }
    if (role !== undefined && !framework.roles.has(role)) {
      const roles = [...framework.roles].join(', ');
      return err(`role: framework '${frameworkId}' does not subscribe to '${role}' but to ${roles}`);
    }
    return ok([frameworkId]);
  }
  const all = [...state.frameworks.values()];
  if (role === undefined) return ok(question.taskId === undefined ? all.map(({ id }) => id) : []);
  const subscribed = all.filter(({ roles }) => roles.has(role)).map(({ id }) => id);
  const isKnown = subscribed.length > 0 || state.roles.has(role) || state.quotas.has(role) || state.weights.has(role);
  return isKnown ? ok(subscribed) : err(`role: nobody knows the role '${role}'; /roles lists those that are known`);
}

function whyNoAgent(state: MasterState, id: string): string | undefined {
  if (state.agents.has(id)) return undefined;
  if (state.unreachable.has(id)) return `agent_id: agent '${id}' is unreachable, and nothing of it can be offered`;
  if (state.gone.has(id)) return `agent_id: agent '${id}' was marked gone`;
  if (state.recovered.has(id)) return `agent_id: agent '${id}' has not reregistered yet since this master was elected`;
  return `agent_id: no agent '${id}' is known; /slaves lists those that are`;
}

/** What keeps offers from everybody. */
export function whyNobody({ agentsToWaitFor, agents }: MasterState): { paused?: string } {
  if (agentsToWaitFor === 0) return {};
  const begin = `offers begin when ${agentsToWaitFor} agents are there again (now: ${agents.size})`;
  return { paused: `Nobody is offered anything yet after a failover, because roles have quota: ${begin}` };
}

/** One framework, role by role; with agents one by one if the question is narrow enough. */
export function whyFramework(world: WhyWorld, id: string, question: WhyQuestion): object | undefined {
  const { state, wall } = world;
  const framework = state.frameworks.get(id) ?? state.completedFrameworks.get(id);
  if (framework === undefined) return undefined;
  const isThere = state.frameworks.has(id);
  const offers = [...framework.offers].flatMap((offerId) => state.offers.get(offerId) ?? []);
  const oldest = offers.reduce((least, { created }) => Math.min(least, created), Number.POSITIVE_INFINITY);
  const roles = [...framework.roles].filter((role) => role === (question.role ?? role)).sort();
  const isExplained = isThere && world.allocator.hasFramework(id);
  return {
    id,
    name: framework.info.name,
    state: isThere ? stateOf(framework) : 'ENDED',
    tasks: framework.tasks.size,
    offers: offers.length,
    ...(offers.length > 0 && { oldest_offer_seconds: Math.max(0, (wall - oldest) / 1000) }),
    roles: isExplained ? new RolesOf(world, framework, question).views(roles) : [],
  };
}

function stateOf({ active, state }: Framework): string {
  if (active) return 'ACTIVE';
  return state === 'CONNECTED' ? 'INACTIVE' : state;
}

/** The roles of one framework. */
class RolesOf {
  private readonly world: WhyWorld;
  private readonly framework: Framework;
  private readonly question: WhyQuestion;

  constructor(world: WhyWorld, framework: Framework, question: WhyQuestion) {
    this.world = world;
    this.framework = framework;
    this.question = question;
  }

  views(roles: readonly string[]): object[] {
    const { allocator, now } = this.world;
    const { agentId, frameworkId } = this.question;
    const reasons = agentId === undefined ? allocator.explain(this.framework.id, now) : [];
    const isListed = frameworkId !== undefined || agentId !== undefined;
    return roles.map((role) => {
      const summary = this.withOffers(
        role,
        reasons.filter((reason) => reason.role === role),
      );
      return {
        role,
        suppressed: this.framework.suppressedRoles.has(role),
        ...standing(this.world, this.framework.id, role),
        ...(agentId === undefined && { summary: summary.map((entry) => this.summaryEntry(entry)) }),
        ...(isListed && this.agents(role)),
      };
    });
  }

  /** What is offered to the framework itself is not just "in use". */
  private withOffers(
    role: string,
    reasons: readonly NoOffer[],
  ): readonly (Omit<NoOffer, 'reason'> & { reason: WhyReason })[] {
    const busy = reasons.find(({ reason }) => reason === 'NOTHING_FREE');
    if (busy === undefined) return reasons;
    const offered = [...this.agentsOffered(role)].filter((id) => this.world.allocator.available(id).isEmpty);
    const agents = Math.min(busy.agents, offered.length);
    if (agents === 0) return reasons;
    const rest = reasons.filter((entry) => entry !== busy);
    const own = { role, reason: 'OFFERED' as const, agents, exampleAgentId: offered[0] };
    return busy.agents === agents ? [own, ...rest] : [own, { ...busy, agents: busy.agents - agents }, ...rest];
  }

  private agentsOffered(role: string): Set<string> {
    const { state } = this.world;
    const offers = [...this.framework.offers].map((id) => state.offers.get(id));
    return new Set(offers.flatMap((offer) => (offer?.role === role ? [offer.agentId] : [])));
  }

  private summaryEntry(entry: Omit<NoOffer, 'reason'> & { reason: WhyReason }): object {
    const { role, reason, agents, exampleAgentId, until, details } = entry;
    const agent = exampleAgentId === undefined ? undefined : this.world.state.agents.get(exampleAgentId);
    const free = agent && this.free(agent);
    return {
      reason,
      sentence: sentenceOf({ role, reason, details, free, secondsLeft: this.secondsLeft(until) }),
      agents,
      ...(agent && { example_agent_id: agent.id, example_hostname: agent.info.hostname }),
      ...this.until(until),
      ...(details && { details: amounts(details) }),
    };
  }

  private agents(role: string): { agents: object[] } {
    const { allocator, state, now } = this.world;
    const { agentId, limit } = this.question;
    const offered = this.agentsOffered(role);
    const shown: object[] = [];
    for (const entry of allocator.explainAgents(this.framework.id, now, { role, agentId })) {
      if (shown.length === limit) break;
      const agent = state.agents.get(entry.agentId);
      if (agent === undefined) continue;
      const { until, details } = entry;
      const isOffered = entry.reason === 'NOTHING_FREE' && offered.has(agent.id);
      const reason: WhyReason = isOffered ? 'OFFERED' : entry.reason;
      const free = this.free(agent);
      shown.push({
        agent_id: agent.id,
        hostname: agent.info.hostname,
        reason,
        sentence: sentenceOf({ role, reason, details, free, secondsLeft: this.secondsLeft(until) }),
        ...this.until(until),
        free,
        ...(details && !isOffered && { details: amounts(details) }),
      });
    }
    return { agents: shown };
  }

  private free(agent: Agent): string {
    return this.world.allocator.available(agent.id).toString();
  }

  private secondsLeft(until: Millis | undefined): number | undefined {
    return until === undefined ? undefined : (until - this.world.now) / 1000;
  }

  /** In seconds since the Unix epoch, as all times in these answers. */
  private until(until: Millis | undefined): { until?: number } {
    const left = this.secondsLeft(until);
    return left === undefined ? {} : { until: Math.round(this.world.wall + left * 1000) / 1000 };
  }
}

function standing({ state, allocator }: WhyWorld, frameworkId: string, role: string): object {
  const top = ancestorsOf(role).at(-1) ?? role;
  const quota = state.quotas.get(top);
  return {
    weight: state.weights.get(role) ?? 1,
    share: allocator.roleShare(role),
    framework_share: allocator.frameworkShare(frameworkId, role),
    ...(quota && {
      quota: {
        role: top,
        guarantees: numbers(Object.entries(quota.guarantees)),
        limits: numbers(Object.entries(quota.limits)),
        consumed: numbers(allocator.quotaConsumed(top)),
      },
    }),
  };
}

function numbers(milli: Iterable<readonly [name: string, amount: number]>): Record<string, number> {
  return Object.fromEntries(Array.from(milli, ([name, amount]) => [name, fromMilli(amount)]));
}

function amounts(details: NoOfferDetails): object {
  const { limit, consumed, free, guaranteed, limitedRole, holders, next, ...same } = details;
  const wire = (holder: NonNullable<typeof next>) => ({ framework_id: holder.frameworkId, role: holder.role });
  return {
    ...same,
    ...(limitedRole !== undefined && { limited_role: limitedRole }),
    ...(limit !== undefined && { limit: fromMilli(limit) }),
    ...(consumed !== undefined && { consumed: fromMilli(consumed) }),
    ...(free !== undefined && { free: fromMilli(free) }),
    ...(guaranteed !== undefined && { guaranteed: fromMilli(guaranteed) }),
    ...(holders && { holders: holders.map(wire) }),
    ...(next && { next: wire(next) }),
  };
}

/** What is known of a task: one entry for each framework that has one of this id; or why there is none. */
export function* whyTask(state: MasterState, { taskId, frameworkId }: WhyQuestion): Steps<object> {
  const tasks: object[] = [];
  for (const frameworks of [state.frameworks.values(), state.completedFrameworks.values()]) {
    for (const framework of frameworks) {
      if (frameworkId !== undefined && framework.id !== frameworkId) continue;
      const task = taskId === undefined ? undefined : findTask(framework, taskId);
      if (task !== undefined) tasks.push(taskView(state, framework, task));
      yield;
    }
  }
  if (tasks.length > 0) return { tasks };
  const who = frameworkId === undefined ? 'No framework has' : `Framework '${frameworkId}' has not`;
  const next =
    frameworkId === undefined
      ? 'a master hears of a task when it is launched: ask with the framework_id of its framework what that waits for'
      : 'a master hears of a task when it is launched; what the framework waits for is said with its roles';
  return { tasks, sentence: `${who} launched a task '${taskId}'; ${next}` };
}

function findTask(framework: Framework, id: string): Task | undefined {
  const present = framework.tasks.get(id) ?? framework.unreachableTasks.get(id);
  return present ?? framework.completedTasks.toArray().findLast((task) => task.task_id.value === id);
}

function taskView(state: MasterState, framework: Framework, task: Task): object {
  const last = task.statuses?.at(-1);
  const agent = state.agents.get(task.agent_id.value);
  const where = agent === undefined ? task.agent_id.value : `${agent.info.hostname} (${agent.id})`;
  const why = [last?.reason, last?.message].filter((part) => part !== undefined && part !== '').join(': ');
  return {
    id: task.task_id.value,
    name: task.name,
    framework_id: framework.id,
    framework_name: framework.info.name,
    agent_id: task.agent_id.value,
    ...(agent && { hostname: agent.info.hostname }),
    state: task.state,
    ...(last?.source !== undefined && { source: last.source }),
    ...(last?.reason !== undefined && { reason: last.reason }),
    ...(last?.message !== undefined && { message: last.message }),
    ...(last?.timestamp !== undefined && { timestamp: last.timestamp }),
    sentence: `Task '${task.task_id.value}' of framework ${framework.info.name} is ${task.state} on ${where}${why === '' ? '' : `, because of ${why}`}`,
  };
}
