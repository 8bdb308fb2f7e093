import type { Resource } from '../wire/v1.ts';
import { AgentProcess, type MachineSpec } from './agent-process.ts';
import { ContainerRuntime } from './containers.ts';
import type { Dice } from './dice.ts';
import { SimulatedDisk } from './disk.ts';
import type { World } from './world.ts';

/** How the agent on a machine ends. */
export type AgentEnd =
  /** The process is killed; the launcher and the tasks go on. */
  | 'killed'
  /** So is the launcher. */
  | 'killedWithLauncher'
  /** The machine is switched off and on again: its disk is there, nothing else. */
  | 'rebooted'
  /** It comes back with an empty disk: another agent. */
  | 'lost';

/** A machine that agents run on, one after the other, with what outlives each of them: the disk and the launcher. */
export class AgentMachine {
  readonly containers: ContainerRuntime;
  agent: AgentProcess;
  private readonly world: World;
  private readonly dice: Dice;
  private spec: MachineSpec;
  private disk = new SimulatedDisk();
  private missing = new Set<string>();
  private lives = 0;

  constructor(world: World, dice: Dice, spec: MachineSpec) {
    this.world = world;
    this.dice = dice;
    this.spec = spec;
    this.containers = new ContainerRuntime(world.loop, dice.fork(), world.weather, {
      started: (container) => {
        for (const observer of world.observers) observer.containerStarted?.(this.agent, container);
      },
      ended: (container, status) => {
        for (const observer of world.observers) observer.containerEnded?.(this.agent, container, status);
      },
    });
    this.agent = this.make(false);
  }

  get name(): string {
    return `host${this.spec.number}`;
  }

  get address(): string {
    return this.spec.address;
  }

  /** Ends the agent now. @param after so much later there is another one; undefined: when somebody says so */
  end(how: AgentEnd, after: number): void {
    const { agent, world } = this;
    if (!agent.alive) return;
    world.say(agent.name, `ends: ${how}`);
    agent.stop(how === 'rebooted');
    for (const observer of world.observers) observer.agentEnded?.(agent, how === 'lost');
    if (how === 'rebooted' || how === 'lost') this.containers.crash();
    else this.containers.detach();
    if (how === 'killedWithLauncher') this.containers.lose();
    if (how === 'lost') {
      this.disk = new SimulatedDisk();
      this.missing = new Set();
    }
    this.restart(after);
  }

  /** Ends the agent in the middle of what it does after so many more effects. */
  endAfter(effects: number, how: AgentEnd, after: number): void {
    this.agent.endAfter(effects, () => this.end(how, after));
  }

  /** The launcher ends alone. */
  loseLauncher(): void {
    this.containers.lose();
  }

  private restart(after: number): void {
    this.world.loop.after(after, () => {
      // Now and then somebody has it end everything first, or has put more into the machine.
      const cleanup = this.world.weather.fickle && this.dice.chance(0.1);
      if (this.world.weather.fickle && this.dice.chance(0.15)) this.grow();
      this.agent = this.make(cleanup);
      this.agent.start();
    });
  }

  private grow(): void {
    const more = (resource: Resource): Resource =>
      resource.scalar === undefined || resource.name === 'disk'
        ? resource
        : { ...resource, scalar: { value: resource.scalar.value + 1 } };
    this.spec = { ...this.spec, resources: this.spec.resources.map(more) };
  }

  private make(cleanup: boolean): AgentProcess {
    const { world, dice, spec, disk, containers, missing } = this;
    return new AgentProcess(world, dice.fork(), {
      machine: spec,
      life: this.lives++,
      disk,
      containers,
      missing,
      cleanup,
      // It has ended itself, and all its tasks. Whoever looks after the machine gives it an empty folder.
      ended: () => this.end('lost', 1000),
    });
  }
}
