/**
 * A master's core with emulated agents and frameworks around it, in one process and without sockets: messages are handed
 * over as the objects that they are, and time is a number that leaps to the next timer when there is nothing left to do.
 */
import { Heap } from '../../src/base/heap.ts';
import type { Env } from '../../src/base/machine.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { MasterEffect } from '../../src/master/core/effects.ts';
import { type MasterEvent, messageEvent } from '../../src/master/core/events.ts';
import { createMaster, type Master } from '../../src/master/core/machine.ts';
import { type MasterOptions, masterOptions } from '../../src/master/core/options.ts';
import type { AgentInfo } from '../../src/wire/v1.ts';
import type { Call } from '../../src/wire/v1_scheduler.ts';
import { type AgentMessages, type AgentWorld, EmulatedAgent, type TaskScript } from './agent.ts';
import { EmulatedFramework, type EmulatedFrameworkOptions } from './framework.ts';

/** Where the master would listen. Nothing does. */
const MASTER = 'master@127.0.0.1:5050';
const ADDRESS = MASTER.slice(MASTER.indexOf('@'));
const EPOCH = Date.UTC(2026, 0, 1);

interface Timer {
  readonly at: number;
  readonly sequence: number;
  readonly run: () => void;
}

interface Client {
  readonly framework: EmulatedFramework;
  stream: string | undefined;
}

export class InProcessCluster {
  readonly master: Master;
  readonly agents: EmulatedAgent[] = [];
  /** Milliseconds of real time spent in the master's steps, handing over of effects included. */
  masterTime = 0;
  /** Steps of the master so far. */
  steps = 0;
  private now = 0;
  private sequence = 0;
  private readonly random: () => number;
  private readonly events: MasterEvent[] = [];
  private head = 0;
  private readonly timers = new Heap<Timer>((a, b) => a.at - b.at || a.sequence - b.sequence);
  private readonly keyed = new Map<string, number>();
  private readonly byPid = new Map<string, EmulatedAgent>();
  private readonly byRequest = new Map<number, Client>();
  private readonly byStream = new Map<string, Client>();
  private requests = 0;
  private readonly deliveries: (() => void)[] = [];

  constructor(options: Partial<MasterOptions> = {}, seed = 1) {
    this.random = seededRandom(seed);
    const info = { id: 'bench', ip: 0x0100007f, port: 5050, pid: MASTER, hostname: '127.0.0.1', version: '1.11.0' };
    this.master = createMaster(masterOptions({ info, startTime: EPOCH, ...options }));
    this.events.push({ kind: 'started' });
  }

  /** Adds agents; they register in the next `run`. */
  addAgents(count: number, info: (index: number) => AgentInfo, script?: TaskScript): void {
    const world: AgentWorld = {
      random: this.random,
      wall: () => EPOCH + this.now,
      after: (milliseconds, run) => this.timers.push({ at: this.now + milliseconds, sequence: this.sequence++, run }),
      send: <Name extends keyof AgentMessages>(
        from: EmulatedAgent,
        to: string,
        name: Name,
        body: AgentMessages[Name],
      ) => {
        const event = messageEvent({ from: from.pid, to: to.slice(0, to.indexOf('@')), name, body });
        if (event !== undefined) this.events.push(event);
      },
    };
    for (let i = 0; i < count; i++) {
      const index = this.agents.length;
      const pid = `slave(${index + 1})@127.0.0.1:${10_000 + (index % 50_000)}`;
      const agent = new EmulatedAgent({ pid, info: info(index), ...(script !== undefined && { script }) }, world);
      this.agents.push(agent);
      this.byPid.set(pid, agent);
      agent.register(MASTER);
    }
  }

  /** Adds a framework; it subscribes in the next `run`. */
  addFramework(options: EmulatedFrameworkOptions): EmulatedFramework {
    const framework: EmulatedFramework = new EmulatedFramework(options, (call) => this.call(client, call));
    const client: Client = { framework, stream: undefined };
    framework.subscribe();
    return framework;
  }

  /**
   * Lets things happen until that is true.
   * @param limit how much time may pass in the cluster (not in reality), in ms
   * @throws Error when the limit is reached or nothing can happen any more
   */
  run(until: () => boolean, limit = 3600_000): void {
    const deadline = this.now + limit;
    for (;;) {
      this.drain();
      if (until()) return;
      const timer = this.timers.pop();
      if (timer === undefined) throw new Error('nothing can happen in this cluster any more');
      if (timer.at > deadline) throw new Error(`it did not happen within ${limit / 1000} s of the cluster's time`);
      this.now = Math.max(this.now, timer.at);
      timer.run();
    }
  }

  private call(client: Client, call: Call): void {
    const request = this.requests++;
    if (call.type === 'SUBSCRIBE') this.byRequest.set(request, client);
    this.events.push({
      kind: 'schedulerCall',
      request,
      call,
      ...(client.stream !== undefined && { streamId: client.stream }),
    });
  }

  /** Feeds the master all events, those included that come of them. */
  private drain(): void {
    const emit = (effect: MasterEffect): void => this.perform(effect);
    while (this.head < this.events.length) {
      const event = this.events[this.head++]!;
      if (this.head === 65_536) {
        this.events.splice(0, this.head);
        this.head = 0;
      }
      const env: Env = { now: this.now, wall: EPOCH + this.now, random: this.random, chance: () => false };
      const start = performance.now();
      this.master.step(event, env, emit);
      this.masterTime += performance.now() - start;
      this.steps++;
      // Outside the step, so that what agents and frameworks do is not counted as the master's time.
      for (const deliver of this.deliveries) deliver();
      this.deliveries.length = 0;
    }
  }

  private perform(effect: MasterEffect): void {
    switch (effect.kind) {
      case 'send':
        this.deliveries.push(() =>
          this.byPid.get(effect.to)?.receive(`${effect.from}${ADDRESS}`, effect.name, effect.message),
        );
        return;
      case 'event':
        this.deliveries.push(() => this.byStream.get(effect.stream)?.framework.take(effect.event));
        return;
      case 'openStream':
        this.openStream(effect.request, effect.stream);
        return;
      case 'commit':
        this.deliveries.push(() => this.events.push({ kind: 'committed', token: effect.token }));
        return;
      case 'arm':
        this.arm(effect.key, effect.after);
        return;
      case 'disarm':
        this.keyed.delete(effect.key);
        return;
      case 'reply':
        if (effect.status >= 300) throw new Error(`the master refused a call (${effect.status}): ${effect.text ?? ''}`);
        return;
      case 'shutdown':
        throw new Error(`the master ended: ${effect.reason}`);
      default:
        return;
    }
  }

  private openStream(request: number, stream: string): void {
    const client = this.byRequest.get(request);
    if (client === undefined) return;
    this.byRequest.delete(request);
    client.stream = stream;
    this.byStream.set(stream, client);
  }

  private arm(key: string, after: number): void {
    const sequence = this.sequence++;
    this.keyed.set(key, sequence);
    const run = (): void => {
      if (this.keyed.get(key) !== sequence) return;
      this.keyed.delete(key);
      this.events.push({ kind: 'timer', key });
    };
    this.timers.push({ at: this.now + after, sequence, run });
  }
}
