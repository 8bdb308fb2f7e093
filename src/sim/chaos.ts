import { type AgentEnd, AgentMachine } from './agent-machine.ts';
import type { MachineSpec } from './agent-process.ts';
import type { Dice } from './dice.ts';
import type { Masters } from './masters.ts';
import type { SchedulerProcess } from './scheduler.ts';
import type { World } from './world.ts';
import { SERVERS } from './zookeeper/ensemble.ts';

type Fault = (chaos: Chaos) => string | undefined;

/** Everything that goes wrong by itself, weather apart. A fault says what it did. */
const FAULTS: Readonly<Record<string, Fault>> = {
  connection: ({ world }) => world.network.breakAny(),
  stream: (chaos) => {
    const scheduler = chaos.anyScheduler();
    scheduler?.breakStream();
    return scheduler?.name;
  },
  calls: (chaos) => {
    const scheduler = chaos.anyScheduler();
    scheduler?.breakCalls();
    return scheduler?.name;
  },
  failover: (chaos) => {
    const scheduler = chaos.anyScheduler();
    scheduler?.failOver();
    return scheduler?.name;
  },
  partition: ({ world, dice, machines }) => {
    const machine = dice.pick(machines);
    if (machine === undefined) return undefined;
    const duration = dice.wait(10_000);
    world.network.cut(machine.address, duration);
    return `${machine.name} for ${Math.round(duration)} ms`;
  },
  agentKilled: (chaos) => chaos.endAgent('killed'),
  agentAndLauncherKilled: (chaos) => chaos.endAgent('killedWithLauncher'),
  reboot: (chaos) => chaos.endAgent('rebooted'),
  launcherKilled: ({ dice, machines }) => {
    const machine = dice.pick(machines);
    machine?.loseLauncher();
    return machine?.name;
  },
  crash: (chaos) => chaos.endAgent('lost'),
  masterKilled: ({ dice, masters }) => {
    const master = dice.chance(0.7) ? masters.leader : dice.pick(masters.all);
    if (master?.alive !== true) return undefined;
    // In the middle of what it does next, or right now.
    if (dice.chance(0.7)) master.endAfter(dice.whole(0, 40));
    else master.end('killed');
    return master.name;
  },
  masterPaused: ({ dice, masters }) => {
    const master = dice.chance(0.8) ? masters.leader : dice.pick(masters.all);
    if (master?.alive !== true) return undefined;
    const duration = dice.between(100, 20_000);
    master.pause(duration);
    return `${master.name} for ${Math.round(duration)} ms`;
  },
  masterCutOff: ({ dice, world, masters }) => {
    const master = dice.chance(0.7) ? masters.leader : dice.pick(masters.all);
    if (master === undefined) return undefined;
    const duration = dice.wait(8000);
    const from = dice.pick(['everything', 'ZooKeeper', 'agents and schedulers']);
    if (from !== 'ZooKeeper') world.network.cut(master.address, duration);
    if (from !== 'agents and schedulers') world.ensemble.cut(master.address, duration);
    return `${master.name} from ${from} for ${Math.round(duration)} ms`;
  },
  zooServerDown: ({ dice, world }) => {
    const duration = dice.wait(5000);
    const server = dice.chance(0.8) ? dice.whole(0, SERVERS - 1) : undefined;
    world.ensemble.stop(server, duration);
    return `${server ?? 'all'} for ${Math.round(duration)} ms`;
  },
  zooConnection: ({ world }) => world.ensemble.breakAny(),
  zooSession: ({ world }) => world.ensemble.expireAny(),
};

/** Keeps the agents running, and breaks things until it is told to stop. */
export class Chaos {
  readonly world: World;
  readonly dice: Dice;
  readonly machines: readonly AgentMachine[];
  readonly masters: Masters;
  private readonly schedulers: readonly SchedulerProcess[];
  private readonly enabled: readonly string[];
  private readonly pause: number;
  private stopped = false;

  constructor(
    world: World,
    dice: Dice,
    specs: readonly MachineSpec[],
    schedulers: readonly SchedulerProcess[],
    masters: Masters,
  ) {
    this.masters = masters;
    this.world = world;
    this.dice = dice;
    this.schedulers = schedulers;
    this.enabled = Object.keys(FAULTS).filter(() => dice.chance(0.6));
    this.pause = dice.between(500, 8000);
    this.machines = specs.map((spec) => new AgentMachine(world, dice.fork(), spec));
  }

  start(): void {
    for (const machine of this.machines) this.world.loop.after(this.dice.wait(1000), () => machine.agent.start());
    this.plan();
  }

  stop(): void {
    this.stopped = true;
  }

  anyScheduler(): SchedulerProcess | undefined {
    return this.dice.pick(this.schedulers);
  }

  /** Ends an agent, now or in the middle of what it does next. @returns which */
  endAgent(how: AgentEnd): string | undefined {
    const { dice } = this;
    const machine = dice.pick(this.machines.filter(({ agent }) => agent.alive));
    if (machine === undefined) return undefined;
    const away = dice.wait(dice.chance(0.1) ? 60_000 : 3000);
    if (dice.chance(0.6)) machine.endAfter(dice.whole(0, 40), how, away);
    else machine.end(how, away);
    return machine.name;
  }

  private plan(): void {
    this.world.loop.after(this.dice.wait(this.pause), () => {
      if (this.stopped) return;
      const name = this.dice.pick(this.enabled);
      const done = name === undefined ? undefined : FAULTS[name]?.(this);
      if (done !== undefined) {
        this.world.say('fault', `${name}: ${done}`);
        this.world.count(`fault ${name}`);
      }
      this.plan();
    });
  }
}
