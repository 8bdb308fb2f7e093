/** A Marathon core with a clock, timers, a small Mesos that does what it is told, and a memory of everything that came out. */
import { seededRandom } from '../../base/random.ts';
import type { Offer, Resource, TaskState, TaskStatus } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_scheduler.ts';
import type { Change } from './change.ts';
import type { CoreOptions } from './context.ts';
import type { MarathonEffect } from './effects.ts';
import type { MarathonEvent } from './events.ts';
import { MarathonCore } from './machine.ts';
import type { Instance } from './model.ts';
import type { Outcome } from './outcome.ts';
import type { Published } from './published.ts';
import { restoreState } from './restore.ts';
import { newState } from './state.ts';

export const START = 1_700_000_000_000;

const OPTIONS: CoreOptions = {
  definitions: {
    defaultRole: '*',
    features: new Set(),
    mesosBridgeName: 'mesos-bridge',
    acceptedResourceRolesDefault: 'any',
  },
  maxRunningDeployments: 100,
  localPortMin: 10_000,
  localPortMax: 20_000,
  newGroupEnforceRole: false,
  launchConfirmTimeout: 300_000,
  launchTimeout: 300_000,
  reservationTimeout: 20_000,
  killChunkSize: 100,
  killRetryTimeout: 30_000,
  reconciliationInitialDelay: 15_000,
  reconciliationInterval: 600_000,
  scaleAppsInitialDelay: 15_000,
  scaleAppsInterval: 300_000,
  expungeInitialDelay: 300_000,
  expungeInterval: 30_000,
  declineOfferDuration: 120_000,
  minReviveOffersInterval: 5_000,
  reviveRepetitions: 1,
  suppressOffers: true,
  maxInstancesPerOffer: 5,
  launchTokens: 100,
  launchTokenRefreshInterval: 30_000,
  maintenanceMode: true,
  drainingSeconds: 0,
  gpuScheduling: 'restricted',
  envVarsPrefix: '',
  executor: '//cmd',
  checkpoint: true,
  mesosUser: 'root',
  maxVersions: 50,
  features: new Set(),
};

interface Agent {
  readonly id: string;
  readonly host: string;
  cpus: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a Mesos task is at the moment. */
interface MesosTask {
  readonly agentId: string;
  readonly cpus: number;
  state: TaskState;
}

export class Rig {
  core: MarathonCore;
  now = 0;
  readonly options: CoreOptions;
  readonly agents = new Map<string, Agent>();
  readonly tasks = new Map<string, MesosTask>();
  readonly published: Published[] = [];
  readonly calls: Call[] = [];
  readonly probes: Extract<MarathonEffect, { readonly kind: 'probe' }>[] = [];
  readonly log: string[] = [];
  readonly stored = new Map<string, string>();
  readonly #timers = new Map<string, number>();
  readonly #outcomes = new Map<number, Outcome>();
  readonly #random = seededRandom(1);
  #request = 0;
  #offer = 0;
  #wantsOffers = false;
  /** Whether tasks that are launched come to run at once. */
  isQuick = true;
  /** The master hears no calls, and sends nothing. */
  isAway = false;
  /** Called after every step, to look whether all is as it must be. */
  check: (rig: Rig) => void = () => {};

  constructor(options: Partial<CoreOptions> = {}) {
    this.options = { ...OPTIONS, ...options };
    this.core = new MarathonCore(this.options, newState(START));
    this.#begin();
  }

  #begin(): void {
    this.step({ kind: 'start' });
    this.step({ kind: 'subscribed', frameworkId: 'f' });
  }

  /** Ends this leader; another one takes over with what was stored. */
  failover(): void {
    const values = new Map([...this.stored].map(([key, text]) => [key, JSON.parse(text) as unknown]));
    const state = restoreState(values, START + this.now);
    if (!state.ok) throw new Error(state.error);
    this.#timers.clear();
    this.core = new MarathonCore(this.options, state.value);
    this.#begin();
  }

  addAgent(host: string, cpus = 100, attributes: Readonly<Record<string, string>> = {}): void {
    const id = `agent-${host}`;
    this.agents.set(id, { id, host, cpus, attributes });
  }

  /** One event, and what follows from it in Mesos. */
  step(event: MarathonEvent): void {
    const effects: MarathonEffect[] = [];
    const env = { now: this.now, wall: START + this.now, random: this.#random, chance: () => false };
    this.core.step(event, env, (effect) => effects.push(effect));
    for (const effect of effects) this.#perform(effect);
    this.check(this);
  }

  /** Asks for a change. */
  change(change: Change, force = false): Outcome {
    const request = ++this.#request;
    this.step({ kind: 'change', request, change, force, caller: { clientIp: '127.0.0.1', uri: '/v2/apps' } });
    return this.#outcomes.get(request)!;
  }

  ask(event: { readonly kind: 'kill'; readonly instances: readonly string[]; readonly wipe: boolean }): Outcome;
  ask(event: { readonly kind: 'cancelDeployment'; readonly id: string; readonly force: boolean }): Outcome;
  ask(event: { readonly kind: 'resetDelay'; readonly specId: string }): Outcome;
  ask(event: object): Outcome {
    const request = ++this.#request;
    this.step({ ...event, request } as MarathonEvent);
    return this.#outcomes.get(request)!;
  }

  /** Lets time pass; whatever is due happens in order. */
  advance(millis: number): void {
    const end = this.now + millis;
    for (;;) {
      this.#offerAll();
      const [key, at] = [...this.#timers].reduce((a, b) => (b[1] < a[1] ? b : a), ['', Number.POSITIVE_INFINITY]);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      this.#timers.delete(key);
      this.step({ kind: 'timer', key });
    }
    this.now = end;
  }

  /** Tells the core that a task is in this state now. */
  report(taskId: string, state: TaskState, more: Partial<TaskStatus> = {}): void {
    const task = this.tasks.get(taskId);
    const agent = task?.agentId ?? 'agent-x';
    if (task) task.state = state;
    if (ENDED.has(state) && task) this.#free(taskId);
    this.step({
      kind: 'update',
      status: { task_id: { value: taskId }, agent_id: { value: agent }, state, uuid: new Uint8Array(16), ...more },
    });
  }

  instancesOf(specId: string): readonly Instance[] {
    return [...(this.core.state.specs.get(specId)?.instances.values() ?? [])];
  }

  running(specId: string): readonly Instance[] {
    return this.instancesOf(specId).filter(({ condition }) => condition === 'Running');
  }

  events(type: Published['eventType']): readonly Published[] {
    return this.published.filter(({ eventType }) => eventType === type);
  }

  #perform(effect: MarathonEffect): void {
    switch (effect.kind) {
      case 'store':
        if (effect.value === undefined) this.stored.delete(effect.key);
        else this.stored.set(effect.key, JSON.stringify(effect.value));
        return;
      case 'answer':
        this.#outcomes.set(effect.request, effect.outcome);
        return;
      case 'publish':
        this.published.push(effect.event);
        return;
      case 'arm':
        this.#timers.set(effect.key, this.now + effect.after);
        return;
      case 'disarm':
        this.#timers.delete(effect.key);
        return;
      case 'probe':
        this.probes.push(effect);
        return;
      case 'log':
        this.log.push(effect.text);
        return;
      case 'call':
        this.calls.push(effect.call);
        if (!this.isAway) this.#obey(effect.call);
        return;
      default:
    }
  }

  #obey(call: Call): void {
    if (call.type === 'REVIVE') this.#wantsOffers = true;
    if (call.type === 'SUPPRESS') this.#wantsOffers = false;
    if (call.type === 'KILL') this.#kill(call.kill!.task_id.value);
    if (call.type !== 'ACCEPT') return;
    for (const operation of call.accept?.operations ?? []) {
      const group = operation.launch_group?.task_group.tasks ?? [];
      for (const info of [...(operation.launch?.task_infos ?? []), ...group]) {
        const cpus = info.resources?.find(({ name }) => name === 'cpus')?.scalar?.value ?? 0;
        const agent = this.agents.get(info.agent_id.value)!;
        agent.cpus -= cpus;
        this.tasks.set(info.task_id.value, { agentId: agent.id, cpus, state: 'TASK_STAGING' });
        if (this.isQuick) this.#later(() => this.report(info.task_id.value, 'TASK_RUNNING'));
      }
    }
  }

  readonly #queue: (() => void)[] = [];

  #later(action: () => void): void {
    this.#queue.push(action);
  }

  #kill(taskId: string): void {
    if (this.tasks.has(taskId) && this.isQuick) this.#later(() => this.report(taskId, 'TASK_KILLED'));
  }

  #free(taskId: string): void {
    const task = this.tasks.get(taskId);
    const agent = task && this.agents.get(task.agentId);
    if (agent) agent.cpus += task.cpus;
    this.tasks.delete(taskId);
  }

  #offerAll(): void {
    for (let action = this.#queue.shift(); action; action = this.#queue.shift()) action();
    if (!this.#wantsOffers || this.isAway) return;
    const offers = [...this.agents.values()].filter(({ cpus }) => cpus > 0.001).map((agent) => this.offerOf(agent.id));
    const before = this.core.state.launching.waiting.size;
    if (before > 0 && offers.length > 0) this.step({ kind: 'offers', offers });
    for (let action = this.#queue.shift(); action; action = this.#queue.shift()) action();
    if (this.core.state.launching.waiting.size === 0) this.#wantsOffers = false;
  }

  /** All that is free on an agent. */
  offerOf(agentId: string): Offer {
    const agent = this.agents.get(agentId)!;
    const scalar = (name: string, value: number): Resource => ({
      name,
      type: 'SCALAR',
      scalar: { value },
      role: '*',
      allocation_info: { role: '*' },
    });
    return {
      id: { value: `offer-${++this.#offer}` },
      framework_id: { value: 'f' },
      agent_id: { value: agentId },
      hostname: agent.host,
      allocation_info: { role: '*' },
      resources: [
        scalar('cpus', agent.cpus),
        scalar('mem', 100_000),
        scalar('disk', 100_000),
        {
          name: 'ports',
          type: 'RANGES',
          ranges: { range: [{ begin: 31_000, end: 32_000 }] },
          role: '*',
          allocation_info: { role: '*' },
        },
      ],
      attributes: Object.entries(agent.attributes).map(([name, value]) => ({ name, type: 'TEXT', text: { value } })),
    };
  }
}

const ENDED: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_GONE',
  'TASK_DROPPED',
]);
