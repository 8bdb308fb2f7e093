import type { Change } from '../../marathon/core/change.ts';
import type { MarathonEffect } from '../../marathon/core/effects.ts';
import type { MarathonEvent } from '../../marathon/core/events.ts';
import type { Instance } from '../../marathon/core/model.ts';
import type { Outcome } from '../../marathon/core/outcome.ts';
import type { MarathonState } from '../../marathon/core/state.ts';
import { writeInstant } from '../../marathon/definition/instant.ts';
import type { AgentMachine } from '../agent-machine.ts';
import type { Dice } from '../dice.ts';
import type { Observer, SeenMarathon } from '../observer.ts';
import { brief } from '../transcript.ts';
import { demand } from '../violation.ts';
import type { World } from '../world.ts';
import { Documents, isHopeless, type Room, type Slot, slotsFor } from './documents.ts';
import type { Marathon } from './marathon.ts';
import type { Question } from './process.ts';

const CALLER = { clientIp: '10.0.2.1', uri: '/v2' } as const;
const MODES = ['merge', 'replace', 'patch'] as const;
/** How often they look whether all is well, once they want peace. */
const LOOK = 3000;

/** People who deploy, change their minds and are in a hurry; in the end they put right what only people can. */
export class People implements Observer {
  private readonly world: World;
  private readonly dice: Dice;
  private readonly marathon: Marathon;
  private readonly slots: readonly Slot[];
  private readonly documents: Documents;
  private readonly pause: number;
  /** Specs that a forced end of a deployment has left between two versions. */
  private readonly halfway = new Set<string>();
  private phase: 'busy' | 'mending' | 'leaving' = 'busy';

  constructor(world: World, dice: Dice, marathon: Marathon, room: Room) {
    this.world = world;
    this.dice = dice;
    this.marathon = marathon;
    this.slots = slotsFor(dice, room);
    this.documents = new Documents(dice.fork(), room, this.slots);
    this.pause = dice.between(500, 8000);
    world.observers.push(this);
  }

  marathonStepped(_marathon: SeenMarathon, _event: MarathonEvent, effects: readonly MarathonEffect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'publish') continue;
      const { eventType, fields } = effect.event;
      if (eventType === 'deployment_failed') for (const { id } of fields.plan.changes) this.halfway.add(id);
    }
  }

  /** Only what is told is durable: who is killed before that may have given up another deployment, and not have ended this one. */
  marathonPerforms(_marathon: SeenMarathon, effect: MarathonEffect): void {
    if (effect.kind !== 'publish') return;
    const { eventType, fields } = effect.event;
    if (eventType !== 'deployment_success') return;
    // One that only scales leaves the versions as they are.
    for (const { kind, spec } of fields.plan.steps.flat()) if (!kind.startsWith('Scale')) this.halfway.delete(spec.id);
  }

  start(): void {
    this.world.loop.after(this.dice.wait(this.pause), () => {
      if (this.phase !== 'busy') return;
      this.act();
      this.start();
    });
  }

  /** From now on they only put right what cannot come right by itself. @param machines that there are */
  mend(machines: readonly AgentMachine[]): void {
    if (this.phase === 'leaving') return;
    this.phase = 'mending';
    this.world.loop.after(LOOK, () => this.mend(machines));
    const state = this.state;
    if (state === undefined) return;
    for (const spec of state.current.values()) {
      const slot = this.slots.find(({ id }) => id === spec.id);
      if (slot === undefined) continue;
      if (isHopeless(spec)) this.replace(slot, state, true);
      else if (!state.locks.has(spec.id) && this.halfway.has(spec.id)) this.replace(slot, state, true);
    }
    this.giveUp(state, machines);
  }

  /** Everything is to go. */
  leave(): void {
    this.phase = 'leaving';
    this.world.loop.after(LOOK, () => this.leave());
    const state = this.state;
    if (state === undefined) return;
    // Not only once: who is killed before that is stored forgets it, and a deployment that it was about to end may run again.
    if (state.current.size > 0 || state.root.groups.size > 0) this.change({ kind: 'deleteGroup', id: '/' }, true);
  }

  /** Those that wait for an agent that will never come back are given up, volumes and all. */
  private giveUp(state: MarathonState, machines: readonly AgentMachine[]): void {
    const alive = new Set(machines.map(({ agent }) => agent.id));
    const lost = [...state.instances.values()].filter(
      ({ placement }) => placement !== undefined && !alive.has(placement.agentId),
    );
    if (lost.length > 0) this.ask({ kind: 'kill', instances: lost.map(({ id }) => id), wipe: true });
  }

  private act(): void {
    const { dice } = this;
    const state = this.state;
    const slot = dice.pick(this.slots);
    if (state === undefined || slot === undefined) return;
    const force = dice.chance(0.3);
    const moves: (() => void)[] = [
      () => this.replace(slot, state, force),
      () => this.replace(slot, state, force),
      () => this.scale(slot, state, force),
      () => this.scale(slot, state, force),
      () => this.change({ kind: 'restartApp', id: slot.id }, force),
      () => this.remove(slot, force),
      () => this.kill(state, force),
      () => this.updateGroup(state, force),
      () => this.updateMany(force),
      () => this.cancel(state, force),
      () => this.ask({ kind: 'resetDelay', specId: slot.id }),
    ];
    dice.pick(moves)?.();
  }

  /** Made where it is not, changed where it is. */
  private replace(slot: Slot, state: MarathonState, force: boolean): void {
    const { dice } = this;
    const document = this.documents.document(slot, this.phase !== 'busy' || dice.chance(0.85));
    const isThere = state.current.has(slot.id);
    if (slot.kind === 'pod') {
      this.change(isThere ? { kind: 'updatePod', id: slot.id, document } : { kind: 'createPod', document }, force);
    } else if (isThere || dice.chance(0.3)) {
      const mode = this.phase === 'busy' ? (dice.pick(MODES) ?? 'merge') : 'replace';
      this.change({ kind: 'updateApp', id: slot.id, document, mode }, force);
    } else this.change({ kind: 'createApp', document }, force);
  }

  private scale(slot: Slot, state: MarathonState, force: boolean): void {
    const spec = state.current.get(slot.id);
    if (spec === undefined) return;
    const isPorted = spec.kind === 'app' && (spec.portDefinitions ?? []).length > 0;
    const instances = this.dice.whole(0, isPorted ? slot.ported : slot.most);
    if (spec.kind === 'app') {
      this.change({ kind: 'updateApp', id: slot.id, document: { instances }, mode: 'merge' }, force);
    }
  }

  private remove(slot: Slot, force: boolean): void {
    const { dice } = this;
    if (dice.chance(0.2)) this.change({ kind: 'deleteGroup', id: dice.pick(['/g', '/g/h']) ?? '/g' }, force);
    else if (slot.kind === 'pod') this.change({ kind: 'deletePod', id: slot.id }, force);
    else this.change({ kind: 'deleteApp', id: slot.id }, force);
  }

  private kill(state: MarathonState, force: boolean): void {
    const { dice } = this;
    const chosen = [...state.instances.values()].filter(() => dice.chance(0.2)).map(({ id }: Instance) => id);
    if (dice.chance(0.3)) this.change({ kind: 'scaleDown', instances: chosen }, force);
    else this.ask({ kind: 'kill', instances: chosen, wipe: dice.chance(0.3) });
  }

  private updateGroup(state: MarathonState, force: boolean): void {
    const { dice } = this;
    if (dice.chance(0.3)) {
      const version = dice.pick(state.rootVersions)?.version;
      if (version === undefined) return;
      this.change({ kind: 'updateGroup', id: '/', document: { version: writeInstant(version) }, dryRun: false }, force);
      return;
    }
    const apps = this.slots.filter(({ id, kind }) => kind !== 'pod' && /^\/g\/[^/]+$/.test(id));
    const documents = apps.map((slot) => this.documents.document(slot, true));
    const document = { id: '/g', apps: documents, ...(dice.chance(0.3) && { groups: [] }) };
    this.change({ kind: 'updateGroup', id: '/g', document, dryRun: dice.chance(0.2) }, force);
  }

  private updateMany(force: boolean): void {
    const { dice } = this;
    const apps = this.slots.filter(({ kind }) => kind === 'app' && dice.chance(0.5));
    const document = apps.map((slot) => this.documents.document(slot, true));
    if (document.length > 0) this.change({ kind: 'updateApps', document, mode: dice.pick(MODES) ?? 'merge' }, force);
  }

  private cancel(state: MarathonState, force: boolean): void {
    const deployment = this.dice.pick([...state.deployments.values()]);
    if (deployment === undefined) return;
    this.ask({ kind: 'cancelDeployment', id: deployment.plan.id, force });
  }

  private change(change: Change, force: boolean): void {
    this.ask({ kind: 'change', change, force, caller: CALLER });
  }

  private ask(question: Question): void {
    const { world } = this;
    const what = question.kind === 'change' ? question.change.kind : question.kind;
    world.say('people ->', brief(question));
    this.marathon.leader?.ask(question, (outcome) => {
      world.say('people <-', `${what} ${summary(outcome)}`);
      world.count(`answers ${summary(outcome).slice(0, 40)}`);
      const kind = outcome.ok ? undefined : outcome.refusal.kind;
      demand(kind !== 'malformed', () => `${what} was called malformed: ${summary(outcome)}`);
    });
  }

  private get state(): MarathonState | undefined {
    return this.marathon.leader?.core.state;
  }
}

function summary(outcome: Outcome): string {
  return outcome.ok ? 'done' : `${outcome.refusal.kind} ${JSON.stringify(outcome.refusal)}`;
}
