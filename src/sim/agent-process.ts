import { type Agent, createAgent, isInbound } from '../agent/core/agent.ts';
import type { AgentEffect } from '../agent/core/effects.ts';
import type { AgentEvent, MessageEvent } from '../agent/core/events.ts';
import type { AgentOptions } from '../agent/core/state.ts';
import { Resources } from '../resources/resources.ts';
import type { Resource } from '../wire/v1.ts';
import { Clock } from './clock.ts';
import { ContainerRuntime } from './containers.ts';
import type { Dice } from './dice.ts';
import { LeaderDetector } from './leader-detector.ts';
import type { Arrival, Host } from './network.ts';
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
  private readonly ended: (agent: AgentProcess) => void;
  private dead = false;

  /** @param ended the agent ended itself; whoever keeps it running starts another one */
  constructor(world: World, dice: Dice, machine: MachineSpec, life: number, ended: (agent: AgentProcess) => void) {
    this.world = world;
    this.dice = dice;
    this.machine = machine;
    this.name = `agent${machine.number}.${life}`;
    this.total = Resources.of(machine.resources);
    this.ended = ended;
    this.clock = new Clock(world.loop, dice.fork(), world.weather);
    this.core = createAgent(optionsFor(machine), this.clock.env());
    this.containers = new ContainerRuntime(world.loop, dice.fork(), world.weather, {
      tell: (event) => this.step(event),
      started: (container) => {
        for (const observer of world.observers) observer.containerStarted?.(this, container);
      },
      ended: (container) => {
        for (const observer of world.observers) observer.containerEnded?.(this, container);
      },
    });
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

  start(): void {
    this.detector.start();
  }

  /** The machine loses its power. */
  crash(): void {
    if (this.dead) return;
    this.dead = true;
    this.clock.stop();
    this.detector.stop();
    this.containers.crash();
    this.world.network.detach(this.machine.address);
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
    world.say(`${name} <-`, brief(event));
    const effects: AgentEffect[] = [];
    this.core.step(event, this.clock.env(), (effect) => effects.push(effect));
    for (const observer of world.observers) observer.agentStepped?.(this, event, effects);
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: AgentEffect): void {
    if (this.dead) return;
    const { world, name } = this;
    if (effect.kind !== 'attachFiles') world.say(`${name} ->`, brief(effect));
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
      case 'launchContainer':
        this.containers.launch(effect);
        break;
      case 'killContainer':
        this.containers.signal(effect.containerId, effect.signal);
        break;
      case 'destroyContainer':
        this.containers.destroy(effect.containerId);
        break;
      case 'changeVolumes':
        this.changeVolumes(effect.operation);
        break;
      case 'detectMaster':
        this.detector.detect();
        break;
      case 'terminate':
        this.crash();
        this.ended(this);
        break;
      default:
    }
  }

  private changeVolumes(operation: string): void {
    const problem = this.dice.chance(this.world.weather.failedStarts) ? 'no luck today' : undefined;
    this.world.loop.after(0, () => this.step({ kind: 'volumesChanged', operation, problem }));
  }
}
