/** What the tests of resident apps have in common. */
import assert from 'node:assert/strict';
import type { Offer_Operation, Resource } from '../../wire/v1.ts';
import type { Instance } from './model.ts';
import { Rig } from './rig.fixture.ts';

type Options = ConstructorParameters<typeof Rig>[0];

export function rigWithAgents(count = 3, options: Options = {}): Rig {
  const rig = new Rig(options);
  for (let at = 0; at < count; at++) rig.addAgent(`host${at}`);
  return rig;
}

/** An app of the role `prod`, with a volume. */
export function resident(more: object = {}, persistent: object = { size: 100 }) {
  const volumes = [{ containerPath: 'data', mode: 'RW', persistent }];
  const document = { id: '/prod/db', cmd: 'sleep 1000', cpus: 1, mem: 32, role: 'prod', disk: 10, backoffSeconds: 0 };
  return { kind: 'createApp', document: { ...document, container: { type: 'MESOS', volumes }, ...more } } as const;
}

export function operations(rig: Rig): readonly Offer_Operation[] {
  return rig.calls.flatMap(({ accept }) => accept?.operations ?? []);
}

export function types(rig: Rig): readonly (string | undefined)[] {
  return operations(rig).map(({ type }) => type);
}

/** What is dynamically reserved on all agents. */
export function reserved(rig: Rig): string {
  return [...rig.mesos.agents.values()]
    .map(({ total }) => total.reserved())
    .filter((each) => !each.isEmpty)
    .join(' + ');
}

export function volumes(rig: Rig): readonly Resource[] {
  return [...rig.mesos.agents.values()].flatMap(({ total }) => total.persistentVolumes().toProto());
}

export function only(rig: Rig): Instance {
  const all = rig.instancesOf('/prod/db');
  assert.equal(all.length, 1);
  return all[0]!;
}

export function update(rig: Rig, document: object): void {
  const outcome = rig.change({ kind: 'updateApp', id: '/prod/db', document, mode: 'merge' });
  assert.ok(outcome.ok, JSON.stringify(outcome));
}
