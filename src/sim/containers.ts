import type { LaunchContainer } from '../agent/core/effects.ts';
import type { AgentEvent } from '../agent/core/events.ts';
import type { Dice } from './dice.ts';
import type { Loop } from './loop.ts';
import type { Weather } from './weather.ts';

const SIGKILL = 9;
const SIGTERM = 15;

/** A container whose process runs. */
export interface LiveContainer {
  readonly containerId: string;
  readonly frameworkId: string;
  /** Of the task that it was launched for: its command says so. */
  readonly taskId: string;
  readonly resources: LaunchContainer['resources'];
}

interface Container extends LiveContainer {
  readonly command: SimulatedCommand;
  phase: 'starting' | 'running' | 'doomed';
}

/** What a simulated command does. Written as a shell line, so that it travels as real ones do. */
export interface SimulatedCommand {
  readonly taskId: string;
  /** Milliseconds until it ends by itself. */
  readonly runFor: number;
  readonly exitCode: number;
  /** Ends when it is asked to; else it has to be killed. */
  readonly polite: boolean;
}

export function formatCommand({ taskId, runFor, exitCode, polite }: SimulatedCommand): string {
  return `run ${taskId} ${runFor} ${exitCode} ${polite ? 'polite' : 'stubborn'}`;
}

function parseCommand(line: string): SimulatedCommand {
  const [, taskId = '', runFor, exitCode, manner] = line.split(' ');
  return { taskId, runFor: Number(runFor), exitCode: Number(exitCode), polite: manner === 'polite' };
}

export interface ContainerHooks {
  readonly tell: (event: AgentEvent) => void;
  readonly started: (container: LiveContainer) => void;
  readonly ended: (container: LiveContainer) => void;
}

/** The launcher of one simulated machine: starts, signals and reaps, and says so to the agent. */
export class ContainerRuntime {
  private readonly loop: Loop;
  private readonly dice: Dice;
  private readonly weather: Weather;
  private readonly hooks: ContainerHooks;
  private readonly containers = new Map<string, Container>();
  private nextPid = 100;
  private off = false;

  constructor(loop: Loop, dice: Dice, weather: Weather, hooks: ContainerHooks) {
    this.loop = loop;
    this.dice = dice;
    this.weather = weather;
    this.hooks = hooks;
  }

  get size(): number {
    return this.containers.size;
  }

  launch({ containerId, frameworkId, resources, argv }: LaunchContainer): void {
    const command = parseCommand(argv.at(-1) ?? '');
    const { taskId } = command;
    const container: Container = { containerId, frameworkId, taskId, resources, command, phase: 'starting' };
    this.containers.set(containerId, container);
    this.after(this.dice.between(1, 50) + (this.dice.chance(0.1) ? this.dice.between(0, 3000) : 0), () =>
      this.start(container),
    );
  }

  signal(containerId: string, signal: number): void {
    const container = this.containers.get(containerId);
    if (container?.phase !== 'running') return;
    if (signal === SIGKILL) this.after(this.dice.between(0.5, 20), () => this.end(container, SIGKILL));
    else if (container.command.polite) this.after(this.dice.between(1, 2000), () => this.end(container, SIGTERM));
  }

  destroy(containerId: string): void {
    const container = this.containers.get(containerId);
    if (container === undefined || container.phase === 'doomed') return;
    const { phase } = container;
    container.phase = 'doomed';
    this.after(this.dice.between(0.5, 20), () => {
      if (phase === 'running') this.hooks.ended(container);
      this.containers.delete(containerId);
      this.hooks.tell({ kind: 'containerExited', containerId, status: SIGKILL });
    });
  }

  /** The machine loses its power: everything ends at once, and nobody is told. */
  crash(): void {
    this.off = true;
    for (const container of this.containers.values()) if (container.phase !== 'starting') this.hooks.ended(container);
    this.containers.clear();
  }

  private start(container: Container): void {
    if (container.phase !== 'starting') return;
    const { containerId, command } = container;
    if (this.dice.chance(this.weather.failedStarts)) {
      this.containers.delete(containerId);
      const stage = this.dice.chance(0.5) ? 'launch' : 'sandbox';
      this.hooks.tell({ kind: 'containerFailed', containerId, stage, message: 'no luck today' });
      return;
    }
    container.phase = 'running';
    this.hooks.started(container);
    this.hooks.tell({ kind: 'containerStarted', containerId, pid: this.nextPid++ });
    this.after(command.runFor, () => this.end(container, command.exitCode << 8));
  }

  private end(container: Container, status: number): void {
    if (this.containers.get(container.containerId) !== container || container.phase !== 'running') return;
    this.containers.delete(container.containerId);
    this.hooks.ended(container);
    this.hooks.tell({ kind: 'containerExited', containerId: container.containerId, status });
  }

  private after(delay: number, run: () => void): void {
    this.loop.after(delay, () => this.off || run());
  }
}
