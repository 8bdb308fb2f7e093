import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { ProbeResult } from '../../marathon/core/events.ts';
import type { LiveContainer } from '../containers.ts';
import type { Dice } from '../dice.ts';
import type { Observer, SeenAgent } from '../observer.ts';
import type { World } from '../world.ts';

type Probe = Extract<MarathonEffect, { readonly kind: 'probe' }>;

interface Listener {
  readonly container: LiveContainer;
  readonly since: number;
}

/** Knocks at simulated tasks, and knows who listens where. */
export class Prober implements Observer {
  private readonly world: World;
  private readonly dice: Dice;
  /** By host and port. */
  private readonly listeners = new Map<string, Listener>();

  constructor(world: World, dice: Dice) {
    this.world = world;
    this.dice = dice;
  }

  containerStarted(agent: SeenAgent, container: LiveContainer): void {
    for (const port of container.ports ?? []) {
      this.listeners.set(`${hostOf(agent)}:${port}`, { container, since: this.world.loop.now });
    }
  }

  containerEnded(agent: SeenAgent, container: LiveContainer): void {
    for (const port of container.ports ?? []) {
      const key = `${hostOf(agent)}:${port}`;
      if (this.listeners.get(key)?.container === container) this.listeners.delete(key);
    }
  }

  probe({ target, timeout }: Probe, tell: (result: ProbeResult) => void): void {
    const { world, dice } = this;
    const { loop, weather, network } = world;
    const number = target.host.slice('host'.length);
    const isSilent = network.cutOffUntil(`10.0.1.${number}:5051`) > loop.now || dice.chance(weather.unkindness);
    if (isSilent) loop.after(timeout, () => tell({ verdict: 'bad', cause: 'no answer in time' }));
    else loop.after(dice.between(0.5, 50), () => tell(this.knock(`${target.host}:${target.port}`)));
  }

  private knock(at: string): ProbeResult {
    const listener = this.listeners.get(at);
    if (listener === undefined) return { verdict: 'bad', cause: 'connection refused' };
    const { healthyAfter = Number.POSITIVE_INFINITY } = listener.container;
    const isHealthy = this.world.loop.now - listener.since >= healthyAfter;
    return isHealthy ? { verdict: 'good' } : { verdict: 'bad', cause: 'HTTP 503' };
  }
}

function hostOf({ name }: SeenAgent): string {
  return `host${name.slice('agent'.length, name.indexOf('.'))}`;
}
