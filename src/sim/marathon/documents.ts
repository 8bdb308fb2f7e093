import { formatService } from '../containers.ts';
import type { Dice } from '../dice.ts';

/** Longer than any run. */
const FOR_EVER = 86_400_000;

/** One app or pod that may be there: its id, and how much of it a healed cluster has room for. */
export interface Slot {
  readonly id: string;
  readonly kind: 'app' | 'pod' | 'resident';
  readonly most: number;
  /** So many of its instances may have a port each. */
  readonly ported: number;
}

export interface Room {
  readonly machines: number;
  /** Of all machines together. */
  readonly ports: number;
}

/** Small enough that all of it fits on the smallest cluster, twice. */
export function slotsFor(dice: Dice, { ports }: Room): Slot[] {
  let left = Math.floor(ports / 2);
  const ids = ['/a', '/b', '/g/c', '/g/h/d', '/g/db', '/p', '/g/q'];
  return ids
    .filter(() => dice.chance(0.7))
    .map((id) => {
      const kind = id === '/g/db' ? 'resident' : id === '/p' || id === '/g/q' ? 'pod' : 'app';
      const most = kind === 'app' ? dice.whole(1, 4) : dice.whole(1, 2);
      const ported = kind === 'app' ? Math.min(most, left, dice.whole(0, 3)) : 0;
      left -= ported;
      return { id, kind, most, ported };
    });
}

const STRATEGIES = [
  { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
  { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.5 },
  { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
  { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
  { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 },
  { minimumHealthCapacity: 0, maximumOverCapacity: 1 },
  { minimumHealthCapacity: 0.7, maximumOverCapacity: 0.4 },
] as const;

const UNREACHABLE = [
  { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
  { inactiveAfterSeconds: 2, expungeAfterSeconds: 10 },
  { inactiveAfterSeconds: 5, expungeAfterSeconds: 60 },
  'disabled',
] as const;

/** Says in a definition whether it can ever come to run and be well. */
const FATE = 'fate';

export function isHopeless({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean {
  return labels[FATE] === 'hopeless';
}

/** Writes what people post. */
export class Documents {
  private readonly dice: Dice;
  private readonly room: Room;
  private readonly slots: readonly Slot[];
  private made = 0;

  constructor(dice: Dice, room: Room, slots: readonly Slot[]) {
    this.dice = dice;
    this.room = room;
    this.slots = slots;
  }

  /** @param hopeful one that a healed cluster brings to run */
  document(slot: Slot, hopeful: boolean): Readonly<Record<string, unknown>> {
    if (slot.kind === 'pod') return this.pod(slot, hopeful);
    // What volumes need cannot be changed later.
    const document = this.app(slot, hopeful || slot.kind === 'resident');
    return slot.kind === 'resident' ? { ...document, ...this.residence() } : document;
  }

  /** What the definition says besides, as far as it may change between versions. */
  private app(slot: Slot, hopeful: boolean): Readonly<Record<string, unknown>> {
    const { dice } = this;
    const isPorted = slot.ported > 0 && dice.chance(0.6);
    const most = isPorted ? slot.ported : slot.most;
    const isNeverWell = !hopeful && isPorted && dice.chance(0.5);
    return {
      id: slot.id,
      cmd: this.command(isNeverWell ? undefined : dice.pick([0, 500, 3000, 8000])),
      cpus: !hopeful && !isNeverWell ? 1000 : 0.01,
      mem: 16,
      disk: 0,
      instances: dice.chance(0.1) ? 0 : dice.whole(1, most),
      portDefinitions: isPorted ? [{ port: 0, name: 'web', protocol: 'tcp' }] : [],
      healthChecks: isPorted && (isNeverWell || dice.chance(0.8)) ? [this.healthCheck()] : [],
      env: { MADE: String(this.made++) },
      labels: { [FATE]: hopeful ? 'hopeful' : 'hopeless' },
      backoffSeconds: dice.pick([0, 1]) ?? 1,
      backoffFactor: 1.5,
      maxLaunchDelaySeconds: 20,
      upgradeStrategy: dice.pick(STRATEGIES),
      unreachableStrategy: dice.pick(UNREACHABLE),
      killSelection: dice.pick(['YOUNGEST_FIRST', 'OLDEST_FIRST']),
      ...(slot.id.startsWith('/g/') && dice.chance(0.4) && { role: 'g' }),
      ...(slot.kind === 'app' && this.constraint(isPorted, most)),
      ...(dice.chance(0.3) && this.dependency(slot)),
    };
  }

  private command(healthyAfter: number | undefined): string {
    const { dice } = this;
    const frail = dice.chance(0.3);
    const runFor = frail ? Math.ceil(dice.wait(dice.pick([500, 20_000]) ?? 500)) : FOR_EVER;
    return formatService({
      runFor,
      exitCode: frail && dice.chance(0.8) ? 1 : 0,
      polite: dice.chance(0.8),
      frail,
      ...(healthyAfter !== undefined && { healthyAfter }),
    });
  }

  private healthCheck(): object {
    const { dice } = this;
    const grace = dice.pick([0, 5, 30]) ?? 0;
    return {
      protocol: dice.pick(['HTTP', 'TCP']),
      portIndex: 0,
      gracePeriodSeconds: grace,
      intervalSeconds: dice.pick([1, 5]),
      timeoutSeconds: 1,
      // Whoever takes long to be well is given the time.
      maxConsecutiveFailures: dice.pick([0, grace > 10 ? 3 : 20]),
    };
  }

  /** Of an app that can be placed whatever else is there. */
  private constraint(isPorted: boolean, most: number): object {
    const { dice } = this;
    if (isPorted || !dice.chance(0.4)) return {};
    if (most <= this.room.machines && dice.chance(0.5)) {
      const upgradeStrategy = { minimumHealthCapacity: dice.pick([0, 0.5]), maximumOverCapacity: 0 };
      return { constraints: [['hostname', 'UNIQUE']], upgradeStrategy };
    }
    return {
      constraints: [
        dice.pick([
          ['hostname', 'GROUP_BY'],
          ['hostname', 'LIKE', 'host.*'],
          ['hostname', 'UNLIKE', 'x'],
        ]),
      ],
    };
  }

  /** On one that comes before it in the order of ids, so that there are no circles. */
  private dependency(slot: Slot): object {
    const other = this.dice.pick(this.slots.filter(({ id, kind }) => id < slot.id && kind !== 'pod'));
    return other === undefined ? {} : { dependencies: [other.id] };
  }

  private residence(): object {
    return {
      role: 'g',
      disk: 1,
      container: { type: 'MESOS', volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 4 } }] },
      upgradeStrategy: { minimumHealthCapacity: this.dice.pick([0, 0.5, 1]), maximumOverCapacity: 0 },
      unreachableStrategy: 'disabled',
      dependencies: [],
    };
  }

  private pod(slot: Slot, hopeful: boolean): Readonly<Record<string, unknown>> {
    const { dice } = this;
    const names = dice.chance(0.5) ? ['one', 'two'] : ['one'];
    return {
      id: slot.id,
      scaling: { kind: 'fixed', instances: dice.whole(0, slot.most) },
      containers: names.map((name) => ({
        name,
        exec: { command: { shell: this.command(0) } },
        resources: { cpus: hopeful ? 0.01 : 1000, mem: 16, disk: 0 },
      })),
      networks: [{ mode: 'host' }],
      environment: { MADE: String(this.made++) },
      labels: { [FATE]: hopeful ? 'hopeful' : 'hopeless' },
      scheduling: {
        backoff: { backoff: 0.5, backoffFactor: 1.5, maxLaunchDelay: 20 },
        upgrade: dice.pick(STRATEGIES),
        unreachableStrategy: dice.pick(UNREACHABLE),
        killSelection: 'YOUNGEST_FIRST',
      },
    };
  }
}
