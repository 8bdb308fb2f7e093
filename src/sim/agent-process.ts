import { type Agent, agentInfo, createAgent, isInbound } from '../agent/core/agent.ts';
import type { AgentEffect } from '../agent/core/effects.ts';
import type { AgentEvent, MessageEvent } from '../agent/core/events.ts';
import { reconfigure } from '../agent/core/reconfiguration.ts';
import type { AgentOptions } from '../agent/core/state.ts';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import { Clock } from './clock.ts';
import type { ContainerRuntime } from './containers.ts';
import type { Dice } from './dice.ts';
import type { SimulatedDisk } from './disk.ts';
import { LeaderDetector } from './leader-detector.ts';
import type { Arrival, Host } from './network.ts';
import { SimulatedCommit } from './output-commit.ts';
import { remembered } from './remembered.ts';
import { brief } from './transcript.ts';
import { demand } from './violation.ts';
import type { World } from './world.ts';

/** What a machine is, whichever agent runs on it. */
export interface MachineSpec {
  readonly number: number;
  readonly address: string;
  readonly resources: readonly Resource[];
}

export function machineSpec(number: number, dice: Dice): MachineSpec {
  const scalar = (name: string, value: number): Resource => ({ name, type: 'SCALAR', scalar: { value } });
  return {
    number,
    address: `10.0.1.${number}:5051`,
    resources: [
      scalar('cpus', dice.whole(2, 8)),
      scalar('mem', dice.whole(4, 16) * 256),
      scalar('disk', 1024),
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 31_000 + dice.whole(2, 12) }] } },
    ],
  };
}

function optionsFor(machine: MachineSpec): AgentOptions {
  return {
    pid: `slave(1)@${machine.address}`,
    hostname: `host${machine.number}`,
    port: 5051,
    version: '1.12.0',
    workDir: '/w',
    resources: machine.resources,
    attributes: [],
    capabilities: [
      { type: 'MULTI_ROLE' },
      { type: 'HIERARCHICAL_ROLE' },
      { type: 'RESERVATION_REFINEMENT' },
      { type: 'RESOURCE_PROVIDER' },
      { type: 'AGENT_OPERATION_FEEDBACK' },
      { type: 'AGENT_DRAINING' },
    ],
    checkpoint: true,
    switchUser: false,
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
}

export interface AgentLife {
  readonly machine: MachineSpec;
  readonly life: number;
  readonly disk: SimulatedDisk;
  readonly containers: ContainerRuntime;
  /** Folders of volumes that could not be made. */
  readonly missing: Set<string>;
  /** End what was left, and then itself. */
  readonly cleanup: boolean;
  /** The agent ended itself; whoever keeps it running starts another one. */
  readonly ended: () => void;
}

/** One life of an agent's core, with a simulated shell and a simulated machine under it. */
export class AgentProcess implements Host {
  readonly core: Agent;
  readonly machine: MachineSpec;
  readonly name: string;
  readonly total: Resources;
  readonly containers: ContainerRuntime;
  private readonly world: World;
  private readonly dice: Dice;
  private readonly clock: Clock;
  private readonly detector: LeaderDetector;
  private readonly commit: SimulatedCommit;
  private readonly life: AgentLife;
  private readonly recovered: ReturnType<typeof remembered>;
  private dead = false;
  /** Effects that are performed until it dies in the middle. */
  private fuse: { left: number; readonly die: () => void } | undefined;

  constructor(world: World, dice: Dice, life: AgentLife) {
    const { machine, disk, containers } = life;
    this.world = world;
    this.dice = dice;
    this.machine = machine;
    this.life = life;
    this.name = `agent${machine.number}.${life.life}`;
    this.total = Resources.of(machine.resources);
    this.containers = containers;
    this.clock = new Clock(world.loop, dice.fork(), world.weather);
    const options = optionsFor(machine);
    this.recovered = remembered(disk, options.workDir, containers.survivors());
    if (this.recovered?.info !== undefined) {
      const fits = reconfigure(this.recovered.info, agentInfo(options), 'additive');
      demand(fits.ok, () => `${this.name} cannot come back: ${fits.ok ? '' : fits.error}`);
    }
    this.core = createAgent(options, this.clock.env(), this.recovered);
    this.commit = new SimulatedCommit(world, dice.fork(), disk, (effect) => this.perform(effect));
    this.detector = new LeaderDetector({
      world,
      name: machine.address,
      dice: dice.fork(),
      clock: this.clock,
      tell: (pid) => this.step({ kind: 'masterDetected', pid }),
    });
    world.network.attach(machine.address, this);
  }

  get alive(): boolean {
    return !this.dead;
  }

  /** The id that a master gave it. */
  get id(): string | undefined {
    return this.core.state.info.id?.value;
  }

  keeps(frameworkId: string, taskId: string): boolean {
    const framework = this.core.state.frameworks.get(frameworkId);
    return framework?.info.checkpoint === true && framework.tasks.has(taskId);
  }

  start(): void {
    const { recovered, life, world } = this;
    if (recovered !== undefined) {
      world.count('agents that recovered');
      this.step({ kind: 'resume', recovered, cleanup: life.cleanup });
    }
    if (this.dead) return;
    this.containers.attach((event) => this.step(event));
    this.detector.start();
  }

  /** The process ends, wherever it is. @param power so does the machine */
  stop(power: boolean): void {
    if (this.dead) return;
    this.dead = true;
    this.commit.stop(power);
    this.clock.stop();
    this.detector.stop();
    this.world.network.detach(this.machine.address);
  }

  /** It ends after so many more effects, wherever that is. */
  endAfter(effects: number, die: () => void): void {
    this.fuse = { left: effects, die };
  }

  receive({ from, to, name, body }: Arrival): void {
    demand(isInbound(name), () => `${from} sent an agent ${name}, which it does not take`);
    if (to === 'slave(1)') this.step({ kind: 'message', from, name, body } as MessageEvent);
  }

  exited(pid: string): void {
    this.step({ kind: 'exited', pid });
  }

  private step(event: AgentEvent): void {
    if (this.dead) return;
    const { world, name } = this;
    world.count('steps');
    world.say(`${name} <-`, event.kind === 'resume' ? 'resume' : brief(event));
    const effects: AgentEffect[] = [];
    this.core.step(event, this.clock.env(), (effect) => effects.push(effect));
    for (const observer of world.observers) observer.agentStepped?.(this, event);
    for (const effect of effects) {
      const { fuse } = this;
      if (fuse !== undefined && fuse.left-- <= 0) fuse.die();
      if (this.dead) return;
      this.commit.submit(effect);
    }
  }

  private perform(effect: AgentEffect): void {
    if (this.dead) return;
    const { world, name } = this;
    if (effect.kind !== 'attachFiles') world.say(`${name} ->`, brief(effect));
    for (const observer of world.observers) observer.agentPerforms?.(this, effect);
    switch (effect.kind) {
      case 'send':
        world.network.send(this.core.state.options.pid, effect.to, effect.name, effect.message);
        break;
      case 'link':
        world.network.link(this.machine.address, effect.pid, effect.reconnect);
        break;
      case 'arm':
        this.clock.arm(effect.key, effect.after, () => this.step({ kind: 'timer', key: effect.key }));
        break;
      case 'disarm':
        this.clock.disarm(effect.key);
        break;
      case 'launchContainer': {
        const { info } = this.core.state.frameworks.get(effect.frameworkId) ?? {};
        const { missing } = this.life;
        const able = effect.volumes.every(({ target }) => target === undefined || !missing.has(target));
        this.containers.launch(effect, info?.checkpoint === true, able || !world.isWide);
        break;
      }
      case 'killContainer':
        this.containers.signal(effect.containerId, effect.signal);
        break;
      case 'destroyContainer':
        this.containers.destroy(effect.containerId);
        break;
      case 'clearContainer':
        this.containers.clear(effect.containerId);
        break;
      case 'removeDirectory':
        this.life.disk.remove(effect.path);
        world.loop.after(0, () => this.step({ kind: 'directoryRemoved', ok: true }));
        break;
      case 'changeVolumes':
        this.changeVolumes(effect);
        break;
      case 'detectMaster':
        this.detector.detect();
        break;
      case 'terminate':
        this.life.ended();
        break;
      default:
    }
  }

  private changeVolumes({ operation, changes }: Extract<AgentEffect, { kind: 'changeVolumes' }>): void {
    const problem = this.dice.chance(this.world.weather.failedStarts) ? 'no luck today' : undefined;
    for (const change of changes) {
      if (problem === undefined) this.life.missing.delete(change.path);
      else if (change.do === 'make') this.life.missing.add(change.path);
    }
    this.world.loop.after(0, () => this.step({ kind: 'volumesChanged', operation, problem }));
  }
}
