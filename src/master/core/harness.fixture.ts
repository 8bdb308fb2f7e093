/** A tiny world around the master's core for tests: time that is set by hand, and a registry that commits at once. */
import assert from 'node:assert/strict';
import type { Env } from '../../base/machine.ts';
import { seededRandom } from '../../base/random.ts';
import type {
  AgentInfo_Capability,
  ExecutorInfo,
  FrameworkInfo,
  MasterInfo,
  Offer,
  Resource,
  TaskInfo,
  TaskState,
} from '../../wire/v1.ts';
import type { Call as OperatorCall } from '../../wire/v1_master.ts';
import type { Call, Event } from '../../wire/v1_scheduler.ts';
import type { MasterEffect, OutboundMessages, OutboundName } from './effects.ts';
import type { InboundMessages, InboundName, MasterEvent } from './events.ts';
import { checkInvariants } from './invariants.ts';
import { createMaster, type Master } from './machine.ts';
import { type MasterOptions, masterOptions } from './options.ts';

export const MASTER_ID = 'm';
const INFO: MasterInfo = { id: MASTER_ID, ip: 16_777_343, port: 5050, hostname: 'localhost' };
const EPOCH = 1_700_000_000_000;

const ALL_CAPABILITIES: readonly AgentInfo_Capability[] = (
  [
    'MULTI_ROLE',
    'HIERARCHICAL_ROLE',
    'RESERVATION_REFINEMENT',
    'RESOURCE_PROVIDER',
    'RESIZE_VOLUME',
    'AGENT_OPERATION_FEEDBACK',
    'AGENT_DRAINING',
    'TASK_RESOURCE_LIMITS',
  ] as const
).map((type) => ({ type }));

/** A subscribed scheduler, as the harness sees it. */
export interface Scheduler {
  readonly stream: string;
  readonly id: string;
}

/** A registered agent. */
export interface Host {
  readonly id: string;
  readonly pid: string;
}

export class World {
  readonly master: Master;
  /** What the master did in reaction to the last event, and to the commits that it asked for. */
  effects: MasterEffect[] = [];
  now = 0;
  /** False: commits stay open until `commitAll`. */
  autoCommit = true;
  private readonly random = seededRandom(1);
  private readonly open: { token: number }[] = [];
  private wakeAt: number | undefined;
  private requests = 0;

  constructor(options: Partial<MasterOptions> = {}) {
    this.master = createMaster(masterOptions({ info: INFO, ...options }));
    this.step({ kind: 'started' });
  }

  get state(): Master['state'] {
    return this.master.state;
  }

  /** Feeds one event and checks the books afterwards. */
  step(event: MasterEvent): MasterEffect[] {
    this.effects = [];
    this.feed(event);
    if (this.autoCommit) this.commitAll();
    return this.effects;
  }

  private feed(event: MasterEvent): void {
    const env: Env = { now: this.now, wall: EPOCH + this.now, random: this.random, chance: () => false };
    this.master.step(event, env, (effect) => {
      this.effects.push(effect);
      if (effect.kind === 'commit') this.open.push(effect);
      if (effect.kind === 'arm') this.wakeAt = this.now + effect.after;
      if (effect.kind === 'disarm') this.wakeAt = undefined;
    });
    assert.deepEqual(checkInvariants(this.master), []);
  }

  /** Answers all open commits. */
  commitAll(error?: string): void {
    for (let next = this.open.shift(); next !== undefined; next = this.open.shift()) {
      this.feed({ kind: 'committed', token: next.token, ...(error !== undefined && { error }) });
    }
  }

  /** Lets time pass; everything that is due happens in order. @returns all effects of that time */
  sleep(milliseconds: number): MasterEffect[] {
    const until = this.now + milliseconds;
    const all: MasterEffect[] = [];
    while (this.wakeAt !== undefined && this.wakeAt <= until) {
      this.now = Math.max(this.now, this.wakeAt);
      this.wakeAt = undefined;
      all.push(...this.step({ kind: 'timer', key: 'wake' }));
    }
    this.now = until;
    this.effects = all;
    return all;
  }

  /** A call of an operator. */
  operate(call: OperatorCall, principal?: string): { status: number; text: string | undefined } {
    const request = this.requests++;
    this.step({ kind: 'operatorCall', request, call, ...(principal !== undefined && { principal }) });
    for (const effect of this.effects) {
      if (effect.kind === 'reply' && effect.request === request) return { status: effect.status, text: effect.text };
    }
    assert.fail(`no answer to ${call.type}`);
  }

  // Schedulers.

  call(call: Call, streamId?: string, principal?: string): { status: number; text: string | undefined } {
    const request = this.requests++;
    this.step({
      kind: 'schedulerCall',
      request,
      call,
      ...(streamId !== undefined && { streamId }),
      ...(principal !== undefined && { principal }),
    });
    for (const effect of this.effects) {
      if (effect.kind === 'reply' && effect.request === request) return { status: effect.status, text: effect.text };
      if (effect.kind === 'openStream' && effect.request === request) return { status: 200, text: effect.stream };
    }
    assert.fail(`no answer to ${call.type}`);
  }

  subscribe(
    info: Partial<FrameworkInfo> = {},
    more: Omit<NonNullable<Call['subscribe']>, 'framework_info'> = {},
  ): Scheduler {
    const framework_info = { user: 'root', name: 'test', ...info };
    const id = framework_info.id;
    const call: Call = { type: 'SUBSCRIBE', subscribe: { framework_info, ...more }, ...(id && { framework_id: id }) };
    const { text: stream } = this.call(call);
    assert.ok(stream);
    const [subscribed] = this.events(stream, 'SUBSCRIBED');
    assert.ok(subscribed?.subscribed, JSON.stringify(this.events(stream)));
    return { stream, id: subscribed.subscribed.framework_id.value };
  }

  /** A call of a subscribed scheduler. @returns the status of the answer */
  say(scheduler: Scheduler, call: Call): number {
    return this.call({ framework_id: { value: scheduler.id }, ...call }, scheduler.stream).status;
  }

  /** Events sent on a stream by the last step (or sleep). */
  events(stream: string, type?: Event['type']): Event[] {
    return this.effects.flatMap((effect) => {
      const isHere = effect.kind === 'event' && effect.stream === stream;
      return isHere && (type === undefined || effect.event.type === type) ? [effect.event] : [];
    });
  }

  /** Lets the allocator run, and returns the offers that came to the scheduler. */
  offers(scheduler: Scheduler, wait = 1000): Offer[] {
    this.sleep(wait);
    return this.events(scheduler.stream, 'OFFERS').flatMap((event) => event.offers?.offers ?? []);
  }

  /** Launches tasks from one offer. */
  launch(scheduler: Scheduler, offer: Offer, tasks: readonly TaskInfo[], refuse = 0): number {
    return this.say(scheduler, {
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }],
        filters: { refuse_seconds: refuse },
      },
    });
  }

  states(scheduler: Scheduler): (readonly [string, TaskState, string | undefined])[] {
    return this.events(scheduler.stream, 'UPDATE').map(({ update }) => {
      const { task_id, state, reason } = update!.status;
      return [task_id.value, state, reason];
    });
  }

  // Agents.

  message<Name extends InboundName>(
    from: string,
    name: Name,
    body: InboundMessages[Name],
    to = 'master',
  ): MasterEffect[] {
    return this.step({ kind: 'message', from, to, name, body } as MasterEvent);
  }

  register(port = 5051, resources: readonly Resource[] = [scalar('cpus', 4), scalar('mem', 4096)]): Host {
    const pid = `slave(1)@127.0.0.1:${port}`;
    this.message(pid, 'mesos.internal.RegisterSlaveMessage', {
      slave: { hostname: `host-${port}`, port, resources },
      version: '1.12.0',
      agent_capabilities: ALL_CAPABILITIES,
      resource_version_uuid: { value: new Uint8Array(16) },
    });
    const [registered] = this.sent('mesos.internal.SlaveRegisteredMessage');
    assert.ok(registered, 'the agent is registered');
    return { id: registered.slave_id.value, pid };
  }

  reregister(host: Host, more: Partial<InboundMessages['mesos.internal.ReregisterSlaveMessage']> = {}): void {
    const agent = this.state.agents.get(host.id);
    const port = Number(host.pid.split(':')[1]);
    const resources = agent?.info.resources ?? [scalar('cpus', 4), scalar('mem', 4096)];
    this.message(host.pid, 'mesos.internal.ReregisterSlaveMessage', {
      slave: { hostname: `host-${port}`, port, resources, id: { value: host.id } },
      version: '1.12.0',
      agent_capabilities: ALL_CAPABILITIES,
      resource_version_uuid: { value: new Uint8Array(16) },
      ...more,
    });
  }

  /** A status update of an agent that wants an acknowledgement. @returns its uuid */
  update(scheduler: Scheduler, host: Host, taskId: string, state: TaskState, latest: TaskState = state): Uint8Array {
    const uuid = uuidOf(`${taskId}-${state}`);
    this.message(host.pid, 'mesos.internal.StatusUpdateMessage', {
      update: {
        framework_id: { value: scheduler.id },
        slave_id: { value: host.id },
        status: { task_id: { value: taskId }, state, source: 'SOURCE_EXECUTOR', uuid },
        timestamp: 1,
        uuid,
        latest_state: latest,
      },
      pid: host.pid,
    });
    return uuid;
  }

  acknowledge(scheduler: Scheduler, host: Host, taskId: string, uuid: Uint8Array): number {
    const acknowledge = { agent_id: { value: host.id }, task_id: { value: taskId }, uuid };
    return this.say(scheduler, { type: 'ACKNOWLEDGE', acknowledge });
  }

  /** Messages of one kind that the master sent in the last step (or sleep). */
  sent<Name extends OutboundName>(name: Name, to?: string): OutboundMessages[Name][] {
    return this.effects.flatMap((effect) => {
      const is = effect.kind === 'send' && effect.name === name && (to === undefined || effect.to === to);
      return is ? [effect.message as OutboundMessages[Name]] : [];
    });
  }
}

export function scalar(name: string, value: number): Resource {
  return { name, type: 'SCALAR', scalar: { value } };
}

export function task(id: string, agentId: { readonly value: string }, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: agentId,
    resources: [scalar('cpus', 1), scalar('mem', 128)],
    command: { value: 'true' },
    ...more,
  };
}

export function executor(id: string, more: Partial<ExecutorInfo> = {}): ExecutorInfo {
  return {
    executor_id: { value: id },
    command: { value: 'run' },
    resources: [scalar('cpus', 0.5), scalar('mem', 64)],
    ...more,
  };
}

/** A well-formed uuid that depends on the text. */
export function uuidOf(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < text.length; i++) bytes[i % 16] = (bytes[i % 16]! * 31 + text.charCodeAt(i)) & 0xff;
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}
