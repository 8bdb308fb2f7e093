import type { Env, Millis } from '../../base/machine.ts';
import { seededRandom } from '../../base/random.ts';
import type { StatusUpdate } from '../../wire/internal.ts';
import type { FrameworkInfo, KillPolicy, TaskInfo } from '../../wire/v1.ts';
import { type Agent, createAgent } from './agent.ts';
import type { AgentEffect, LaunchContainer, OutboundMessages, SendEffect } from './effects.ts';
import type { AgentEvent, MessageEvent } from './events.ts';
import type { Recovered } from './recovered.ts';
import type { AgentOptions } from './state.ts';

export const MASTER = 'master@127.0.0.1:5050';
const AGENT_ID = 'm-S0';

const OPTIONS: AgentOptions = {
  pid: 'slave(1)@127.0.0.1:5051',
  hostname: 'host',
  port: 5051,
  version: '1.12.0',
  workDir: '/w',
  resources: [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } },
    { name: 'mem', type: 'SCALAR', scalar: { value: 4096 } },
  ],
  attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'r1' } }],
  capabilities: [{ type: 'MULTI_ROLE' }],
  checkpoint: true,
  switchUser: true,
  executorEnvironment: {},
  registrationBackoffFactor: 1000,
  executorRegistrationTimeout: 60_000,
  executorShutdownGracePeriod: 5000,
  recoveryTimeout: 900_000,
  executorReregistrationTimeout: 2000,
  gcDelay: 604_800_000,
  gcDiskHeadroom: 0.1,
  maxCompletedExecutorsPerFramework: 150,
  sandboxDirectory: '/mnt/mesos/sandbox',
  httpCommandExecutor: false,
  launcherDir: '/usr/libexec/mesos',
};

export const FRAMEWORK: FrameworkInfo = { user: 'alice', name: 'f', id: { value: 'f1' } };

/** A task of 0.1 cpus and 32 MB. */
export function task(
  id: string,
  command: TaskInfo['command'] = { value: 'sleep 1' },
  more?: Partial<TaskInfo>,
): TaskInfo {
  const allocation_info = { role: '*' };
  return {
    name: id,
    task_id: { value: id },
    agent_id: { value: AGENT_ID },
    resources: [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 }, allocation_info },
      { name: 'mem', type: 'SCALAR', scalar: { value: 32 }, allocation_info },
    ],
    command,
    ...more,
  };
}

/** An agent's surroundings for tests: a clock that is turned by hand, timers, and a record of everything it did. */
export class World {
  readonly agent: Agent;
  readonly effects: AgentEffect[] = [];
  readonly timers = new Map<string, Millis>();
  now: Millis = 0;
  private readonly random: () => number;
  private seen = 0;

  /** @param recovered what an agent of before has left; `resume` is stepped first then */
  constructor(options: Partial<AgentOptions> = {}, seed = 1, recovered?: Recovered, cleanup = false) {
    this.random = seededRandom(seed);
    this.agent = createAgent({ ...OPTIONS, ...options }, this.env(), recovered);
    if (recovered !== undefined) this.step({ kind: 'resume', recovered, cleanup });
  }

  /** One step; what it did is returned and remembered, and its timers are set. */
  step(event: AgentEvent): AgentEffect[] {
    const effects: AgentEffect[] = [];
    this.agent.step(event, this.env(), (effect) => effects.push(effect));
    for (const effect of effects) {
      if (effect.kind === 'arm') this.timers.set(effect.key, this.now + effect.after);
      if (effect.kind === 'disarm') this.timers.delete(effect.key);
    }
    this.effects.push(...effects);
    return effects;
  }

  /** Lets time pass; timers fire in the order in which they are due. */
  advance(duration: Millis): void {
    const end = this.now + duration;
    for (;;) {
      const [next] = [...this.timers].filter(([, due]) => due <= end).sort((a, b) => a[1] - b[1]);
      if (!next) break;
      this.timers.delete(next[0]);
      this.now = Math.max(this.now, next[1]);
      this.step({ kind: 'timer', key: next[0] });
    }
    this.now = end;
  }

  receive<N extends MessageEvent['name']>(
    name: N,
    body: Extract<MessageEvent, { name: N }>['body'],
    from = MASTER,
  ): void {
    this.step({ kind: 'message', from, name, body } as MessageEvent);
  }

  /** Finds a master and is admitted by it. */
  register(): this {
    this.step({ kind: 'masterDetected', pid: MASTER });
    this.advance(1000);
    this.admit();
    this.seen = this.effects.length;
    return this;
  }

  admit(): void {
    this.receive('mesos.internal.SlaveRegisteredMessage', {
      slave_id: { value: AGENT_ID },
      connection: { total_ping_timeout_seconds: 75 },
    });
  }

  run(info: TaskInfo, framework: FrameworkInfo = FRAMEWORK): void {
    this.receive('mesos.internal.RunTaskMessage', { framework, task: info, launch_executor: true });
  }

  kill(taskId: string, killPolicy?: KillPolicy): void {
    this.receive('mesos.internal.KillTaskMessage', {
      framework_id: { value: 'f1' },
      task_id: { value: taskId },
      ...(killPolicy && { kill_policy: killPolicy }),
    });
  }

  /** The newest container that was launched. */
  launched(): LaunchContainer {
    const found = this.effects.findLast((effect) => effect.kind === 'launchContainer');
    if (!found) throw new Error('nothing was launched');
    return found;
  }

  start(containerId = this.launched().containerId, pid = 100): void {
    this.step({ kind: 'containerStarted', containerId, pid });
  }

  exit(status: number, containerId = this.launched().containerId): void {
    this.step({ kind: 'containerExited', containerId, status });
  }

  /** Messages of this name, all or only those since the last `fresh` or `register`. */
  sent<N extends keyof OutboundMessages>(name: N, since = 0): OutboundMessages[N][] {
    return this.effects
      .slice(since)
      .filter((effect): effect is SendEffect => effect.kind === 'send' && effect.name === name)
      .map((effect) => effect.message as OutboundMessages[N]);
  }

  /** Effects of this kind since the last call of `fresh`. */
  fresh(): AgentEffect[] {
    const effects = this.effects.slice(this.seen);
    this.seen = this.effects.length;
    return effects;
  }

  updates(): StatusUpdate[] {
    return this.sent('mesos.internal.StatusUpdateMessage').map((message) => message.update);
  }

  /** The scheduler has seen this update. */
  acknowledge(update: StatusUpdate | undefined = this.updates().at(-1)): void {
    if (!update?.uuid) throw new Error('nothing to acknowledge');
    this.receive('mesos.internal.StatusUpdateAcknowledgementMessage', {
      slave_id: { value: AGENT_ID },
      framework_id: update.framework_id,
      task_id: update.status.task_id,
      uuid: update.uuid,
    });
  }

  /** Acknowledges whatever is on its way, until nothing more comes. */
  acknowledgeAll(): void {
    for (;;) {
      const waiting = [...this.agent.state.streams.values()].flatMap((stream) => stream.pending.slice(0, 1));
      if (waiting.length === 0) return;
      for (const update of waiting) this.acknowledge(update);
    }
  }

  /** States that the scheduler was told of a task, each once, in order. */
  states(taskId: string): string[] {
    const uuids = new Set<string>();
    return this.updates()
      .filter((update) => update.status.task_id.value === taskId)
      .filter((update) => {
        const uuid = String(update.uuid);
        return !uuids.has(uuid) && uuids.add(uuid);
      })
      .map((update) => update.status.state);
  }

  private env(): Env {
    return { now: this.now, wall: 1_700_000_000_000 + this.now, random: this.random, chance: () => false };
  }
}
