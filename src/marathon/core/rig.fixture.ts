/** A Marathon core with a clock, timers, a small Mesos that does what it is told, and a memory of everything that came out. */
import { seededRandom } from '../../base/random.ts';
import type { Offer, TaskState, TaskStatus } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_scheduler.ts';
import type { Change } from './change.ts';
import type { CoreOptions } from './context.ts';
import type { MarathonEffect } from './effects.ts';
import type { MarathonEvent } from './events.ts';
import { MarathonCore } from './machine.ts';
import { type AgentOptions, type MesosTask, SmallMesos } from './mesos.fixture.ts';
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
  offerMatchingTimeout: 3_000,
  maxQueuedOffers: 1_024,
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

export class Rig {
  core: MarathonCore;
  now = 0;
  readonly options: CoreOptions;
  readonly mesos = new SmallMesos();
  readonly tasks: Map<string, MesosTask> = this.mesos.tasks;
  readonly published: Published[] = [];
  readonly calls: Call[] = [];
  readonly probes: Extract<MarathonEffect, { readonly kind: 'probe' }>[] = [];
  readonly log: string[] = [];
  readonly stored = new Map<string, string>();
  readonly #timers = new Map<string, number>();
  readonly #outcomes = new Map<number, Outcome>();
  readonly #random = seededRandom(1);
  #request = 0;
  /** Whether tasks that are launched come to run at once. */
  isQuick = true;
  /** What else is told of tasks that come to run at once. */
  quickStatus: Partial<TaskStatus> = {};
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

  addAgent(host: string, options: AgentOptions = {}): void {
    this.mesos.addAgent(host, options);
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
    if (ENDED.has(state)) this.mesos.end(taskId);
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
    if (call.type === 'KILL') this.#kill(call.kill!.task_id.value);
    // Of tasks on agents that are gone for good a master says so.
    for (const { task_id, agent_id } of call.reconcile?.tasks ?? []) {
      if (!this.isQuick || this.mesos.agents.has(agent_id?.value ?? '')) continue;
      this.#later(() => this.report(task_id.value, 'TASK_GONE_BY_OPERATOR'));
    }
    for (const id of this.mesos.obey(call))
      if (this.isQuick) this.#later(() => this.report(id, 'TASK_RUNNING', this.quickStatus));
  }

  readonly #queue: (() => void)[] = [];

  #later(action: () => void): void {
    this.#queue.push(action);
  }

  #kill(taskId: string): void {
    // A master that does not know a task says that it is gone.
    const state = this.tasks.has(taskId) ? 'TASK_KILLED' : 'TASK_GONE';
    if (this.isQuick) this.#later(() => this.report(taskId, state));
  }

  #offerAll(): void {
    this.#runQueue();
    if (this.isAway) return;
    const { waiting, releasing, sweeps } = this.core.state.launching;
    if (waiting.size + releasing.size + sweeps.size === 0) return;
    for (const offer of this.mesos.offers()) {
      this.step({ kind: 'offers', offers: [offer] });
      this.#runQueue();
    }
  }

  #runQueue(): void {
    for (let action = this.#queue.shift(); action; action = this.#queue.shift()) action();
  }

  /** All that is free on an agent for a role. */
  offerOf(host: string, role = '*'): Offer {
    return this.mesos.offerOf(`agent-${host}`, role);
  }
}

const ENDED: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_DROPPED',
]);
