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
  /** That it listens on, as its environment says. */
  readonly ports?: readonly number[];
  /** So many ms after its start it is healthy; undefined: never. */
  readonly healthyAfter?: number | undefined;
}

interface Container extends LiveContainer {
  readonly command: SimulatedCommand;
  /** Goes on when its agent is gone. */
  readonly survives: boolean;
  /** Everything that it needs is there. */
  readonly able: boolean;
  readonly pid: number;
  /** `over`: it has ended, and its status waits to be acknowledged. */
  phase: 'starting' | 'running' | 'doomed' | 'over';
  ran?: boolean;
  /** Its launcher is gone. */
  orphaned: boolean;
  status: number;
}

/** After so long without an agent everything is ended. */
export const RECOVERY_TIMEOUT = 60_000;

/** What a simulated command does. Written as a shell line, so that it travels as real ones do. */
export interface SimulatedCommand {
  readonly taskId: string;
  /** Milliseconds until it ends by itself. */
  readonly runFor: number;
  readonly exitCode: number;
  /** Ends when it is asked to; else it has to be killed. */
  readonly polite: boolean;
  /** Ends by itself only as long as things go wrong. */
  readonly frail?: boolean;
  /** How soon it answers that it is healthy; never, unless given. */
  readonly healthyAfter?: number;
}

/** Stands for the id that is in the environment. */
const SELF = '-';

export function formatCommand({ taskId, runFor, exitCode, polite }: SimulatedCommand): string {
  return `run ${taskId} ${runFor} ${exitCode} ${polite ? 'polite' : 'stubborn'}`;
}

/** Of a service whose tasks are launched from one definition. */
export function formatService(command: Omit<SimulatedCommand, 'taskId'>): string {
  const { frail = false, healthyAfter = 'never' } = command;
  return `${formatCommand({ ...command, taskId: SELF })} ${frail ? 'frail' : 'firm'} ${healthyAfter}`;
}

function parseCommand(line: string, environment: LaunchContainer['environment']): SimulatedCommand {
  const [, taskId = '', runFor, exitCode, manner, kind, healthyAfter = 'never'] = line.split(' ');
  return {
    taskId: taskId === SELF ? (environment.MESOS_TASK_ID ?? '') : taskId,
    runFor: Number(runFor),
    exitCode: Number(exitCode),
    polite: manner === 'polite',
    frail: kind === 'frail',
    ...(healthyAfter !== 'never' && { healthyAfter: Number(healthyAfter) }),
  };
}

/** `PORT0`, `PORT1` and so on. */
function portsOf(environment: LaunchContainer['environment']): number[] {
  return Object.keys(environment).flatMap((name) => (/^PORT\d+$/.test(name) ? [Number(environment[name])] : []));
}

export interface ContainerHooks {
  readonly started: (container: LiveContainer) => void;
  readonly ended: (container: LiveContainer, status: number | undefined) => void;
}

/**
 * The launcher of one simulated machine: starts, signals and reaps, and says so to the agent. It outlives agents, and
 * keeps what it has to tell for the next one.
 */
export class ContainerRuntime {
  private readonly loop: Loop;
  private readonly dice: Dice;
  private readonly weather: Weather;
  private readonly hooks: ContainerHooks;
  private readonly containers = new Map<string, Container>();
  /** Whoever listens now. */
  private agent: ((event: AgentEvent) => void) | undefined;
  private nextPid = 100;
  private awaySince = 0;
  private found: readonly Container[] = [];

  constructor(loop: Loop, dice: Dice, weather: Weather, hooks: ContainerHooks) {
    this.loop = loop;
    this.dice = dice;
    this.weather = weather;
    this.hooks = hooks;
  }

  /** Containers that it looks after, or whose end nobody has acknowledged. */
  get size(): number {
    return this.containers.size;
  }

  /** What an agent that starts finds. */
  survivors(): ReadonlySet<string> {
    this.found = [...this.containers.values()].filter(({ orphaned }) => !orphaned);
    return new Set(this.found.map(({ containerId }) => containerId));
  }

  /** An agent begins to listen, and is told what it has found, and then what happens to it. */
  attach(tell: (event: AgentEvent) => void): void {
    const { found } = this;
    const waiting = (): void => {};
    this.agent = waiting;
    this.loop.after(0, () => {
      if (this.agent !== waiting) return;
      this.agent = tell;
      for (const container of found) {
        const { containerId, pid, status } = container;
        if (container.phase === 'starting') continue;
        if (container.ran === true) tell({ kind: 'containerStarted', containerId, pid });
        if (container.phase === 'over') tell({ kind: 'containerExited', containerId, status });
      }
    });
  }

  /** The agent is gone; what it did not checkpoint goes with it, and the rest if none comes back for too long. */
  detach(): void {
    this.agent = undefined;
    for (const container of [...this.containers.values()]) {
      // The order to start it may not have left the agent.
      if (container.phase === 'starting' && this.dice.chance(0.5)) this.containers.delete(container.containerId);
      else if (!container.survives) this.drop(container);
    }
    this.awaySince = this.loop.now;
    const since = this.loop.now;
    this.loop.after(RECOVERY_TIMEOUT, () => {
      if (this.agent === undefined && this.awaySince === since) this.crash();
    });
  }

  /** The launcher is killed. What runs goes on by itself; an agent that is there has another launcher end it. */
  lose(): void {
    for (const container of [...this.containers.values()]) {
      const { containerId, phase } = container;
      if (this.agent === undefined) {
        if (phase === 'running') container.orphaned = true;
        else this.containers.delete(containerId);
        continue;
      }
      const message = 'the launcher that had started it ended, and what was left of it was killed';
      this.drop(container);
      if (phase === 'starting') this.tell({ kind: 'containerFailed', containerId, stage: 'launch', message });
      else {
        const limitation = { reason: 'REASON_EXECUTOR_TERMINATED', message } as const;
        this.tell({ kind: 'containerExited', containerId, status: SIGKILL, limitation });
      }
    }
  }

  /** @param able whether everything that it needs is there */
  launch(effect: LaunchContainer, survives: boolean, able = true): void {
    const { containerId, frameworkId, resources, argv, environment } = effect;
    const command = parseCommand(argv.at(-1) ?? '', environment);
    const { taskId, healthyAfter } = command;
    const base = { containerId, frameworkId, taskId, resources, command, survives };
    const service = { ports: portsOf(environment), healthyAfter };
    const container: Container = {
      ...base,
      ...service,
      able,
      phase: 'starting',
      orphaned: false,
      pid: this.nextPid++,
      status: 0,
    };
    this.containers.set(containerId, container);
    this.loop.after(this.dice.between(1, 50) + (this.dice.chance(0.1) ? this.dice.between(0, 3000) : 0), () =>
      this.start(container),
    );
  }

  signal(containerId: string, signal: number): void {
    const container = this.containers.get(containerId);
    if (container?.phase !== 'running') return;
    if (signal !== SIGKILL && !container.command.polite) return;
    const delay = signal === SIGKILL ? this.dice.between(0.5, 20) : this.dice.between(1, 500);
    this.loop.after(delay, () => this.end(container, signal === SIGKILL ? SIGKILL : SIGTERM));
  }

  /** Ends it, or forgets it when it has ended. */
  destroy(containerId: string): void {
    const container = this.containers.get(containerId);
    if (container === undefined || container.phase === 'doomed') return;
    const { phase } = container;
    if (phase === 'over') {
      this.containers.delete(containerId);
      return;
    }
    container.phase = 'doomed';
    // The signal that cannot be caught is on its way: to all who watch it does not run any more.
    if (phase === 'running') this.hooks.ended(container, SIGKILL);
    this.loop.after(this.dice.between(0.5, 20), () => {
      if (this.containers.get(containerId) !== container) return;
      this.over(container, SIGKILL);
    });
  }

  /** Ends what may be left of a container of another launcher. */
  clear(containerId: string): void {
    const container = this.containers.get(containerId);
    if (container?.orphaned === true) this.drop(container);
  }

  /** Everything ends at once, and nobody is told. */
  crash(): void {
    for (const container of [...this.containers.values()]) this.drop(container);
  }

  private drop(container: Container): void {
    const { containerId, phase } = container;
    if (this.containers.get(containerId) !== container) return;
    this.containers.delete(containerId);
    if (phase === 'running') this.hooks.ended(container, undefined);
  }

  private start(container: Container): void {
    const { containerId, command } = container;
    if (container.phase !== 'starting' || this.containers.get(containerId) !== container) return;
    if (this.dice.chance(this.weather.failedStarts) || !container.able) {
      this.containers.delete(containerId);
      const stage = this.dice.chance(0.5) ? 'launch' : 'sandbox';
      this.tell({ kind: 'containerFailed', containerId, stage, message: 'no luck today' });
      return;
    }
    container.phase = 'running';
    container.ran = true;
    this.hooks.started(container);
    this.tell({ kind: 'containerStarted', containerId, pid: container.pid });
    this.loop.after(command.runFor, () => {
      if (command.frail !== true || this.weather.fickle) this.end(container, command.exitCode << 8);
    });
  }

  private end(container: Container, status: number): void {
    if (this.containers.get(container.containerId) !== container || container.phase !== 'running') return;
    this.hooks.ended(container, status);
    if (container.orphaned) this.containers.delete(container.containerId);
    else this.over(container, status);
  }

  private over(container: Container, status: number): void {
    container.phase = 'over';
    container.status = status;
    this.tell({ kind: 'containerExited', containerId: container.containerId, status });
  }

  private tell(event: AgentEvent): void {
    this.agent?.(event);
  }
}
