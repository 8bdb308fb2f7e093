import type { MachineID } from '../wire/v1.ts';
import type { Call } from '../wire/v1_master.ts';
import type { Dice } from './dice.ts';
import type { Masters } from './masters.ts';
import type { World } from './world.ts';

const ROLES = ['dev', 'ops', 'ops/web', 'idle'] as const;

/** Somebody who takes agents and machines out of service without a plan, and puts everything back in the end. */
export class Operator {
  private readonly world: World;
  private readonly dice: Dice;
  private readonly masters: Masters;
  private readonly pause: number;
  private isTidying = false;

  constructor(world: World, dice: Dice, masters: Masters) {
    this.world = world;
    this.dice = dice;
    this.masters = masters;
    this.pause = dice.between(2000, 20_000);
  }

  start(): void {
    this.world.loop.after(this.dice.wait(this.pause), () => {
      if (this.isTidying) return;
      this.act();
      this.start();
    });
  }

  /** From now on everything is put back, again and again: who was away comes back as it went. */
  tidy(): void {
    this.isTidying = true;
    this.world.loop.after(5000, () => this.tidy());
    const { leader } = this.masters;
    if (leader === undefined) return;
    const { agents, machines, quotas } = leader.core.state;
    const listed = [...machines.values()];
    const limited = [...quotas.keys()];
    if (limited.length > 0) this.setQuota(limited.map((role) => ({ role })));
    const down = listed.filter(({ mode }) => mode === 'DOWN').map(({ id }) => id);
    if (down.length > 0) this.say({ type: 'STOP_MAINTENANCE', stop_maintenance: { machines: down } });
    else if (listed.length > 0) this.schedule([]);
    for (const { id, deactivated, drain } of [...agents.values()]) {
      // A drain has to be over before it can be undone.
      if (deactivated && drain?.state !== 'DRAINING')
        this.say({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id: { value: id } } });
    }
  }

  private act(): void {
    const { dice } = this;
    const { leader } = this.masters;
    if (leader === undefined) return;
    const { agents, machines, unreachable } = leader.core.state;
    const agent_id = { value: dice.pick([...agents.keys(), ...unreachable.keys()]) ?? 'none' };
    const scheduled = [...machines.values()];
    const move = dice.pick([
      () => this.say({ type: 'DRAIN_AGENT', drain_agent: { agent_id, ...this.settings() } }),
      () => this.say({ type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id } }),
      () => this.say({ type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } }),
      () => this.schedule(this.someMachines()),
      () => this.say({ type: 'START_MAINTENANCE', start_maintenance: { machines: this.in(scheduled, 'DRAINING') } }),
      () => this.say({ type: 'STOP_MAINTENANCE', stop_maintenance: { machines: this.in(scheduled, 'DOWN') } }),
      () => this.say({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id } }, 0.2),
      () => this.setQuota([this.someQuota()]),
      () => this.setQuota([this.someQuota()]),
      () => this.setWeight(),
    ]);
    move?.();
  }

  /** Little, so that work still gets done: limits of this kind hold a role back and do not starve it. */
  private someQuota(): { role: string; limits?: Record<string, { value: number }> } {
    const role = this.dice.pick(ROLES) ?? 'idle';
    if (this.dice.chance(0.3)) return { role };
    return { role, limits: { cpus: { value: this.dice.whole(1, 40) / 10 } } };
  }

  private setQuota(quota_configs: readonly { role: string; limits?: Record<string, { value: number }> }[]): void {
    this.say({ type: 'UPDATE_QUOTA', update_quota: { force: true, quota_configs } });
  }

  private setWeight(): void {
    const weight_infos = [{ role: this.dice.pick(ROLES) ?? 'idle', weight: this.dice.whole(1, 5) }];
    this.say({ type: 'UPDATE_WEIGHTS', update_weights: { weight_infos } });
  }

  private settings(): { mark_gone: boolean; max_grace_period?: { seconds: number } } {
    const mark_gone = this.dice.chance(0.3);
    return this.dice.chance(0.5) ? { mark_gone, max_grace_period: { seconds: this.dice.whole(0, 5) } } : { mark_gone };
  }

  /** Of agents that are there, and those that must stay in the schedule. */
  private someMachines(): MachineID[] {
    const { agents, machines } = this.masters.leader?.core.state ?? { agents: new Map(), machines: new Map() };
    const chosen = new Map<string, MachineID>();
    const add = (id: MachineID): unknown => chosen.set(`${id.hostname?.toLowerCase()} ${id.ip}`, id);
    for (const { id, mode } of machines.values()) if (mode === 'DOWN') add(id);
    for (const { info, pid } of agents.values()) {
      const ip = /@([^:]+):/.exec(pid)?.[1];
      if (ip !== undefined && this.dice.chance(0.3)) add({ hostname: info.hostname, ip });
    }
    return [...chosen.values()];
  }

  private schedule(machine_ids: readonly MachineID[]): void {
    const unavailability = { start: { nanoseconds: this.dice.whole(1, 1000) * 1e9 } };
    const windows = machine_ids.length === 0 ? [] : [{ machine_ids, unavailability }];
    this.say({ type: 'UPDATE_MAINTENANCE_SCHEDULE', update_maintenance_schedule: { schedule: { windows } } });
  }

  private in(machines: readonly { readonly id: MachineID; readonly mode: string }[], mode: string): MachineID[] {
    return machines.filter((machine) => machine.mode === mode && this.dice.chance(0.7)).map(({ id }) => id);
  }

  /** @param often some things are done less often than others */
  private say(call: Call, often = 1): void {
    if (!this.dice.chance(often)) return;
    this.world.say('operator ->', `${call.type}`);
    this.masters.leader?.operate(call, (status, text) => {
      for (const observer of this.world.observers) observer.operatorAnswered?.(call, status);
      this.world.say('operator <-', `${call.type} ${status} ${text ?? ''}`);
    });
  }
}
