import { Resources } from '../resources/resources.ts';
import type { Offer, Offer_Operation, Resource } from '../wire/v1.ts';
import type { Dice } from './dice.ts';
import type { Weather } from './weather.ts';

/** Megabytes of disk: little, so that nobody's tasks wait for what somebody has reserved. */
const SIZE = 4;

/** What a framework does with the resources that it is offered, beside running tasks: it reserves disk and makes volumes. */
export class Reservations {
  private readonly name: string;
  private readonly dice: Dice;
  private readonly weather: Weather;
  private made = 0;

  constructor(name: string, dice: Dice, weather: Weather) {
    this.name = name;
    this.dice = dice;
    this.weather = weather;
  }

  /** Operations on offers of one agent and role. @returns also the volumes that they leave alone, for tasks to use */
  plan(offers: readonly Offer[]): { readonly operations: Offer_Operation[]; readonly volumes: readonly Resource[] } {
    const role = offers[0]?.allocation_info?.role ?? '*';
    const operations: Offer_Operation[] = [];
    const volumes: Resource[] = [];
    if (role === '*') return { operations, volumes };
    const offered = Resources.sum(offers.map((offer) => Resources.of(offer.resources ?? [])));
    for (const resource of offered.named('disk')) {
      const operation = this.operationOn(resource, role);
      if (operation === undefined) {
        if (resource.disk !== undefined) volumes.push(resource);
      } else if (this.dice.chance(0.5)) {
        operations.push({ ...operation, id: { value: `${this.name}-o${this.made++}` } });
      } else operations.push(operation);
    }
    return { operations, volumes };
  }

  private operationOn(resource: Resource, role: string): Offer_Operation | undefined {
    const { dice, weather } = this;
    const tidy = !weather.fickle;
    if (resource.disk !== undefined) {
      return tidy || dice.chance(0.3) ? { type: 'DESTROY', destroy: { volumes: [resource] } } : undefined;
    }
    const piece = { ...resource, scalar: { value: SIZE } };
    if ((resource.reservations ?? []).length > 0) {
      if (tidy || dice.chance(0.3)) return { type: 'UNRESERVE', unreserve: { resources: [resource] } };
      return dice.chance(0.5) ? { type: 'CREATE', create: { volumes: [this.volumeOn(piece)] } } : undefined;
    }
    if (tidy || dice.chance(0.8)) return undefined;
    const reservations = [{ type: 'DYNAMIC', role } as const];
    return { type: 'RESERVE', reserve: { resources: [{ ...piece, reservations }] } };
  }

  private volumeOn(piece: Resource): Resource {
    const disk = {
      persistence: { id: `${this.name}-v${this.made++}` },
      volume: { container_path: 'data', mode: 'RW' as const },
    };
    return { ...piece, disk };
  }
}
