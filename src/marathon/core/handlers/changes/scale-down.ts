import type { RunSpec } from '../../model.ts';
import { started } from '../../tree/answers.ts';
import { commit } from '../../tree/commit.ts';
import type { Changer } from '../changer.ts';

/** Takes these instances away, and wants that many fewer of their apps. */
export const scaleDown: Changer<'scaleDown'> = (ctx, { instances }, { force }) => {
  const { state } = ctx;
  const toKill = new Map<string, string[]>();
  for (const id of instances) {
    const instance = state.instances.get(id);
    if (instance === undefined || !state.current.has(instance.specId)) continue;
    toKill.set(instance.specId, [...(toKill.get(instance.specId) ?? []), id]);
  }
  const specs = new Map<string, RunSpec>();
  for (const [id, victims] of toKill) {
    const spec = state.current.get(id)!;
    specs.set(id, { ...spec, instances: Math.max(0, spec.instances - victims.length) });
  }
  return started(commit(ctx, { root: state.root, specs, toKill, groupId: '/', force }));
};
